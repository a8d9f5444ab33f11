"""What providers of mailboxes say about their own addresses: which spellings are one mailbox. Facts, no code.

Sources: Google (support.google.com/mail/answer/7436150), Yandex help "Aliases", Apple, Proton, Fastmail and Microsoft
help pages, and the tables of MaxMind's minfraud and of validator.js, as docs/identity.md sums them up; not every page
was read again. What no source states is not here, or only in `SUGGESTED_DOMAINS`, where it can suggest but never join.
"""

from __future__ import annotations

from dataclasses import dataclass

from disposable_email_domains import blocklist


@dataclass(frozen=True, slots=True)
class House:
    """How one provider reads an address."""

    domain: str = ""  # its one canonical domain; "" keeps the domain as written
    tags: bool = False  # `+anything` goes to the same mailbox
    dots: bool = True  # dots in front of the @ matter


_GOOGLE = House("gmail.com", tags=True, dots=False)  # only these two domains: for Workspace customers dots matter
_YANDEX = House("yandex.ru", tags=True)
_APPLE = House("icloud.com", tags=True)
_PROTON = House("proton.me", tags=True)
_TAGS = House(tags=True)

_YANDEX_DOMAINS = ("ya.ru", "yandex.ru", "yandex.com", "yandex.by", "yandex.kz", "yandex.ua")
_MICROSOFT_DOMAINS = (
    "outlook.com", "hotmail.com", "live.com", "msn.com", "live.ru", "hotmail.co.uk", "live.co.uk", "hotmail.de",
    "live.de", "outlook.de", "hotmail.fr", "live.fr", "outlook.fr", "hotmail.it", "live.it", "outlook.it",
    "hotmail.es", "outlook.es", "live.nl", "hotmail.nl", "outlook.com.br", "hotmail.com.br",
)  # fmt: skip

#: Fastmail's own domains that people use; `anything@user.fastmail.com` is `user@fastmail.com`.
FASTMAIL = frozenset(
    {
        "fastmail.com", "fastmail.fm", "fastmail.cn", "fastmail.co.uk", "fastmail.de", "fastmail.es", "fastmail.in",
        "fastmail.jp", "fastmail.mx", "fastmail.net", "fastmail.nl", "fastmail.org", "fastmail.se", "fastmail.to",
        "fastmail.tw", "fastmail.uk", "fastmail.us", "airpost.net", "eml.cc", "fea.st", "fmail.co.uk", "fmailbox.com",
        "fmgirl.com", "fmguy.com", "imap.cc", "internet-mail.org", "mailbolt.com", "mailcan.com", "mailhaven.com",
        "ml1.net", "promessage.com", "sent.as", "sent.at", "sent.com", "speedymail.org", "ssl-mail.com",
        "swift-mail.com", "the-fastest.net", "warpmail.net", "xsmail.com", "123mail.org", "150mail.com",
    }
)  # fmt: skip

HOUSES: dict[str, House] = {
    "gmail.com": _GOOGLE,
    "googlemail.com": _GOOGLE,
    **dict.fromkeys(_YANDEX_DOMAINS, _YANDEX),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), _APPLE),
    **dict.fromkeys(("proton.me", "pm.me", "protonmail.com", "protonmail.ch"), _PROTON),
    **dict.fromkeys(_MICROSOFT_DOMAINS, _TAGS),
    **dict.fromkeys(FASTMAIL, _TAGS),
}

#: Seen to be the same mailbox, but no page of the provider says so: only a suggestion.
SUGGESTED_DOMAINS = dict.fromkeys(
    (
        "narod.ru", "yandex.az", "yandex.co.il", "yandex.com.am", "yandex.com.ge", "yandex.com.tr", "yandex.ee",
        "yandex.fr", "yandex.kg", "yandex.lt", "yandex.lv", "yandex.md", "yandex.pl", "yandex.tj", "yandex.tm",
        "yandex.uz",
    ),
    "yandex.ru",
)  # fmt: skip

YAHOO = frozenset(
    {
        "yahoo.com",
        "ymail.com",
        "rocketmail.com",
        "yahoo.co.uk",
        "yahoo.de",
        "yahoo.fr",
        "yahoo.es",
        "yahoo.it",
    }
)

#: One address a site, made by the owner's provider. Strong for itself, says nothing about other addresses or a company.
RELAYS = frozenset(
    {
        "privaterelay.appleid.com", "duck.com", "mozmail.com", "relay.firefox.com", "simplelogin.com",
        "simplelogin.co", "simplelogin.fr", "slmail.me", "slmails.com", "aleeas.com", "8alias.com", "8shield.net",
        "dralias.com", "silomails.com", "anonaddy.com", "anonaddy.me", "addy.io", "addymail.com", "passmail.net",
        "passmail.com", "passinbox.com", "passfwd.com", "mailer.me", "guest.booking.com", "convo.zillow.com",
    }
)  # fmt: skip

