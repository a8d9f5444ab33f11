"""Two contacts found to be one person: merged by hand or by the intake, and taken apart again as if it had never been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, Forbidden, HubError
from crm_core.merging.commands import merge_contacts
from crm_core.merging.preview import preview_merge
from crm_core.merging.queries import MergeFilter, merges_of
from crm_core.models import Base
from ingest.erasure.erase import erase
from ingest.erasure.person_data import _tables
from ingest.processing.merge_undo import undo_merge, undo_merges

ADMIN, HEAD = user(1, "admin"), user(2, "head")
ONE, TWO, THREE = "+79213334455", "+79162223344", "+79035556677"

#: What says that there was a merge: the log itself, and how often a row was written. All else is as it was.
LOG = ("merge_event", "suggestion")


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine, owners=("Anna",))
    yield built
    built.close()


def now() -> datetime:
    return datetime.now(UTC)


def contact_of(desk: Desk, value: str) -> int:
    """Whoever the number or address was first linked to, merged or not."""
    return int(
        desk.one(
            "SELECT min(ci.contact_id) FROM contact_identifier ci JOIN identifier i ON i.id = ci.identifier_id WHERE i.value = %s",
            value,
        )
    )


def root_of(desk: Desk, contact_id: int) -> int:
    return int(desk.one("SELECT root_id FROM contact WHERE id = %s", contact_id))


def kept(desk: Desk, contact_id: int) -> dict[str, Any]:
    """All that is kept of a person, as it is handed out, without the log of merges."""
    with desk.engine.connect() as connection:
        rows = _tables(connection, root_of(desk, contact_id))
    found = {name: [dict(row) for row in rows[name]] for name in rows if name not in LOG}
    found["touch"] = [row for row in found["touch"] if row["kind"] != "merge"]
    for name in ("contact", "lead"):
        for row in found[name]:
            row.pop("version")
    return found


def merge(desk: Desk, winner: int, loser: int) -> int:
    with desk.engine.begin() as connection:
        return merge_contacts(connection, HEAD, winner, loser, "the same voice", now())


def take_back(desk: Desk, merge_id: int) -> Any:
    with desk.engine.begin() as connection:
        return undo_merge(connection, HEAD, merge_id, "two people", now())


def at_once(*deeds: Callable[[], Any]) -> list[str]:
    """Each in a thread of its own; the codes of their refusals, "" of what was done."""

    def told(deed: Callable[[], Any]) -> str:
        try:
            deed()
        except HubError as error:
            return error.code
        return ""

    with ThreadPoolExecutor(len(deeds)) as threads:
        return list(threads.map(told, deeds))


def two_people(desk: Desk) -> tuple[int, int]:
    desk.form(name="Иван Петров", phone=ONE, message="Дверь")
    desk.form(name="Пётр Иванов", phone=TWO, email="petr@example.com", company="Ромашка", message="Окно", colour="red")
    desk.call("newCall", "c1", TWO)
    desk.call("hangup", "c1", TWO, cause="cancel")
    desk.drain()
    return contact_of(desk, ONE), contact_of(desk, TWO)


def test_merge_by_hand_and_undo_restore_what_is_kept_of_both(desk: Desk) -> None:
    one, two = two_people(desk)
    before = kept(desk, one), kept(desk, two)
    merge_id = merge(desk, one, two)
    assert root_of(desk, two) == one
    assert desk.one("SELECT count(*) FROM lead WHERE state = 'open'") == 1, "two open leads of one line became the older one"
    assert (
        desk.one("SELECT count(*) FROM activity WHERE state = 'open' AND lead_id = (SELECT id FROM lead WHERE state = 'open')")
        == 1
    )
    take_back(desk, merge_id)
    assert (kept(desk, one), kept(desk, two)) == before


def test_a_folded_lead_gives_the_pools_turn_back_and_an_undo_takes_it_again(desk: Desk) -> None:  # identity case 91
    one, two = two_people(desk)
    turns = "SELECT sum(assigned) FROM pool_member"
    before = desk.one(turns)
    merge_id = merge(desk, one, two)
    assert desk.one(turns) == before - 1
    take_back(desk, merge_id)
    assert desk.one(turns) == before


def test_later_inquiries_go_to_whoever_owns_their_identifier(desk: Desk) -> None:
    one, two = two_people(desk)
    merge_id = merge(desk, one, two)
    later = desk.form(name="Пётр Иванов", phone=TWO, email="new@example.com", message="Ещё окно")
    later_too = desk.form(email="new@example.com", message="И ещё")
    mine = desk.form(name="Иван", phone=ONE, message="Ещё дверь")
    desk.drain()
    assert {desk.event(uid)["contact_id"] for uid in (later, later_too, mine)} == {one}
    view = take_back(desk, merge_id)
    assert (view.winner_id, view.loser_id, view.touches, view.reopened) == (one, two, 2, 1)
    for uid, owner in ((later, two), (later_too, two), (mine, one)):
        event = desk.event(uid)
        assert event["contact_id"] == owner
        lead = desk.rows("SELECT * FROM lead WHERE id = %s", event["lead_id"])[0]
        assert (lead["contact_id"], lead["state"], event["outcome"]) == (owner, "open", "attached")
    assert sorted(row["touches"] for row in desk.rows("SELECT touches FROM lead")) == [2, 4]
    assert contact_of(desk, "new@example.com") == two


def test_the_two_never_come_together_again_by_themselves(desk: Desk) -> None:
    desk.form(name="Иван Петров", phone=ONE)
    desk.form(name="Иван Петров", email="ivan@example.com")
    desk.drain()
    both = desk.form(name="Иван Петров", phone=ONE, email="ivan@example.com")
    desk.drain()
    assert desk.event(both)["reason"]["match"]["action"] == "merge"
    take_back(desk, desk.one("SELECT id FROM merge_event"))
    assert desk.one("SELECT count(*) FROM contact WHERE id = root_id") == 2
    again = desk.form(name="Иван Петров", phone=ONE, email="ivan@example.com", message="Снова я")
    desk.drain()
    assert desk.event(again)["reason"]["match"]["action"] == "attach"
    assert desk.one("SELECT count(*) FROM contact WHERE id = root_id") == 2
    assert desk.one("SELECT state FROM suggestion") == "different"


def test_undo_after_three_later_inquiries_and_a_second_merge(desk: Desk) -> None:  # identity case 59
    one, two = two_people(desk)
    desk.form(name="Пётр", email="third@example.com", message="Третий")
    desk.drain()
    three = contact_of(desk, "third@example.com")
    first = merge(desk, one, two)
    desk.form(name="Иван Петров", phone=ONE)
    desk.form(name="Пётр Иванов", phone=TWO)
    both = desk.form(name="Пётр Иванов", phone=TWO, email="third@example.com")  # joins the third with the second
    desk.drain()
    assert root_of(desk, three) == one
    take_back(desk, first)
    assert (root_of(desk, one), root_of(desk, two)) == (one, two)
    assert root_of(desk, three) == two
    assert desk.event(both)["contact_id"] == two
    (second,) = desk.rows("SELECT * FROM merge_event WHERE undone_at IS NULL")
    assert (second["winner_id"], second["loser_id"]) == (two, three)
    take_back(desk, second["id"])
    assert {root_of(desk, each) for each in (one, two, three)} == {one, two, three}


def test_undone_twice_is_refused_in_words(desk: Desk) -> None:
    merge_id = merge(desk, *two_people(desk))
    take_back(desk, merge_id)
    with pytest.raises(Conflict) as refused:
        take_back(desk, merge_id)
    assert refused.value.code == "merge_undone"


def test_undone_twice_by_two_at_once_happens_once(desk: Desk) -> None:
    merge_id = merge(desk, *two_people(desk))
    told = at_once(lambda: take_back(desk, merge_id), lambda: take_back(desk, merge_id))
    assert sorted(told) == ["", "merge_undone"]
    assert desk.one("SELECT count(*) FROM audit_entry WHERE action = 'contact.unmerge'") == 1


def test_two_people_merge_the_same_two_at_once_in_opposite_order(desk: Desk) -> None:  # identity case 69
    one, two = two_people(desk)
    told = at_once(lambda: merge(desk, one, two), lambda: merge(desk, two, one))
    assert sorted(told) == ["", "merged_already"]
    assert desk.one("SELECT count(DISTINCT root_id) FROM contact") == 1
    assert desk.one("SELECT count(*) FROM merge_event") == 1
    assert desk.one("SELECT count(*) FROM lead WHERE state = 'open'") == 1


def test_merges_in_a_circle_end_in_one_root_each_without_a_deadlock(desk: Desk) -> None:
    """Three merges that lock the same three contacts in every order; whoever came too late is told in words."""
    one, two = two_people(desk)
    desk.form(name="Олег", phone=THREE)
    desk.drain()
    three = contact_of(desk, THREE)
    for _ in range(3):
        told = at_once(
            lambda: merge(desk, one, two), lambda: merge(desk, two, three), lambda: merge(desk, three, one)
        )  # fmt: skip
        assert set(told) <= {"", "merged_meanwhile", "merged_already"}
        for row in desk.rows("SELECT id FROM merge_event WHERE undone_at IS NULL ORDER BY id DESC"):
            take_back(desk, row["id"])
        assert [root_of(desk, each) for each in (one, two, three)] == [one, two, three]
        assert desk.one("SELECT count(*) FROM lead WHERE state = 'open'") == 3


@pytest.mark.parametrize("round_", range(3))
def test_a_call_that_attaches_while_its_person_is_merged_ends_on_the_root(desk: Desk, round_: int) -> None:  # identity case 68
    one, two = two_people(desk)
    desk.call("newCall", "late", TWO)
    desk.call("hangup", "late", TWO, cause="noAnswer")
    desk.form(name="Пётр Иванов", phone=TWO, message="Одновременно")
    at_once(lambda: merge(desk, one, two), desk.drain)
    assert desk.one("SELECT count(*) FROM inbound_event WHERE state <> 'done'") == 0
    assert desk.one("SELECT count(*) FROM lead l JOIN contact c ON c.id = l.contact_id WHERE c.id <> c.root_id") == 0
    assert desk.one("SELECT count(*) FROM lead WHERE state = 'open'") == 1
    assert desk.rows("SELECT DISTINCT c.root_id FROM call k JOIN contact c ON c.id = k.contact_id") == [{"root_id": one}]


def test_preview_says_where_each_value_came_from_and_what_differs(desk: Desk) -> None:
    one, two = two_people(desk)
    with desk.engine.connect() as connection:
        seen = preview_merge(connection, HEAD, one, two, now())
    fields = {field.field: field for field in seen.fields}
    assert seen.conflicts == ("name", "open_leads")
    assert (fields["name"].chosen, fields["name"].rule, fields["name"].is_conflict) == ("Иван Петров", "names_conflict", True)
    assert [(value.value, value.of, value.origin and value.origin.source) for value in fields["name"].values] == [
        ("Иван Петров", one, "Site"),
        ("Пётр Иванов", two, "Site"),
    ]
    assert fields["company"].chosen == "Ромашка"
    assert {value.value: value.of for value in fields["phone"].values} == {ONE: one, TWO: two}
    assert [lead.into for lead in seen.folded] == [desk.one("SELECT min(id) FROM lead")]
    merge(desk, one, two)
    row = desk.rows("SELECT name, company FROM contact WHERE id = %s", one)[0]
    assert (row["name"], row["company"]) == ("Иван Петров", "Ромашка"), "what the preview said"


def test_fuller_name_survives_and_a_bound_pair_of_clients_keeps_who_was_first(desk: Desk) -> None:
    desk.form(name="Саша", phone=ONE)
    desk.form(name="Александра Ким", phone=TWO)
    desk.drain()
    one, two = contact_of(desk, ONE), contact_of(desk, TWO)
    merge(desk, one, two)
    assert desk.one("SELECT name FROM contact WHERE id = %s", one) == "Александра Ким"


def test_erased_people_are_neither_merged_nor_taken_apart(desk: Desk) -> None:  # identity case 62
    one, two = two_people(desk)
    merge_id = merge(desk, one, two)
    erase(desk.engine, desk.config, ADMIN, one, "letter", now())
    with pytest.raises(Conflict, match="erased"):
        take_back(desk, merge_id)
    moved = desk.one("SELECT moved FROM merge_event")
    assert "winner" not in moved
    assert "Петров" not in str(moved)
    assert moved["leads"]


def test_many_merges_are_looked_at_first_and_then_taken_back_newest_first(desk: Desk) -> None:
    for n in range(3):
        desk.form(name="Иван Петров", phone=f"+7921000000{n}")
        desk.form(name="Иван Петров", email=f"i{n}@example.com", message="Почтой")
        desk.form(name="Иван Петров", phone=f"+7921000000{n}", email=f"i{n}@example.com", message="Вместе")
    desk.drain()
    merges = [row["id"] for row in desk.rows("SELECT id FROM merge_event ORDER BY id DESC")]
    assert len(merges) == 3
    wanted = MergeFilter(rule="identifiers_of_one_person", source=desk.form_source)
    seen = list(undo_merges(desk.engine, HEAD, wanted, "", now(), dry_run=True))
    assert [one.merge_id for one in seen] == merges
    assert desk.one("SELECT count(*) FROM merge_event WHERE undone_at IS NOT NULL") == 0
    done = list(undo_merges(desk.engine, HEAD, wanted, "read wrongly", now(), dry_run=False))
    assert [(one.merge_id, one.refused) for one in done] == [(merge_id, "") for merge_id in merges]
    assert [(a.view, b.view) for a, b in zip(seen, done, strict=True) if a.view != b.view] == []
    assert desk.one("SELECT count(*) FROM contact WHERE id = root_id") == 6
    assert list(undo_merges(desk.engine, HEAD, wanted, "", now(), dry_run=True)) == []


def test_a_merge_of_the_version_before_is_taken_back_as_far_as_it_was_kept(desk: Desk) -> None:
    """Touches without their identifiers, a log without what the winner said."""
    desk.form(name="Иван Петров", phone=ONE)
    desk.form(name="Иван Петров", email="ivan@example.com", message="Почтой")
    desk.form(name="Иван Петров", phone=ONE, email="ivan@example.com", message="Вместе")
    desk.form(email="ivan@example.com", message="Позже")
    desk.drain()
    one, two = contact_of(desk, ONE), contact_of(desk, "ivan@example.com")
    assert root_of(desk, two) == one
    desk.connection.execute("UPDATE touch SET identifiers = NULL")
    desk.connection.execute(
        "UPDATE merge_event SET moved = moved - 'winner' - 'kept' - 'tasks' - 'last_touch'"
        " || jsonb_build_object('last_touch', (SELECT id FROM touch ORDER BY id OFFSET 1 LIMIT 1))"
    )
    take_back(desk, desk.one("SELECT id FROM merge_event"))
    assert root_of(desk, two) == two
    assert desk.rows("SELECT contact_id, count(*) AS n FROM touch WHERE event_id IS NOT NULL GROUP BY 1 ORDER BY 1") == [
        {"contact_id": one, "n": 2},
        {"contact_id": two, "n": 2},
    ]


def test_a_manager_takes_back_their_own_merge_and_no_other(desk: Desk) -> None:
    anna = Principal("user", 3, "Anna", "manager", desk.owners["Anna"])
    one, two = two_people(desk)
    with desk.engine.begin() as connection:
        mine = merge_contacts(connection, anna, one, two, "", now())
        undo_merge(connection, anna, mine, "", now())
    other = merge(desk, one, two)
    with pytest.raises(Forbidden), desk.engine.begin() as connection:
        undo_merge(connection, anna, other, "", now())


def test_merges_of_a_contact_are_told_with_who_and_why(desk: Desk) -> None:
    one, two = two_people(desk)
    take_back(desk, merge(desk, one, two))
    merge(desk, one, two)
    with desk.engine.connect() as connection:
        told = merges_of(connection, HEAD, two)
    assert [(one.rule, one.actor, one.loser_name, one.undone_at is None) for one in told] == [
        ("by_hand", HEAD.actor, "Пётр Иванов", True),
        ("by_hand", HEAD.actor, "Пётр Иванов", False),
    ]
    assert told[0].evidence["why"] == "the same voice"


#: What becomes of each table's rows when their contact is merged. A table that is new here must be thought of first.
READ_THROUGH_THE_ROOT = {
    "owner_exclusion", "touch", "call", "mail_message", "activity", "consent", "attachment", "contact_identifier", "tombstone",
}  # fmt: skip
MOVED = {"lead"}
ABOUT_CONTACTS = {"contact", "merge_event", "suggestion"}


def test_every_table_that_names_a_contact_is_known_to_merging() -> None:
    named = {
        table.name
        for table in Base.metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
        if key.column.table.name == "contact"
    }
    assert named == READ_THROUGH_THE_ROOT | MOVED | ABOUT_CONTACTS
