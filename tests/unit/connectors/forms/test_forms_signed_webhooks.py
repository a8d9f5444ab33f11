"""Standard Webhooks and CloudEvents beyond their samples: edges of time, secrets, attributes; mappings of a source."""

from __future__ import annotations

import base64
import gzip
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.kit import Connector, ConnectorConfig, Request, registry
from crm_core.base.errors import Malformed, NotAuthentic
from crm_core.parsed import Ignored, Inquiry

_SENT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_KEY = b"a key of twenty-four byt"


def hooks(secret: str) -> tuple[Connector, ConnectorConfig]:
    connector = registry.get("standard_webhooks")
    return connector, connector.config_model.model_validate({"region": "RU", "secret": secret})


def post(key: bytes, body: bytes = b'{"name":"Anna"}', received: timedelta = timedelta(), **headers: str) -> Request:
    sent = str(int(_SENT.timestamp()))
    digest = base64.b64encode(hmac.new(key, b"msg_1." + sent.encode() + b"." + body, hashlib.sha256).digest())
    own = {"webhook_id": "msg_1", "webhook_timestamp": sent, "webhook_signature": "v1," + digest.decode()}
    named = {name.replace("_", "-"): value for name, value in (own | headers).items()}
    return Request("POST", "", "", named, body, _SENT + received)


@pytest.mark.parametrize("seconds", [-300, -1, 0, 300])
def test_signature_holds_when_received_within_five_minutes(seconds: int) -> None:
    connector, config = hooks("whsec_" + base64.b64encode(_KEY).decode())
    assert connector.verify
    connector.verify(post(_KEY, received=timedelta(seconds=seconds)), config)


@pytest.mark.parametrize("seconds", [-301, 301, 86_400])
def test_signature_is_stale_when_received_later_or_earlier(seconds: int) -> None:
    connector, config = hooks("whsec_" + base64.b64encode(_KEY).decode())
    assert connector.verify
    with pytest.raises(NotAuthentic) as refused:
        connector.verify(post(_KEY, received=timedelta(seconds=seconds)), config)
    assert refused.value.code == "stale"


def test_secret_is_taken_as_it_is_when_it_is_no_base64() -> None:
    connector, config = hooks("not base64, but what the cabinet shows!")
    assert connector.verify
    connector.verify(post(b"not base64, but what the cabinet shows!"), config)


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"webhook_timestamp": "soon"}, "wrong_timestamp"),
        ({"webhook_timestamp": "１７"}, "wrong_timestamp"),
        ({"webhook_timestamp": "9" * 40}, "wrong_timestamp"),
        ({"webhook_timestamp": ""}, "no_signature"),
        ({"webhook_signature": ""}, "no_signature"),
        ({"webhook_signature": "garbage"}, "wrong_signature"),
        ({"webhook_signature": "v1,"}, "wrong_signature"),
        ({"webhook_signature": "v1,é, v2,x ,, v1a,zz"}, "wrong_signature"),
        ({"webhook_id": "msg_2"}, "wrong_signature"),
    ],
)
def test_signature_is_refused_when_a_header_is_wrong(headers: dict[str, str], code: str) -> None:
    connector, config = hooks("whsec_" + base64.b64encode(_KEY).decode())
    assert connector.verify
    with pytest.raises(NotAuthentic) as refused:
        connector.verify(post(_KEY, **headers), config)
    assert refused.value.code == code


def test_key_is_the_id_only_when_the_post_is_genuine() -> None:
    connector, config = hooks("whsec_" + base64.b64encode(_KEY).decode())
    assert connector.provider_key
    assert connector.provider_key(post(_KEY), config) == "msg_1"
    forged = connector.provider_key(post(b"another"), config)
    assert forged
    assert forged.startswith("msg_1|v1,")
    assert connector.provider_key(post(_KEY, webhook_id=""), config) is None


