"""Every transition of an event from every state, on a real PostgreSQL: which columns change, to what, and that nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb
from sqlalchemy import Connection, Engine

from crm_core.base.database import connect
from ingest.journal import states
from ingest.journal import transitions as do

PAST = datetime(2026, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 2, 2, tzinfo=UTC)  # what a person's request says of the time
FUTURE = datetime(2126, 1, 1, tzinfo=UTC)
TOKEN = "token-of-its-worker"
VERDICT = {"spam": "ham", "by": "user:1"}
ERROR = {"code": "unreadable", "message": "It is not."}
#: Under which all further conditions of all transitions hold.
EVENT: Mapping[str, Any] = {
    "id": 7, "uid": "u-7", "source_id": 1, "channel": "form", "received_at": PAST, "body": b"raw", "headers": {"a": "b"},
    "query": "q=1", "path": "thanks", "remote_ip": "198.51.100.1", "provider_key": "key", "redeliveries": 1, "attempts": 3,
    "lost_claims": 1, "next_attempt_at": PAST, "reason": {"code": "old", "score": 9, "reasons": []}, "replayed": 2,
}  # fmt: skip
BEFORE = {"state": "rejected", "outcome": None, "reason": {"code": "then"}, "error": ERROR, "verdict": None}
EMPTIED: Mapping[str, Any] = {
    "body": b"", "headers": {}, "query": "", "path": "", "remote_ip": "", "error": None, "erased_at": NOW, "to_fetch": False,
    "rejected_key": None,
}  # fmt: skip


@dataclass(frozen=True)
class Between:
    """A time of the database's clock, so long after the transition."""

    least: float = 0.0
    most: float = 0.0


AFRESH: Mapping[str, Any] = {
    "outcome": None, "error": None, "attempts": 0, "lost_claims": 0, "next_attempt_at": Between(), "claim_token": None,
    "to_fetch": False,
}  # fmt: skip


class Journal:
    """The table, and both kinds of connection that transitions are done over."""

    def __init__(self, raw: psycopg.Connection[Any], engine: Engine) -> None:
        self.raw, self.engine = raw, engine
        raw.execute("INSERT INTO source (name, connector, channel) VALUES ('Site', 'generic_form', 'form')")

    def put(self, state: str, **columns: Any) -> dict[str, Any]:
        """The only event, in a state; as it stands in the table."""
        row = {
            **EVENT, "state": state, "outcome": "spam" if state == "done" else None, "done_at": PAST if state == "done" else None,
            "error": None if state == "done" else {"code": "consent_unknown"}, "claim_token": TOKEN if state == "working" else None,
            **columns,
        }  # fmt: skip
        values = {name: Jsonb(value) if isinstance(value, dict) else value for name, value in row.items()}
        self.raw.execute("TRUNCATE inbound_event")
        names = ", ".join(values)
        marks = ", ".join(f"%({name})s" for name in values)
        self.raw.execute(f"INSERT INTO inbound_event ({names}) OVERRIDING SYSTEM VALUE VALUES ({marks})", values)
        return self.row()

    def row(self) -> dict[str, Any]:
        found: dict[str, Any] | None = self.raw.execute("SELECT * FROM inbound_event WHERE id = 7").fetchone()
        assert found is not None
        return found

    def clock(self) -> datetime:
        found = self.raw.execute("SELECT clock_timestamp() AS now").fetchone()
        assert found is not None
        return found["now"]  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Case:
    transition: states.Transition
    act: Callable[[Journal], object]
    changes: Mapping[str, Any]
    columns: Mapping[str, Any] = field(default_factory=dict)  # of the event before, beside EVENT
    #: Columns with which it changes nothing, in whatever state.
    refusals: tuple[Mapping[str, Any], ...] = ()
    target: str | None = None  # where it is not the transition's


def cursor(act: Callable[[psycopg.Cursor[Any]], object]) -> Callable[[Journal], object]:
    return lambda journal: act(journal.raw.cursor())


def person(act: Callable[[Connection], object]) -> Callable[[Journal], object]:
    def done(journal: Journal) -> object:
        with journal.engine.begin() as connection:
            return act(connection)

    return done


