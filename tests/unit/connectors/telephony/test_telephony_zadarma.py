"""The published signature vectors, and the keys that make a redelivery the same event."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest

from connectors.kit import Reply, Request
from connectors.telephony.zadarma import CONNECTOR
from connectors.telephony.zadarma.config import ZadarmaConfig
from connectors.telephony.zadarma.verify import signature
from crm_core.base.errors import NotAuthentic
from crm_core.parsed import CallEvent

CONFIG = ZadarmaConfig(secret="8a8e91d214fb728889c7", timezone="Europe/Moscow")
CALL = {
    "caller_id": "79001234567",
    "called_did": "74951112233",
    "call_start": "2026-01-15 10:20:30",
    "pbx_call_id": "in_0a1b2c3d",
}
VECTORS = {
    "NOTIFY_START": "N2QxYjEwYzViOGNiNjk1OWE3ZmQwYWViNDM3ZThlNzJjNzkxZWU1MA==",
    "NOTIFY_INTERNAL": "N2QxYjEwYzViOGNiNjk1OWE3ZmQwYWViNDM3ZThlNzJjNzkxZWU1MA==",
    "NOTIFY_END": "N2QxYjEwYzViOGNiNjk1OWE3ZmQwYWViNDM3ZThlNzJjNzkxZWU1MA==",
    "NOTIFY_IVR": "N2QxYjEwYzViOGNiNjk1OWE3ZmQwYWViNDM3ZThlNzJjNzkxZWU1MA==",
    "NOTIFY_ANSWER": "NWQ2MWEwZWFhYWU0NWMxZmY1NzhmYTZmZWFlMDJmMTJkYTY3NTdmYw==",
    "NOTIFY_OUT_START": "ZGRjYjc2ZDI5ZGUyMDcxYjc5NmFiNDcwOTg2ZDNmMDBjM2Q3MDAxMg==",
    "NOTIFY_OUT_END": "ZGRjYjc2ZDI5ZGUyMDcxYjc5NmFiNDcwOTg2ZDNmMDBjM2Q3MDAxMg==",
    "NOTIFY_RECORD": "NGEwZGU4MzU2NWQ3YmJmNjZlMWZiYjM0YjQxN2Q1YzFkZmE4NmNiNg==",
}
MORE = {
    "NOTIFY_ANSWER": {"destination": "101"},
    "NOTIFY_OUT_START": {"internal": "101", "destination": "79001234567"},
    "NOTIFY_OUT_END": {"internal": "101", "destination": "79001234567"},
    "NOTIFY_RECORD": {"call_id_with_rec": "1516000000.123456"},
}


def event(name: str, sign: str = "", **more: str) -> Request:
    body = urlencode({"event": name, **CALL, **MORE.get(name, {}), **more}).encode()
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "signature": sign or VECTORS.get(name, ""),
    }
    return Request("POST", "", "", headers, body, datetime(2026, 1, 15, 7, 21, tzinfo=UTC))


@pytest.mark.parametrize("name", VECTORS)
def test_vector_is_accepted_when_the_secret_is_right(name: str) -> None:
    assert CONNECTOR.verify is not None
    CONNECTOR.verify(event(name), CONFIG)
    for wrong in (
        "AAAA",
        VECTORS[name].lower(),
        "я",
        VECTORS["NOTIFY_RECORD" if name != "NOTIFY_RECORD" else "NOTIFY_END"],
    ):
        with pytest.raises(NotAuthentic):
            CONNECTOR.verify(event(name, wrong), CONFIG)


def test_signature_is_of_the_hex_digest_when_made() -> None:
    assert len(signature("x", "y")) == 56


@pytest.mark.parametrize(
    "query, body",
    [("zd_echo=abc-1_Z", b"abc-1_Z"), ("zd_echo=" + "a" * 65, None), ("zd_echo=%3Cb%3E", None), ("", None)],
)
def test_echo_is_given_when_it_can_do_no_harm(query: str, body: bytes | None) -> None:
    assert CONNECTOR.handshake is not None
    answer = CONNECTOR.handshake(Request("GET", "", query, {}, b"", datetime(2026, 1, 15, tzinfo=UTC)), CONFIG)
    assert answer == (Reply(body) if body else None)


def test_key_differs_when_the_event_does() -> None:
    assert CONNECTOR.provider_key is not None
    requests = [event(name) for name in VECTORS]
    requests += [event("NOTIFY_INTERNAL", internal=extension) for extension in ("101", "102")]
    requests += [event("NOTIFY_END", disposition=disposition) for disposition in ("busy", "cancel")]
    requests.append(event("NOTIFY_END", "forged", disposition="busy"))
    keys = [CONNECTOR.provider_key(request, CONFIG) for request in requests]
    assert None not in keys
    assert len(set(keys)) == len(keys)
    assert CONNECTOR.provider_key(event("NOTIFY_END"), CONFIG) == CONNECTOR.provider_key(event("NOTIFY_END"), CONFIG)


@pytest.mark.parametrize(
    "disposition, incoming, outgoing",
    [
        ("answered", "answered", "out_answered"),
        ("no answer", "missed", "out_no_answer"),
        ("cancel", "missed", "out_no_answer"),
        ("busy", "busy", "busy"),
        ("no money, no limit", "failed", "failed"),
        ("something new", None, None),
    ],
)
def test_result_is_in_our_words_when_a_call_ends(disposition: str, incoming: str | None, outgoing: str | None) -> None:
    for name, expected in (("NOTIFY_END", incoming), ("NOTIFY_OUT_END", outgoing)):
        (call,) = CONNECTOR.parse(event(name, disposition=disposition, duration="30"), CONFIG)
        assert isinstance(call, CallEvent)
        assert (call.outcome_hint, call.is_final) == (expected, True)
        assert call.talk_seconds == (30.0 if expected in ("answered", "out_answered") else None)


def test_ringing_extension_is_no_miss_when_it_is_one_of_a_group() -> None:
    (call,) = CONNECTOR.parse(event("NOTIFY_INTERNAL", internal="102"), CONFIG)
    assert isinstance(call, CallEvent)
    assert (call.kind, call.leg_key, call.is_final, call.outcome_hint) == ("ringing", "102", False, None)
