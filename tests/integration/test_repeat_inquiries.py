"""One lead or a new one: what a client's next inquiry does, through the door, in every state of the lead before it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import permutations

import orjson
import pytest
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from crm_core.leads.commands import LeadChange, change_lead
from crm_core.merging.commands import merge_contacts
from ingest.processing.merge_undo import undo_merge
from ingest.sources.sources import add_source

MOBILE = "+79213334455"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def add(desk: Desk, connector: str = "generic_form", line: str = "", **settings: object) -> int:
    with desk.engine.begin() as connection:
        return add_source(connection, HUB, desk.config, connector, f"{connector} {line} {settings}", settings, line=line).id


def send(desk: Desk, source_id: int, **fields: str) -> str:
    headers = {"content-type": "application/json"}
    return desk.post(source_id, "form", orjson.dumps(fields), headers)


def age(desk: Desk, days: int, state: str = "open") -> None:
    """The only lead was last touched, and closed if it is, so many days ago."""
    desk.connection.execute(
        "UPDATE lead SET state = %s, closed_at = CASE WHEN %s <> 'open' THEN now() - make_interval(days => %s) END,"
        " last_touch_at = now() - make_interval(days => %s)",
        (state, state, days, days),
    )


@pytest.mark.parametrize(
    "state, days, outcome, code",
    [
        ("open", 29, "attached", "open_lead"),
        ("open", 31, "attached", "open_lead_reactivated"),
        ("lost", 89, "repeat", "after_lost"),
        ("lost", 91, "created", "lost_long_ago"),
        ("won", 400, "repeat", "after_won"),
    ],
)
def test_repeat_follows_the_table_when_the_hub_sets_nothing(desk: Desk, state: str, days: int, outcome: str, code: str) -> None:
    """Case 71."""
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    age(desk, days, state)
    uid = desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    assert (desk.event(uid)["outcome"], desk.event(uid)["reason"]["code"]) == (outcome, code)


def test_repeat_follows_the_windows_of_its_source_when_it_has_its_own(desk: Desk) -> None:
    own = add(desk, lost_days=10, asleep_days=5)
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    age(desk, 6)
    desk.form(name="Ирина", phone=MOBILE)
    uid = send(desk, own, name="Ирина", phone=MOBILE)
    desk.drain()
    assert desk.event(uid)["reason"]["code"] == "open_lead"  # the first has just touched it
    age(desk, 6)
    uid = send(desk, own, name="Ирина", phone=MOBILE)
    desk.drain()
    assert desk.event(uid)["reason"]["code"] == "open_lead_reactivated"
    age(desk, 11, "lost")
    uid = send(desk, own, name="Ирина", phone=MOBILE)
    desk.drain()
    assert desk.event(uid)["outcome"] == "created"


def test_lost_lead_is_opened_again_where_its_source_wants_that(desk: Desk) -> None:
    """Case 71: the option. The same lead, the same owner, who is told; later than that it is a repeat as everywhere."""
    again = add(desk, reopen_days=10)
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    (first,) = desk.rows("SELECT id, owner_id FROM lead")
    age(desk, 9, "lost")
    desk.connection.execute("UPDATE lead SET lost_reason = 'too dear'")
    uids = [send(desk, again, name="Ирина", phone=MOBILE, message=f"Передумала {n}") for n in range(2)]
    desk.drain()
    found = [(event["outcome"], event["reason"]["code"], event["lead_id"]) for event in map(desk.event, uids)]
    assert found == [("attached", "lost_lead_reopened", first["id"]), ("attached", "open_lead", first["id"])]
    (lead,) = desk.rows("SELECT owner_id, state, closed_at, lost_reason, touches FROM lead")
    assert lead == {"owner_id": first["owner_id"], "state": "open", "closed_at": None, "lost_reason": "", "touches": 3}
    assert desk.one("SELECT count(*) FROM notification WHERE lead_id = %s", first["id"]) == 2
    age(desk, 11, "lost")
    uid = send(desk, again, name="Ирина", phone=MOBILE)
    desk.drain()
    assert (desk.event(uid)["outcome"], desk.one("SELECT max(repeat_of) FROM lead")) == ("repeat", first["id"])
    desk.connection.execute("UPDATE lead SET state = 'lost', closed_at = now()")
    desk.connection.execute("UPDATE owner SET active = false WHERE id = %s", (first["owner_id"],))
    uid = send(desk, again, name="Ирина", phone=MOBILE)
    desk.drain()
    assert desk.event(uid)["reason"]["code"] == "lost_lead_reopened"
    owner = desk.one("SELECT owner_id FROM lead WHERE id = %s", desk.event(uid)["lead_id"])
    assert owner not in (None, first["owner_id"]), "who has left can take nothing"


def test_undo_of_a_merge_goes_by_the_windows_of_the_sources(desk: Desk) -> None:
    """What came since is decided anew, each by the window of its own source: linked within it, a new occasion beyond."""
    brief, long = add(desk, lost_days=1), add(desk, lost_days=3650)
    for n, source in enumerate((brief, long)):
        one, other = f"+7921333440{n}", f"+7921333441{n}"
        for phone in (one, other):
            send(desk, source, name=f"Имя{n} Петров", phone=phone)
            desk.drain()
        desk.connection.execute(
            "UPDATE lead SET state = 'lost', closed_at = now() - interval '100 days', last_touch_at = now() - interval '100 days'"
            " WHERE contact_id IN (SELECT contact_id FROM contact_identifier WHERE display IN (%s, %s))", (one, other),
        )  # fmt: skip
        ids = [desk.one("SELECT contact_id FROM contact_identifier WHERE display = %s", phone) for phone in (one, other)]
        with desk.engine.begin() as connection:
            merge_id = merge_contacts(connection, user(2, "head"), ids[0], ids[1], "", datetime.now(UTC))
        send(desk, source, name=f"Имя{n} Петров", phone=one, message="first")
        desk.drain()
        uid = send(desk, source, name=f"Имя{n} Петров", phone=other, message="second")
        desk.drain()
        with desk.engine.begin() as connection:
            undo_merge(connection, user(2, "head"), merge_id, "", datetime.now(UTC), desk.config)
        event = desk.event(uid)
        repeats = desk.one("SELECT repeat_of IS NOT NULL FROM lead WHERE id = %s", event["lead_id"])
        assert (event["outcome"], repeats) == (("created", False), ("repeat", True))[n]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_call_and_forms_are_one_lead_when_they_come_together(desk: Desk, order: tuple[int, ...]) -> None:
    """A missed call on a number of no line, a form of the windows' page, another form without a line."""
    windows = add(desk, line="windows")
    ways = (
        lambda: desk.call("hangup", "c1", MOBILE, cause="cancel"),
        lambda: send(desk, windows, name="Ирина", phone=MOBILE, utm_source="ya"),
        lambda: desk.form(name="Ирина", phone=MOBILE, utm_source="gg"),
    )
    for number in order:
        ways[number]()
        desk.drain()
    (lead,) = desk.rows("SELECT * FROM lead")
    assert lead["touches"] == 3
    marks = desk.rows("SELECT data->'attribution'->>'utm_source' AS source FROM touch WHERE kind = 'form'")
    assert sorted(row["source"] for row in marks) == ["gg", "ya"]