def claim(which: str, **more: Any) -> Callable[[Journal], object]:
    values = {"channel": "form", "limit": 5, "token": "new", "lease": 60, "bytes": 1000, "resting": [], **more}
    return cursor(lambda at: do.claim(at, which, values))


def failing(state: str, **more: Any) -> Callable[[Journal], object]:
    return cursor(lambda at: do.fail(at, TOKEN, 7, state, ERROR, **more))


def count(journal: Journal) -> object:
    with connect(str(journal.engine.url.render_as_string(hide_password=False)), "worker") as connection:
        return do.count_redeliveries(connection, [7, 7])


RESULT = {"id": 7, "outcome": "attached", "reason": {"code": "known"}, "lead_id": 5, "contact_id": 6}
CLAIMED = {"claim_token": "new", "attempts": 4, "lost_claims": 2, "next_attempt_at": Between(60, 60)}
NOT_DUE: tuple[Mapping[str, Any], ...] = ({"next_attempt_at": FUTURE}, {"lost_claims": 3})
FAILED = {"error": ERROR, "claim_token": None, "lost_claims": 0, "next_attempt_at": Between()}
JUDGED = {"verdict": {**VERDICT, "score": 9, "reasons": []}}
LOST = {"claim_token": "somebody-else"}
CASES = (
    Case(states.COUNT_REDELIVERIES, count, {"redeliveries": 3}),
    Case(states.CLAIM, claim("tried"), CLAIMED, refusals=(*NOT_DUE, {"attempts": 0}, {"to_fetch": True}, {"channel": "call"})),
    Case(states.CLAIM, claim("fresh"), {**CLAIMED, "attempts": 1}, {"attempts": 0}, ({"next_attempt_at": FUTURE}, {"attempts": 1})),
    Case(states.CLAIM, claim("to_fetch"), CLAIMED, {"to_fetch": True}, (*NOT_DUE, {"to_fetch": False})),
    Case(states.CLAIM, claim("to_fetch", resting=[2]), CLAIMED, {"to_fetch": True}, ({"source_id": 2},)),
    Case(
        states.FINISH, cursor(lambda at: do.finish(at, TOKEN, [RESULT])),
        {"outcome": "attached", "reason": {"code": "known"}, "error": None, "lead_id": 5, "contact_id": 6, "done_at": Between(),
         "claim_token": None, "lost_claims": 0, "to_fetch": False},
        {"to_fetch": True}, (LOST,),
    ),
    Case(
        states.RETRY, failing("waiting", pause_seconds=100.0, to_fetch=True),
        {**FAILED, "to_fetch": True, "next_attempt_at": Between(50, 150)}, refusals=(LOST,),
    ),
    Case(states.RETRY, failing("waiting", is_try=False), {**FAILED, "attempts": 2, "to_fetch": False}, {"to_fetch": True}),
    Case(states.RETRY, failing("waiting", is_try=False), FAILED, {"attempts": 1}),
    Case(states.GIVE_UP, failing("needs_attention"), {**FAILED, "to_fetch": False}, {"to_fetch": True}, (LOST,)),
    Case(states.REJECT, failing("rejected"), {**FAILED, "provider_key": None, "rejected_key": "key"}, refusals=(LOST,)),
    Case(states.REJECT, failing("rejected"), FAILED, {"lead_id": 5}),
    Case(states.REJECT, failing("rejected"), FAILED, {"provider_key": None, "rejected_key": "key"}),
    Case(
        states.REGAIN_KEY, cursor(lambda at: do.regain_key(at, 7, "key")), {"provider_key": "key", "rejected_key": None},
        {"provider_key": None, "rejected_key": "key"}, ({"provider_key": "another"},),
    ),
    Case(
        states.FORGET, cursor(lambda at: do.forget(at, [7])),
        {"body": b"", "headers": {}, "query": "", "path": "", "remote_ip": "", "erased_at": Between(), "rejected_key": None},
        {"rejected_key": "key"},
    ),
    Case(
        states.PARK, cursor(do.park),
        {"claim_token": None, "to_fetch": False,
         "error": {"code": "stops_its_worker", "message": "Processing this event stopped its worker 3 times. Look at the raw"
                                                          " data; replay it after an update."}},
        {"lost_claims": 3, "to_fetch": True}, ({"lost_claims": 2}, {"next_attempt_at": FUTURE}),
    ),
    Case(states.HEAR_SILENCE, cursor(lambda at: do.hear_silence(at, [7])), AFRESH),
    Case(
        states.MAKE_DUE, cursor(lambda at: do.make_due(at, 1)), {"next_attempt_at": Between()},
        {"next_attempt_at": FUTURE, "to_fetch": True}, ({"to_fetch": False}, {"source_id": 2}),
    ),
    Case(
        states.PULL_BACK, cursor(lambda at: do.pull_back(at, 1.0, 60.0)), {"next_attempt_at": Between(0, 60)},
        {"next_attempt_at": FUTURE}, ({"next_attempt_at": PAST},),
    ),
    Case(states.REPLAY, person(lambda at: do.replay(at, [7])), {**AFRESH, "replayed": 3}, {"to_fetch": True}, ({"erased_at": PAST},)),
    Case(
        states.RELEASE, person(lambda at: do.release(at, [7], VERDICT)), {**AFRESH, **JUDGED, "replayed": 3},
        refusals=({"outcome": "ignored"},),
    ),
    Case(states.CONFIRM, person(lambda at: do.confirm(at, [7], VERDICT)), JUDGED, refusals=({"verdict": {"spam": "spam"}},)),
    Case(
        states.ACCEPT_CONSENT, person(lambda at: do.accept_consent(at, ["u-7"], VERDICT)),
        {**AFRESH, "verdict": {"old": 1, **VERDICT}, "replayed": 3}, {"verdict": {"old": 1}},
        ({"error": {"code": "unreadable"}}, {"erased_at": PAST}),
    ),
    Case(
        states.DISMISS, person(lambda at: do.dismiss(at, 7, {"code": "dismissed"}, NOW)),
        {"outcome": "dismissed", "reason": {"code": "dismissed"}, "error": None, "claim_token": None, "to_fetch": False,
         "done_at": NOW},
        {"to_fetch": True},
    ),
    Case(
        states.CALL_SPAM, person(lambda at: do.call_spam(at, 7, VERDICT, {"code": "called_spam"}, NOW)),
        {"outcome": "spam", "error": None, "verdict": VERDICT, "reason": {"code": "called_spam"}, "done_at": NOW}, {"done_at": None},
        ({"erased_at": PAST},),
    ),
    Case(
        states.CALL_GENUINE, person(lambda at: do.call_genuine(at, 7, BEFORE)),
        {"outcome": None, "reason": {"code": "then"}, "error": ERROR, "verdict": None}, {"verdict": {"before": {}}},
        ({"verdict": {}}, {"erased_at": PAST}), target="rejected",
    ),
    Case(
        states.REASSIGN,
        person(lambda at: do.reassign(at, 5, [{"id": 7, "contact_id": 3, "lead_id": 4, "outcome": "created"}])),
        {"contact_id": 3, "lead_id": 4, "reason": {**EVENT["reason"], "merge_undone": "5"}},  # spam stays spam
        refusals=({"erased_at": PAST},),
    ),
    Case(
        states.ERASE, person(lambda at: do.erase(at, [7], [], NOW)),
        {**EMPTIED, "verdict": {"by": "user:1"}, "reason": {"code": "old", "erased": True}},
        {"verdict": {"by": "user:1", "why": "Anna asked"}, "rejected_key": "key", "to_fetch": True},
    ),
    Case(
        states.ERASE_UNLINKED, person(lambda at: do.erase_unlinked(at, [7], [7], NOW)),
        {**EMPTIED, "provider_key": None, "reason": {"code": "old", "erased": True}, "done_at": NOW}, {"done_at": None},
    ),
    Case(
        states.ERASE_UNDECIDED, person(lambda at: do.erase_unlinked(at, [7], [], NOW)),
        {**EMPTIED, "outcome": "dismissed", "done_at": NOW, "reason": {"code": "erased", "erased": True}},
    ),
    Case(
        states.ERASE_PENDING, person(lambda at: do.erase_pending(at, [7], NOW)),
        {**EMPTIED, "provider_key": None, "claim_token": None, "outcome": "dismissed", "done_at": NOW,
         "reason": {"code": "erased", "erased": True}},
    ),
)  # fmt: skip


