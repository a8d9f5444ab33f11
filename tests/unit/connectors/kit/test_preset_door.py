"""What a preset does at the door: keys, signatures by the published vectors, answers, handshakes."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from preset_maker import made, posted, settings

from connectors.kit import Connector
from crm_core.base.errors import Misconfigured, NotAuthentic

BODY = b'{"event_id":"01","event_type":"form_response"}'
B64 = "PPZMS6muCZ8PMNNsMTs0pJHYCLnguImHzGkAmUNn1WA="
HEX = "3cf64c4ba9ae099f0f30d36c313b34a491d808b9e0b88987cc6900994367d560"
SECRET = "settings: {secret: {description: S, secret: true}}\n"


@pytest.mark.parametrize(
    "rule, headers, at",
    [
        ("encoding: base64, prefix: 'sha256='", {"x_sign": f"sha256={B64}"}, 1_700_000_000),  # Typeform
        ("encoding: base64", {"x_sign": B64}, 1_700_000_000),  # Tally
        ("prefix: 'sha256='", {"x_sign": f"sha256={HEX}"}, 1_700_000_000),  # Meta, WhatsApp
        ("prefix: 'sha256='", {"x_sign": f"sha256={HEX.upper()}"}, 1_700_000_000),
        ("over: 'hmacsha256={body}'", {"x_sign": "4e122ff2cf7ab0443aff98d80de6017e9bd0d3e5101d5432340e3a364c759d86"}, 0),  # LinkedIn
        (
            "over: '{header:x-time}:{body}', timestamp: {header: x-time, unit: ms}",  # Webflow
            {"x_sign": "7e82aa12943d486f7217a1138af42762c2f639ea373c4a579d38151306d210d2", "x_time": "1700000000000"},
            1_700_000_299,
        ),
    ],
)  # fmt: skip
def test_signature_fits_when_it_is_the_published_one(tmp_path: Path, rule: str, headers: dict[str, str], at: int) -> None:
    connector = made(tmp_path, f"{SECRET}signature: {{setting: secret, header: x-sign, {rule}}}\n")
    moment = datetime.fromtimestamp(at, UTC)
    verify(connector, "secret", BODY, moment, **headers)
    verify(connector, "", BODY, moment)
    for other, wrong in (
        (BODY + b" ", headers),
        (BODY, {**headers, "x_sign": "é" + headers["x_sign"]}),
        (BODY, {}),
    ):
        with pytest.raises(NotAuthentic):
            verify(connector, "secret", other, moment, **wrong)
    with pytest.raises(NotAuthentic):
        verify(connector, "other", BODY, moment, **headers)


def verify(connector: Connector, secret: str, body: bytes, at: datetime, **headers: str) -> None:
    assert connector.verify is not None
    connector.verify(posted(body, at=at, **headers), settings(connector, secret=secret))


STANDARD = (
    SECRET + "signature: {setting: secret, header: webhook-signature, encoding: base64, prefix: 'v1,', list: true, key: base64,"
    " over: '{header:webhook-id}.{header:webhook-timestamp}.{body}', timestamp: {header: webhook-timestamp}}\n"
)
OFFICIAL = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize(
    "secret, signature, late, fits",
    [
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", OFFICIAL, 0, True),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", OFFICIAL, 300, True),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", f"v1,AAAA {OFFICIAL}", 0, True),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", f"garbage v1a,xyz {OFFICIAL}", 0, True),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", OFFICIAL, 301, False),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", OFFICIAL, -301, False),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "garbage", 0, False),
        ("whsec_not base64!", OFFICIAL, 0, False),
    ],
)
def test_standard_webhook_is_checked_when_its_list_holds_one_that_fits(
    tmp_path: Path, secret: str, signature: str, late: int, fits: bool
) -> None:
    connector = made(tmp_path, STANDARD)
    moment = datetime.fromtimestamp(1_614_265_330 + late, UTC)
    headers = {
        "webhook_id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook_timestamp": "1614265330",
        "webhook_signature": signature,
    }
    if fits:
        verify(connector, secret, b'{"test": 2432232314}', moment, **headers)
    else:
        with pytest.raises(NotAuthentic):
            verify(connector, secret, b'{"test": 2432232314}', moment, **headers)


def test_unpadded_secret_fits_when_the_padding_is_missing(tmp_path: Path) -> None:
    connector = made(tmp_path, SECRET + "signature: {setting: secret, header: x-sign, key: base64}\n")
    moment = datetime(2026, 1, 15, tzinfo=UTC)
    for secret in ("c2VjcmV0MQ==", "c2VjcmV0MQ", "whsec_c2VjcmV0MQ"):
        with pytest.raises(NotAuthentic, match="fit"):
            verify(connector, secret, BODY, moment, x_sign=HEX)


@pytest.mark.parametrize(
    "where, given",
    [("path: $.google_key", {}), ("header: x-hub-token", {"x_hub_token": "гость"}), ("query: key", {})],
)
def test_shared_secret_is_compared_when_it_is_sent_along(tmp_path: Path, where: str, given: dict[str, str]) -> None:
    connector = made(tmp_path, f"{SECRET}shared_secret: {{{where}, setting: secret}}\n")
    assert connector.verify is not None
    request = posted({"google_key": "гость", "name": "A"}, query="key=%D0%B3%D0%BE%D1%81%D1%82%D1%8C", **given)
    connector.verify(request, settings(connector, secret="гость"))
    connector.verify(request, settings(connector))
    for stranger in (request, posted(b"\xff\xfe\x00"), posted([1])):
        with pytest.raises(NotAuthentic):
            connector.verify(stranger, settings(connector, secret="other"))
    (read,) = connector.parse(posted({"google_key": "s", "name": "A"}), settings(connector))
    assert ("google_key" in repr(read)) is not where.startswith("path")


def test_key_is_the_same_when_what_makes_it_is(tmp_path: Path) -> None:
    connector = made(tmp_path, "event_id: {first: [['@header:webhook-id'], [$.a, $.b], {hash: [$.created, $.contacts]}]}\n")

    def key(body: object, **headers: str) -> str | None:
        assert connector.provider_key is not None
        return connector.provider_key(posted(body, **headers), settings(connector))

    assert key({"a": 1, "b": 2}, webhook_id="w1") == "w1"
    assert key({"a": 1, "b": "2"}) == "1|2"
    one, other = {"name": "A", "phone": "1"}, {"phone": "1", "name": "A"}
    assert key({"created": "t", "contacts": one}) == key({"contacts": other, "created": "t", "a": 1})
    assert key({"created": "t", "contacts": one}) != key({"created": "u", "contacts": one})
    assert len(key({"created": "t", "contacts": one}) or "") == 64
    assert key({"created": "t"}) is None
    assert key(b"\xff\xff") is None


REPLIES = """
reply: {status: 200, type: text/plain, body: ok}
replies:
  - when: [{path: $.jsonrpc, exists: true}]
    reply: {json: {jsonrpc: "2.0", id: {$value: $.id}, result: ok}}
  - {when: [{wants: page}], reply: null}
  - {when: [{method: GET}, {path: "@query:format", eq: json}], reply: {json: {ok: true}}}