def test_second_line_has_a_lead_of_its_own_when_both_are_named_or_time_has_passed(desk: Desk) -> None:
    windows, doors, prompt = add(desk, line="windows"), add(desk, line="doors"), add(desk, together_minutes=0)
    send(desk, windows, name="Ирина", phone=MOBILE)
    desk.drain()
    send(desk, doors, name="Ирина", phone=MOBILE)
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 2
    send(desk, prompt, name="Ирина", phone=MOBILE)  # this source joins nothing across lines
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 3
    desk.connection.execute("UPDATE lead SET state = 'lost', closed_at = now() WHERE line = ''")
    desk.connection.execute("UPDATE lead SET last_touch_at = now() - interval '16 minutes'")
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 4


def close(engine: Engine, lead_id: int, version: int, start: threading.Barrier, refused: list[str]) -> None:
    start.wait(60)
    try:
        with engine.begin() as connection:
            change = LeadChange(version=version, state="lost", lost_reason="price")
            change_lead(connection, user(1), lead_id, change, datetime.now(UTC))
    except Conflict as error:
        refused.append(error.code)


def test_inquiry_is_a_touch_or_a_new_lead_when_the_open_one_is_closed_at_that_moment(desk: Desk) -> None:
    """Case 70: fifteen times, and nothing is lost or doubled."""
    for number in range(15):
        phone = f"+7921333{number:04d}"
        desk.form(name="Ирина", phone=phone, message="A window")
        desk.drain()
        lead = desk.rows("SELECT id, version FROM lead ORDER BY id DESC LIMIT 1")[0]
        uid = desk.form(name="Ирина", phone=phone, message="And a door")  # not the same submission once more
        start = threading.Barrier(2)
        refused: list[str] = []
        closing = threading.Thread(target=close, args=(desk.engine, lead["id"], lead["version"], start, refused))
        closing.start()
        start.wait(60)
        desk.drain("form")
        closing.join(60)
        event, leads = desk.event(uid), desk.rows("SELECT * FROM lead WHERE id >= %s ORDER BY id", lead["id"])
        if event["outcome"] == "attached":  # it was first; the colleague was told that the lead has changed
            assert [one["touches"] for one in leads] == [2]
            assert refused == ["version"]
            assert leads[0]["state"] == "open"
        else:
            assert (event["outcome"], refused) == ("repeat", [])
            assert [(one["state"], one["touches"]) for one in leads] == [("lost", 1), ("open", 1)]
            assert leads[1]["repeat_of"] == leads[0]["id"]
