"""Who is looking: a signed cookie that ends by itself, and the token without which no form is accepted.

The cookie names a user, the epoch of his sessions and a nonce; whether that still holds is asked of the database at
every request. It carries no rights and no personal data.
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

from crm_core.config import HubConfig

#: A working day with a long lunch; a forgotten browser is closed to others the next morning.
IDLE = timedelta(hours=12)
#: However busy, once a fortnight one shows again that it is oneself.
ABSOLUTE = timedelta(days=14)
#: The cookie is rewritten this often at most, so that most answers set none.
RENEW = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Session:
    nonce: str  # random for every sign-in; the form token hangs on it
    seen_at: datetime
    user_id: int | None = None
    epoch: int = 0
    signed_in_at: datetime | None = None
    locale: str = ""  # chosen before signing in


def is_secure(config: HubConfig) -> bool:
    return config.base_url.startswith("https://")


def cookie_name(config: HubConfig) -> str:
    """`__Host-` lets the browser itself refuse a cookie planted by a sister domain (RFC 6265bis §4.1.3.2)."""
    return "__Host-leadhub" if is_secure(config) else f"leadhub_{config.port}"


def begin(now: datetime, locale: str = "") -> Session:
    return Session(secrets.token_urlsafe(18), now, locale=locale)


def sign_in(user_id: int, epoch: int, now: datetime, locale: str) -> Session:
    """A session that shares nothing with the one before, so that a planted one is worth nothing."""
    return replace(begin(now, locale), user_id=user_id, epoch=epoch, signed_in_at=now)


def _serializer(config: HubConfig) -> URLSafeSerializer:
    return URLSafeSerializer(config.secret_key, salt="leadhub.console.session", signer_kwargs={"digest_method": hashlib.sha256})


def write(session: Session, config: HubConfig) -> str:
    return str(
        _serializer(config).dumps(
            [
                session.nonce,
                int(session.seen_at.timestamp()),
                session.user_id,
                session.epoch,
                None if session.signed_in_at is None else int(session.signed_in_at.timestamp()),
                session.locale,
            ]
        )
    )


def read(cookie: str | None, config: HubConfig, now: datetime) -> Session | None:
    """The session of a cookie; None if it is missing, forged or too old."""
    if not cookie:
        return None
    try:
        nonce, seen, user_id, epoch, signed_in, locale = _serializer(config).loads(cookie)
        zone = now.tzinfo
        session = Session(
            str(nonce),
            datetime.fromtimestamp(seen, zone),
            user_id,
            epoch,
            None if signed_in is None else datetime.fromtimestamp(signed_in, zone),
            str(locale),
        )
    except (BadData, ValueError, TypeError, OverflowError):
        return None
    if now - session.seen_at > IDLE or session.seen_at - now > RENEW:
        return None
    if session.signed_in_at is not None and now - session.signed_in_at > ABSOLUTE:
        return None
    return session


def is_stale(session: Session, now: datetime) -> bool:
    return now - session.seen_at > RENEW


def form_token(session: Session, config: HubConfig) -> str:
    key = config.secret_key.encode()
    return hmac.new(key, b"leadhub.console.form:" + session.nonce.encode(), hashlib.sha256).hexdigest()


def is_own_post(session: Session | None, token: str, headers: Headers, host: str, config: HubConfig) -> bool:
    """True if this POST was sent by one of our own pages: form token, and no foreign Origin."""
    if session is None or not hmac.compare_digest(form_token(session, config).encode(), token.encode()):
        return False
    if headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("Origin", "")
    return not origin or urlsplit(origin).netloc in (host, urlsplit(config.base_url).netloc)