"""


def test_answer_is_chosen_when_its_conditions_hold(tmp_path: Path) -> None:
    connector = made(tmp_path, REPLIES)

    def said(**more: str) -> bytes | None:
        assert connector.reply is not None
        body = more.pop("body", "{}").encode()
        answer = connector.reply(posted(body, **more), settings(connector))
        return answer.body if answer is not None else None

    assert said(body='{"jsonrpc":"2.0","id":7}') == b'{"jsonrpc": "2.0", "id": 7, "result": "ok"}'
    assert said(body='{"jsonrpc":"2.0","id":{"a":1}}') == b'{"jsonrpc": "2.0", "id": null, "result": "ok"}'
    assert said(accept="text/html,application/xhtml+xml") is None
    assert said(accept="text/html", x_requested_with="XMLHttpRequest") == b"ok"
    assert said(method="GET", query="format=json") == b'{"ok": true}'
    assert said() == b"ok"


HANDSHAKES = """
settings:
  verify_token: {description: V, secret: true}
  confirmation: {description: C}
reply: {body: ok}
handshake:
  - {form: {type: confirmation}, answer: {setting: confirmation}}
  - query: {hub.mode: subscribe}
    secret: {query: hub.verify_token, setting: verify_token}
    answer: {query: hub.challenge}
