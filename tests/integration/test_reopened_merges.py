"""A number that turns out to be shared: merges that rested on it alone come before a person again, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from case_hub import at_once
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from crm_core.contacts.suggestions import SuggestionView, waiting_suggestions
from crm_core.merging.commands import merge_contacts
from crm_core.merging.suggesting import suggest
from ingest.processing.merge_undo import decide_pair, undo_merge
from ingest.processing.process import Processor

HEAD = user(2, "head")
LINE, OWN = "+79213334455", "+79213334466"
OTHERS = ("Пётр Лебедев", "Ольга Морозова", "Иван Зайцев")


@pytest.fixture(params=[True, False], ids=["one batch", "one by one"])
def desk(config: HubConfig, engine: Engine, request: pytest.FixtureRequest) -> Iterator[Desk]:
    built = Desk(config, engine)
    built.batched = request.param  # type: ignore[attr-defined]
    yield built
    built.close()


def told(desk: Desk, *forms: dict[str, str]) -> None:
    for n, form in enumerate(forms):
        desk.form(message=f"Вопрос {n}", **form)
        if not desk.batched:  # type: ignore[attr-defined]
            desk.drain()
    desk.drain()


def waiting(desk: Desk) -> list[SuggestionView]:
    with desk.engine.connect() as connection:
        return [one for one in waiting_suggestions(connection, HEAD, datetime.now(UTC), 20) if one.merge is not None]


def decided(desk: Desk, pair: SuggestionView, decision: str) -> int | None:
    with desk.engine.begin() as connection:
        return decide_pair(connection, HEAD, pair.id, decision, datetime.now(UTC), None, desk.config)  # type: ignore[arg-type]


def joined(desk: Desk) -> None:
    """Two who are called Anna, joined because somebody of that name gave the line and the address."""
    told(
        desk, {"name": "Анна", "phone": LINE}, {"name": "Анна Кузнецова", "email": "anna@gmail.com"},
        {"name": "Анна", "phone": LINE, "email": "anna@gmail.com"},
    )  # fmt: skip
    assert desk.one("SELECT count(*) FROM merge_event WHERE undone_at IS NULL") == 1
    assert waiting(desk) == []


def shared(desk: Desk) -> None:
    told(desk, *({"name": name, "phone": LINE} for name in OTHERS))
    assert desk.one("SELECT strength FROM identifier WHERE value = %s", LINE) == "shared"


def test_merge_on_a_value_that_becomes_shared_waits_for_a_person(desk: Desk) -> None:
    """Case 61: a call centre's number, known as such with the fourth first name. Nothing is taken apart by itself."""
    joined(desk)
    shared(desk)
    (pair,) = waiting(desk)
    assert {pair.a.name, pair.b.name} == {"Анна Кузнецова"} or {pair.a.name, pair.b.name} == {"Анна Кузнецова", "Анна"}
    assert desk.one("SELECT count(*) FROM merge_event WHERE undone_at IS NOT NULL") == 0
    told(desk, *({"name": f"Сотрудник {chr(1072 + n)}ров", "phone": LINE} for n in range(20)))
    assert [one.id for one in waiting(desk)] == [pair.id], "once"
    assert decided(desk, pair, "different") == pair.merge
    assert waiting(desk) == []
    roots = desk.rows("SELECT DISTINCT root_id FROM contact WHERE id IN (%s, %s)", pair.a.id, pair.b.id)
    assert len(roots) == 2
    assert desk.one("SELECT state FROM suggestion WHERE id = %s", pair.id) == "different"
    with pytest.raises(Conflict):
        decided(desk, pair, "same")
    told(desk, {"name": "Анна", "phone": LINE, "email": "anna@gmail.com"})
    assert desk.one("SELECT count(*) FROM merge_event WHERE undone_at IS NULL") == 0, "told apart for ever"


def test_one_person_is_said_once_and_holds(desk: Desk) -> None:
    joined(desk)
    shared(desk)
    (pair,) = waiting(desk)
    with desk.engine.begin() as connection:  # a merge by hand with somebody else decides nothing about this one
        third = int(desk.one("SELECT id FROM contact WHERE name = 'Иван Зайцев'"))
        merge_contacts(
            connection, HEAD, desk.one("SELECT root_id FROM contact WHERE id = %s", pair.a.id), third, "", datetime.now(UTC)
        )
    assert [one.id for one in waiting(desk)] == [pair.id]
    assert decided(desk, pair, "same") is None
    suggest(desk.engine, datetime.now(UTC))
    told(desk, *({"name": f"Сотрудник {chr(1072 + n)}ров", "phone": LINE} for n in range(5)))
    assert waiting(desk) == []
    assert desk.one("SELECT count(*) FROM merge_event WHERE undone_at IS NULL") == 2


def test_merge_that_was_undone_meanwhile_waits_for_nobody(desk: Desk) -> None:
    joined(desk)
    shared(desk)
    (pair,) = waiting(desk)
    with desk.engine.begin() as connection:
        undo_merge(connection, HEAD, pair.merge or 0, "", datetime.now(UTC))
    assert waiting(desk) == []
    with pytest.raises(Conflict):
        decided(desk, pair, "different")


@pytest.mark.parametrize(
    "forms",
    [
        # First name and surname join on a shared value as well.
        ({"name": "Анна Кузнецова", "phone": LINE}, {"name": "Анна Кузнецова", "email": "anna@gmail.com"},
         {"name": "Анна Кузнецова", "phone": LINE, "email": "anna@gmail.com"}),
        # Each of the two is known by another value that the inquiry named.
        ({"name": "Анна", "phone": LINE, "email": "a@gmail.com"}, {"name": "Анна Кузнецова", "phone": OWN},
         {"name": "Анна", "phone": f"{LINE}, {OWN}", "email": "a@gmail.com"}),
        # The value had nothing to do with it.
        ({"name": "Анна", "phone": LINE, "email": "a@gmail.com"}, {"name": "Анна Кузнецова", "phone": OWN},
         {"name": "Анна", "phone": OWN, "email": "a@gmail.com"}),
    ],
    ids=["full names", "known otherwise", "not named"],
)  # fmt: skip
def test_merge_that_stands_without_the_value_is_left_alone(desk: Desk, forms: tuple[dict[str, str], ...]) -> None:
    told(desk, *forms)
    assert desk.one("SELECT count(*) FROM merge_event") == 1
    shared(desk)
    assert waiting(desk) == []


def test_value_that_becomes_shared_by_workers_at_once_opens_it_once(desk: Desk) -> None:
    joined(desk)
    for name in (*OTHERS, "Елена Попова", "Глеб Носов"):
        desk.form(name=name, phone=LINE, message=name)

    def work(_: int) -> int:
        processor = Processor(desk.config)
        try:
            return processor.drain("form", budget_seconds=60).finished
        finally:
            processor.close()

    assert sum(at_once(4, work)) == 5
    assert len(waiting(desk)) == 1
