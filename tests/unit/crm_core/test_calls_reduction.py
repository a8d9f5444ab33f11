"""One call from many events: any order, any duplicates, any lateness, the same result."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_core.calls.rules import GRACE, STALE_RINGING, STALE_TALKING, derive, merge
from crm_core.parsed import CallEvent

T0 = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def event(kind: str, second: float = 0, **more: object) -> CallEvent:
    more.setdefault("direction", "in")
    more.setdefault("event_id", f"{kind}-{second}-{more.get('leg_key', '')}")
    return CallEvent(call_key="c", kind=kind, occurred_at=at(second), **more)  # type: ignore[arg-type]


RING = event("ringing", 0, remote="+79210000001", our_number="74951112233")
ANSWER = event("answered", 5, extension="101", human=True)
MISS = event("call_ended", 20, is_final=True)
END = event("call_ended", 65, is_final=True, talk_seconds=60.0)
LATE_MISS = event("call_ended", 30, is_final=True, outcome_hint="missed")


def outcome(*events: CallEvent, now: datetime | None = None) -> str | None:
    facts = None
    for one in events:
        facts = merge(facts, one, at(100))
    assert facts is not None
    return derive(facts, now or at(100)).outcome


@pytest.mark.parametrize(
    "events, expected",
    [
        ([RING, MISS], "missed"),
        ([RING, ANSWER, END], "answered"),
        ([RING, ANSWER, LATE_MISS], "answered"),
        ([MISS], "missed"),
        ([RING], None),
        ([event("call_ended", 9, is_final=True, outcome_hint="busy")], "busy"),
        ([event("call_ended", 9, is_final=True, outcome_hint="after_hours")], "after_hours"),
        ([event("call_ended", 9, is_final=True, outcome_hint="blocked")], "blocked"),
        ([event("call_ended", 9, is_final=True, outcome_hint="voicemail")], "voicemail"),
        ([event("answered", 2, human=False), event("call_ended", 9, is_final=True)], "missed"),
        ([event("answered", 2, human=False, leg_key="ivr"), event("call_ended", 9, is_final=True)], "abandoned_in_ivr"),
        ([event("ringing", direction="out"), event("call_ended", 9, direction="out", is_final=True)], "out_no_answer"),
        (
            [event("answered", 3, direction="out"), event("call_ended", 9, direction="out", is_final=True)],
            "out_answered",
        ),
        ([event("call_ended", 9, direction="out", is_final=True, outcome_hint="busy")], "busy"),
        ([event("call_ended", 9, direction="internal", is_final=True)], "internal"),
    ],
)
def test_outcome_is_derived_when_the_call_ended(events: list[CallEvent], expected: str | None) -> None:
    assert outcome(*events) == expected


def test_ring_group_is_answered_when_one_of_five_takes_it() -> None:
    legs = [event("ringing", n, leg_key=str(n), extension=str(100 + n)) for n in range(5)]
    losers = [event("leg_ended", 6, leg_key=str(n), extension=str(100 + n)) for n in range(5) if n != 3]
    taken = event("answered", 6, leg_key="3", extension="103", human=True)
    facts = None
    for one in [*legs, *losers, taken, END]:
        facts = merge(facts, one, at(100))
    assert facts is not None
    view = derive(facts, at(100))
    assert (view.outcome, view.extension, view.talk_seconds) == ("answered", "103", 60.0)


def test_answer_counts_from_the_person_when_a_menu_picked_up_before_him() -> None:
    menu, person = event("answered", 2, human=False, leg_key="menu"), event("answered", 10, human=True, leg_key="a")
    facts = None
    for one in (menu, person, END):
        facts = merge(facts, one, at(100))
    assert facts is not None
    assert derive(facts, at(100)).answered_at == at(10)


def test_client_is_who_the_final_event_names_when_a_leg_rang_another_number() -> None:
    facts = None
    for one in (
        event("ringing", 0, remote="+79210000001"),
        event("ringing", 3, remote="+79000000009", leg_key="x"),
        event("call_ended", 9, remote="+79210000001", is_final=True),
    ):
        facts = merge(facts, one, at(100))
    assert facts is not None
    assert derive(facts, at(100)).remote == "+79210000001"


def test_earliest_time_wins_when_events_come_in_different_zones() -> None:
    moscow = timezone(timedelta(hours=3))
    facts = merge(None, CallEvent("c", "a", "ringing", occurred_at=at(5)), at(9))
    facts = merge(facts, CallEvent("c", "b", "ringing", occurred_at=at(1).astimezone(moscow)), at(9))
    assert derive(facts, at(9)).started_at == at(1)


def test_call_without_final_event_closes_after_grace_when_all_legs_ended() -> None:
    legs = [event("ringing", 0, leg_key="a"), event("leg_ended", 10, leg_key="a")]
    facts = None
    for one in legs:
        facts = merge(facts, one, at(10))
    assert facts is not None
    before = derive(facts, at(10) + GRACE / 2)
    after = derive(facts, at(10) + GRACE)
    assert (before.phase, before.outcome, before.settle_at) == ("ending", None, at(10) + GRACE)
    assert (after.phase, after.outcome, after.settle_at) == ("closed", "missed", None)


def test_silent_call_is_lost_when_it_only_rang_and_answered_when_somebody_talked() -> None:
    rang = merge(None, RING, at(0))
    assert derive(rang, at(0) + STALE_RINGING).outcome == "lost"
    assert derive(merge(rang, ANSWER, at(5)), at(5) + STALE_TALKING).outcome == "answered"


def test_provider_clock_is_not_believed_when_it_is_a_day_off() -> None:
    facts = merge(None, CallEvent("c", "e", "ringing", occurred_at=at(-200_000)), at(0))
    assert derive(facts, at(0)).started_at == at(0)


_EVENTS = st.lists(
    st.builds(
        lambda kind, second, leg, ext, human, final, hint, talk, direction: CallEvent(
            "c",
            f"{kind}{second}{leg}{ext}{hint}",
            kind,
            direction,
            "+79210000001",
            "7495",
            ext,
            leg,
            is_final=final,
            human=human,
            occurred_at=at(second),
            talk_seconds=talk,
            outcome_hint=hint,
        ),
        st.sampled_from(["ringing", "answered", "leg_ended", "call_ended", "recording_ready", "observed"]),
        st.integers(0, 300),
        st.sampled_from(["", "a", "b"]),
        st.sampled_from(["", "101", "102"]),
        st.sampled_from([None, True, False]),
        st.booleans(),
        st.sampled_from([None, "missed", "busy", "answered", "voicemail"]),
        st.sampled_from([None, 0.0, 12.0]),
        st.sampled_from(["in", "out", "internal", "unknown"]),
    ),
    min_size=1,
    max_size=8,
)


@given(_EVENTS, st.randoms(use_true_random=False))
def test_reduction_is_the_same_when_events_are_shuffled_and_doubled(events: list[CallEvent], random: object) -> None:
    def reduced(sequence: list[CallEvent]) -> dict[str, object]:
        facts = None
        for one in sequence:
            facts = merge(facts, one, at(100))
        assert facts is not None
        return facts

    again = events + [random.choice(events) for _ in range(3)]  # type: ignore[attr-defined]
    random.shuffle(again)  # type: ignore[attr-defined]
    assert reduced(again) == reduced(events)
    assert derive(reduced(again), at(1000)) == derive(reduced(events), at(1000))


@given(_EVENTS)
def test_answered_is_never_undone_when_more_is_told(events: list[CallEvent]) -> None:
    told = [ANSWER, END]
    assert outcome(*told, *[e for e in events if e.direction in ("in", "unknown")]) == "answered"
