"""What arrives becomes contacts, leads, touches and call-backs, and every event ends in one outcome with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid
from crm_core.handovers.commands import hand_over
from crm_core.people.absences import set_absent
from crm_core.people.commands import retire_owner
from ingest.journal.ledger import PARTS, ledger
from ingest.processing.replay import Selection, replay

MOBILE, OTHER = "+79213334455", "+79162223344"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def balanced(desk: Desk) -> dict[str, int]:
    """The total of the ledger; fails if any row does not balance."""
    today = datetime.now(UTC).date()
    with desk.engine.connect() as connection:
        rows = ledger(connection, "UTC", today - timedelta(days=1), today)
    assert all(row.balanced for row in rows)
    return {name: sum(row.count(name) for row in rows) for name in ("received", *PARTS)}


# --- forms ---------------------------------------------------------------------------------------------------------


def test_form_becomes_a_lead_with_owner_and_reason_when_the_person_is_new(desk: Desk) -> None:
    uid = desk.form(name="Ирина Соколова", phone="8 (921) 333-44-55", message="Хочу дверь", colour="red", utm_source="ya")
    desk.drain()
    (lead,) = desk.rows("SELECT * FROM lead")
    assert (lead["channel"], lead["state"], lead["stage"], lead["touches"]) == ("form", "open", "new", 1)
    assert (lead["message"], lead["fields"], lead["attribution"]["utm_source"]) == ("Хочу дверь", {"colour": "red"}, "ya")
    assert lead["owner_id"] in desk.owners.values()
    event = desk.event(uid)
    assert (event["state"], event["outcome"], event["lead_id"]) == ("done", "created", lead["id"])
    assert event["reason"]["code"] == "first_inquiry"
    assert desk.one("SELECT value FROM identifier") == MOBILE
    (assignment,) = desk.rows("SELECT * FROM assignment")
    assert (assignment["kind"], assignment["trace"]["code"]) == ("pool", "largest_deficit")
    assert len(assignment["trace"]["candidates"]) == 3


def test_second_form_of_a_person_becomes_a_touch_when_his_lead_is_open(desk: Desk) -> None:
    desk.form(name="Ирина", phone=MOBILE)
    again = desk.form(name="Irina", phone="8 921 333 44 55", email="irina@example.com")
    desk.drain()
    assert desk.one("SELECT count(*) FROM contact") == 1
    assert desk.one("SELECT touches FROM lead") == 2
    assert desk.event(again)["outcome"] == "attached"
    assert desk.event(again)["reason"]["match"]["rule"] == "strong_identifier"
    assert desk.one("SELECT count(*) FROM contact_identifier") == 2


def test_person_keeps_his_owner_when_he_comes_again_after_a_sale(desk: Desk) -> None:
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    owner = desk.one("SELECT owner_id FROM lead")
    desk.connection.execute("UPDATE lead SET state = 'won', closed_at = now()")
    for n in range(4):  # the pool's turn moves on meanwhile
        desk.form(name=f"Кто-то {n}", email=f"x{n}@example.com")
    uid = desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    lead = desk.rows("SELECT * FROM lead WHERE repeat_of IS NOT NULL")[0]
    assert lead["owner_id"] == owner
    assert desk.event(uid)["outcome"] == "repeat"
    assert desk.one("SELECT kind FROM assignment WHERE lead_id = %s", lead["id"]) == "sticky"


def test_two_people_stay_two_when_they_share_a_phone_under_different_names(desk: Desk) -> None:
    desk.form(name="Иван", phone=MOBILE)
    desk.form(name="Мария", phone=MOBILE)
    desk.form(name="Мария", phone=MOBILE, message="И ещё вопрос")
    desk.drain()
    leads = desk.rows("SELECT * FROM lead ORDER BY id")
    assert [lead["touches"] for lead in leads] == [1, 2]
    assert leads[0]["owner_id"] == leads[1]["owner_id"]  # one family, one owner
    assert desk.one("SELECT count(*) FROM suggestion") == 1


def test_identifier_stops_joining_when_four_names_used_it(desk: Desk) -> None:
    for name in ("Иван", "Мария", "Пётр", "Ольга", "Сергей"):
        desk.form(name=name, phone=MOBILE)
        desk.drain()
    assert desk.one("SELECT strength FROM identifier") == "shared"
    assert desk.one("SELECT count(*) FROM contact") == 5
    desk.form(phone=MOBILE)  # nameless: belongs to none of them
    desk.drain()
    assert desk.one("SELECT count(*) FROM contact") == 6


def test_number_leaves_its_old_owner_when_it_was_given_to_another(desk: Desk) -> None:  # identity case 28
    desk.form(name="Иван", phone=MOBILE)
    desk.drain()
    desk.connection.execute("UPDATE contact_identifier SET last_seen_at = now() - interval '14 months'")
    uid = desk.form(name="Мария", phone=MOBILE)
    again = desk.form(phone=MOBILE)
    desk.drain()
    assert desk.event(uid)["reason"]["match"]["rule"] == "identifier_was_reissued"
    assert desk.event(again)["contact_id"] == desk.event(uid)["contact_id"]
    assert [row["retired_at"] is None for row in desk.rows("SELECT retired_at FROM contact_identifier ORDER BY contact_id")] == [
        False,
        True,
    ]
    assert desk.one("SELECT count(*) FROM suggestion") == 1


def test_number_stops_joining_when_too_many_contacts_use_it(desk: Desk) -> None:
    for n in range(25):
        desk.call("hangup", f"c{n}", "78005553535", cause="cancel")
        if n % 9 == 0:
            desk.drain()
    desk.drain()
    assert desk.one("SELECT strength FROM identifier") == "shared"
    assert desk.one("SELECT count(*) FROM contact") == 25
    assert desk.one("SELECT count(*) FROM contact_identifier") == 21
    assert desk.one("SELECT missed FROM activity") == 25


@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "one by one"])
@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (2, 1, 0), (0, 2, 1), (1, 2, 0)])
def test_identifiers_of_one_person_meet_whatever_the_order(desk: Desk, order: tuple[int, ...], batched: bool) -> None:
    forms = [{"phone": MOBILE}, {"email": "ivan@example.com"}, {"phone": MOBILE, "email": "ivan@example.com", "name": "Иван"}]
    for n in order:
        desk.form(**forms[n])
        if not batched:
            desk.drain()
    desk.drain()
    roots = desk.rows("SELECT DISTINCT root_id FROM contact")
    assert len(roots) == 1
    open_leads = desk.rows("SELECT contact_id, touches FROM lead WHERE state = 'open'")
    assert [lead["contact_id"] for lead in open_leads] == [roots[0]["root_id"]]
    assert desk.one("SELECT count(*) FROM touch") == 3
    totals = balanced(desk)
    assert totals["received"] == 3 == totals["created"] + totals["attached"]


def test_merge_is_logged_with_everything_it_moved(desk: Desk) -> None:
    desk.form(phone=MOBILE)
    desk.form(email="ivan@example.com")
    desk.drain()
    desk.form(phone=MOBILE, email="ivan@example.com", name="Иван")
    desk.drain()
    (merge,) = desk.rows("SELECT * FROM merge_event")
    assert (merge["winner_id"], merge["loser_id"], merge["actor"]) == (1, 2, "auto")
    assert merge["evidence"]["rule"] == "identifiers_of_one_person"
    assert len(merge["moved"]["folded"]) == 1
    folded = desk.rows("SELECT * FROM lead WHERE id = %s", merge["moved"]["folded"][0])[0]
    assert (folded["state"], folded["closed_code"], folded["contact_id"]) == ("closed", "merged", 1)


def test_nameless_inquiry_without_any_identifier_still_becomes_a_lead(desk: Desk) -> None:
    desk.form(question="Сколько стоит?")
    desk.form(question="Где вы находитесь?")
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 2
    assert desk.one("SELECT count(*) FROM lead WHERE owner_id IS NULL") == 0


def test_colleagues_stay_apart_when_they_write_from_a_role_mailbox(desk: Desk) -> None:
    desk.form(name="Анна", email="info@example.com")
    desk.form(name="Пётр", email="info@example.com")
    desk.drain()
    assert desk.one("SELECT count(*) FROM contact") == 2


# --- calls ---------------------------------------------------------------------------------------------------------


def test_missed_call_makes_a_lead_and_one_call_back_when_nobody_answers(desk: Desk) -> None:
    desk.call("newCall", "c1", MOBILE)
    final = desk.call("hangup", "c1", MOBILE, cause="cancel")
    desk.drain()
    (lead,) = desk.rows("SELECT * FROM lead")
    assert lead["channel"] == "call"
    (back,) = desk.rows("SELECT * FROM activity")
    assert (back["kind"], back["state"], back["lead_id"], back["missed"]) == ("call_back", "open", lead["id"], 1)
    assert back["owner_id"] == lead["owner_id"] is not None
    assert desk.event(final)["outcome"] == "created"
    assert desk.rows("SELECT outcome, remote FROM call") == [{"outcome": "missed", "remote": MOBILE}]


def test_call_back_counts_and_stays_one_when_he_misses_us_again(desk: Desk) -> None:
    for call_id in ("c1", "c2", "c3"):
        desk.call("newCall", call_id, MOBILE)
        desk.call("hangup", call_id, MOBILE, cause="noAnswer")
    desk.drain()
    assert desk.one("SELECT missed FROM activity") == 3
    assert desk.one("SELECT touches FROM lead") == 3
    assert desk.one("SELECT count(*) FROM contact") == 1


@pytest.mark.parametrize("direction", ["in", "out"])
def test_call_back_closes_itself_when_somebody_gets_through(desk: Desk, direction: str) -> None:
    desk.call("newCall", "c1", MOBILE)
    desk.call("hangup", "c1", MOBILE, cause="cancel")
    desk.drain()
    ends = {"caller": MOBILE} if direction == "in" else {"caller": "74951112233", "to": MOBILE}
    desk.call("newCall", "c2", direction=direction, **ends)
    desk.call("answer", "c2", direction=direction, answeringNumber="102", **ends)
    desk.call("hangup", "c2", direction=direction, cause="normalClearing", **ends)
    desk.drain()
    (back,) = desk.rows("SELECT * FROM activity")
    assert (back["state"], back["result"]["code"]) == ("done", "got_through")
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert desk.one("SELECT count(*) FROM touch") == 2


def test_attempt_is_counted_when_the_call_back_reaches_nobody(desk: Desk) -> None:
    desk.call("newCall", "c1", MOBILE)
    desk.call("hangup", "c1", MOBILE, cause="cancel")
    desk.call("newCall", "c2", "74951112233", to=MOBILE, direction="out")
    desk.call("hangup", "c2", "74951112233", to=MOBILE, direction="out", cause="noAnswer")
    desk.drain()
    (back,) = desk.rows("SELECT * FROM activity")
    assert (back["state"], back["tried"]) == ("open", 1)


def test_late_answer_undoes_the_miss_and_keeps_the_lead(desk: Desk) -> None:
    desk.call("hangup", "c1", MOBILE, cause="normalClearing")
    desk.drain()
    assert desk.one("SELECT state FROM activity") == "open"
    desk.call("answer", "c1", MOBILE, answeringNumber="101")
    desk.drain()
    assert desk.one("SELECT outcome FROM call") == "answered"
    assert desk.one("SELECT state FROM activity") == "done"
    assert desk.one("SELECT count(*) FROM lead") == 1


def test_answered_call_makes_a_contact_of_the_answerer_and_no_lead(desk: Desk) -> None:
    for event in ("newCall", "answer", "hangup"):
        uid = desk.call(event, "c1", MOBILE, answeringNumber="103", cause="normalClearing")
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 0
    assert desk.one("SELECT owner_id FROM contact WHERE owner_since IS NOT NULL") == desk.owners["Vera"]
    assert desk.one("SELECT kind FROM touch") == "call"
    assert (desk.event(uid)["outcome"], desk.event(uid)["reason"]["code"]) == ("ignored", "answered_call")
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    assert desk.one("SELECT owner_id FROM lead") == desk.owners["Vera"]


@pytest.mark.parametrize("caller", ["anonymous", "", "101"])
def test_call_without_a_usable_number_is_kept_and_makes_no_contact(desk: Desk, caller: str) -> None:
    desk.call("newCall", "c1", caller)
    uid = desk.call("hangup", "c1", caller, cause="cancel")
    desk.drain()
    assert desk.one("SELECT count(*) FROM contact") == 0
    assert desk.one("SELECT outcome FROM call") == "missed"
    assert desk.event(uid)["outcome"] == "ignored"
    assert desk.event(uid)["reason"]["code"] in ("hidden_number", "number_identifies_nobody")


def test_our_own_number_is_no_client_when_a_call_is_forwarded_from_it(desk: Desk) -> None:
    desk.call("newCall", "c1", "74951112233")
    desk.call("hangup", "c1", "74951112233", cause="cancel")
    desk.drain()
    assert desk.one("SELECT count(*) FROM contact") == 0


def test_silent_call_becomes_a_lead_when_it_rang_and_nothing_more_came(desk: Desk) -> None:
    uid = desk.call("newCall", "c1", MOBILE)
    desk.drain()
    assert desk.event(uid)["outcome"] == "ignored"
    desk.connection.execute(
        "UPDATE call SET settle_at = now() - interval '1 s', facts = facts || jsonb_build_object("
        "'last_at', to_char(now() AT TIME ZONE 'UTC' - interval '3 h', 'YYYY-MM-DD\"T\"HH24:MI:SS+00:00'))"
    )
    desk.connection.execute("UPDATE inbound_event SET received_at = received_at - interval '3 h'")
    from ingest.journal.silent_calls import close_silent_calls

    with desk.connection.cursor() as cursor:
        assert close_silent_calls(cursor) == 1
        assert close_silent_calls(cursor) == 0
    desk.drain()
    assert desk.one("SELECT outcome FROM call") == "lost"
    assert desk.event(uid)["outcome"] == "created"
    assert desk.one("SELECT count(*) FROM activity") == 1


# --- across channels -----------------------------------------------------------------------------------------------


def test_call_and_form_of_one_person_are_one_lead_with_two_touches(desk: Desk) -> None:
    desk.call("newCall", "c1", MOBILE)
    desk.call("hangup", "c1", MOBILE, cause="cancel")
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    assert desk.one("SELECT touches FROM lead") == 2
    assert desk.one("SELECT name FROM contact") == "Ирина"


def test_pool_shares_out_fairly_when_many_leads_come(desk: Desk) -> None:
    for n in range(30):
        desk.form(name=f"Имя{n}", email=f"p{n}@example.com")
    desk.drain()
    assert {row["n"] for row in desk.rows("SELECT count(*) AS n FROM lead GROUP BY owner_id")} == {10}


def test_absent_and_inactive_owners_are_skipped_and_the_duty_person_takes_the_rest(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        set_absent(connection, HUB, desk.owners["Anna"], datetime.now(UTC) + timedelta(days=1), datetime.now(UTC))
        retire_owner(connection, HUB, desk.owners["Boris"], datetime.now(UTC))
    desk.form(name="A", email="a@example.com")
    desk.drain()
    assert desk.one("SELECT owner_id FROM lead") == desk.owners["Vera"]
    with desk.engine.begin() as connection:
        hand_over(connection, HUB, desk.owners["Vera"], desk.owners["Anna"], "leaves", datetime.now(UTC))
        retire_owner(connection, HUB, desk.owners["Vera"], datetime.now(UTC))
    desk.form(name="B", email="b@example.com")
    desk.drain()
    (last,) = desk.rows("SELECT a.kind, o.duty FROM assignment a JOIN owner o ON o.id = a.owner_id ORDER BY a.id DESC LIMIT 1")
    assert last == {"kind": "duty", "duty": True}


# --- the journal ---------------------------------------------------------------------------------------------------


def test_ledger_balances_when_every_kind_of_outcome_is_in_it(desk: Desk) -> None:
    desk.form(name="A", phone=MOBILE)
    desk.form(name="A", phone=MOBILE)
    desk.form(key="k", name="B", phone=OTHER)
    desk.form(key="k", name="B", phone=OTHER)
    desk.post(desk.form_source, "form", b"")
    desk.call("newCall", "c", "anonymous")
    desk.drain()
    desk.form(name="C")
    totals = balanced(desk)
    assert {name: n for name, n in totals.items() if n} == {
        "received": 6, "created": 2, "attached": 1, "ignored": 1, "needs_attention": 1, "waiting": 1,
    }  # fmt: skip
    assert desk.one("SELECT redeliveries FROM inbound_event WHERE provider_key = 'k'") == 1


@pytest.mark.parametrize("damage", ["UPDATE lead SET event_id = event_id + 1000", "UPDATE inbound_event SET lead_id = NULL"])
def test_ledger_does_not_balance_when_a_lead_and_its_event_lost_each_other(desk: Desk, damage: str) -> None:
    desk.form(name="A", phone=MOBILE)
    desk.drain()
    desk.connection.execute(damage)  # type: ignore[call-overload]
    today = datetime.now(UTC).date()
    with desk.engine.connect() as connection:
        rows = ledger(connection, "UTC", today - timedelta(days=1), today)
    assert [row.balanced for row in rows] == [False]


def test_ledger_day_is_the_hubs_own_when_utc_has_another(desk: Desk) -> None:
    desk.form(name="A", phone=MOBILE)
    desk.connection.execute("UPDATE inbound_event SET received_at = '2026-03-01T22:30:00Z'")
    with desk.engine.connect() as connection:
        moscow = ledger(connection, "Europe/Moscow", date(2026, 3, 2), date(2026, 3, 2))
        utc = ledger(connection, "UTC", date(2026, 3, 2), date(2026, 3, 2))
    assert ([row.received for row in moscow], utc) == ([1], [])


def test_unreadable_event_needs_attention_in_words_and_its_neighbours_go_on(desk: Desk) -> None:
    desk.form(name="A", phone=MOBILE)
    bad = desk.post(desk.form_source, "form", b"")
    desk.form(name="B", phone=OTHER)
    drained = desk.drain()
    assert (drained.finished, drained.failed) == (2, 1)
    event = desk.event(bad)
    assert (event["state"], event["error"]["code"]) == ("needs_attention", "empty_form")
    assert event["error"]["message"].endswith(".")


def test_unclaimed_event_waits_for_a_person_and_is_taken_when_he_replays_it(desk: Desk) -> None:
    uid = desk.form(name="A", phone=MOBILE)
    desk.connection.execute("UPDATE inbound_event SET unclaimed = true")
    desk.drain()
    assert desk.event(uid)["error"]["code"] == "unclaimed"
    report = replay(desk.engine, HUB, desk.config, Selection(uids=(uid,)), False)
    assert report.replayed == 1
    desk.drain()
    assert desk.event(uid)["outcome"] == "created"


def test_paused_source_keeps_its_events_waiting_until_it_is_resumed(desk: Desk) -> None:
    uid = desk.form(name="A", phone=MOBILE)
    desk.connection.execute("UPDATE source SET state = 'paused' WHERE id = %s", (desk.form_source,))
    desk.drain()
    assert desk.event(uid)["state"] == "waiting"
    desk.connection.execute("UPDATE source SET state = 'active'")
    desk.drain()
    assert desk.event(uid)["outcome"] == "created"


# --- replay --------------------------------------------------------------------------------------------------------


def test_replay_of_done_events_adds_nothing_and_keeps_their_outcomes(desk: Desk) -> None:
    desk.form(name="A", phone=MOBILE)
    desk.form(name="A", phone=MOBILE)
    desk.form(email="b@example.com")
    desk.form(name="B", phone=OTHER, email="b@example.com")
    desk.call("newCall", "c", "+79165556677")
    desk.call("hangup", "c", "+79165556677", cause="cancel")
    desk.drain()

    def state() -> object:
        return (
            desk.rows("SELECT uid, outcome, lead_id FROM inbound_event ORDER BY id"),
            desk.rows("SELECT id, contact_id, state, touches FROM lead ORDER BY id"),
            desk.rows("SELECT id, lead_id FROM touch ORDER BY id"),
            desk.rows("SELECT state, missed FROM activity"),
            desk.rows("SELECT owner_id, assigned FROM pool_member ORDER BY 1"),
        )

    # The ringing that began the call came before its lead; looked at again, it belongs to it.
    desk.connection.execute(
        "UPDATE inbound_event SET outcome = 'attached', lead_id = (SELECT max(id) FROM lead) WHERE outcome = 'ignored'"
    )
    before = state()
    report = replay(desk.engine, HUB, desk.config, Selection(state="done"), True)
    assert (report.selected, report.changes) == (6, [])
    assert report.before == report.after
    assert replay(desk.engine, HUB, desk.config, Selection(state="done"), False).replayed == 6
    desk.drain()
    assert state() == before
    balanced(desk)


def test_dry_run_shows_the_difference_and_writes_nothing(desk: Desk) -> None:
    uid = desk.form(name="A", phone=MOBILE)
    desk.connection.execute('UPDATE inbound_event SET state = \'needs_attention\', error = \'{"code": "x", "message": "y"}\'')
    report = replay(desk.engine, HUB, desk.config, Selection(state="needs_attention"), True)
    assert report.after == {"created": 1}
    assert [(c["event"], c["before"], c["after"], c["lead"]) for c in report.changes] == [
        (uid, "needs_attention", "created", "new")
    ]
    assert desk.one("SELECT count(*) FROM lead") == 0
    assert desk.event(uid)["state"] == "needs_attention"


def test_replay_without_a_selection_is_refused(desk: Desk) -> None:
    with pytest.raises(Invalid):
        replay(desk.engine, HUB, desk.config, Selection(), False)


def test_replay_is_in_the_audit_when_it_was_sent(desk: Desk) -> None:
    uid = desk.post(desk.form_source, "form", b"")
    desk.drain()
    replay(desk.engine, user(1), desk.config, Selection(uids=(uid,)), False)
    (entry,) = desk.rows("SELECT actor, data FROM audit_entry WHERE action = 'events.replay'")
    assert entry == {"actor": "user:1", "data": {"count": 1, "first": uid}}
