"""Every connector over every sample: the right result, the same each time, and hurt bodies hurt nobody."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

import pytest

from connectors.kit import Connector, Request, registry
from connectors.kit.tools.samples import Sample, outcome, plain
from crm_core.base.errors import HubError, NotAuthentic
from crm_core.parsed import CallEvent, Ignored, Inquiry, Message, ParsedItem, Pointer

_LARGE = 200_000  # bytes; hurt variants of larger samples would only cost time
#: A source's own mapping at its worst: it asks for everything and understands nothing.
_MAPPING = {
    "unwrap": [{"json_string": "$.*"}, {"flatten": "$.*"}],
    "fields": {"phone": {"from": ["@role:phone", "$.*"]}, "name": {"from": ["@item:$.answers[type=*].value", "@name:*a*"]}},
}  # fmt: skip


def test_sample_gives_what_is_expected_when_read(name: str, sample: Sample) -> None:
    assert sample.expected is not None, f"write it: python -m connectors.kit.tools.samples {name} --write, then read it"
    wanted = {key: value for key, value in sample.expected.items() if key != "reply" or value is not None}
    assert json.loads(json.dumps(outcome(registry.get(name), sample), ensure_ascii=False)) == wanted


def test_sample_gives_the_same_when_read_twice(name: str, sample: Sample) -> None:
    connector = registry.get(name)
    assert outcome(connector, sample) == outcome(connector, sample)


def test_sample_holds_only_storable_text_when_read(name: str, sample: Sample) -> None:
    """PostgreSQL refuses NUL and lone surrogates: one such bot would be an error in every worker that meets it."""
    text = json.dumps(outcome(registry.get(name), sample), ensure_ascii=False, allow_nan=False)
    text.encode("utf-8")
    assert "\\u0000" not in text


def test_signature_is_refused_when_the_secret_is_another(name: str, sample: Sample) -> None:
    connector = registry.get(name)
    secrets = [key for key, spec in registry.config_schema(name)["properties"].items() if spec.get("secret")]
    if connector.verify is None or "arrivals" not in sample.expected or not secrets:
        return
    if sample.request.is_fetched:
        return  # the hub's own, which nobody signs
    if any(parsed_item["type"] == "Ignored" for parsed_item in sample.expected["arrivals"]):
        return  # an event of an unknown kind may have an unknown signature
    given = sample.config.model_dump()
    other = connector.config_model.model_validate({**given, **{key: f"other-{given[key]}" for key in secrets}})
    with pytest.raises(NotAuthentic):
        connector.verify(sample.request, other)


def test_mapping_of_a_source_changes_nothing_when_it_is_empty(name: str, sample: Sample) -> None:
    connector = registry.get(name)
    if connector.map is None or "arrivals" not in sample.expected:
        return
    assert connector.rules is not None, "what is mapped can be shown and begun from"
    given = connector.map(sample.request, sample.config, {})
    assert [plain(parsed_item) for parsed_item in given] == [
        plain(parsed_item) for parsed_item in connector.parse(sample.request, sample.config)
    ]


def test_only_known_errors_come_when_the_body_is_hurt(name: str, sample: Sample) -> None:
    connector = registry.get(name)
    for request in _hurt(sample.request):
        _read(connector, request, sample)


def _read(connector: Connector, request: Request, sample: Sample) -> None:
    for cheap in (connector.provider_key, connector.handshake, connector.reply):
        if cheap is not None:
            cheap(request, sample.config)
    with suppress(HubError):
        if connector.verify is not None:
            connector.verify(request, sample.config)
    known: HubError | None = None
    parsed_items: Sequence[ParsedItem] = ()
    if connector.reads_as is not None:
        connector.reads_as(request)
    with suppress(HubError):
        if connector.map is not None:
            connector.map(request, sample.config, _MAPPING)
    try:
        parsed_items = connector.parse(request, sample.config)
    except HubError as error:
        known = error
    if known is not None:
        assert known.code
        assert len(known.message) > 10, "an error tells a person what is wrong"
    else:
        assert parsed_items, "nothing to say is said with Ignored"
        assert all(isinstance(parsed_item, Inquiry | CallEvent | Message | Ignored | Pointer) for parsed_item in parsed_items)


def _hurt(request: Request) -> Iterator[Request]:
    """Cut, shuffled, with flipped bits, under a wrong type, and none at all. The same ones in every run."""
    body, dice = request.body[:_LARGE], random.Random(len(request.body))
    yield replace(request, body=b"")
    yield replace(request, headers={})
    yield replace(request, headers={**request.headers, "content-type": "multipart/form-data; boundary=nowhere"})
    yield replace(request, headers={**request.headers, "content-type": "application/json; charset=utf-16"})
    yield replace(request, headers={**request.headers, "content-encoding": "gzip"})
    for cut in range(1, 13):
        yield replace(request, body=body[: len(body) * cut // 13])
    for _ in range(6):
        yield replace(request, body=bytes(dice.sample(body, len(body))))
        for separator in (b"&", b",", b"\r\n"):
            pieces = body.split(separator)
            dice.shuffle(pieces)
            yield replace(request, body=separator.join(pieces))
        flipped = bytearray(body)
        for _ in range(1 + len(flipped) // 50 if flipped else 0):
            flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
        yield replace(request, body=bytes(flipped))
