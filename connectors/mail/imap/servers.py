"""The IMAP server of an address, out of a table and a convention. Asks nobody: whether it is right is found out by signing in.

Sources: the providers' own help pages on mail programs and app passwords, as general knowledge; every one is IMAP over TLS
on port 993.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MailServer:
    host: str
    app_password: str = ""  # page where a person makes one; "" if the provider needs none or the page is not known
    takes_passwords: bool = True  # False: signs in by OAuth only, which this connector does not speak


_YANDEX = MailServer("imap.yandex.ru", "https://id.yandex.ru/security/app-passwords")
_MAILRU = MailServer("imap.mail.ru", "https://account.mail.ru/user/2-step-auth/passwords/")
_GMAIL = MailServer("imap.gmail.com", "https://myaccount.google.com/apppasswords")
_APPLE = MailServer("imap.mail.me.com", "https://account.apple.com/account/manage")
_YAHOO = MailServer("imap.mail.yahoo.com", "https://login.yahoo.com/myaccount/security/app-password/")
_MICROSOFT = MailServer("outlook.office365.com", takes_passwords=False)

#: Domain of the address → its server.
SERVERS: Mapping[str, MailServer] = {
    **dict.fromkeys(("yandex.ru", "ya.ru", "yandex.com", "yandex.by", "yandex.kz", "narod.ru"), _YANDEX),
    **dict.fromkeys(("mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru"), _MAILRU),
    **dict.fromkeys(("gmail.com", "googlemail.com"), _GMAIL),
    **dict.fromkeys(("icloud.com", "me.com", "mac.com"), _APPLE),
    **dict.fromkeys(("yahoo.com", "ymail.com", "yahoo.de", "yahoo.co.uk", "yahoo.fr"), _YAHOO),
    **dict.fromkeys(("outlook.com", "hotmail.com", "live.com", "msn.com", "live.ru"), _MICROSOFT),
    "rambler.ru": MailServer("imap.rambler.ru"),
    "fastmail.com": MailServer("imap.fastmail.com", "https://app.fastmail.com/settings/security/apps"),
    "gmx.de": MailServer("imap.gmx.net"),
    "gmx.net": MailServer("imap.gmx.net"),
    "web.de": MailServer("imap.web.de"),
    "zoho.com": MailServer("imap.zoho.com", "https://accounts.zoho.com/home#security/app_password"),
}

_BY_HOST: Mapping[str, MailServer] = {server.host: server for server in SERVERS.values()} | {
    "imap.yandex.com": _YANDEX,
    "outlook.office.com": _MICROSOFT,
}


def server_of(address: str) -> MailServer | None:
    """The provider's, else `imap.` before the domain, as most who run their own name it. None for what is no address."""
    _, at, domain = address.strip().lower().rpartition("@")
    if not at or "." not in domain or any(char.isspace() or char in "/:,;" for char in domain):
        return None
    return SERVERS.get(domain) or MailServer(f"imap.{domain}")


def known_server(host: str) -> MailServer | None:
    """A provider by its server's name: what is known of its passwords."""
    return _BY_HOST.get(host.strip().lower())