@pytest.fixture
def journal(database_url: str, engine: Engine) -> Iterator[Journal]:
    with connect(database_url, "worker") as raw:
        raw.row_factory = dict_row  # type: ignore[assignment]
        yield Journal(raw, engine)


def test_every_transition_is_tried() -> None:
    assert {case.transition.name for case in CASES} == {one.name for one in states.TRANSITIONS}


# Of a second one that shares a function with the first: it is for the other states.
_SHARED = {states.ERASE_UNLINKED.name: states.ERASE_UNDECIDED.origins, states.ERASE_UNDECIDED.name: states.ERASE_UNLINKED.origins}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.transition.name)
def test_transition_changes_its_columns_in_its_states_and_nothing_in_others(journal: Journal, case: Case) -> None:
    one = case.transition
    for state in states.STATES:
        if state in _SHARED.get(one.name, ()):
            continue
        before = journal.put(state, **case.columns)
        began = journal.clock()
        case.act(journal)
        ended = journal.clock()
        after = journal.row()
        expected = dict(before)
        if state in one.origins:
            expected |= {**case.changes, "state": case.target or one.target or state}
        for name, value in expected.items():
            if isinstance(value, Between):
                least, most = began + timedelta(seconds=value.least), ended + timedelta(seconds=value.most)
                assert least <= after[name] <= most, (state, name)
                expected[name] = after[name]
        assert after == expected, state
        changed = {name for name, value in after.items() if value != before[name]}
        assert changed <= {"state", *one.sets}, "the page says which columns it may set"
        assert (after["state"] == "working") == (after["claim_token"] is not None)


