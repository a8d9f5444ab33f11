"""Somebody leaves: not before their work is with somebody else, and nothing comes to them afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from desk import Desk
from factories.contact import make_contact
from factories.lead import make_lead
from factories.rows import insert
from factories.source import make_source
from sqlalchemy import Connection, Engine, text

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from crm_core.handovers.commands import HandedOver, hand_over
from crm_core.people.commands import retire_owner
from crm_core.people.queries import work_in_hand, work_of_nobody
from ingest.monitoring.health import health_report

MOBILE = "+79161234567"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def firm(connection: Connection) -> dict[str, int]:
    """Anna with 3 clients, 2 open leads and a won one, 3 tasks (1 late, 1 done), a message that waits and one that was read."""
    now = datetime.now(UTC)
    source = make_source(connection)
    anna = insert(connection, "owner", name="Anna", extension="101")
    boris = insert(connection, "owner", name="Boris", extension="102")
    pool = connection.execute(text("SELECT id FROM pool WHERE is_default")).scalar_one()
    for owner in (anna, boris):
        insert(connection, "pool_member", key="pool_id", pool_id=pool, owner_id=owner)
    clients = [make_contact(connection, f"Client {number}", anna) for number in range(3)]
    leads = [make_lead(connection, source, client, anna) for client in clients[:2]]
    won = make_lead(connection, source, clients[2], anna, state="won", closed_at=now)
    for due, state in ((now - timedelta(hours=1), "open"), (now + timedelta(hours=1), "open"), (now, "done")):
        insert(connection, "activity", kind="call", owner_id=anna, due_at=due, state=state, lead_id=leads[0])
    for read_at in (None, now):
        insert(connection, "mention", lead_id=leads[0], owner_id=anna, author="user:1", text="Call them", read_at=read_at)
    return {"anna": anna, "boris": boris, "lead": leads[0], "won": won, "client": clients[0]}


def test_whoever_has_work_in_hand_is_not_retired_and_is_told_what_it_is(engine: Engine) -> None:
    with engine.begin() as connection:
        ids = firm(connection)
        with pytest.raises(Conflict) as refused:
            retire_owner(connection, HUB, ids["anna"], datetime.now(UTC))
        assert refused.value.code == "owner_has_work"
        assert refused.value.data == {
            "leads": 2, "tasks": 2, "late": 1, "clients": 3, "messages": 1, "pools": 1, "extension": "101",
        }  # fmt: skip
        assert "2 open leads, 2 tasks and call-backs (1 late), 3 clients, 1 unread messages" in refused.value.message
        assert connection.execute(text("SELECT active FROM owner WHERE id = :id"), {"id": ids["anna"]}).scalar_one()


def test_after_a_hand_over_nothing_is_left_and_the_past_stays(engine: Engine) -> None:
    now = datetime.now(UTC)
    with engine.begin() as connection:
        ids = firm(connection)
        assert hand_over(connection, HUB, ids["anna"], ids["boris"], "leaves", now) == HandedOver(3, 2, 2, 1)
        assert not work_in_hand(connection, ids["anna"], now)
        retire_owner(connection, HUB, ids["anna"], now)
        owner_of = dict(connection.execute(text("SELECT id, owner_id FROM lead")).all())  # type: ignore[arg-type]
        assert (owner_of[ids["won"]], owner_of[ids["lead"]]) == (ids["anna"], ids["boris"])
        done = connection.execute(text("SELECT owner_id FROM activity WHERE state = 'done'")).scalar_one()
        assert done == ids["anna"]
        told = connection.execute(
            text("SELECT text, data->>'before' FROM touch WHERE lead_id = :lead AND kind = 'assignment'"), {"lead": ids["lead"]}
        ).one()
        assert tuple(told) == ("leaves", str(ids["anna"]))
        last = connection.execute(
            text("SELECT owner_id, kind, trace->>'code' FROM assignment WHERE lead_id = :lead ORDER BY id DESC LIMIT 1"),
            {"lead": ids["lead"]},
        ).one()
        assert tuple(last) == (ids["boris"], "manual", "handed_over")
        assert work_of_nobody(connection) == []


def test_a_lead_that_is_being_given_is_waited_for(engine: Engine) -> None:
    with engine.begin() as connection:
        source = make_source(connection)
        anna = insert(connection, "owner", name="Anna")
    outcome: list[str] = []

    def retire() -> None:
        try:
            with engine.begin() as connection:
                retire_owner(connection, HUB, anna, datetime.now(UTC))
            outcome.append("retired")
        except Conflict as error:
            outcome.append(error.code)

    with engine.begin() as giving:
        giving.execute(text("SELECT id FROM pool WHERE is_default FOR UPDATE"))
        make_lead(giving, source, make_contact(giving, "Client"), anna)
        thread = threading.Thread(target=retire)
        thread.start()
        with engine.connect() as looking:  # it waits for the lock before the lead is committed
            waiting = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
            for _ in range(1000):
                if looking.execute(waiting).scalar_one():
                    break
                thread.join(0.01)
            assert outcome == []
    thread.join(30)
    assert outcome == ["owner_has_work"]


def test_what_comes_on_a_lead_of_somebody_who_left_gives_it_to_a_colleague_once(desk: Desk) -> None:
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    left = desk.one("SELECT owner_id FROM lead")
    desk.connection.execute("UPDATE owner SET active = false WHERE id = %s", (left,))
    with desk.engine.begin() as connection:
        (found,) = work_of_nobody(connection)
        assert (found.owner.id, found.leads, found.clients) == (left, 1, 1)
        told = [
            one
            for one in health_report(connection, desk.config, datetime.now(UTC)).findings
            if one.code == "owner_left_with_work"
        ]
        assert [(one.facts["leads"], one.facts["clients"], one.facts["tasks"]) for one in told] == [(1, 1, 0)]
    desk.form(name="Ирина", phone=MOBILE, message="Ещё раз")
    desk.form(name="Ирина", phone=MOBILE, message="И ещё")
    desk.drain()
    heir = desk.one("SELECT owner_id FROM lead")
    assert desk.one("SELECT active FROM owner o JOIN lead l ON l.owner_id = o.id")
    assert desk.one("SELECT owner_id FROM contact") == heir
    assert desk.one("SELECT count(*) FROM assignment") == 2
    with desk.engine.begin() as connection:
        assert work_of_nobody(connection) == []


def test_a_missed_call_of_their_client_is_called_back_by_a_colleague(desk: Desk) -> None:
    desk.form(name="Ирина", phone=MOBILE)
    desk.drain()
    left = desk.one("SELECT owner_id FROM lead")
    desk.connection.execute("UPDATE owner SET active = false WHERE id = %s", (left,))
    desk.call("newCall", "c1", MOBILE)
    desk.call("hangup", "c1", MOBILE, cause="cancel")
    desk.drain()
    assert desk.one("SELECT o.active FROM activity a JOIN owner o ON o.id = a.owner_id WHERE a.kind = 'call_back'")
    assert desk.one("SELECT owner_id FROM activity WHERE kind = 'call_back'") == desk.one("SELECT owner_id FROM lead")
