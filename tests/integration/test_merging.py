"""Two contacts found to be one person: merged by hand or by the intake, and taken apart again as if it had never been."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from crm_core.merging.commands import merge_contacts
from ingest.erasure.person_data import person_rows
from ingest.processing.merge_undo import undo_merge

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
        rows = person_rows(connection, root_of(desk, contact_id))
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
