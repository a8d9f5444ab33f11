"""What a replay must leave as it is: why a lead came about, what a person wrote on it, its files, its key, a person's no."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from crm_core.leads.commands import LeadChange, change_lead
from crm_core.leads.why import why
from ingest.journal.claim import Failure, claim, fail
from ingest.journal.queries import dismiss
from ingest.mapping.versions import publish, save_draft
from ingest.processing.process import Processor
from ingest.processing.replay import Selection, replay
from ingest.sources.sources import set_state

ADMIN = Principal("user", 1, "Admin", "admin", None)
NOW = datetime.now(UTC)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def put(desk: Desk, rules: str) -> None:
    with desk.engine.begin() as connection:
        publish(connection, user(1), desk.form_source, save_draft(connection, user(1), desk.form_source, rules))


def again(desk: Desk, **selection: Any) -> None:
    replay(desk.engine, HUB, desk.config, Selection(**selection or {"state": "done"}), dry_run=False)
    desk.drain("form", "call")


def test_why_of_a_lead_is_still_told_when_its_events_were_replayed(desk: Desk) -> None:
    desk.form(name="Anna", phone="+7 900 123-45-01", message="A kitchen")
    desk.form(name="Anna", phone="+7 900 123-45-01", message="And a table")
    desk.form(name="Anna", phone="+7 900 123-45-01", message="And a table")
    desk.drain("form")
    lead = desk.one("SELECT id FROM lead")
    with desk.engine.connect() as connection:
        before = why(connection, ADMIN, lead, ZoneInfo("UTC")).events
    for _ in range(2):
        again(desk)
        with desk.engine.connect() as connection:
            after = why(connection, ADMIN, lead, ZoneInfo("UTC")).events
        assert [one.reason["code"] for one in after] == ["replayed"] * 3
        assert [one.reason["first"] for one in after] == [one.reason["code"] for one in before]
        assert [one.reason.get("match") for one in after] == [one.reason.get("match") for one in before]
        assert [one.reason.get("double") for one in after] == [one.reason.get("double") for one in before]
    assert before[2].reason["double"], "the third is a double, or this test says nothing of doubles"


def test_mapping_that_was_published_a_moment_ago_is_what_a_replay_reads_by(desk: Desk) -> None:
    """The worker has the source in its memory; whoever publishes and replays at once means the new mapping."""
    with closing(Processor(desk.config)) as worker:
        uid = desk.form(name="Anna", zakaz="+7 900 123-45-01 after six")
        worker.drain("form")
        put(desk, 'fields:\n  phone: {from: ["$.zakaz"]}\n')
        replay(desk.engine, HUB, desk.config, Selection(uids=(uid,)), dry_run=False)
        worker.drain("form")
    assert desk.event(uid)["reason"]["mapping"] == 1
    assert desk.rows("SELECT value FROM identifier") == [{"value": "+79001234501"}]


def test_event_that_has_its_lead_keeps_key_and_reason_when_a_new_secret_refuses_it(desk: Desk) -> None:
    uid = desk.form(key="order-1", name="Anna", phone="+7 900 123-45-01")
    desk.drain("form")
    before = desk.event(uid)
    replay(desk.engine, HUB, desk.config, Selection(uids=(uid,)), dry_run=False)
    with desk.connection.cursor() as cursor:
        token, (event,) = claim(cursor, "form", 1, 30.0)
        fail(cursor, token, [Failure(event.id, "rejected", "signature_wrong", "The signature is wrong.")])
    desk.form(key="order-1", name="Anna", phone="+7 900 123-45-01")
    assert desk.event(uid)["redeliveries"] == 1, "the sender's repetition is no second inquiry"
    assert desk.event(uid)["reason"] == before["reason"]


def test_title_that_a_person_wrote_stays_when_its_event_is_replayed(desk: Desk) -> None:
    desk.form(name="Anna", phone="+7 900 123-45-01", message="A kitchen")
    desk.form(name="Boris", phone="+7 900 123-45-02", message="A table")
    desk.drain("form")
    anna, boris = (row["id"] for row in desk.rows("SELECT id FROM lead ORDER BY id"))
    with desk.engine.begin() as connection:
        version = desk.one("SELECT version FROM lead WHERE id = %s", anna)
        change_lead(connection, ADMIN, anna, LeadChange(version=version, title="Kitchen for the Petrovs"), NOW)
    put(desk, "fields:\n  title: {from: [$.name]}\n")
    again(desk)
    titles = {row["id"]: row["title"] for row in desk.rows("SELECT id, title FROM lead")}
    assert titles == {anna: "Kitchen for the Petrovs", boris: "Boris"}


def test_dismissed_event_is_replayed_only_where_it_is_asked_for(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        set_state(connection, HUB, desk.form_source, "paused")
    uid = desk.form(name="Anna", phone="+7 900 123-45-01")
    with desk.engine.begin() as connection:
        dismiss(connection, ADMIN, uid, "a trial of ours", NOW)
        set_state(connection, HUB, desk.form_source, "active")
    for selection in (
        {"state": "done"},
        {"source_id": desk.form_source},
        {"since": datetime(2000, 1, 1, tzinfo=UTC)},
    ):
        again(desk, **selection)
        assert (desk.event(uid)["outcome"], desk.one("SELECT count(*) FROM lead")) == ("dismissed", 0)
    again(desk, outcome="dismissed")
    assert desk.event(uid)["outcome"] == "created"


def test_lead_that_is_merged_away_at_birth_has_an_owner_and_a_reason(desk: Desk) -> None:
    """Three posts of one person in one batch: the third shows that the first two are one."""
    desk.form(name="Anna", phone="+7 900 123-45-01", message="one")
    desk.form(name="Anna", email="anna@example.com", message="two")
    desk.form(name="Anna", phone="+7 900 123-45-01", email="anna@example.com", message="three")
    desk.drain("form")
    kept, merged = desk.rows("SELECT * FROM lead ORDER BY id")
    assert (kept["state"], merged["state"], merged["closed_code"]) == ("open", "closed", "merged")
    assert merged["owner_id"] == kept["owner_id"]
    assert merged["closed_at"] is not None
    why_merged = desk.one("SELECT trace FROM assignment WHERE lead_id = %s", merged["id"])
    assert why_merged["code"] == "merged"


def test_lead_that_was_merged_away_is_not_what_the_next_inquiry_repeats(desk: Desk) -> None:
    for fields in ({"phone": "+7 900 123-45-01"}, {"email": "anna@example.com"},
                   {"phone": "+7 900 123-45-01", "email": "anna@example.com"}):  # fmt: skip
        desk.form(name="Anna", message=str(fields), **fields)
        desk.drain("form")
    kept = desk.one("SELECT id FROM lead WHERE state = 'open'")
    with desk.engine.begin() as connection:
        version = desk.one("SELECT version FROM lead WHERE id = %s", kept)
        change_lead(connection, ADMIN, kept, LeadChange(version=version, state="won"), NOW)
    uid = desk.form(name="Anna", phone="+7 900 123-45-01", message="Another kitchen")
    desk.drain("form")
    event = desk.event(uid)
    assert (event["outcome"], event["reason"]["code"]) == ("repeat", "after_won")
    assert desk.one("SELECT repeat_of FROM lead WHERE id = %s", event["lead_id"]) == kept
