"""Clients who wait for a first answer: the clock, who is told, when the lead changes hands, what stops it, and what it becomes of."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from desk import Desk
from factories.calendar import make_calendar
from principals import OPERATOR, user
from sqlalchemy import Engine

from crm_core.access import HUB, Principal
from crm_core.access.tokens import add_token
from crm_core.activities.commands import finish_activity
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, Forbidden, HubError, NotFound
from crm_core.calendars.commands import change_calendar
from crm_core.deadlines.commands import add_policy, change_policy, mark_reached, remove_policy
from crm_core.deadlines.queries import count_breaches, late_now, marks, narrowed_to, response_times, waits_of
from crm_core.deadlines.sweep import LEASE, Swept, look_at_due
from crm_core.handovers.commands import hand_over
from crm_core.leads.assignment import assign_lead
from crm_core.leads.claiming import return_lead
from crm_core.leads.commands import LeadChange, change_lead
from crm_core.leads.comments import comment_on_lead
from crm_core.leads.queries import LeadFilter, list_leads
from crm_core.leads.waiting import give_waiting
from crm_core.merging.commands import merge_contacts
from crm_core.people.absences import set_absent, set_present
from crm_core.people.commands import change_owner, retire_owner, set_duty
from ingest.erasure.erase import erase
from ingest.processing.lead_spam import mark_spam, unmark_spam
from ingest.processing.merge_undo import undo_merge
from ingest.sources.changes import remove_source

HEAD = user(2, "head")
MOBILE = "+79213334455"


class Clock(Desk):
    """A desk on whose clock minutes pass when the test says so: the sweep is asked about a later moment."""

    at: datetime

    def policy(self, breach: float = 15, **values: Any) -> int:
        with self.engine.begin() as connection:
            return add_policy(connection, OPERATOR, breach, **values)

    def inquiry(self, name: str = "Ирина Ким", **fields: str) -> int:
        """The lead that it came to. Each says something else: the same twice would be a double click."""
        said = f"Question {self.one('SELECT count(*) FROM inbound_event')}"
        uid = self.form(name=name, **({"email": "irina@client.example", "message": said} | fields))
        self.drain()
        return int(self.event(uid)["lead_id"])

    def start(self) -> None:
        """From here on minutes are counted: since the last inquiry."""
        self.at = max(self.rows("SELECT received_at AS at FROM inbound_event"), key=lambda row: row["at"])["at"]
        self.look()

    def look(self, after_minutes: float = 0.01) -> Swept:
        """All that is due so many minutes after the start, as the sweep finds it turn by turn."""
        total = Swept()
        for _ in range(20):
            some = look_at_due(self.engine, HUB, self.at + timedelta(minutes=after_minutes))
            total = Swept(total.looked + some.looked, total.acted + some.acted)
            if not some.acted:
                break
        return total

    def wait(self, lead: int) -> dict[str, Any]:
        (row,) = self.rows("SELECT * FROM deadline WHERE lead_id = %s ORDER BY id DESC LIMIT 1", lead)
        return row

    def owner(self, lead: int) -> int | None:
        found = self.one("SELECT owner_id FROM lead WHERE id = %s", lead)
        return None if found is None else int(found)

    def told(self, kind: str) -> list[int]:
        return [row["owner_id"] for row in self.rows("SELECT owner_id FROM notification WHERE kind = %s ORDER BY id", kind)]

    def do(self, deed: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self.engine.begin() as connection:
            return deed(connection, *arguments, **named)


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Clock]:
    made = Clock(config, engine, ("Anna", "Boris", "Vera"))
    made.connection.execute("UPDATE owner SET duty = false")
    yield made
    made.close()


def talk(desk: Desk, direction: str, call_id: str = "out", extension: str = "101", phone: str = MOBILE) -> None:
    """An exchange tells of a call that somebody took."""
    more = {"direction": direction, "answeringNumber": extension}
    if direction == "out":
        desk.call("newCall", call_id, "74951112233", to=phone, user=extension, direction="out")
        desk.call("answer", call_id, "74951112233", to=phone, user=extension, **more)
        desk.call("hangup", call_id, "74951112233", to=phone, user=extension, direction="out")
    else:
        for event in ("newCall", "answer", "hangup"):
            desk.call(event, call_id, phone, **more)
    desk.drain("call")


def test_hub_without_deadlines_writes_nothing_and_asks_once_a_look(desk: Clock) -> None:
    desk.inquiry()
    desk.at = datetime.now(UTC)
    assert desk.look(60) == Swept()
    assert desk.one("SELECT count(*) FROM deadline") == 0


def test_warning_breach_report_and_change_of_hands_each_once(desk: Clock) -> None:
    head = desk.owners["Vera"]
    desk.connection.execute("DELETE FROM pool_member WHERE owner_id = %s", (head,))
    desk.policy(warn_minutes=10, escalate_minutes=20, reassign_minutes=30, max_hops=1, head_id=head)
    lead = desk.inquiry()
    first = desk.owner(lead)
    desk.start()
    assert desk.wait(lead)["due_at"] == desk.wait(lead)["started_at"] + timedelta(minutes=15)
    assert desk.look(9.9).acted == 0
    assert desk.look(10.1).acted == 1
    assert desk.told("deadline_warned") == [first]
    assert desk.look(14.9).acted == 0
    assert desk.look(15.1).acted == 1
    assert desk.told("deadline_breached") == [first]
    assert desk.look(20.1).acted == 1
    assert desk.told("escalated") == [head]
    assert desk.look(30.1).acted == 1
    second = desk.owner(lead)
    assert second not in (first, head, None)
    assert desk.told("lead_taken_away") == [first]
    assert desk.told("lead_given") == [first, second]
    (why,) = desk.rows("SELECT * FROM assignment WHERE lead_id = %s ORDER BY id DESC LIMIT 1", lead)
    assert (why["trace"]["code"], why["trace"]["before"], why["trace"]["hop"]) == ("deadline_missed", str(first), 1)
    assert next(one for one in why["trace"]["candidates"] if one["owner"] == str(first))["verdict"] == "had_it"
    assert desk.look(59).acted == 0, "whoever was just given it has their whole time"
    assert desk.look(60.5).acted == 1
    assert desk.owner(lead) == head, "after as many hands as allowed the head has it"
    assert desk.look(5000).acted == 0, "nobody is told twice and it goes round no more"
    assert desk.one("SELECT count(*) FROM audit_entry WHERE action = 'lead.breach'") == 1
    assert desk.one("SELECT count(*) FROM audit_entry WHERE action = 'lead.take_away'") == 2
    assert desk.one("SELECT count(*) FROM touch WHERE kind = 'task' AND data->>'deadline' = 'breached'") == 1


def test_clock_starts_when_it_was_received_however_late_it_is_taken_in(desk: Clock) -> None:
    desk.policy()
    desk.connection.execute("UPDATE deadline_policy SET created_at = created_at - interval '1 day'")
    desk.form(name="Ирина Ким", email="irina@client.example")
    desk.rows("UPDATE inbound_event SET received_at = received_at - interval '3 hours' RETURNING id")
    desk.drain()
    lead = desk.one("SELECT id FROM lead")
    desk.start()
    desk.look(180)
    wait = desk.wait(lead)
    assert wait["started_at"] == desk.one("SELECT received_at FROM inbound_event")
    assert wait["breached_at"] is not None
    assert desk.told("deadline_warned") == []


def test_what_came_before_the_hub_had_deadlines_has_none(desk: Clock) -> None:
    desk.inquiry()
    desk.form(name="Олег Ли", email="oleg@client.example")
    desk.policy()
    desk.drain()
    desk.start()
    assert desk.one("SELECT count(*) FROM deadline WHERE state = 'open'") == 0
    lead = desk.inquiry()
    desk.start()
    assert desk.wait(lead)["state"] == "open", "the repeat inquiry is answered in time, or late"


def test_lead_of_a_worker_that_knew_nothing_of_deadlines_is_found(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.connection.execute("DELETE FROM deadline")
    desk.start()
    assert desk.wait(lead)["due_at"] is not None


@pytest.mark.parametrize("direction", ["out", "in"])
def test_talk_with_the_client_stops_it(desk: Clock, direction: str) -> None:
    desk.policy(reassign_minutes=15)
    lead = desk.inquiry(phone=MOBILE)
    desk.start()
    talk(desk, direction)
    desk.look(60)
    wait = desk.wait(lead)
    assert wait["state"] == "answered"
    assert wait["answer"] == {"out": "call", "in": "got_through"}[direction]
    assert wait["answered_by"] == desk.owners["Anna"]
    assert wait["breached_at"] is None
    assert wait["working_seconds"] == pytest.approx((wait["answered_at"] - wait["started_at"]).total_seconds())
    assert desk.told("deadline_breached") == []


def test_call_that_nobody_took_a_note_and_a_stage_stop_nothing(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry(phone=MOBILE)
    desk.start()
    desk.call("newCall", "out", "74951112233", to=MOBILE, user="101", direction="out")
    desk.call("hangup", "out", "74951112233", to=MOBILE, user="101", direction="out")
    desk.drain("call")
    desk.do(comment_on_lead, OPERATOR, lead, "I will call them", datetime.now(UTC))
    version = desk.one("SELECT version FROM lead")
    desk.do(change_lead, OPERATOR, lead, LeadChange(version, stage="qualified"), datetime.now(UTC))
    desk.look(16)
    assert desk.wait(lead)["breached_at"] is not None


@pytest.mark.parametrize("way", ["by hand", "activity", "mail"])
def test_message_call_or_meeting_that_somebody_marks_stops_it(desk: Clock, way: str) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    now = datetime.now(UTC)
    (contact,) = [row["contact_id"] for row in desk.rows("SELECT contact_id FROM lead")]
    if way == "by hand":
        desk.do(mark_reached, OPERATOR, lead, "message", now, "in the messenger")
    elif way == "activity":
        (task,) = desk.rows(
            "INSERT INTO activity (kind, contact_id, lead_id, owner_id, due_at) VALUES ('call', %s, %s, %s, now()) RETURNING id",
            contact, lead, desk.owner(lead),
        )  # fmt: skip
        desk.do(finish_activity, OPERATOR, task["id"], "they want two", now)
    else:
        desk.rows(
            "INSERT INTO touch (contact_id, lead_id, kind, direction, at) VALUES (%s, %s, 'mail', 'out', %s) RETURNING id",
            contact, lead, now,
        )  # fmt: skip
    desk.look(60)
    assert desk.wait(lead)["state"] == "answered"
    assert desk.wait(lead)["answer"] == ("message" if way == "mail" else "by_hand")


def test_task_that_is_not_with_the_client_stops_nothing(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    (task,) = desk.rows(
        "INSERT INTO activity (kind, lead_id, contact_id, due_at) SELECT 'task', id, contact_id, now() FROM lead RETURNING id"
    )
    desk.do(finish_activity, OPERATOR, task["id"], "printed", datetime.now(UTC))
    desk.look(16)
    assert desk.wait(lead)["breached_at"] is not None


def test_talk_that_is_told_late_counts_when_it_was_and_nothing_is_given_back(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry(phone=MOBILE)
    desk.start()
    desk.look(16)
    assert desk.wait(lead)["breached_at"] is not None
    talk(desk, "out")
    desk.look(20)
    wait = desk.wait(lead)
    assert wait["state"] == "answered"
    assert wait["answered_at"] < wait["due_at"], "the figures say when they talked"
    assert wait["breached_at"] is not None, "late stays late"


def test_repeat_inquiry_begins_a_new_wait_only_where_the_client_was_answered(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    started = desk.wait(lead)["started_at"]
    assert desk.inquiry() == lead
    desk.look()
    assert [row["started_at"] for row in desk.rows("SELECT started_at FROM deadline")] == [started], (
        "the clock runs since the first"
    )
    desk.do(mark_reached, OPERATOR, lead, "call", datetime.now(UTC))
    assert desk.inquiry() == lead
    desk.start()
    states = [row["state"] for row in desk.rows("SELECT state FROM deadline ORDER BY started_at")]
    assert states == ["answered", "open"]
    assert desk.wait(lead)["started_at"] == desk.at
    desk.look(16)
    assert desk.wait(lead)["breached_at"] is not None


def test_repeat_inquiry_between_an_answer_and_the_look_at_it_is_not_lost(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    desk.do(mark_reached, OPERATOR, lead, "call", datetime.now(UTC))
    desk.inquiry()
    desk.inquiry()
    desk.start()
    assert [row["state"] for row in desk.rows("SELECT state FROM deadline ORDER BY started_at")] == ["answered", "open"]


def test_replay_adds_no_wait(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    before = desk.wait(lead)
    desk.rows("UPDATE inbound_event SET state = 'waiting', outcome = NULL, replayed = 1, next_attempt_at = now() RETURNING id")
    desk.drain()
    desk.look()
    assert desk.one("SELECT count(*) FROM deadline") == 1
    assert desk.wait(lead)["started_at"] == before["started_at"]


def test_breach_of_what_nobody_has_reaches_the_duty_person_in_the_hubs_hours(desk: Clock) -> None:
    desk.policy(escalate_minutes=30)
    desk.connection.execute("UPDATE pool_member SET paused = true")
    lead = desk.inquiry()
    assert desk.owner(lead) is None
    desk.do(set_duty, OPERATOR, desk.owners["Boris"])
    desk.start()
    desk.look(16)
    assert desk.told("deadline_breached") == [desk.owners["Boris"]]
    desk.look(31)
    assert desk.told("escalated") == [desk.owners["Boris"]], "a hub without a head of sales has a duty person"
    desk.connection.execute("UPDATE owner SET duty = false")
    # By the default calendar: one whose day has just ended moves what is due to its next.
    calendar = make_calendar(
        desk.connection, is_default=True, country="", zone="UTC", week=json.dumps({"mon": [["09:00", "09:30"]]})
    )
    other = desk.inquiry("Олег Ли", email="oleg@client.example")
    desk.start()
    due = desk.wait(other)["due_at"]
    assert (due.weekday(), due.hour, due.minute) == (0, 9, 15)
    assert calendar


def test_breach_of_what_nobody_has_reaches_the_head_where_nobody_is_on_duty(desk: Clock) -> None:
    head = desk.owners["Vera"]
    policy = desk.policy(head_id=head)
    desk.connection.execute("UPDATE pool_member SET paused = true")
    lead = desk.inquiry()
    desk.start()
    desk.look(16)
    assert desk.owner(lead) is None
    assert desk.told("deadline_breached") == [head]
    # The named head leaves: whoever signs in as a head of sales is it.
    desk.connection.execute("UPDATE owner SET active = false WHERE id = %s", (head,))
    desk.rows("INSERT INTO app_user (login, role, owner_id) VALUES ('b@x', 'head', %s) RETURNING id", desk.owners["Boris"])
    desk.do(change_policy, OPERATOR, policy, {"escalate_minutes": 20.0, "head_id": None})
    desk.look(21)
    assert desk.told("escalated") == [desk.owners["Boris"]]


def test_absent_owner_and_their_deputy_are_both_told(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    owner = desk.owner(lead)
    deputy = next(one for one in desk.owners.values() if one != owner)
    desk.start()
    now = datetime.now(UTC)
    desk.do(set_absent, OPERATOR, owner, now + timedelta(days=2), now, deputy_id=deputy)
    desk.look(16)
    assert desk.told("deadline_breached") == [owner, deputy]


def test_changed_calendar_moves_open_waits_only(desk: Clock) -> None:
    desk.policy()
    always = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
    calendar = make_calendar(desk.connection, country="", zone="UTC", week=json.dumps(always))
    for owner in desk.owners.values():
        desk.do(change_owner, OPERATOR, owner, {"calendar_id": calendar})
    late, fresh = desk.inquiry(), None
    desk.start()
    desk.look(16)
    due_late = desk.wait(late)["due_at"]
    fresh = desk.inquiry("Олег Ли", email="oleg@client.example")
    desk.start()
    due_fresh = desk.wait(fresh)["due_at"]
    week = {"mon": [["09:00", "10:00"]]}
    desk.do(change_calendar, OPERATOR, calendar, {"week": week})
    desk.look(1.1)
    assert desk.wait(late)["due_at"] == due_late, "late stays late"
    moved = desk.wait(fresh)["due_at"]
    assert moved != due_fresh
    assert (moved.weekday(), moved.hour, moved.minute) == (0, 9, 15)


def test_changed_policy_moves_open_waits_at_once_and_a_removed_one_ends_them(desk: Clock) -> None:
    policy = desk.policy()
    lead = desk.inquiry()
    desk.start()
    desk.do(change_policy, OPERATOR, policy, {"breach_minutes": 120.0})
    desk.look(0.02)
    assert desk.wait(lead)["due_at"] == desk.wait(lead)["started_at"] + timedelta(hours=2)
    desk.do(remove_policy, OPERATOR, policy, datetime.now(UTC))
    desk.look(0.03)
    assert (desk.wait(lead)["state"], desk.wait(lead)["ended_code"]) == ("ended", "no_policy")
    desk.inquiry("Олег Ли", email="oleg@client.example")
    assert desk.one("SELECT count(*) FROM deadline") == 1


def test_policy_of_a_source_counts_for_its_leads(desk: Clock) -> None:
    desk.policy(60)
    desk.policy(5, source_id=desk.form_source)
    with pytest.raises(Conflict):
        desk.policy(7, source_id=desk.form_source)
    lead = desk.inquiry()
    desk.start()
    assert desk.wait(lead)["due_at"] == desk.wait(lead)["started_at"] + timedelta(minutes=5)


def test_manual_change_of_hands_gives_the_new_owner_their_time_and_keeps_what_is_late(desk: Clock) -> None:
    desk.policy(reassign_minutes=20)
    lead = desk.inquiry()
    desk.start()
    desk.look(16)
    first = desk.owner(lead)
    other = next(one for one in desk.owners.values() if one != first)
    desk.do(assign_lead, HEAD, lead, "knows them", desk.at + timedelta(minutes=19), owner_id=other)
    desk.look(21)
    assert desk.owner(lead) == other, "they have had it for two minutes"
    assert desk.wait(lead)["breached_owner_id"] == first
    desk.look(39.5)
    assert desk.owner(lead) not in (first, other), "it goes back to nobody who had it"


def test_lead_that_everybody_had_goes_to_the_head_and_then_nowhere(desk: Clock) -> None:
    desk.policy(reassign_minutes=20, max_hops=9)
    lead = desk.inquiry()
    desk.start()
    owners = [desk.owner(lead)]
    for turn in range(1, 7):
        desk.look(20.5 * turn)
        owners.append(desk.owner(lead))
    assert len(set(owners[:3])) == 3, "each has it once"
    assert len(set(owners[2:])) == 1, "nobody is left, and nobody is asked twice"
    assert desk.wait(lead)["gave_up_at"] is not None


def test_client_whom_somebody_may_not_have_is_not_given_to_them(desk: Clock) -> None:
    desk.policy(reassign_minutes=20)
    lead = desk.inquiry()
    first = desk.owner(lead)
    barred, other = [one for one in desk.owners.values() if one != first]
    desk.rows(
        "INSERT INTO owner_exclusion (contact_id, owner_id, why, actor) SELECT contact_id, %s, 'a quarrel', 'hub' FROM lead RETURNING owner_id",
        barred,
    )
    desk.start()
    desk.look(21)
    assert desk.owner(lead) == other


def test_taken_lead_costs_the_pool_a_turn_of_the_new_owner_and_gives_none_back(desk: Clock) -> None:
    desk.policy(reassign_minutes=20)
    lead = desk.inquiry()
    before = {row["owner_id"]: row["assigned"] for row in desk.rows("SELECT owner_id, assigned FROM pool_member")}
    desk.start()
    desk.look(21)
    after = {row["owner_id"]: row["assigned"] for row in desk.rows("SELECT owner_id, assigned FROM pool_member")}
    assert {one: after[one] - before[one] for one in after if after[one] != before[one]} == {desk.owner(lead): 1}


def test_leads_that_close_end_their_wait_and_one_opened_again_begins_anew(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()

    def change(**values: str) -> None:
        desk.do(change_lead, OPERATOR, lead, LeadChange(desk.one("SELECT version FROM lead"), **values), datetime.now(UTC))  # type: ignore[arg-type]

    change(state="lost", lost_reason="no money")
    desk.look(2)
    assert (desk.wait(lead)["state"], desk.wait(lead)["ended_code"]) == ("ended", "lost")
    change(state="open")
    desk.look(100)
    wait = desk.wait(lead)
    assert (wait["state"], wait["started_at"]) == ("open", desk.at + timedelta(minutes=100))
    assert wait["breached_at"] is None
    desk.look(116)
    assert desk.wait(lead)["breached_at"] is not None
    change(state="lost", lost_reason="no money")
    desk.look(120)
    change(state="open")
    desk.look(130)
    assert desk.wait(lead)["breached_at"] == desk.at + timedelta(minutes=116), "late stays late"
    assert desk.one("SELECT count(*) FROM deadline") == 1


def test_spam_ends_it_and_taking_that_back_begins_anew(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    desk.do(mark_spam, HEAD, lead, "an offer", datetime.now(UTC))
    desk.look(60)
    assert (desk.wait(lead)["state"], desk.wait(lead)["ended_code"]) == ("ended", "spam")
    assert desk.told("deadline_breached") == []
    desk.do(unmark_spam, HEAD, lead, "", datetime.now(UTC))
    desk.look(61)
    assert desk.wait(lead)["due_at"] == desk.at + timedelta(minutes=76)


def test_client_of_a_closed_lead_waits_where_it_was_opened_again_or_has_another(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    desk.do(mark_reached, OPERATOR, lead, "call", datetime.now(UTC))
    desk.look()
    desk.connection.execute("UPDATE lead SET state = 'won', closed_at = now()")
    other = desk.inquiry()
    assert other != lead
    desk.start()
    assert [(row["lead_id"], row["state"]) for row in desk.rows("SELECT lead_id, state FROM deadline ORDER BY id")] == [
        (lead, "answered"), (other, "open"),
    ]  # fmt: skip
    desk.do(mark_spam, HEAD, other, "an offer", datetime.now(UTC))
    desk.look(1)
    again = desk.inquiry()
    desk.look(60)
    waits = desk.one("SELECT count(*) FROM deadline WHERE state = 'open'")
    assert waits == desk.one("SELECT count(*) FROM lead WHERE id = %s AND state = 'open'", again), "what is spam waits for nobody"


def test_wait_of_a_folded_lead_goes_on_at_the_other_and_an_undo_restores_both(desk: Clock) -> None:
    desk.policy()
    kept = desk.inquiry(phone=MOBILE)
    desk.do(mark_reached, OPERATOR, kept, "call", datetime.now(UTC))
    desk.start()
    folded = desk.inquiry("Пётр Окунев", email="petr@other.example")
    assert folded != kept
    desk.start()
    begun = desk.wait(folded)["started_at"]
    winner, loser = (desk.one("SELECT contact_id FROM lead WHERE id = %s", one) for one in (kept, folded))
    merge = desk.do(merge_contacts, HEAD, winner, loser, "one voice", datetime.now(UTC))
    desk.look(2)
    desk.look(2)
    assert (desk.wait(folded)["state"], desk.wait(folded)["ended_code"]) == ("ended", "merged")
    assert (desk.wait(kept)["state"], desk.wait(kept)["started_at"]) == ("open", begun)
    desk.do(undo_merge, HEAD, merge, "two people", datetime.now(UTC))
    desk.look(5)
    assert (desk.wait(folded)["state"], desk.wait(folded)["started_at"]) == ("open", begun)
    assert desk.wait(kept)["state"] == "answered"
    assert desk.one("SELECT count(*) FROM deadline WHERE state = 'open'") == 1


def test_erased_person_waits_for_nothing(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    contact = desk.one("SELECT contact_id FROM lead")
    erase(desk.engine, desk.config, OPERATOR, contact, "asked for it", datetime.now(UTC))
    desk.look(60)
    assert (desk.wait(lead)["state"], desk.wait(lead)["ended_code"]) == ("ended", "erased")
    assert desk.told("deadline_breached") == []


def test_whoever_leaves_hands_over_waits_as_well(desk: Clock) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    first = desk.owner(lead)
    other = next(one for one in desk.owners.values() if one != first)
    now = datetime.now(UTC)
    desk.do(hand_over, HEAD, first, other, "leaves", now)
    desk.do(retire_owner, HEAD, first, now)
    desk.look(16)
    assert desk.told("deadline_breached") == [other]
    assert desk.wait(lead)["owner_id"] == other


def test_killed_between_taking_and_doing_loses_nothing(desk: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    with monkeypatch.context() as broken:
        broken.setattr("crm_core.deadlines.sweep._act", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            look_at_due(desk.engine, HUB, desk.at + timedelta(minutes=16))
    assert desk.wait(lead)["breached_at"] is None
    assert desk.look(16).looked == 0, "somebody may be at it still"
    assert desk.look(16 + LEASE.total_seconds() / 60).acted == 1
    assert len(desk.told("deadline_breached")) == 1


def test_two_workers_at_once_tell_everybody_once(desk: Clock) -> None:
    desk.policy(escalate_minutes=15, reassign_minutes=15, head_id=desk.owners["Vera"])
    for n in range(60):
        desk.form(name=f"Клиент {n}", email=f"x{n}@client.example")
    desk.drain()
    desk.start()
    moment = desk.at + timedelta(minutes=16)
    with ThreadPoolExecutor(4) as workers:
        found = list(workers.map(lambda _: look_at_due(desk.engine, HUB, moment, most=25), range(8)))
    assert sum(one.acted for one in found) == 60
    assert desk.one("SELECT count(*) FROM notification WHERE kind = 'deadline_breached'") == 60
    assert desk.one("SELECT count(*) FROM notification WHERE kind = 'escalated'") == 60
    assert {row["hops"] for row in desk.rows("SELECT hops FROM deadline")} == {1}
    assert desk.one("SELECT count(*) FROM assignment WHERE trace->>'code' = 'deadline_missed'") == 60
    shares = [row["n"] for row in desk.rows("SELECT count(*) AS n FROM lead GROUP BY owner_id")]
    assert max(shares) - min(shares) <= 2, "the pool's ledger is asked"


@pytest.mark.parametrize("round_", range(6))
@pytest.mark.parametrize("way", ["by hand", "call"])
def test_touch_and_takeaway_at_the_same_instant_exactly_one_wins(desk: Clock, way: str, round_: int) -> None:  # identity case 88
    """Both are held back at the client's lock and let go together."""
    desk.policy(reassign_minutes=20)
    lead = desk.inquiry(phone=MOBILE)
    desk.start()
    desk.look(16)
    first = desk.owner(lead)
    contact = desk.one("SELECT contact_id FROM lead WHERE id = %s", lead)
    seller = Principal("user", 1, "seller", "manager", first)
    if way == "call":
        desk.call("newCall", "out", "74951112233", to=MOBILE, user="101", direction="out")
        desk.call("answer", "out", "74951112233", to=MOBILE, user="101", direction="out")
        desk.call("hangup", "out", "74951112233", to=MOBILE, user="101", direction="out")

    def touch() -> str:
        if way == "call":
            desk.drain("call")
            return "told"
        try:
            desk.do(mark_reached, seller, lead, "call", datetime.now(UTC))
        except NotFound:
            return "refused"
        return "reached"

    gate = psycopg.connect(desk.config.database_url)
    gate.execute("SELECT id FROM contact WHERE id = %s FOR UPDATE", (contact,))
    with ThreadPoolExecutor(2) as racers:
        deeds = [lambda: look_at_due(desk.engine, HUB, desk.at + timedelta(minutes=20.5)), touch]
        started = [racers.submit(deed) for deed in (deeds if round_ % 2 else reversed(deeds))]
        _wait_for_waiters(desk, 2)
        gate.rollback()
        results = [one.result(30) for one in started]
    gate.close()
    taken = desk.owner(lead) != first
    wait = desk.wait(lead)
    if way == "by hand":
        assert ("reached" in results) != taken, (
            "either they reached the client and have the lead, or it was taken and they are told so"
        )
        assert ("refused" in results) == taken
    assert wait["hops"] == int(taken)
    if not taken:
        assert wait["state"] == "answered"
    desk.look(20.6)
    desk.look(60)
    assert desk.one("SELECT count(*) FROM assignment WHERE trace->>'code' = 'deadline_missed'") == int(taken) + (
        0 if way == "call" or not taken else 1
    ), "no ping-pong: whoever has it after a touch keeps it"


