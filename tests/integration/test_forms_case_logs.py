"""Case 70: whatever was sent and whatever broke, no log, metric, alert or database log tells who it was.

What is sent carries marks that occur nowhere else. Our packages log at DEBUG here, everybody else's at INFO.
"""

from __future__ import annotations

import io
import json
import logging
import signal
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
import pytest
import servers
from case_hub import BROWSER, FORM, JSON, SCRIPT, CaseHub, open_hub
from door_client import call, stand_in
from personal_values import personal_values
from test_forms_case_bytes import CASES

from connectors.kit import Request, registry
from connectors.kit.forms.config import FormConfig
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine, migrate
from crm_core.parsed import Inquiry
from ingest.processing.replay import Selection, replay
from ingest.quarantine.alerts import open_alerts
from ingest.sources.sources import NewSource
from leadhub.embedded import postgres
from webhooks.app import create_app

_OURS = ("connectors", "crm_core", "ingest", "webhooks", "workers", "leadhub")
#: The person, in all spellings that a log might use.
PERSON = {
    "name": "Секретова Jubilata",
    "phone": "+7 900 271-82-81",
    "email": "jubilata@example.org",
    "message": "Слово Барвинокслово",
}
TRACES = (
    "Секретова", "Jubilata", "jubilata", "271-82-81", "2718281", "Барвинокслово",
    *(quote(word) for word in ("Секретова", "Барвинокслово")), json.dumps("Секретова").strip('"'), json.dumps("Барвинокслово").strip('"'),
    repr("Секретова".encode()).strip("b'"), "198.51.100.70",
)  # fmt: skip
_HUGE = {"name": PERSON["name"], "phone": PERSON["phone"], "x": "y" * 100_000}


