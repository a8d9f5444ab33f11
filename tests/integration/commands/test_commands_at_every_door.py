"""Every command through every door that offers it: equal effect, equal refusal, equal audit; and no door or command without a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from door_frame import (
    DOORS,
    ROLES,
    Case,
    Firm,
    Hub,
    Row,
    State,
    ask,
    changing_places,
    commands,
    effect,
    places_of,
    rows,
    tables,
)
from places_of_no_command import COMMANDS_WITHOUT_A_ROW, PLACES_OF_NO_COMMAND

from crm_core.access import may
from webhooks.console.shell.language import LOCALES, Language

Fresh = Callable[..., tuple[Hub, State]]
Effect = dict[str, list[str]]

ROWS = rows()


def _named(row: Row, case: Case) -> str:
    return f"{row.command.__name__}: {case.name}"


def _cases() -> Iterator[object]:
    for row in ROWS:
        for case in row.cases:
            yield pytest.param(row, case, id=_named(row, case))


class _Asking:
    """Carries one request in through one door after another, each time on the same state."""

    def __init__(self, row: Row, case: Case, fresh: Fresh) -> None:
        self.row, self.case, self.fresh = row, case, fresh
        self.hub, self.before = fresh(*case.before)

    def through(self, door: str, role: str = "") -> tuple[str, Effect]:
        since, role = datetime.now(UTC), role or self.case.role
        code = ask(self.row, door, self.hub, self.case.inputs, role)
        changed = effect(self.before, tables(self.hub.engine), self.hub.principals[door, role].actor, since)
        if changed:
            self.hub, self.before = self.fresh(*self.case.before)
        return code, {table: rows for table, rows in changed.items() if table not in self.row.sequel}


def _doors(row: Row, case: Case) -> list[str]:
    return [door for door in row.doors if door in case.doors and (door != "cli" or case.role == "admin")]


@pytest.mark.parametrize(("row", "case"), [*_cases()])
def test_all_doors_agree(row: Row, case: Case, fresh: Fresh) -> None:
    doors = _doors(row, case)
    asking = _Asking(row, case, fresh)
    told = {door: asking.through(door) for door in doors}
    for door in doors:
        assert told[door] == told[doors[0]], f"{door} against {doors[0]}"
    code, changed = told[doors[0]]
    assert code == case.refused
    if case.refused or case.idle:
        assert changed == {}
    else:
        assert "audit_entry" in changed, "what is done stands in the audit"
        assert all('"actor": "<actor>"' in one for one in changed["audit_entry"])


@pytest.mark.parametrize("row", [pytest.param(row, id=_named(row, row.cases[0])) for row in ROWS])
def test_who_may_not_is_refused_at_every_door_alike(row: Row, fresh: Fresh) -> None:
    """Also where the thing is there and visible, and nothing is written about the try."""
    case = row.cases[0]
    assert case.refused == ""
    asking = _Asking(row, case, fresh)
    refused = [who for who in ROLES if not may(asking.hub.principals["domain", who], row.permission)]
    assert "readonly" in refused
    for who in refused:
        for door in _doors(row, case):
            if door != "cli":
                assert asking.through(door, who) == ("forbidden", {}), f"{who} at {door}"


@pytest.mark.parametrize("row", [pytest.param(row, id=_named(row, row.cases[0])) for row in ROWS])
def test_the_same_request_again_gets_the_same_answer_at_every_door(row: Row, fresh: Fresh) -> None:
    case = row.cases[0]
    for door in _doors(row, case):
        hub, _ = fresh(*case.before)
        assert ask(row, door, hub, case.inputs, case.role) == ""
        once = tables(hub.engine)
        code = ask(row, door, hub, case.inputs, case.role)
        assert code == ("" if row.again in ("idle", "more") else row.again), door
        assert (tables(hub.engine) == once) == (row.again != "more"), door


@pytest.mark.parametrize("row", [pytest.param(row, id=_named(row, row.cases[0])) for row in ROWS])
def test_two_at_once_through_two_doors_are_as_one_after_the_other(row: Row, fresh: Fresh) -> None:
    """Both are answered in words, and what one did is done once."""
    case = row.cases[0]
    doors = _doors(row, case)
    alone = len(_Asking(row, case, fresh).through(doors[0])[1]["audit_entry"])
    hub, before = fresh(*case.before)
    since = datetime.now(UTC)
    with ThreadPoolExecutor(2) as threads:
        asked = [threads.submit(ask, row, door, hub, case.inputs, case.role) for door in (doors[0], doors[-1])]
        codes = sorted(one.result() for one in asked)
    assert codes == sorted(["", "" if row.again in ("idle", "more") else row.again])
    done = effect(before, tables(hub.engine), "", since)["audit_entry"]
    assert len(done) == alone * (2 if row.again == "more" else 1)


def test_every_command_has_a_row() -> None:
    known = {row.name for row in ROWS}
    found = set(commands())
    assert found - known - COMMANDS_WITHOUT_A_ROW.keys() == set(), "add a Row for each in rows_<subject>.py"
    assert known - found == set(), "these rows name no command: its module declares its actions"
    assert COMMANDS_WITHOUT_A_ROW.keys() - found == set(), "these are gone"


def test_every_place_that_may_change_something_is_a_door_of_a_command(firm: Firm) -> None:
    covered = {place for row in ROWS for place in places_of(row, firm.app)}
    there = changing_places(firm.app)
    assert there - covered - PLACES_OF_NO_COMMAND.keys() == set(), "which command is this a door of?"
    assert PLACES_OF_NO_COMMAND.keys() - there == set(), "these are gone"
    assert PLACES_OF_NO_COMMAND.keys() & covered == set(), "these have a row"


@pytest.mark.parametrize("locale", LOCALES)
def test_every_refusal_is_told_in_the_readers_language(locale: str) -> None:
    """But for what is not there or not allowed, which have pages of their own, and for a form's shape."""
    own_pages = {"shape", "forbidden", ""}
    codes = {case.refused for row in ROWS for case in row.cases} - own_pages
    unsaid = {code for code in codes if not code.endswith("_unknown") and not Language(locale).knows("problem", code)}
    assert unsaid == set()


def test_every_row_begins_with_a_request_that_is_done() -> None:
    for row in ROWS:
        assert row.doors[0] == DOORS[0]
        assert row.cases[0].refused == ""
        assert not row.cases[0].idle
        assert any(case.refused for case in row.cases), f"{row.name} refuses nothing?"
