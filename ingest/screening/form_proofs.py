"""What a form's own guards say about a post: its hidden fields, when it was shown, whether its puzzle was solved."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from datetime import datetime
from typing import Final, Literal

import altcha
import orjson

from connectors.kit.forms.config import FormConfig
from crm_core.base.config import HubConfig
from crm_core.base.frozen import frozen
from crm_core.parsed import Inquiry
from crm_core.spam import Signal
from ingest.screening.challenge import altcha_secrets, check

_TOO_FAST_SECONDS: Final = 2.0
_OLD_SECONDS: Final = 24 * 3600.0
_LONGEST_PROOF: Final = 8_000  # characters; a solution has about 750


@frozen
class Proof:
    """A puzzle's solution that came with a post."""

    state: Literal["none", "good", "wrong", "expired", "unknown"]
    signature: str = ""  # of a good one: used once
    seconds: int = 0  # until it expires, counted from when the post was received


def honeypot_signals(inquiry: Inquiry) -> Iterator[Signal]:
    filled = inquiry.antispam_fields.get("honeypot")
    if filled:
        yield Signal("honeypot", filled.partition("=")[0][:64])


def time_signals(config: HubConfig, source_id: int, inquiry: Inquiry, received_at: datetime) -> Iterator[Signal]:
    """A post without a token says nothing: pages without a script have none."""
    token = inquiry.antispam_fields.get("time_token")
    if not token:
        return
    age = check(config, source_id, token, received_at)
    if age is None:
        yield Signal("token_forged")
        return
    if inquiry.submitted_at is not None:  # it waited in the browser: the form was sent earlier than it came
        age -= max(0.0, (received_at - inquiry.submitted_at).total_seconds())
    if 0.0 <= age < _TOO_FAST_SECONDS:
        yield Signal("too_fast", f"{age:.1f}")
    elif age > _OLD_SECONDS:
        yield Signal("token_old")


def read_proof(config: HubConfig, source_id: int, inquiry: Inquiry, received_at: datetime) -> Proof:
    """Checks signature, solution and time of an ALTCHA payload. That it is used once is for the caller."""
    payload = inquiry.antispam_fields.get("altcha", "")
    if not payload:
        return Proof("none")
    if len(payload) > _LONGEST_PROOF:
        return Proof("wrong")
    secret, key_secret = altcha_secrets(config, source_id)
    result = altcha.verify_solution(payload, secret, hmac_key_secret=key_secret)
    signature, expires_at = _signed(payload)
    if result.expired:
        # The library asks today's clock. A post that waited for its turn may have been in time when it came.
        return Proof("unknown" if received_at.timestamp() <= expires_at else "expired")
    if not result.verified:
        return Proof("wrong")
    return Proof("good", signature, int(max(1.0, expires_at - received_at.timestamp())) + 60)


def proof_signals(proof: Proof, settings: FormConfig, *, used: bool) -> Iterator[Signal]:
    """`used`: another post had the same solution; never True while the broker is away."""
    if settings.altcha == "off":
        return
    if proof.state == "good":
        yield Signal("altcha_replayed" if used else "altcha_good")
    elif proof.state in ("wrong", "expired"):
        yield Signal(f"altcha_{proof.state}")
    elif proof.state == "none" and settings.altcha == "expected":
        yield Signal("altcha_missing")


def _signed(payload: str) -> tuple[str, float]:
    """(signature, end of validity in seconds since 1970) as the payload says; ("", 0) if it says nothing readable."""
    try:
        challenge = orjson.loads(base64.b64decode(payload))["challenge"]
        return str(challenge["signature"]), float(challenge["parameters"].get("expiresAt") or 0)
    except (binascii.Error, ValueError, LookupError, TypeError, AttributeError):
        return "", 0.0