@pytest.fixture
def told() -> Iterator[io.StringIO]:
    """Everything that is logged, with its arguments, its extras and its tracebacks."""
    written = io.StringIO()

    class Everything(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            extras = {key: value for key, value in record.__dict__.items() if key not in ("exc_info", "msg", "args")}
            print(record.name, record.getMessage(), extras, record.args, file=written)
            if record.exc_info and record.exc_info[1] is not None:
                print("".join(traceback.format_exception(record.exc_info[1])), file=written)

    handler, root = Everything(), logging.getLogger()
    before = {name: logging.getLogger(name).level for name in _OURS}
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in _OURS:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield written
    root.removeHandler(handler)
    root.setLevel(level)
    for name, had in before.items():
        logging.getLogger(name).setLevel(had)


@pytest.fixture
def hub(config: HubConfig, told: io.StringIO) -> Iterator[CaseHub]:
    with open_hub(config, max_body_bytes=2_000_000) as opened:
        yield opened


def nobody_is_named(text: str) -> None:
    assert [trace for trace in TRACES if trace in text] == []


def nothing_personal_is_told(hub: CaseHub, text: str) -> None:
    """Nor whatever else the hub keeps in a column that is declared personal, now or by a later version."""
    kept = personal_values(hub.door.engine)
    assert len(kept) > 20
    assert {value: where for value, where in kept.items() if value in text} == {}


def bodies() -> list[tuple[bytes, dict[str, str], str]]:
    """The person in every shape that the cases know: body, headers, query."""
    as_form = urlencode(PERSON).encode()
    as_json = json.dumps(PERSON).encode()
    parts = "".join(f'--b\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in PERSON.items()).encode()
    multipart = {"Content-Type": "multipart/form-data; boundary=b"}
    file = b'--b\r\nContent-Disposition: form-data; name="plan"; filename="Jubilata 2718281.pdf"\r\n\r\nx\r\n'
    return [
        (as_form, {"Content-Type": FORM}, ""), (as_form, {"Content-Type": JSON}, ""), (as_form, {}, ""),
        ("&".join(f"{k}={v}" for k, v in PERSON.items()).encode("cp1251"), {"Content-Type": FORM}, ""),
        (as_json, {"Content-Type": JSON}, ""), (as_json, {"Content-Type": FORM}, ""), (json.dumps(PERSON, ensure_ascii=False).encode("utf-16"), {}, ""),
        (as_json[:-7], {"Content-Type": JSON}, ""), (as_json.replace(b'"message": "', b'"message": "a "quote" '), {"Content-Type": JSON}, ""),
        (parts + file + b"--b--\r\n", multipart, ""), (parts[:-9], multipart, ""), (parts, {"Content-Type": "multipart/form-data"}, ""),
        (json.dumps([PERSON] * 2_001).encode(), {"Content-Type": JSON}, ""), (json.dumps([PERSON, PERSON]).encode(), {"Content-Type": JSON}, ""),
        (json.dumps(_HUGE).encode(), {"Content-Type": JSON}, ""), (as_form + b"&x=%00&y=%ED%A0%BD", {"Content-Type": FORM}, ""),
        (b'{"name":"\\ud83d Jubilata","phone":"2718281"}', {"Content-Type": JSON}, ""), (b"\xff\xd8" + as_form, {}, ""),
        (b"", {}, urlencode(PERSON)), (as_form + b"&_gotcha=x", {"Content-Type": FORM}, ""), (as_form + b"&_t=forged.forged&altcha=AAAA", {"Content-Type": FORM}, ""),
        (as_form, {"Content-Type": FORM, "Idempotency-Key": PERSON["email"]}, ""), (as_form + b"&more=1", {"Content-Type": FORM, "Idempotency-Key": PERSON["email"]}, ""),
        (as_form, {"Content-Type": FORM, "Cookie": "name=Jubilata", "Authorization": "Bearer Jubilata", "User-Agent": "Jubilata 2718281"}, ""),
        (as_form + b"&_next=https://evil.test/Jubilata", BROWSER, ""), (as_form + b"&consent=" + b"x" * 70_000, {"Content-Type": FORM}, ""),
    ]  # fmt: skip


def wild(names: list[str], hub: CaseHub) -> list[NewSource]:
    """A source of each connector, with whatever it needs."""
    made = []
    for name in names:
        needed = {key: "x" * 16 for key, one in registry.get(name).config_model.model_fields.items() if one.is_required()}
        made.append(hub.add(name, **needed))
    return made


def test_nobody_is_named_when_every_shape_comes_to_every_connector(hub: CaseHub, told: io.StringIO) -> None:
    names = [c.name for c in registry.discover().values() if c.channel == "form" and not c.pulls]
    shapes = bodies()
    for number, source in enumerate(wild([*names, "generic_form", "generic_form"], hub)):
        # All shapes to an address for any form; of the others each gets some, so that all are seen by somebody.
        chosen = shapes if source.connector == "generic_form" else [shapes[(number + n) % len(shapes)] for n in (0, 4, 7, 9, 13)]
        for body, headers, query in chosen:
            hub.send(source, body, SCRIPT | headers, query=query, remote="198.51.100.70")
        hub.send(source, b"", SCRIPT, method="GET", query=urlencode(PERSON), remote="198.51.100.70")
    for body, headers, query in shapes[:6]:  # nobody's address, a body that is too large, a sender that hung up
        call(hub.door.entrance, "POST", "/in/" + "0" * 32, body, headers, query=query)
        call(hub.door.entrance, "POST", "/f/jubilata@example.org", body, headers, query=query)
    token = hub.sources[0].token
    call(hub.door.entrance, "POST", f"/in/{token}", b"x" * 2_000_001 + PERSON["email"].encode(), BROWSER)
    call(hub.door.entrance, "POST", f"/in/{token}", urlencode(PERSON).encode(), BROWSER, length="99999")
    hub.drain()
    replay(hub.door.engine, HUB, hub.config, Selection(state="needs_attention"), dry_run=True)
    ends = {row["state"] for row in hub.rows("SELECT DISTINCT state FROM inbound_event")}
    assert {"done", "needs_attention", "rejected"} <= ends
    assert hub.one("SELECT count(*) FROM lead") > 0
    nobody_is_named(told.getvalue())
    assert {PERSON["name"], PERSON["message"], "+79002718281", "198.51.100.70"} <= personal_values(hub.door.engine).keys()
    nothing_personal_is_told(hub, told.getvalue())


def test_nobody_is_named_by_figures_alerts_and_health(hub: CaseHub, told: io.StringIO) -> None:
    source = hub.add(burst_per_minute=3, altcha="expected")
    for body, headers, query in bodies():
        hub.send(source, body, SCRIPT | headers, query=query, remote="198.51.100.70")
    hub.drain()
    with hub.door.engine.begin() as connection:
        alerts = open_alerts(connection)
    assert [alert.code for alert in alerts] == ["burst"]
    nobody_is_named(json.dumps(alerts, default=str, ensure_ascii=False))
    client = create_app(hub.config).test_client()
    for path in ("/metrics", "/livez", "/readyz"):
        answer = client.get(path)
        assert answer.status_code in (200, 401, 403), path
        nobody_is_named(answer.get_data(as_text=True))
        nothing_personal_is_told(hub, answer.get_data(as_text=True))
    nobody_is_named(told.getvalue())
    nothing_personal_is_told(hub, told.getvalue())


def _breaks(*_: Any, **__: Any) -> Any:
    raise ValueError(f"cannot read {PERSON!r}")


def test_nobody_is_named_when_a_connector_breaks_over_what_it_reads(
    hub: CaseHub, told: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in(monkeypatch, handshake=_breaks, verify=_breaks, verify_at_door=True, provider_key=_breaks, reply=_breaks,
             get_is_event=_breaks, config_model=FormConfig)  # fmt: skip
    source = hub.add("probe")
    assert hub.send(source, urlencode(PERSON).encode(), BROWSER).status == 200
    hub.send(source, method="GET", query=urlencode(PERSON))
    monkeypatch.setattr(hub.door.acceptor, "accept", _breaks)
    assert hub.send(source, urlencode(PERSON).encode(), BROWSER).status == 500
    assert "connector_failed_at_the_door" in told.getvalue()
    assert "entrance_failed" in told.getvalue()
    nobody_is_named(told.getvalue())


@pytest.mark.parametrize("step", ["parse", "mapping", "wake", "writer", "take_in"])
def test_nobody_is_named_when_a_step_behind_the_door_breaks(
    hub: CaseHub, told: io.StringIO, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    source = hub.add()
    patches: dict[str, Callable[[], None]] = {
        "parse": lambda: monkeypatch.setattr("connectors.forms.generic_form.delegate.generic.parse", _breaks),
        "mapping": lambda: monkeypatch.setattr("connectors.forms.generic_form.delegate.parsed_items_of", _breaks),
        "wake": lambda: monkeypatch.setattr(hub.door.acceptor, "_on_accepted", _breaks),
        "writer": lambda: monkeypatch.setattr(hub.door.acceptor._writer, "write", _breaks),
        "take_in": lambda: monkeypatch.setattr("ingest.processing.process.take_in", _breaks),
    }
    if step == "mapping":
        hub.rows(
            "INSERT INTO source_mapping (source_id, version, text, rules, state) VALUES (%s, 1, '…', '{\"fields\": {}}', 'published')"
            " RETURNING id", source.id,
        )  # fmt: skip
    patches[step]()
    hub.send(source, urlencode(PERSON).encode(), SCRIPT | {"Content-Type": FORM})
    hub.drain()
    wanted = {
        "parse": "connector_failed",
        "mapping": "mapping_failed",
        "wake": "wake_failed",
        "writer": "journal_batch_failed",
        "take_in": "event_failed",
    }
    assert wanted[step] in told.getvalue()
    nobody_is_named(told.getvalue())
    for event in hub.events(source):
        nobody_is_named(json.dumps(event["error"], ensure_ascii=False))


def test_nobody_is_named_when_the_database_refuses_the_rows(tmp_path: Path, broker_url: str, told: io.StringIO) -> None:
    """An error of PostgreSQL quotes the row that it refused; its own log has the settings that production has."""
    logged = {name: value for name, value in postgres.TUNING.items() if name.startswith("log_")}
    directory = tmp_path / "own"
    with servers.private_postgres(directory, **logged, log_min_messages="warning") as (cluster, server):
        url = f"postgresql://{postgres.ADMIN}@127.0.0.1:{cluster.port}/postgres"
        migrate(url)
        config = HubConfig(home=tmp_path, database_url=url, broker_url=broker_url, secret_key="only-for-tests-" + "0" * 32)
        with open_hub(config) as hub:
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute("ALTER TABLE touch ADD CONSTRAINT never CHECK (text NOT LIKE '%Барвинокслово%')")
                connection.execute("INSERT INTO identifier (kind, value, strength) VALUES ('phone', '+79002718281', 'strong')")
                with pytest.raises(psycopg.errors.UniqueViolation, match="2718281"):  # what a client is told
                    connection.execute(
                        "INSERT INTO identifier (kind, value, strength) VALUES ('phone', '+79002718281', 'strong')"
                    )
            source = hub.add()
            hub.send(source, urlencode(PERSON).encode(), SCRIPT | {"Content-Type": FORM})
            hub.drain()
            (event,) = hub.events(source)
            assert (event["state"], event["error"]["code"]) == ("needs_attention", "internal_error")
            nobody_is_named(json.dumps(event["error"], ensure_ascii=False))
        engine = make_engine(url, "ui")
        with pytest.raises(Exception, match=r"IntegrityError|duplicate") as refused, engine.begin() as connection:
            connection.exec_driver_sql("INSERT INTO owner (id, name) VALUES (1, %s), (1, %s)", (PERSON["name"], PERSON["email"]))
        assert "parameters hidden" in str(refused.value)
        nobody_is_named(str(refused.value))
        engine.dispose()
        servers.end(server, signal.SIGINT)
    logs = "\n".join(path.read_text("utf-8", "replace") for path in directory.rglob("*.log"))
    assert "violates" in logs, "the server did log the refusals"
    nobody_is_named(logs)
    nobody_is_named(told.getvalue())


def test_traces_would_be_found_when_they_were_there(told: io.StringIO) -> None:
    """The test of the tests: what the marks look for is what an exception with its words would have told."""
    request = Request("POST", "", "", {}, urlencode(PERSON).encode(), None)  # type: ignore[arg-type]
    log = logging.getLogger("ingest.somewhere")
    log.debug("seen", extra={"inquiry": Inquiry(name=PERSON["name"])})
    try:
        _breaks(request)
    except ValueError:
        log.exception("failed")
    found = [trace for trace in TRACES if trace in told.getvalue()]
    assert {"Секретова", "jubilata", "271-82-81", "Барвинокслово"} <= set(found)
    assert len(CASES) > 45, "the shapes above follow the cases of odd bytes"