def test_mapping_of_the_source_goes_before_the_names_when_data_is_enveloped() -> None:
    connector, config = hooks("")
    body = {"type": "signup", "data": {"who": "Anna", "where": {"call": "+79123456741"}, "plan": "pro"}}
    mapping = {"fields": {"name": {"from": ["$.who"]}, "phone": {"from": ["$.where.call"]}}}
    assert connector.map
    [inquiry] = connector.map(post(_KEY, json.dumps(body).encode()), config, mapping)
    assert isinstance(inquiry, Inquiry)
    assert (inquiry.name, inquiry.phones, inquiry.fields["plan"]) == ("Anna", ("+79123456741",), "pro")


def event(body: bytes = b"", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", "", "", named, body, _SENT)


def cloud() -> tuple[Connector, ConnectorConfig]:
    connector = registry.get("cloudevents")
    return connector, connector.config_model.model_validate({"region": "RU"})


_BINARY = {"ce_id": "1", "ce_source": "/a", "ce_type": "t", "content_type": "application/json"}


def test_mapping_of_the_source_is_used_for_every_event_of_a_batch() -> None:
    connector, config = cloud()
    one: dict[str, Any] = {"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "subject": "kitchen"}
    batch = [{**one, "data": {"who": "Anna"}}, {**one, "id": "2", "data": {"who": "Boris"}}]
    mapping = {"fields": {"name": {"from": ["$.who"]}, "line": {"from": ["$.ce-subject"]}}}
    assert connector.map
    found = connector.map(event(json.dumps(batch).encode()), config, mapping)
    assert [(i.name, i.line) for i in found if isinstance(i, Inquiry)] == [
        ("Anna", "kitchen"),
        ("Boris", "kitchen"),
    ]


def test_event_keeps_both_when_the_data_and_its_attributes_use_one_name() -> None:
    connector, config = cloud()
    [inquiry] = connector.parse(event(b'{"source":"banner","subject":"x","name":"Anna"}', ce_subject="y", **_BINARY), config)
    assert isinstance(inquiry, Inquiry)
    assert inquiry.fields["source"] == "banner"
    assert (inquiry.fields["ce-source"], inquiry.fields["ce-subject"]) == ("/a", "y")


@pytest.mark.parametrize("content_type", ["application/json", "application/cloudevents+json"])
def test_packed_body_is_read_when_it_is_declared_so(content_type: str) -> None:
    connector, config = cloud()
    data: dict[str, Any] = {"name": "Anna", "phone": "+79123456742"}
    headers = {**_BINARY, "content_encoding": "gzip"}
    if content_type != "application/json":
        data = {"specversion": "1.0", "id": "1", "source": "/a", "type": "t", "data": data}
        headers = {"content_type": content_type, "content_encoding": "gzip"}
    [inquiry] = connector.parse(event(gzip.compress(json.dumps(data).encode()), **headers), config)
    assert isinstance(inquiry, Inquiry)
    assert (inquiry.name, inquiry.phones) == ("Anna", ("+79123456742",))


@pytest.mark.parametrize("data", ["null", "{}", "[]", '""'])
def test_event_is_ignored_when_its_data_is_empty(data: str) -> None:
    connector, config = cloud()
    text = '{"specversion":"1.0","id":"1","source":"/a","type":"t","data":' + data + "}"
    assert connector.parse(event(text.encode()), config) == [Ignored("no_data", "t")]


def test_batch_is_kept_for_a_person_when_one_event_cannot_be_known() -> None:
    connector, config = cloud()
    request = event(b'[{"specversion":"1.0","id":"1","source":"/a","type":"t","data":{"a":1}},{"specversion":"1.0"}]')
    assert connector.provider_key
    assert connector.provider_key(request, config) is None
    with pytest.raises(Malformed):
        connector.parse(request, config)


def test_header_is_made_storable_when_it_hides_control_characters() -> None:
    connector, config = cloud()
    [inquiry] = connector.parse(event(b'{"name":"Anna"}', ce_subject="a%00b%F0%9F%98%80", **_BINARY), config)
    assert isinstance(inquiry, Inquiry)
    assert inquiry.fields["ce-subject"] == "ab😀"


def test_event_has_another_key_when_its_source_is_another() -> None:
    connector, config = cloud()
    assert connector.provider_key
    first = event(b"{}", **_BINARY)
    other = replace(first, headers={**first.headers, "ce-source": "/b"})
    assert connector.provider_key(first, config) != connector.provider_key(other, config)
