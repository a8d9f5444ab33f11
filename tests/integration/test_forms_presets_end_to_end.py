"""Every form connector's samples through the real door and a worker: the answer, and the touch that came of it.

One hub, a source for each sample, one drain for all of them. What a preset reads at its own address, an address that serves
any form must read too, if the preset says how it is known.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
import servers
from door_client import Door, Heard, call, open_door
from psycopg.rows import dict_row
from sqlalchemy import Connection

from connectors.forms.generic_form import delegate
from connectors.kit import Connector, registry
from connectors.kit.tools.samples import Sample, samples_of
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.processing.process import Processor
from ingest.sources.sources import NewSource, add_source

#: JSON that Tilda sends is the other preset's business, whichever of the two an address was made for.
_TWINS = {"tilda": "tilda_json"}
_PLAIN = ("name", "company")
_LISTS = ("phones", "emails", "warnings")
_MARKS = ("click_ids", "client_ids", "page_url", "referrer", "page_title", "first")


@dataclass(frozen=True)
class Came:
    """What a post was answered, and what stands in the database of it."""

    heard: Heard
    event: dict[str, Any]
    touches: list[dict[str, Any]]
    consents: list[dict[str, Any]]


def _connectors() -> list[Connector]:
    return [c for c in registry.discover().values() if c.channel == "form" and not c.pulls and registry.folder_of(c.name)]


@cache
def _samples_of(name: str) -> tuple[Sample, ...]:
    connector = registry.get(name)
    folder = registry.folder_of(connector.name)
    assert folder is not None
    # What the hub fetched itself (FETCH) never comes through the door.
    found = [sample for sample in samples_of(connector, folder) if sample.request.method in ("POST", "GET")]
    return tuple(sample for sample in found if sample.expected is not None)


def _samples(connector: Connector) -> tuple[Sample, ...]:
    return _samples_of(connector.name)


def _known(connector: Connector, sample: Sample) -> bool:
    """True if an address for any form knows it by a sign; what only a source with the secret refuses is left out."""
    wrong = sample.expected.get("error", {}).get("class") == "NotAuthentic"
    return not wrong and connector.name != "generic_form" and delegate.reads_as(sample.request) == connector.name


_OWN = [(c.name, s.folder.name) for c in _connectors() for s in _samples(c)]
_ANY = [(c.name, s.folder.name) for c in _connectors() for s in _samples(c) if _known(c, s)]


@pytest.fixture(scope="module")
def came(
    postgres_server: servers.RunPostgres,
    _brokers: Mapping[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[tuple[str, str, str], Came]]:
    """Everything is posted, drained and read once; each test looks at its own."""
    with postgres_server.fresh_database() as url:
        home = tmp_path_factory.mktemp("home")
        config = HubConfig(
            home=home,
            database_url=url,
            broker_url=_brokers["valkey"],
            secret_key="only-for-tests-" + "0" * 32,
        )
        posts = [
            ((connector.name, sample.folder.name, which), sample, to)
            for connector in _connectors()
            for sample in _samples(connector)
            for which, to in _addresses(connector, sample)
        ]
        with open_door(config) as door:
            with door.engine.begin() as connection:
                sources = [_source(connection, config, to, sample) for _, sample, to in posts]
            with ThreadPoolExecutor(16) as pool:  # the door commits those together that come together
                heard = list(pool.map(partial(_post, door), sources, [sample for _, sample, _ in posts]))
            received = [(sample.request.received_at, source.id) for source, (_, sample, _) in zip(sources, posts, strict=True)]
            with psycopg.connect(url) as database, database.cursor() as cursor:
                # A signed time is compared with the receipt, and the samples were received on one fixed day.
                cursor.executemany("UPDATE inbound_event SET received_at = %s WHERE source_id = %s", received)
        ids = [source.id for source in sources]
        yield _drained(config, url, {key: got for (key, _, _), *got in zip(posts, heard, ids, strict=True)})


def _addresses(connector: Connector, sample: Sample) -> list[tuple[str, str]]:
    """Under which name it is looked up later, and the connector of the source to which it is posted."""
    own = [("own", connector.name)]
    return [*own, ("any", "generic_form")] if _known(connector, sample) else own


def _source(connection: Connection, config: HubConfig, to: str, sample: Sample) -> NewSource:
    known = registry.get(to).config_model.model_fields
    given = sample.config.model_dump()
    settings = {name: value for name, value in given.items() if name in known and value != known[name].default}
    # Whether it is spam is another test's question, and some senders know no POST.
    settings |= {name: value for name, value in (("spam", "off"), ("accept_get", True)) if name in known}
    return add_source(connection, HUB, config, to, "A source", settings, ["www.example.com"])


def _post(door: Door, source: NewSource, sample: Sample) -> Heard:
    request = sample.request
    path = f"/in/{source.token}" + (f"/{request.path}" if request.path else "")
    return call(door.entrance, request.method, path, request.body, dict(request.headers), query=request.query)


def _drained(
    config: HubConfig, url: str, posted: Mapping[tuple[str, str, str], Sequence[Any]]
) -> dict[tuple[str, str, str], Came]:
    processor = Processor(config)
    try:
        processor.drain("form", budget_seconds=120)
    finally:
        processor.close()
    with psycopg.connect(url, row_factory=dict_row) as connection:
        events = {row["source_id"]: row for row in connection.execute("SELECT * FROM inbound_event").fetchall()}
        touches = connection.execute("SELECT * FROM touch WHERE kind = 'form' ORDER BY event_id, seq").fetchall()
        consents = connection.execute("SELECT * FROM consent ORDER BY id").fetchall()
    return {
        key: Came(
            heard,
            events.get(source_id, {}),
            [row for row in touches if row["source_id"] == source_id],
            [row for row in consents if row["source_id"] == source_id],
        )
        for key, (heard, source_id) in posted.items()
    }


@pytest.mark.parametrize(("name", "case"), _OWN)
def test_sample_becomes_what_is_expected_when_posted_to_its_own_source(
    came: dict[tuple[str, str, str], Came], name: str, case: str
) -> None:
    if case in _not_events(name):
        own, expected = came[name, case, "own"], _expected(name, case)
        assert own.event == {}, "a GET that is no event leaves nothing"
        if "handshake" in expected:
            _answered(own.heard, expected["handshake"])
        return
    _compare(came[name, case, "own"], _expected(name, case))


@pytest.mark.parametrize(("name", "case"), _ANY)
def test_sample_becomes_the_same_when_posted_to_an_address_for_any_form(
    came: dict[tuple[str, str, str], Came], name: str, case: str
) -> None:
    own, found = came[name, case, "own"], came[name, case, "any"]
    _compare(found, _expected(name, case))
    assert (found.heard.status, found.heard.headers.get("content-type")) == (
        own.heard.status,
        own.heard.headers.get("content-type"),
    )
    assert [_plain(touch) for touch in found.touches] == [_plain(touch) for touch in own.touches]


@pytest.mark.parametrize("name", [c.name for c in _connectors() if c.detect is not None])
def test_samples_are_taken_for_no_other_provider_when_looked_at(name: str) -> None:
    connector = registry.get(name)
    taken_for = {sample.folder.name: delegate.reads_as(sample.request) for sample in _samples(connector)}
    assert {case: found for case, found in taken_for.items() if found not in ("", name, _TWINS.get(name))} == {}
    if connector.fetch is None and not any(field.is_required() for field in connector.config_model.model_fields.values()):
        assert name in taken_for.values(), "its signs fit none of its own samples"


def _not_events(name: str) -> set[str]:
    """GETs of connectors to which a GET is a handshake at most."""
    connector = registry.get(name)
    gets = {sample.folder.name for sample in _samples(connector) if sample.request.method == "GET"}
    return gets if connector.get_is_event is False and connector.handshake is not None else set()


def _expected(name: str, case: str) -> dict[str, Any]:
    folder = registry.folder_of(name)
    assert folder is not None
    found: dict[str, Any] = json.loads(Path(folder, "samples", case, "expected.json").read_text(encoding="utf-8"))
    return found


def _compare(came: Came, expected: dict[str, Any]) -> None:
    if "handshake" in expected:
        _answered(came.heard, expected["handshake"])
        assert came.event == {}
        return
    if expected.get("reply"):
        _answered(came.heard, expected["reply"])
    assert came.heard.status in (200, 303)
    if "error" in expected:
        refused = expected["error"]["class"] == "NotAuthentic"
        assert came.event["state"] == ("rejected" if refused else "needs_attention")
        assert came.event["error"]["code"] == expected["error"]["code"]
        assert came.touches == []
        return
    inquiries = [parsed_item for parsed_item in expected["arrivals"] if parsed_item["type"] == "Inquiry"]
    if any(parsed_item["type"] == "Pointer" for parsed_item in expected["arrivals"]):
        assert came.touches == []  # what it points at is not here to be fetched
        return
    if inquiries and all(inquiry.get("is_test") for inquiry in inquiries):
        assert (came.event["state"], came.event["outcome"], came.touches) == ("done", "test", [])
        return
    assert came.event["state"] == "done"
    assert (came.event["outcome"] == "ignored") is (not inquiries)
    assert len(came.touches) == len(inquiries)
    for touch, inquiry in zip(came.touches, inquiries, strict=True):
        assert _plain(touch) == _wanted(inquiry)
    said = {(consent["purpose"], consent["given"]) for inquiry in inquiries for consent in inquiry.get("consents", [])}
    assert {(row["purpose"], row["given"]) for row in came.consents} <= said
    assert {row["purpose"] for row in came.consents} == {purpose for purpose, _ in said}


def _answered(heard: Heard, reply: dict[str, Any]) -> None:
    assert (heard.status, heard.headers["content-type"], heard.body.decode()) == (
        reply["status"],
        reply["content_type"],
        reply["body"],
    )


def _plain(touch: dict[str, Any]) -> dict[str, Any]:
    data = touch["data"]
    marks = data["attribution"]
    return {
        "message": touch["text"],
        "form": data["form"],
        "fields": data["fields"],
        "messengers": data.get("messengers", {}),
        "utm": {key: value for key, value in marks.items() if key.startswith("utm_")},
        **{key: data[key] for key in (*_PLAIN, *_LISTS)},
        **{key: marks.get(key) or "" for key in _MARKS},
    }


def _wanted(inquiry: dict[str, Any]) -> dict[str, Any]:
    marks = inquiry.get("attribution", {})
    return {
        "message": inquiry.get("message", ""),
        "form": {"id": inquiry.get("form_id", ""), "name": inquiry.get("form_name", "")},
        "fields": inquiry.get("fields", {}),
        "messengers": inquiry.get("messengers", {}),
        "utm": marks.get("utm", {}),
        **{key: inquiry.get(key, "") for key in _PLAIN},
        **{key: inquiry.get(key, []) for key in _LISTS},
        **{key: marks.get(key) or "" for key in _MARKS},
    }
