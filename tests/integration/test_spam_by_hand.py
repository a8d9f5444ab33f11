"""A person calls a lead spam, and takes it back: lists, journal, ledger, tasks, and what comes afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from typing import Any

import pytest
from desk import Desk
from principals import OPERATOR, user
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, HubError, Invalid, NotFound
from crm_core.leads.commands import LeadChange, change_lead
from crm_core.leads.queries import LeadFilter, get_lead, list_leads
from ingest.journal.ledger import ledger
from ingest.processing.lead_spam import mark_spam, unmark_spam
from ingest.processing.replay import Selection, replay
from ingest.quarantine.quarantine import Pick, count_quarantine, list_quarantine, release

HEAD = Principal("user", 1, "Head", "head", None)
NOW = datetime.now(UTC)
PERSON = {"name": "Ivan", "phone": "+7 912 345-67-01", "email": "ivan@example.com", "message": "Best rates for you"}


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def mark(desk: Desk, lead: int, why: str = "an offer", by: Principal = HEAD, version: int | None = None) -> None:
    with desk.engine.begin() as connection:
        mark_spam(connection, by, lead, why, datetime.now(UTC), version)


def unmark(desk: Desk, lead: int, by: Principal = HEAD) -> None:
    with desk.engine.begin() as connection:
        unmark_spam(connection, by, lead, "", datetime.now(UTC))


def total(desk: Desk) -> dict[str, Any]:
    with desk.engine.connect() as connection:
        (row,) = ledger(connection, "UTC", date(2000, 1, 1), date(2100, 1, 1), by=())
    assert row.balanced
    return {name: row.count(name) for name in ("received", "created", "attached", "repeat", "spam")}


def listed(desk: Desk, state: str) -> list[str]:
    with desk.engine.connect() as connection:
        return [str(lead.id) for lead in list_leads(connection, HEAD, LeadFilter(state=state)).items]


def state_of(desk: Desk) -> list[list[dict[str, Any]]]:
    """All that a mark may change, but for versions and what is told of it."""
    return [
        desk.rows("SELECT id, state, lost_reason, closed_code, closed_at, owner_id, spam, touches FROM lead ORDER BY id"),
        desk.rows("SELECT id, state, outcome, reason, error, verdict, lead_id, contact_id FROM inbound_event ORDER BY id"),
        desk.rows("SELECT id, state, closed_at, result FROM activity ORDER BY id"),
        desk.rows("SELECT id, owner_id, name, erased_at FROM contact ORDER BY id"),
    ]


def test_lead_when_it_is_called_spam_closes_and_its_event_says_so(desk: Desk) -> None:
    uid = desk.form(**PERSON)
    desk.drain()
    mark(desk, 1)
    assert (listed(desk, "open"), listed(desk, "spam")) == ([], ["1"])
    event = desk.event(uid)
    assert (event["state"], event["outcome"], event["lead_id"]) == ("done", "spam", 1)
    assert event["reason"] == {"code": "called_spam", "by": "user:1", "why": "an offer"}
    assert total(desk) == {"received": 1, "created": 0, "attached": 0, "repeat": 0, "spam": 1}
    with desk.engine.connect() as connection:
        lead = get_lead(connection, HEAD, 1)
    assert (lead.state, lead.lost_reason) == ("closed", "spam")
    assert lead.spam.marked is not None
    assert (lead.spam.marked.by, lead.spam.marked.why) == ("user:1", "an offer")
    (touch,) = desk.rows("SELECT actor, text, data FROM touch WHERE kind = 'stage'")
    assert (touch["actor"], touch["text"]) == ("user:1", "an offer")
    (entry,) = desk.rows("SELECT actor, subject, data FROM audit_entry WHERE action = 'lead.spam'")
    assert (entry["actor"], entry["subject"], "an offer" in str(entry["data"])) == ("user:1", "lead:1", False)


def test_lead_when_it_is_called_genuine_again_is_exactly_as_it_was(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.call("newCall", "c1", "+79123456701")
    desk.call("hangup", "c1", "+79123456701", cause="cancel")
    desk.drain()
    before, counted = state_of(desk), total(desk)
    assert desk.one("SELECT count(*) FROM activity WHERE state = 'open'") == 1
    mark(desk, 1)
    assert desk.one("SELECT count(*) FROM activity WHERE state = 'open'") == 0
    assert state_of(desk) != before
    unmark(desk, 1)
    assert state_of(desk) == before
    assert total(desk) == counted
    assert listed(desk, "spam") == []


def test_lead_when_it_is_marked_from_many_tabs_is_marked_once(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    before = state_of(desk)

    def both(n: int) -> None:
        mark(desk, 1) if n % 2 else unmark(desk, 1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: mark(desk, 1), range(8)))
    assert desk.one("SELECT count(*) FROM touch WHERE kind = 'stage'") == 1
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(both, range(16)))
        list(pool.map(lambda _: unmark(desk, 1), range(8)))
    assert state_of(desk) == before
    marks = desk.one("SELECT count(*) FROM audit_entry WHERE action = 'lead.spam'")
    assert desk.one("SELECT count(*) FROM audit_entry WHERE action = 'lead.not_spam'") == marks


def test_more_of_the_same_when_the_lead_was_called_spam_is_a_touch_that_nobody_is_told_of(desk: Desk) -> None:
    """Case 71, spam: it is on record, and no lead, call-back, owner or notification comes of it."""
    desk.form(**PERSON)
    desk.call("hangup", "c1", "+79123456702", cause="cancel")
    desk.drain()
    told = "SELECT (SELECT count(*) FROM notification) AS told, (SELECT count(*) FROM assignment) AS given"
    before = desk.rows(told)
    mark(desk, 1)
    mark(desk, 2)
    again = desk.form(**PERSON | {"message": "I do want a roof"})
    rang = desk.call("hangup", "c2", "+79123456702", cause="cancel")
    desk.drain()
    for uid, lead_id in ((again, 1), (rang, 2)):
        event = desk.event(uid)
        assert (event["outcome"], event["reason"]["code"], event["lead_id"]) == ("attached", "more_of_spam", lead_id)
    assert listed(desk, "open") == []
    assert desk.rows(told) == before
    assert desk.one("SELECT count(*) FROM activity WHERE state = 'open'") == 0
    unmark(desk, 1)
    assert listed(desk, "open") == ["1"]
    assert desk.one("SELECT touches FROM lead WHERE id = 1") == 2


def test_other_way_of_coming_when_the_lead_was_called_spam_makes_a_lead_of_its_own(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    mark(desk, 1)
    uid = desk.call("hangup", "c1", PERSON["phone"], cause="cancel")
    desk.drain()
    event = desk.event(uid)
    assert (event["outcome"], event["reason"]["code"], event["lead_id"]) == ("created", "after_spam", 2)
    assert listed(desk, "open") == ["2"]
    assert desk.one("SELECT repeat_of FROM lead WHERE id = 2") is None
    assert desk.one("SELECT count(*) FROM contact") == 1
    assert total(desk) == {"received": 2, "created": 1, "attached": 0, "repeat": 0, "spam": 1}


def test_later_inquiry_when_an_earlier_lead_was_won_is_a_repeat_of_that(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    with desk.engine.begin() as connection:
        change_lead(connection, HEAD, 1, LeadChange(version=1, state="won"), NOW)
    desk.form(**PERSON | {"message": "spam in his name"})
    desk.drain()
    mark(desk, 2)
    uid = desk.form(**PERSON | {"message": "a second roof"})
    desk.drain()
    event = desk.event(uid)
    assert (event["outcome"], event["reason"]["code"]) == ("repeat", "after_won")
    assert desk.one("SELECT repeat_of FROM lead WHERE id = 3") == 1


def test_same_submission_sent_twice_when_the_first_was_called_spam_is_still_accounted_for(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    mark(desk, 1)
    uid = desk.form(**PERSON)
    desk.drain()
    assert (desk.event(uid)["outcome"], desk.event(uid)["reason"]["code"]) == ("attached", "more_of_spam")
    assert listed(desk, "open") == []
    assert total(desk)["received"] == 2


def test_later_touches_when_their_lead_is_called_spam_keep_their_own_outcome(desk: Desk) -> None:
    first = desk.form(**PERSON)
    desk.drain()
    second = desk.form(**PERSON | {"message": "And call me"})
    desk.drain()
    mark(desk, 1)
    assert (desk.event(first)["outcome"], desk.event(second)["outcome"]) == ("spam", "attached")
    assert total(desk) == {"received": 2, "created": 0, "attached": 1, "repeat": 0, "spam": 1}


def test_mark_when_something_came_since_it_was_read_is_refused(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    desk.form(**PERSON | {"message": "It is me, really"})
    desk.drain()
    with pytest.raises(Conflict, match="read it again"):
        mark(desk, 1, version=1)
    assert listed(desk, "open") == ["1"]


@pytest.mark.parametrize("channel", ["form", "call"])
def test_replay_when_a_lead_was_called_spam_leaves_it_so(desk: Desk, channel: str) -> None:
    if channel == "form":
        uid = desk.form(**PERSON)
    else:
        desk.call("newCall", "c1", "+79123456701")
        uid = desk.call("hangup", "c1", "+79123456701", cause="cancel")
    desk.drain()
    before = state_of(desk)
    assert desk.event(uid)["outcome"] == "created"
    mark(desk, 1)
    marked = state_of(desk)
    rehearsed = replay(desk.engine, OPERATOR, desk.config, Selection(uids=(uid,)), dry_run=True)
    assert (rehearsed.before, rehearsed.after) == ({"spam": 1}, {"spam": 1})
    replay(desk.engine, OPERATOR, desk.config, Selection(state="done"), dry_run=False)
    desk.drain()
    assert desk.event(uid)["outcome"] == "spam"
    assert state_of(desk)[0] == marked[0]
    assert desk.one("SELECT count(*) FROM activity WHERE state = 'open'") == 0
    total(desk)
    unmark(desk, 1)
    assert state_of(desk)[0] == before[0]
    assert desk.event(uid)["outcome"] == "created"
    total(desk)


def test_mark_when_the_event_is_on_its_way_waits_for_nobody(desk: Desk) -> None:
    uid = desk.form(**PERSON)
    desk.drain()
    replay(desk.engine, OPERATOR, desk.config, Selection(uids=(uid,)), dry_run=False)
    with pytest.raises(Conflict, match="Try again"):
        mark(desk, 1)
    desk.drain()
    mark(desk, 1)
    assert desk.event(uid)["outcome"] == "spam"


def test_lead_when_people_and_workers_meet_on_it_loses_nothing(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    uids = [desk.form(**PERSON | {"message": f"message {n}"}) for n in range(12)]

    def judge(n: int) -> None:
        try:
            mark(desk, 1) if n % 2 else unmark(desk, 1)
        except Conflict as error:
            if error.code != "event_on_its_way":
                raise

    with ThreadPoolExecutor(5) as pool:
        work = [
            pool.submit(desk.drain, "form"),
            pool.submit(replay, desk.engine, OPERATOR, desk.config, Selection(state="done"), False),
        ]
        list(pool.map(judge, range(12)))
        for one in work:
            one.result()
    desk.drain()
    unmark(desk, 1)
    assert {desk.event(uid)["outcome"] for uid in uids} <= {"created", "repeat", "attached"}
    assert desk.one("SELECT count(*) FROM touch WHERE kind = 'form'") == 13
    assert desk.one("SELECT count(*) FROM lead WHERE state = 'open'") == 1
    assert total(desk)["received"] == 13


def test_quarantine_when_a_lead_was_called_spam_does_not_hold_it(desk: Desk) -> None:
    uid = desk.form(**PERSON)
    desk.drain()
    mark(desk, 1)
    with desk.engine.begin() as connection:
        assert list_quarantine(connection, desk.config, datetime.now(UTC), shelf=None).items == []
        assert sum(count_quarantine(connection, datetime.now(UTC)).values()) == 0
        with pytest.raises(Conflict):
            release(connection, user(1), Pick((uid,)), datetime.now(UTC))
    assert desk.event(uid)["outcome"] == "spam"


def test_lead_when_it_was_released_before_comes_back_with_its_release(desk: Desk) -> None:
    uid = desk.form(**PERSON, _gotcha="filled")
    desk.drain()
    with desk.engine.begin() as connection:
        release(connection, user(1), Pick((uid,)), NOW)
    desk.drain()
    before = state_of(desk)
    mark(desk, 1)
    assert desk.event(uid)["verdict"]["spam"] == "spam"
    unmark(desk, 1)
    assert state_of(desk) == before


def test_lead_when_the_contact_has_another_open_one_comes_back_closed(desk: Desk) -> None:
    uid = desk.form(**PERSON)
    desk.drain()
    mark(desk, 1)
    desk.call("hangup", "c9", PERSON["phone"], cause="cancel")  # by another way
    desk.drain()
    unmark(desk, 1)
    assert desk.rows("SELECT id, state, closed_code FROM lead ORDER BY id") == [
        {"id": 1, "state": "closed", "closed_code": "merged"}, {"id": 2, "state": "open", "closed_code": ""},
    ]  # fmt: skip
    assert desk.event(uid)["outcome"] == "created"
    assert total(desk)["created"] == 2


def test_call_back_when_the_caller_rang_again_meanwhile_is_there_once(desk: Desk) -> None:
    desk.call("newCall", "c1", "+79123456701")
    desk.call("hangup", "c1", "+79123456701", cause="cancel")
    desk.drain()
    mark(desk, 1)
    desk.call("newCall", "c2", "+79123456701")
    desk.call("hangup", "c2", "+79123456701", cause="cancel")
    desk.drain()
    assert listed(desk, "open") == []
    assert desk.one("SELECT count(*) FROM activity WHERE state = 'open'") == 0, "nobody calls back who was called spam"
    unmark(desk, 1)
    assert desk.one("SELECT lead_id FROM activity WHERE state = 'open'") == 1
    desk.call("hangup", "c3", "+79123456701", cause="cancel")
    desk.drain()
    assert desk.rows("SELECT lead_id, missed FROM activity WHERE state = 'open'") == [{"lead_id": 1, "missed": 3}]


def test_lost_lead_when_it_is_called_spam_comes_back_lost(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    with desk.engine.begin() as connection:
        change_lead(connection, HEAD, 1, LeadChange(version=1, state="lost", lost_reason="too dear"), NOW)
    before = state_of(desk)
    mark(desk, 1)
    unmark(desk, 1)
    assert state_of(desk) == before


def test_lead_when_it_is_called_spam_is_not_opened_by_the_back_door(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    mark(desk, 1)
    with desk.engine.begin() as connection, pytest.raises(Conflict, match="Say first that it is not"):
        change_lead(connection, HEAD, 1, LeadChange(version=2, state="open"), NOW)


@pytest.mark.parametrize(
    "error, lead, why, who",
    [
        (Invalid, 1, "  ", HEAD),
        (NotFound, 9, "x", HEAD),
        (NotFound, 1, "x", Principal("user", 2, "Stray", "manager", None)),
    ],
)
def test_mark_when_it_cannot_be_changes_nothing(desk: Desk, error: type[HubError], lead: int, why: str, who: Principal) -> None:
    desk.form(**PERSON)
    desk.drain()
    before = state_of(desk)
    with pytest.raises(error):
        mark(desk, lead, why, who)
    assert state_of(desk) == before


def test_won_lead_when_it_is_called_spam_is_refused(desk: Desk) -> None:
    desk.form(**PERSON)
    desk.drain()
    with desk.engine.begin() as connection:
        change_lead(connection, HEAD, 1, LeadChange(version=1, state="won"), NOW)
    with pytest.raises(Conflict, match="won"):
        mark(desk, 1)


def test_event_with_two_inquiries_when_one_lead_is_spam_keeps_its_outcome(desk: Desk) -> None:
    body = b'[{"name": "Ivan", "phone": "+79123456701"}, {"name": "Olga", "phone": "+79123456702"}]'
    uid = desk.post(desk.form_source, "form", body, {"content-type": "application/json"})
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 2
    before = state_of(desk)
    mark(desk, 1)
    assert desk.event(uid)["outcome"] == "created"
    total(desk)
    mark(desk, 2)
    assert desk.event(uid)["outcome"] == "spam"
    assert total(desk)["spam"] == 1
    unmark(desk, 1)
    assert desk.event(uid)["outcome"] == "created"
    total(desk)
    unmark(desk, 2)
    assert state_of(desk) == before