def test_touch_of_after_the_look_began_wins_over_what_the_look_comes_to_last(desk: Clock) -> None:
    """A look at many has one moment for all of them; whoever reached their client while it worked is not too late."""
    desk.policy(reassign_minutes=20)
    lead = desk.inquiry()
    desk.start()
    first = desk.owner(lead)
    seller = Principal("token", add_own_token(desk, first), "seller", "manager", first)
    desk.do(mark_reached, seller, lead, "call", desk.at + timedelta(minutes=20, seconds=7))
    desk.look(20.1)
    assert desk.owner(lead) == first
    wait = desk.wait(lead)
    assert (wait["state"], wait["answered_by"], wait["hops"]) == ("answered", first, 0)
    assert wait["breached_at"] == wait["due_at"], "late all the same"


def add_own_token(desk: Clock, owner: int | None) -> int:
    token_id, _secret = desk.do(add_token, HUB, "manager", "phone", owner)
    return int(token_id)


def _wait_for_waiters(desk: Desk, count: int) -> None:
    """Until so many sessions wait for a lock of somebody else."""
    for _ in range(2000):
        waiting = desk.one(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        if waiting >= count:
            return
        desk.rows("SELECT pg_sleep(0.005)")
    raise AssertionError("nobody waits")


def test_only_a_head_says_how_soon_and_nobody_marks_a_colleagues_client(desk: Clock) -> None:
    seller = Principal("user", 1, "seller", "manager", desk.owners["Anna"])
    with pytest.raises(Forbidden):
        desk.do(add_policy, seller, 15.0)
    desk.policy()
    lead = desk.inquiry()
    other = next(one for one in desk.owners.values() if one != desk.owner(lead))
    with pytest.raises(NotFound):
        desk.do(mark_reached, Principal("user", 1, "seller", "manager", other), lead, "call", datetime.now(UTC))
    with pytest.raises(HubError):
        desk.do(mark_reached, OPERATOR, lead, "telepathy", datetime.now(UTC))


def listed(desk: Clock, standing: Any, minutes: float, principal: Principal = OPERATOR) -> set[int]:
    with desk.engine.connect() as connection:
        also = narrowed_to(standing, desk.at + timedelta(minutes=minutes))
        return {one.id for one in list_leads(connection, principal, LeadFilter(), also=also).items}


def marked(desk: Clock, minutes: float, principal: Principal = OPERATOR) -> dict[int, str]:
    ids = [row["id"] for row in desk.rows("SELECT id FROM lead")]
    with desk.engine.connect() as connection:
        found = marks(connection, principal, ids, desk.at + timedelta(minutes=minutes))
    return {one.lead_id: one.standing for one in found.values()}


def test_list_and_row_never_disagree_whoever_looked_last(desk: Clock) -> None:
    """At each moment, before and after looks, talks, closings: what a filter lists is what the mark beside the row says."""
    desk.policy(warn_minutes=10)
    leads = [desk.inquiry(f"Клиент {n}", email=f"x{n}@client.example", phone=f"+7921333440{n}") for n in range(5)]
    desk.start()
    desk.do(mark_reached, OPERATOR, leads[0], "call", datetime.now(UTC))
    talk(desk, "out", phone="+79213334401")
    desk.connection.execute("UPDATE lead SET state = 'lost', lost_reason = 'x', closed_at = now() WHERE id = %s", (leads[2],))
    for look_first in (False, True):
        for minutes, standing in ((5, "waiting"), (12, "soon"), (16, "late")):
            if look_first:
                desk.look(minutes)
            assert marked(desk, minutes) == dict.fromkeys(leads[3:], standing)
            assert listed(desk, "waiting", minutes) == set(leads[3:])
            for one in ("soon", "late"):
                assert listed(desk, one, minutes) == (set(leads[3:]) if one == standing else set())


def test_seller_sees_marks_of_their_own_leads_only(desk: Clock) -> None:
    desk.policy()
    leads = [desk.inquiry(f"Клиент {n}", email=f"x{n}@client.example") for n in range(3)]
    desk.start()
    anna = desk.owners["Anna"]
    seller = Principal("user", 1, "seller", "manager", anna)
    mine = {lead for lead in leads if desk.owner(lead) == anna}
    assert len(mine) == 1
    assert marked(desk, 16, seller).keys() == mine == listed(desk, "late", 16, seller)
    with desk.engine.connect() as connection:
        assert late_now(connection, seller, desk.at + timedelta(minutes=16), 10) == 1
        assert late_now(connection, OPERATOR, desk.at + timedelta(minutes=16), 10) == 3
        with pytest.raises(NotFound):
            waits_of(connection, seller, next(iter(set(leads) - mine)))
        with pytest.raises(Forbidden):
            response_times(connection, seller, "source", None, None, "UTC")


def test_first_answers_by_source_person_and_hour(desk: Clock) -> None:
    desk.policy()
    seconds = [60, 120, 180, 240, 3600]
    leads = [desk.inquiry(f"Клиент {n}", email=f"x{n}@client.example") for n in range(6)]
    desk.start()
    first = {lead: desk.owner(lead) for lead in leads}
    desk.look(16)
    for lead, after in zip(leads, seconds, strict=False):
        started = desk.wait(lead)["started_at"]
        (touch,) = desk.rows(
            "INSERT INTO touch (contact_id, lead_id, kind, direction, at) SELECT contact_id, id, 'mail', 'out', %s FROM lead"
            " WHERE id = %s RETURNING id", started + timedelta(seconds=after), lead,
        )  # fmt: skip
        assert touch
    desk.look(120)
    with desk.engine.connect() as connection:
        [source] = response_times(connection, OPERATOR, "source", None, None, "Europe/Moscow")
        people = response_times(connection, OPERATOR, "owner", None, None, "Europe/Moscow")
        hours = response_times(connection, OPERATOR, "hour", None, None, "Europe/Moscow")
        assert response_times(connection, OPERATOR, "source", desk.at + timedelta(days=1), None, "UTC") == []
        assert response_times(connection, OPERATOR, "source", None, desk.at - timedelta(days=1), "UTC") == []
    assert (source.source and source.source.id, source.inquiries, source.answered, source.waiting) == (desk.form_source, 6, 5, 1)
    # All were told late: the hub had called them late, and that stays.
    assert (source.late, source.unanswered) == (6, 0)
    assert source.median_seconds == pytest.approx(180)
    assert source.p90_seconds == pytest.approx(240 + 0.6 * (3600 - 240))
    assert {one.owner.id: one.inquiries for one in people if one.owner} == dict.fromkeys(first.values(), 2)
    assert sum(one.inquiries for one in hours) == 6
    moscow = (desk.at + timedelta(hours=3)).hour
    assert {one.hour for one in hours} <= {moscow, (moscow - 1) % 24}


def test_metric_counts_every_breach_once(desk: Clock) -> None:
    desk.policy()
    for n in range(3):
        desk.inquiry(f"Клиент {n}", email=f"x{n}@client.example")
    desk.start()
    for minutes in (16, 17, 60):
        desk.look(minutes)
    with desk.engine.connect() as connection:
        assert count_breaches(connection) == 3


def test_reply_within_a_thread_begins_no_new_wait(desk: Clock) -> None:
    """The event says that it was one: a client who thanks for an answer waits for nothing."""
    desk.policy()
    lead = desk.inquiry()
    desk.start()
    desk.do(mark_reached, OPERATOR, lead, "message", datetime.now(UTC))
    desk.look()
    uid = desk.form(name="Ирина Ким", email="irina@client.example", message="Спасибо!")
    desk.drain()
    desk.rows("UPDATE touch SET kind = 'mail' WHERE event_id = (SELECT id FROM inbound_event WHERE uid = %s) RETURNING id", uid)
    desk.rows(
        'UPDATE inbound_event SET reason = reason || \'{"thread": {"rule": "reply_of_a_participant"}}\' WHERE uid = %s RETURNING id',
        uid,
    )
    desk.look(1)
    assert desk.one("SELECT count(*) FROM deadline") == 1


def test_pools_that_leave_leads_to_be_taken_get_a_late_one_back(desk: Clock) -> None:
    desk.policy(reassign_minutes=20)
    lead = desk.inquiry()
    first = desk.owner(lead)
    desk.connection.execute("UPDATE pool SET strategy = 'broadcast'")
    desk.start()
    desk.look(21)
    assert desk.owner(lead) is None
    (row,) = desk.rows("SELECT kind, trace FROM assignment ORDER BY id DESC LIMIT 1")
    assert (row["kind"], row["trace"]["code"]) == ("tray", "deadline_missed")
    assert first not in desk.told("lead_to_take")
    assert len(desk.told("lead_to_take")) == 2
    desk.look(500)
    assert desk.one("SELECT count(*) FROM assignment WHERE trace->>'code' = 'deadline_missed'") == 1


def test_source_through_which_nothing_came_goes_with_its_deadline(desk: Clock) -> None:
    desk.policy(20)
    desk.policy(15, source_id=desk.call_source)
    desk.do(remove_source, OPERATOR, desk.call_source)
    assert [row["source_id"] for row in desk.rows("SELECT source_id FROM deadline_policy")] == [None]


def test_returned_lead_is_not_given_to_whoever_may_not_have_the_client(desk: Clock) -> None:
    lead = desk.inquiry()
    first = desk.owner(lead)
    barred, other = [one for one in desk.owners.values() if one != first]
    exclude = "INSERT INTO owner_exclusion (contact_id, owner_id, why, actor) SELECT contact_id, %s, 'a quarrel', 'hub' FROM lead RETURNING 1"
    desk.rows(exclude, barred)
    desk.do(return_lead, HEAD, lead, "no_time", "at a fair", datetime.now(UTC))
    assert desk.owner(lead) == other
    (row,) = desk.rows("SELECT trace FROM assignment ORDER BY id DESC LIMIT 1")
    verdicts = {int(one["owner"]): one["verdict"] for one in row["trace"]["candidates"]}
    assert verdicts == {first: "had_it", barred: "conflict_with_client", other: "chosen"}


def test_lead_that_waits_after_it_was_taken_and_given_back_is_given_by_what_was_known_of_it(desk: Clock) -> None:
    desk.policy(reassign_minutes=20)
    lead = desk.inquiry()
    desk.start()
    desk.look(21)
    second = desk.owner(lead)
    now = datetime.now(UTC)
    for owner in desk.owners.values():
        desk.do(set_absent, OPERATOR, owner, now + timedelta(days=1), now)
    desk.do(return_lead, HEAD, lead, "no_time", "at a fair", now)
    assert desk.owner(lead) is None
    back = next(one for one in desk.owners.values() if one != second)
    desk.do(set_present, OPERATOR, back, datetime.now(UTC) + timedelta(milliseconds=5))
    assert desk.do(give_waiting, HUB, datetime.now(UTC), "UTC") == 1
    (row,) = desk.rows("SELECT facts FROM assignment ORDER BY id DESC LIMIT 1")
    assert row["facts"]["lead"]["source"] == str(desk.form_source)


def test_wait_of_hours_follows_a_changed_calendar_within_a_minute(desk: Clock) -> None:
    desk.policy(600)
    lead = desk.inquiry()
    desk.start()
    desk.look(300)
    desk.rows("UPDATE owner SET week = %s, zone = 'UTC' RETURNING id", json.dumps({"mon": [["09:00", "19:30"]]}))
    desk.look(301.1)
    due = desk.wait(lead)["due_at"]
    assert (due.weekday(), due.hour) == (0, 19) or desk.at.weekday() == 0
