"""What a sign-in may know of the browser: its network, its kind, and whether it has signed somebody in before.

The cookie of a known browser is signed, names users by number and outlives signing out. It opens nothing: it only
keeps what others guess elsewhere from delaying its users.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import secrets
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from flask import Request, Response
from itsdangerous import BadData, URLSafeSerializer

from crm_core.base.config import HubConfig
from webhooks.console.shell.session import is_secure
from webhooks.entrance.request import remote_ip

_KEPT: Final = timedelta(days=365)
_MOST_USERS: Final = 8  # who share a browser; whoever signed in longest ago makes room
_IPV6_PREFIX: Final = 64  # what a provider gives one customer (RFC 6177): addresses inside cost nothing
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{16}")

#: In this order: nearly every browser calls itself Mozilla, Chrome and Safari too.
_BROWSERS: Final = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("YaBrowser", "Yandex Browser"), ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS: Final = (
    ("Windows", "Windows"), ("Android", "Android"), ("iPhone", "iOS"), ("iPad", "iPadOS"), ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


def network_of(request: Request, config: HubConfig) -> str:
    """The caller's address as the entrances see it; of IPv6 the /64. "" if there is none."""
    before = request.environ.get("werkzeug.proxy_fix.orig") or request.environ
    seen = {
        "REMOTE_ADDR": before.get("REMOTE_ADDR"),
        "HTTP_X_FORWARDED_FOR": request.environ.get("HTTP_X_FORWARDED_FOR"),
    }
    address = remote_ip(seen, config.trusted_proxies)
    if ":" not in address:
        return address
    parsed = ipaddress.IPv6Address(address)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed), _IPV6_PREFIX), strict=False))


def kind_of(request: Request) -> str:
    """ "Firefox, Linux": enough to know one's own browser in a list, too little to be followed by."""
    text = request.headers.get("User-Agent", "")
    found = [next((name for mark, name in marks if mark in text), "") for marks in (_BROWSERS, _SYSTEMS)]
    return ", ".join(name for name in found if name)


def known_to(request: Request, config: HubConfig) -> Mapping[int, str]:
    """User id → this browser's name, for those who signed in here before. Empty for a forged cookie."""
    cookie = request.cookies.get(_cookie_name(config))
    if not cookie:
        return {}
    try:
        pairs = _serializer(config).loads(cookie)
        return {int(user_id): name for user_id, name in pairs if _NAME.fullmatch(name)}
    except (BadData, ValueError, TypeError):
        return {}


def remember(answer: Response, request: Request, config: HubConfig, user_id: int) -> None:
    """From now on this browser is known to this user."""
    known = dict(known_to(request, config))
    name = known.pop(user_id, "") or secrets.token_urlsafe(12)
    pairs = [*known.items(), (user_id, name)][-_MOST_USERS:]
    answer.set_cookie(
        _cookie_name(config), str(_serializer(config).dumps(pairs)), max_age=int(_KEPT.total_seconds()), path="/",
        secure=is_secure(config), httponly=True, samesite="Lax",
    )  # fmt: skip


def _cookie_name(config: HubConfig) -> str:
    return "__Host-leadhub-browser" if is_secure(config) else f"leadhub_browser_{config.port}"


def _serializer(config: HubConfig) -> URLSafeSerializer:
    return URLSafeSerializer(config.secret_key, salt="leadhub.console.browser", signer_kwargs={"digest_method": hashlib.sha256})
