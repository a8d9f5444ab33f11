"""Who is looking: a signed cookie that ends by itself, and the token without which no form is accepted.

The cookie holds a secret by which the database knows the session, asked at every request. It names nobody and carries
no rights. Before somebody signs in, it is the same cookie with a secret that opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeSerializer
from werkzeug.datastructures import Headers

from crm_core.access.sessions import IDLE
from crm_core.base.config import HubConfig

#: The cookie is rewritten this often at most, so that most answers set none.
RENEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Session:
    secret: str  # 256 random bits, new at every sign-in; the form token hangs on it
    seen_at: datetime
    signed_in: bool = False  # whether it is worth asking the database
    locale: str = ""  # chosen before signing in


def is_secure(config: HubConfig) -> bool:
    return config.base_url.startswith("https://")


def cookie_name(config: HubConfig) -> str:
    """`__Host-` lets the browser itself refuse a cookie planted by a sister domain (RFC 6265bis §4.1.3.2)."""
    return "__Host-leadhub" if is_secure(config) else f"leadhub_{config.port}"


def begin(now: datetime, locale: str = "") -> Session:
    return Session(secrets.token_urlsafe(32), now, locale=locale)


def sign_in(now: datetime, locale: str) -> Session:
    """A session that shares nothing with the one before, so that a planted one is worth nothing."""
    return replace(begin(now, locale), signed_in=True)


def _serializer(config: HubConfig) -> URLSafeSerializer:
    return URLSafeSerializer(config.secret_key, salt="leadhub.console.session", signer_kwargs={"digest_method": hashlib.sha256})


def write(session: Session, config: HubConfig) -> str:
    return str(
        _serializer(config).dumps([session.secret, int(session.seen_at.timestamp()), int(session.signed_in), session.locale])
    )


def read(cookie: str | None, config: HubConfig, now: datetime) -> Session | None:
    """The session of a cookie; None if it is missing, forged or too old."""
    if not cookie:
        return None
    try:
        secret, seen, signed_in, locale = _serializer(config).loads(cookie)
        session = Session(str(secret), datetime.fromtimestamp(seen, now.tzinfo), bool(signed_in), str(locale))
    except (BadData, ValueError, TypeError, OverflowError):
        return None
    if now - session.seen_at > IDLE or session.seen_at - now > RENEW:
        return None
    return session


def is_stale(session: Session, now: datetime) -> bool:
    return now - session.seen_at > RENEW


def form_token(session: Session, config: HubConfig) -> str:
    key = config.secret_key.encode()
    return hmac.new(key, b"leadhub.console.form:" + session.secret.encode(), hashlib.sha256).hexdigest()


def is_own_post(session: Session | None, token: str, headers: Headers, host: str, config: HubConfig) -> bool:
    """True if this POST was sent by one of our own pages: form token, and no foreign Origin."""
    if session is None or not hmac.compare_digest(form_token(session, config).encode(), token.encode()):
        return False
    if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("Origin", "")
    return not origin or urlsplit(origin).netloc in (host, urlsplit(config.base_url).netloc)
