"""What a page asks for when somebody begins to fill in a form: a signed time of rendering, and a proof-of-work puzzle.

Both are bound to one source. Nothing is stored: that a puzzle's solution is used once is for whoever checks it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from datetime import datetime, timedelta
from typing import Any, Final

import altcha

from crm_core.base.config import HubConfig

_TOKEN: Final = re.compile(r"([0-9a-f]{11,12})\.([0-9a-f]{32})")  # milliseconds since 1970, signature
_SIGNATURE_CHARS: Final = 32  # 128 bit
_CLOCKS_APART: Final = timedelta(seconds=5)  # web and worker may be two machines
_ALGORITHM: Final = "PBKDF2/SHA-256"
_COST: Final = 5000
#: A solver tries about this many keys: well under a second for a browser's workers, a price for a robot with thousands.
_LEAST_TRIES, _MORE_TRIES = 1000, 1000
CHALLENGE_LIFE: Final = timedelta(hours=1)  # a long form is filled in slowly


def issue(config: HubConfig, source_id: int, now: datetime) -> str:
    """A token that says when the form was shown. Printable ASCII, at most 45 characters, no personal data."""
    moment = f"{round(now.timestamp() * 1000):011x}"
    return f"{moment}.{_signature(config, source_id, moment)}"


def check(config: HubConfig, source_id: int, token: str, now: datetime) -> float | None:
    """Seconds since the token was issued for this source, never negative. None: forged, of another source, or no token."""
    found = _TOKEN.fullmatch(token)
    if found is None or not hmac.compare_digest(found[2], _signature(config, source_id, found[1])):
        return None
    age = now.timestamp() - int(found[1], 16) / 1000
    return None if age < -_CLOCKS_APART.total_seconds() else max(0.0, age)


def altcha_secrets(config: HubConfig, source_id: int) -> tuple[str, str]:
    """(hmac_secret, hmac_key_secret) of this source's puzzles, for `altcha.verify_solution`."""
    return _derived(config, f"altcha:{source_id}"), _derived(config, f"altcha-key:{source_id}")


def challenge(config: HubConfig, source_id: int, now: datetime) -> dict[str, Any]:
    """An ALTCHA challenge (API version 2): {"parameters": {…}, "signature": "…"}. Costs about 2 ms."""
    secret, key_secret = altcha_secrets(config, source_id)
    made: dict[str, Any] = altcha.create_challenge(
        _ALGORITHM,
        _COST,
        counter=_LEAST_TRIES + secrets.randbelow(_MORE_TRIES),
        expires_at=now + CHALLENGE_LIFE,
        hmac_secret=secret,
        hmac_key_secret=key_secret,
    ).to_dict()
    return made


def _signature(config: HubConfig, source_id: int, moment: str) -> str:
    key = _derived(config, "rendered").encode()
    return hmac.new(key, f"{source_id}:{moment}".encode(), hashlib.sha256).hexdigest()[:_SIGNATURE_CHARS]


def _derived(config: HubConfig, purpose: str) -> str:
    """A key of its own for each purpose, so that one that leaks opens nothing else."""
    return hmac.new(config.secret_key.encode(), f"leadhub guard {purpose}".encode(), hashlib.sha256).hexdigest()