@pytest.mark.parametrize("case", [case for case in CASES if case.refusals], ids=lambda case: case.transition.name)
def test_transition_changes_nothing_where_its_further_condition_does_not_hold(journal: Journal, case: Case) -> None:
    for state in states.STATES:
        for columns in case.refusals:
            if "outcome" in columns and state != "done" or "claim_token" in columns and state != "working":
                continue
            before = journal.put(state, **{**case.columns, **columns})
            case.act(journal)
            assert journal.row() == before, (state, columns)


def test_claim_leaves_a_paused_source_alone(journal: Journal) -> None:
    journal.raw.execute("UPDATE source SET state = 'paused'")
    for which, columns in (("fresh", {"attempts": 0}), ("tried", {}), ("to_fetch", {"to_fetch": True})):
        before = journal.put("waiting", **columns)
        claim(which)(journal)
        assert journal.row() == before, which


def test_key_stays_with_another_event_that_has_it_by_now(journal: Journal) -> None:
    before = journal.put("done", provider_key=None, rejected_key="key")
    journal.raw.execute("INSERT INTO inbound_event (source_id, channel, body, provider_key) VALUES (1, 'form', 'x', 'key')")
    do.regain_key(journal.raw.cursor(), 7, "key")
    assert journal.row() == before


def test_lead_of_a_spam_event_is_named_where_the_event_names_none(journal: Journal) -> None:
    journal.put("needs_attention")
    journal.raw.execute("INSERT INTO contact (id, root_id, name, last_seen_at) OVERRIDING SYSTEM VALUE VALUES (3, 3, 'A', now())")
    journal.raw.execute(
        "INSERT INTO lead (id, contact_id, channel, source_id, event_id, received_at, last_touch_at) OVERRIDING SYSTEM VALUE"
        " VALUES (4, 3, 'form', 1, 7, now(), now())"
    )
    with journal.engine.begin() as connection:
        assert do.call_spam(connection, 7, VERDICT, {"code": "called_spam"}, NOW)
    assert journal.row()["lead_id"] == 4
