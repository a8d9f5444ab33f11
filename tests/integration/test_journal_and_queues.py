"""The journal and the queues as the contract shows them, and a person's "this needs no lead"."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from door_client import Door, open_door
from principals import OPERATOR, user
from sqlalchemy import text

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.base.paging import Position
from crm_core.base.values import Named
from ingest.journal.queries import EventError, dismiss, get_event, list_events, look_at_raw
from ingest.monitoring.health import health_report, queue_report
from ingest.sources.bootstrap import first_run
from ingest.sources.sources import set_state
from webhooks.ops.health import check
from webhooks.ops.metrics import families

NOW = datetime.now(UTC)


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config) as opened:
        yield opened


def _run(door: Door, statement: str, **values: Any) -> None:
    with door.engine.begin() as connection:
        connection.execute(text(statement), values)


def test_event_is_shown_as_the_contract_says(door: Door) -> None:
    source = door.add()
    uid = door.post(source, b"hello").json()["event"]
    with door.engine.connect() as connection:
        shown = get_event(connection, uid)
        kept = look_at_raw(connection, OPERATOR, uid, "page")
        with pytest.raises(NotFound):
            get_event(connection, "nothing\x00\ud83d")
    assert shown.uid == uid
    assert shown.source == Named(source.id, "A source")
    assert (shown.channel, shown.state, shown.outcome, shown.error) == (
        "form",
        "waiting",
        None,
        None,
    )
    assert (shown.size, shown.sha256) == (5, hashlib.sha256(b"hello").hexdigest())
    assert (shown.attempts, shown.redeliveries, shown.lead_id, shown.reason) == (0, 0, None, {})
    assert shown.received_at.tzinfo is not None
    assert (kept.body, kept.method) == (b"hello", "POST")


def test_list_pages_newest_first_and_filters(door: Door) -> None:
    one, two = door.add(), door.add()
    uids = [door.post(source, b"x").json()["event"] for source in (one, two, one, two, one)]
    _run(
        door,
        'UPDATE inbound_event SET state = \'needs_attention\', error = \'{"code":"c","message":"m","more": 1}\' WHERE uid = :u',
        u=uids[0],
    )
    _run(door, "UPDATE inbound_event SET state = 'done', outcome = 'created' WHERE uid = :u", u=uids[1])
    with door.engine.connect() as connection:
        first = list_events(connection, limit=3)
        second = list_events(connection, limit=3, after=first.next)
        assert [item.uid for item in (*first.items, *second.items)] == uids[::-1]
        assert second.next is None
        [stuck] = list_events(connection, state="needs_attention").items
        assert stuck.error == EventError("c", "m", None)
        assert [item.uid for item in list_events(connection, outcome="created").items] == [uids[1]]
        assert len(list_events(connection, source_id=two.id).items) == 2
        assert list_events(connection, since=NOW + timedelta(days=1)).items == []
        for wrong in ({"state": "odd"}, {"outcome": "odd"}, {"after": Position(NOW, 1)}):
            with pytest.raises(Invalid):
                list_events(connection, **wrong)  # type: ignore[arg-type]


def test_dismissed_event_has_an_outcome_a_reason_and_is_counted_once(door: Door) -> None:
    uid = door.post(door.add()).json()["event"]
    _run(door, 'UPDATE inbound_event SET state = \'needs_attention\', error = \'{"code":"c","message":"m"}\'')
    with door.engine.begin() as connection:
        with pytest.raises(Invalid):
            dismiss(connection, user(1), uid, "  ", NOW)
        shown = dismiss(connection, user(1), uid, "A test of ours\x00", datetime.now(UTC))
    assert (shown.state, shown.outcome, shown.error) == ("done", "dismissed", None)
    assert shown.reason == {"code": "dismissed", "by": "user:1", "why": "A test of ours\ufffd"}
    with door.engine.begin() as connection:
        with pytest.raises(Conflict):
            dismiss(connection, user(1), uid, "again", NOW)
        with pytest.raises(NotFound):
            dismiss(connection, user(1), "nothing", "why", NOW)
        counted = connection.execute(text("SELECT channel, outcome, count FROM capture_stat")).all()
        deeds = connection.execute(text("SELECT subject FROM audit_entry WHERE action = 'event.dismiss'")).scalars().all()
    assert [tuple(row) for row in counted] == [("form", "dismissed", 1)]
    assert deeds == [f"event:{uid}"]


def test_queues_tell_what_waits_and_what_is_paused(door: Door) -> None:
    active, paused = door.add(), door.add()
    for _ in range(3):
        door.post(active)
    door.post(paused)
    _run(door, "UPDATE inbound_event SET state = 'rejected' WHERE id = (SELECT min(id) FROM inbound_event)")
    with door.engine.begin() as connection:
        set_state(connection, HUB, paused.id, "paused")
        report = queue_report(connection, datetime.now(UTC) + timedelta(seconds=90))
        health = health_report(connection, door.config, datetime.now(UTC) + timedelta(seconds=90))
    form = report.channels[0]
    assert (form.channel, form.waiting, form.paused, form.rejected) == ("form", 2, 1, 1)
    assert form.oldest_waiting_seconds >= 90
    assert [row.waiting for row in report.channels[1:]] == [0, 0]
    assert not health.healthy
    told = " ".join(health.problems)
    assert "2 events of channel form wait" in told
    assert "No worker" in told


def test_hub_is_healthy_when_its_workers_were_just_heard_of(door: Door) -> None:
    door.post(door.add())
    _run(door, "INSERT INTO heartbeat (role, instance, at, data) VALUES ('sweep', '', now(), '{}'),"
               " ('canary', 'intake.form', now(), '{\"seconds\": 0.004}')")  # fmt: skip
    with door.engine.connect() as connection:
        health = health_report(connection, door.config, datetime.now(UTC))
        late = health_report(connection, door.config, datetime.now(UTC) + timedelta(seconds=1000))
    assert health.problems == []
    assert health.healthy
    assert health.queues.canaries[0].seconds == 0.004
    assert len(late.problems) == 4


def test_broken_mailbox_is_a_problem_in_words(door: Door) -> None:
    source = door.add("imap", {"host": "mail.example.com", "user": "u", "password": "p"})
    _run(door, "INSERT INTO heartbeat (role, instance, at) VALUES ('sweep', '', now())")
    _run(door, "INSERT INTO mailbox_folder (source_id, name, state, last_error, missed) VALUES"
               " (:s, 'INBOX', 'auth_failed', '{\"code\":\"auth\",\"message\":\"The password was refused.\"}', 2)", s=source.id)  # fmt: skip
    with door.engine.connect() as connection:
        told = health_report(connection, door.config, datetime.now(UTC)).problems
    assert "Mailbox A source: Refuses. The password was refused." in told
    assert any("2 mails that polling had missed" in line for line in told)


def test_metrics_add_up_to_what_was_received(door: Door) -> None:
    source = door.add()
    for number in range(3):
        door.post(source, b"%d" % number)
    uid = door.rows()[0]["uid"]
    with door.engine.begin() as connection:
        dismiss(connection, OPERATOR, uid, "a test", datetime.now(UTC))
        report = queue_report(connection, datetime.now(UTC))
        stats = [
            tuple(row) for row in connection.execute(text("SELECT channel, outcome, count, seconds, buckets FROM capture_stat"))
        ]
    samples = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in families(report, stats, {"intake.form": 5})
        for sample in family.samples
    }
    assert samples["leadhub_events_received_total", ("form",)] == 3
    assert samples["leadhub_events_outcome_total", ("form", "dismissed")] == 1
    assert samples["leadhub_events_waiting", ("form",)] == 2
    assert samples["leadhub_capture_seconds_count", ()] == 1
    assert samples["leadhub_capture_seconds_bucket", ("+Inf",)] == 1
    assert samples["leadhub_queue_depth", ("intake.form",)] == 5
    assert samples["leadhub_outbox_pending", ()] == 0


def test_hub_is_ready_when_only_the_broker_is_away(config: HubConfig) -> None:
    from dataclasses import replace

    assert check(config).checks == {"database": "ok", "disk": "ok", "broker": "ok"}
    degraded = check(replace(config, broker_url="redis://127.0.0.1:1/0"))
    assert degraded.ready
    assert degraded.checks["broker"] != "ok"
    away = check(replace(config, database_url="postgresql://nobody@127.0.0.1:1/none"))
    assert not away.ready
    assert "not answer" in away.checks["database"]


def test_hub_is_not_ready_when_its_schema_is_another(door: Door) -> None:
    _run(door, "UPDATE alembic_version SET version_num = 'old'")
    assert "migrate" in check(door.config).checks["database"]


def test_first_run_makes_a_way_in_and_a_form_once(door: Door) -> None:
    first, second = first_run(door.config), first_run(door.config)
    assert first.form_url == second.form_url
    assert first.form_url.startswith(f"{door.config.base_url}/in/")
    assert first.sign_in_url != second.sign_in_url
    assert first.sign_in_url.startswith(f"{door.config.base_url}/console/sign-in/")
    assert first.curl.endswith(first.form_url)
    with door.engine.connect() as connection:
        assert connection.execute(text("SELECT count(*), max(role) FROM app_user")).one() == (1, "admin")
        assert connection.execute(text("SELECT count(*), max(name) FROM source")).one() == (1, "Website form")
    _run(door, "UPDATE app_user SET active = false")
    assert first_run(door.config).sign_in_url == ""