"""


@pytest.mark.parametrize(
    "query, token, status, body",
    [
        (
            "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock",
            "meatyhamhock",
            200,
            b"1158201444",
        ),
        (
            "hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=wrong",
            "meatyhamhock",
            403,
            b"This is not the verify_token",
        ),
        (
            "hub.mode=subscribe&hub.challenge=1&hub.verify_token=",
            "",
            403,
            b"The setting verify_token of this source is empty",
        ),
        ("hub.mode=other&hub.challenge=1", "meatyhamhock", None, b""),
    ],
)
def test_address_is_confirmed_when_the_token_is_right(
    tmp_path: Path, query: str, token: str, status: int | None, body: bytes
) -> None:
    connector = made(tmp_path, HANDSHAKES)
    assert connector.handshake is not None
    answer = connector.handshake(posted(b"", "GET", query=query), settings(connector, verify_token=token))
    assert (answer.status if answer else None) == status
    assert answer is None or answer.body.startswith(body)


def test_setting_is_the_answer_when_the_provider_wants_it(tmp_path: Path) -> None:
    connector = made(tmp_path, HANDSHAKES)
    assert connector.handshake is not None
    config = settings(connector, confirmation="a1b2")
    answer = connector.handshake(posted({"type": "confirmation", "group_id": 1}), config)
    assert answer is not None
    assert (answer.body, answer.content_type) == (b"a1b2", "text/plain; charset=utf-8")
    assert connector.handshake(posted({"type": "lead_forms_new"}), config) is None


@pytest.mark.parametrize(
    "text, said",
    [
        ("signature: {setting: none, header: x}\n", "none is not among its settings"),
        (SECRET + "shared_secret: {header: authorization, setting: secret}\n", "masks authorization"),
        ("verify_at_door: true\n", "without anything to verify"),
        ("settings: {region: {description: R}}\n", "settings named region"),
        ("settings: {spam: {description: R}}\n", "settings named spam"),
        ("settings: {key: {secret: true}}\n", "line 3"),
        ("handshake: [{form: {a: b}, answer: {setting: none}}]\n", "none is not among"),
    ],
)
def test_preset_is_refused_when_it_contradicts_itself(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Misconfigured, match=said):
        made(tmp_path, text)


def test_get_counts_when_the_preset_or_the_source_says_so(tmp_path: Path) -> None:
    assert made(tmp_path, "get: true\n").get_is_event is True
    connector = made(tmp_path, "get: false\n")
    assert callable(connector.get_is_event)
    assert connector.get_is_event(posted(b"", "GET", query="a=b"), settings(connector, accept_get=True))
    assert not connector.get_is_event(posted(b"", "GET", query="a=b"), settings(connector))


def test_answer_repeats_what_was_sent_when_no_condition_looked_at_it(tmp_path: Path) -> None:
    connector = made(tmp_path, "reply: {json: {id: {$value: $.lead.id}}}\n")
    assert connector.reply is not None
    answer = connector.reply(posted({"lead": {"id": "x7"}}), settings(connector))
    assert answer is not None
    assert (answer.body, answer.content_type) == (b'{"id": "x7"}', "application/json; charset=utf-8")