#: Mailboxes open to everybody: the domain says nothing about a company.
FREE = frozenset(
    {
        "mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru", "vk.com", "rambler.ru", "lenta.ru",
        "autorambler.ru", "myrambler.ru", "ro.ru", "rambler.ua", "mail.ua", "ukr.net", "i.ua", "meta.ua", "bigmir.net",
        "tut.by", "mail.by", "mail.kz", "mail.uz", "umail.uz", "inbox.uz", "aol.com", "gmx.com", "gmx.de", "gmx.net",
        "gmx.at", "web.de", "t-online.de", "freenet.de", "mail.com", "zoho.com", "tutanota.com", "tuta.io",
        "tutamail.com", "qq.com", "163.com", "126.com", "sina.com", "naver.com", "daum.net", "hanmail.net", "orange.fr",
        "free.fr", "laposte.net", "libero.it", "wp.pl", "o2.pl", "onet.pl", "interia.pl", "seznam.cz", "abv.bg",
        "comcast.net", "verizon.net", "att.net", "btinternet.com", "nextmail.ru", "pochta.ru", "hotbox.ru", "e-mail.ru",
    }
).union(HOUSES, SUGGESTED_DOMAINS, YAHOO)  # fmt: skip

#: Domains that hands type instead of the real one. Gives a suggestion, never rewrites the address.
TYPOS = {
    wrong: right
    for right, wrongs in {
        "gmail.com": (
            "gmail.con gmail.cm gmail.co gmail.om gmail.cim gmail.vom gmail.comm gmail.ru gmail.ry gmai.com gmal.com "
            "gmial.com gamil.com gnail.com gmaill.com gmaul.com gmeil.com gmali.com gimail.com gmil.com jmail.com "
            "gmail.cpm gmail.xom hmail.com"
        ),
        "mail.ru": (
            "mail.tu mail.ry mail.ri mail.eu mail.rru mail.ruu maill.ru mai.ru mal.ru mial.ru meil.ru maul.ru "
            "mali.ru mil.ru nail.ru mailru.ru mqil.ru mael.ru email.ru"
        ),
        "yandex.ru": (
            "yandex.tu yandex.ry yandex.ri yandex.rru yandex.ruu yandx.ru yadex.ru yndex.ru ynadex.ru yandeks.ru "
            "yanddex.ru yandexru.ru jandex.ru uandex.ru yandez.ru yandec.ru yanex.ru yande.ru andex.ru ayndex.ru ya.tu ya.ry"
        ),
        "bk.ru": "bk.tu bk.ry bk.ri",
        "list.ru": "list.tu list.ry list.ri lisr.ru",
        "inbox.ru": "inbox.tu inbox.ry inbox.ri imbox.ru",
        "rambler.ru": "rambler.tu rambler.ry rambler.ri ramler.ru rambler.com rambker.ru",
        "icloud.com": "icloud.con icloud.cm icloud.ru iclod.com icoud.com iclould.com icloude.com",
        "outlook.com": "outlook.con outlok.com outloo.com oulook.com outlool.com",
        "hotmail.com": "hotmail.con hotmial.com hotmai.com hormail.com hotnail.com",
        "yahoo.com": "yahoo.con yaho.com yahho.com yahooo.com",
    }.items()
    for wrong in wrongs.split()
}

#: Mailboxes of a function (RFC 2142 and what Russian firms use), and what is typed to get past a field.
ROLES = frozenset(
    """
    info inform information sales sale office order orders zakaz zakazy zayavka zayavki mail email post admin administrator
    webmaster hostmaster postmaster abuse noc security support help helpdesk service servis marketing market reklama
    adv pr press buh buhgalter buhgalteria accounting account accounts finance fin billing invoice priemnaya priem
    sekretar secretary reception kadry hr job jobs rabota vacancy career resume contact contacts kontakt hello hi
    welcome team shop store magazin market manager managers menedger director direktor dir company firma opt optom tender
    tenders zakupki zakup snab snabzhenie sklad logist logistic logistika dostavka delivery booking bron reservation
    feedback reply noreply no-reply donotreply do-not-reply robot bot mailer mailer-daemon daemon notification
    notifications notify news newsletter subscribe root system www web site
    test testing asd asdf qwe qwerty none no net example nobody null
    инфо почта заказ заказы продажи офис приемная бухгалтерия директор отдел-продаж
    """.split()  # noqa: SIM905 (words read best as words)
)

#: Throw-away mailboxes: the maintained list, and some that people type and that it does not have.
DISPOSABLE = (frozenset(blocklist) - FREE - TYPOS.keys()) | {
    "33mail.com", "burnermail.io", "luxusmail.org", "mail-temp.com", "spamgourmet.com", "temp-mail.io", "tempmail.com",
    "tempmail.dev", "tempmail.net", "throwaway.email",
}  # fmt: skip
