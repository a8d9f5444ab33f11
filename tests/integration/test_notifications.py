"""Owners are told: at once on the console, soon by mail, once, and nothing of the client in it. And leads that are taken by hand."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from typing import Any

import psycopg
import pytest
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.base.errors import Conflict
from crm_core.leads.assignment import assign_lead
from crm_core.leads.claiming import claim_lead, return_lead, tray_of
from crm_core.leads.waiting import give_waiting
from crm_core.notifications.mailing import forget_old, send_due
from crm_core.notifications.queries import list_notifications
from webhooks.api.leads import TrayPage
from webhooks.api.shape import plain_json


class _Smtp(socketserver.ThreadingTCPServer):
    """A mail server of a few lines that keeps what it is given; `refuses` are recipients that it does not know."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.mails: list[bytes] = []
        self.refuses: set[str] = set()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"


class _Session(socketserver.StreamRequestHandler):
    server: _Smtp

    def handle(self) -> None:
        self.wfile.write(b"220 ready\r\n")
        while line := self.rfile.readline():
            command = line.strip().upper()
            if command.startswith(b"RCPT") and any(one.encode().upper() in command for one in self.server.refuses):
                self.wfile.write(b"550 nobody\r\n")
            elif command == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = []
                while (data := self.rfile.readline()) != b".\r\n":
                    lines.append(data)
                self.server.mails.append(b"".join(lines))
                self.wfile.write(b"250 kept\r\n")
            elif command == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    made.rows("UPDATE owner SET email = lower(name) || '@firm.example' RETURNING id")
    yield made
    made.close()


@pytest.fixture
def smtp() -> Iterator[_Smtp]:
    with _Smtp() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def seller(desk: Desk, name: str) -> Principal:
    return Principal("user", 1, name, "manager", desk.owners[name])


def send(desk: Desk, smtp: _Smtp, **changes: Any) -> int:
    config = replace(desk.config, smtp_url=smtp.url, public_url="https://hub.example", **changes)
    with contextlib.closing(connect(config.database_url, "worker")) as connection:
        return send_due(connection, config).sent


def told(desk: Desk, name: str) -> list[tuple[str, int | None]]:
    with desk.engine.connect() as connection:
        return [(one.kind, one.lead_id) for one in list_notifications(connection, seller(desk, name)).items]


def test_owner_of_a_new_lead_is_told_once_also_when_the_client_writes_again(desk: Desk) -> None:
    for _ in range(2):
        desk.form(name="Vera Sokolova", phone="+7 912 345-67-05", message="Windows")
        desk.drain("form")
    [owner] = [name for name, owner_id in desk.owners.items() if owner_id == desk.one("SELECT owner_id FROM lead")]
    assert told(desk, owner) == [("lead_given", desk.one("SELECT id FROM lead"))]
    assert all(not told(desk, other) for other in desk.owners if other != owner)


def test_mail_names_the_lead_and_nothing_of_the_client(desk: Desk, smtp: _Smtp) -> None:
    desk.form(name="Vera Sokolova", phone="+7 912 345-67-05", email="vera@client.example", message="Windows")
    desk.drain("form")
    assert send(desk, smtp) == 1
    assert send(desk, smtp) == 0
    [raw] = smtp.mails
    mail = message_from_bytes(raw, policy=policy.default)
    assert mail["Subject"] == "A new lead is yours"
    assert str(mail["Message-ID"]).startswith("<notification-")
    assert f"https://hub.example/console/leads/{desk.one('SELECT id FROM lead')}" in mail.get_content()
    assert not any(word in raw.decode() for word in ("Vera", "Sokolova", "912", "client.example", "Windows"))


def test_mail_is_in_the_language_of_the_hub(desk: Desk, smtp: _Smtp) -> None:
    desk.form(name="Vera", phone="+7 912 345-67-05")
    desk.drain("form")
    assert send(desk, smtp, locale="ru") == 1
    assert message_from_bytes(smtp.mails[0], policy=policy.default)["Subject"] == "Новый лид ваш"


def test_nobody_is_mailed_who_has_read_it_or_wants_none_or_has_no_address(desk: Desk, smtp: _Smtp) -> None:
    for n in range(3):
        desk.form(name=f"Client {n}", phone=f"+7 912 345-67-1{n}")
    desk.drain("form")
    anna, boris, vera = (desk.owners[name] for name in ("Anna", "Boris", "Vera"))
    desk.connection.execute("UPDATE notification SET read_at = now() WHERE owner_id = %s", (anna,))
    desk.connection.execute("UPDATE owner SET notify_by_mail = false WHERE id = %s", (boris,))
    desk.connection.execute("UPDATE owner SET email = '' WHERE id = %s", (vera,))
    assert send(desk, smtp) == 0
    assert desk.one("SELECT count(*) FROM notification WHERE mailed_at IS NULL") == 0


def test_refused_mail_costs_its_neighbours_nothing_and_is_tried_again_later(desk: Desk, smtp: _Smtp) -> None:
    for n in range(3):
        desk.form(name=f"Client {n}", phone=f"+7 912 345-67-1{n}")
    desk.drain("form")
    smtp.refuses.add("boris@firm.example")
    assert send(desk, smtp) == 2
    smtp.refuses.clear()
    assert send(desk, smtp) == 0  # not yet
    desk.connection.execute("UPDATE notification SET mail_next_at = now() WHERE mailed_at IS NULL")
    assert send(desk, smtp) == 1


def test_server_that_is_away_loses_no_mail(desk: Desk, smtp: _Smtp) -> None:
    desk.form(name="Vera", phone="+7 912 345-67-05")
    desk.drain("form")
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        closed = nobody.getsockname()[1]
    config = replace(desk.config, smtp_url=f"smtp://127.0.0.1:{closed}")
    with contextlib.closing(connect(config.database_url, "worker")) as connection:
        assert send_due(connection, config).sent == 0
    desk.connection.execute("UPDATE notification SET mail_next_at = now()")
    assert send(desk, smtp) == 1


def test_two_senders_at_once_send_each_mail_once(desk: Desk, smtp: _Smtp) -> None:
    for n in range(60):
        desk.form(name=f"Client {n}", phone=f"+7 912 345-6{n // 10}-1{n % 10}")
    desk.drain("form")
    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(lambda _: send(desk, smtp), range(4))) == 60
    ids = [message_from_bytes(raw, policy=policy.default)["Message-ID"] for raw in smtp.mails]
    assert len(ids) == len(set(ids)) == 60


def test_deputy_of_an_absent_owner_is_told_as_well(desk: Desk) -> None:
    desk.form(name="Vera", phone="+7 912 345-67-05")
    desk.drain("form")
    lead = desk.one("SELECT id FROM lead")
    first = desk.one("SELECT owner_id FROM lead")
    away, deputy = [(name, one) for name, one in desk.owners.items() if one != first]
    now = datetime.now(UTC)
    desk.connection.execute(
        "INSERT INTO absence (owner_id, from_at, until_at, deputy_id) VALUES (%s, %s, %s, %s)",
        (away[1], now - timedelta(hours=1), now + timedelta(days=1), deputy[1]),
    )
    with desk.engine.begin() as connection:
        assign_lead(connection, HUB, lead, "They know each other", now, owner_id=away[1])
    assert told(desk, away[0]) == [("lead_given", lead)]
    assert told(desk, deputy[0]) == [("lead_given", lead)]
    with desk.engine.connect() as connection:
        [one] = list_notifications(connection, seller(desk, deputy[0])).items
    assert (one.instead_of is not None and one.instead_of.name, one.contact) == (away[0], None)


def _waiting(desk: Desk) -> int:
    desk.connection.execute("UPDATE pool SET strategy = 'claim'")
    desk.form(name="Vera Sokolova", phone="+7 912 345-67-05", message="Windows")
    desk.drain("form")
    lead: int = desk.one("SELECT id FROM lead")
    assert desk.one("SELECT owner_id FROM lead") is None
    return lead


def test_lead_of_a_claiming_pool_waits_for_all_and_goes_to_one_of_many_who_take_it_at_once(desk: Desk) -> None:
    lead = _waiting(desk)
    with desk.engine.connect() as connection:
        seen = {name: tray_of(connection, seller(desk, name)) for name in desk.owners}
    assert all([one.id for one in items] == [lead] and items[0].title == "" for items in seen.values())

    shown = plain_json(TrayPage, {"items": seen["Anna"], "next": None})["items"][0]
    assert (shown["id"], shown["channel"], shown["title"]) == (str(lead), "form", "")

    def take(name: str) -> str:
        try:
            with desk.engine.begin() as connection:
                claim_lead(connection, seller(desk, name), lead, datetime.now(UTC))
        except Conflict as error:
            return f"{error.code}: {error.message}"
        return name

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(take, desk.owners))
    [winner] = [one for one in answers if one in desk.owners]
    assert sorted(one for one in answers if one != winner) == [f"lead_taken: {winner} was first and has this lead now."] * 2
    assert desk.one("SELECT owner_id FROM lead") == desk.owners[winner]
    assert desk.one("SELECT owner_id FROM contact") == desk.owners[winner]
    assert desk.rows("SELECT kind FROM assignment ORDER BY id")[-1]["kind"] == "claimed"
    with desk.engine.connect() as connection:
        assert not tray_of(connection, seller(desk, "Anna"))


def test_nobody_takes_more_than_they_may_also_at_once(desk: Desk) -> None:
    desk.connection.execute("UPDATE pool SET strategy = 'claim'")
    desk.connection.execute("UPDATE owner SET max_open = 2")
    for n in range(5):
        desk.form(name=f"Client {n}", phone=f"+7 912 345-67-1{n}")
    desk.drain("form")
    leads = [row["id"] for row in desk.rows("SELECT id FROM lead ORDER BY id")]

    def take(lead: int) -> str:
        try:
            with desk.engine.begin() as connection:
                claim_lead(connection, seller(desk, "Anna"), lead, datetime.now(UTC))
        except Conflict as error:
            return error.code
        return "taken"

    with ThreadPoolExecutor(5) as pool:
        assert sorted(pool.map(take, leads)) == ["claim_limit"] * 3 + ["taken"] * 2
    assert desk.one("SELECT count(*) FROM lead WHERE owner_id IS NOT NULL") == 2


def test_broadcast_tells_everybody_who_may_take_it(desk: Desk) -> None:
    desk.connection.execute("UPDATE pool SET strategy = 'broadcast'")
    desk.connection.execute("UPDATE pool_member SET paused = true WHERE owner_id = %s", (desk.owners["Vera"],))
    desk.form(name="Client", phone="+7 912 345-67-05")
    desk.drain("form")
    assert {name: len(told(desk, name)) for name in desk.owners} == {"Anna": 1, "Boris": 1, "Vera": 0}


def test_lead_given_back_goes_to_a_colleague_and_the_turn_is_given_back_once(desk: Desk) -> None:
    desk.form(name="Client", phone="+7 912 345-67-05")
    desk.drain("form")
    lead, first = desk.one("SELECT id FROM lead"), desk.one("SELECT owner_id FROM lead")
    [name] = [one for one, owner_id in desk.owners.items() if owner_id == first]
    with desk.engine.begin() as connection:
        return_lead(connection, seller(desk, name), lead, "not_mine", "They want doors", datetime.now(UTC))
    second = desk.one("SELECT owner_id FROM lead")
    assert second not in (None, first)
    assert desk.one("SELECT owner_id FROM contact") == second
    assert desk.one("SELECT assigned FROM pool_member WHERE owner_id = %s", first) == 0
    assert desk.one("SELECT sum(assigned) FROM pool_member") == 1
    assert desk.one("SELECT count(*) FROM assignment WHERE refunded_at IS NOT NULL") == 1
    [other] = [one for one, owner_id in desk.owners.items() if owner_id == second]
    assert told(desk, other) == [("lead_given", lead)]
    with desk.engine.begin() as connection:
        return_lead(connection, seller(desk, other), lead, "no_time", "I am at a fair", datetime.now(UTC))
    assert desk.one("SELECT sum(assigned) FROM pool_member") == 2


def test_lead_given_back_waits_where_nobody_else_can_take_it(desk: Desk) -> None:
    desk.connection.execute("DELETE FROM pool_member WHERE owner_id <> %s", (desk.owners["Anna"],))
    desk.connection.execute("UPDATE owner SET duty = false")
    desk.form(name="Client", phone="+7 912 345-67-05")
    desk.drain("form")
    lead = desk.one("SELECT id FROM lead")
    with desk.engine.begin() as connection:
        return_lead(connection, seller(desk, "Anna"), lead, "conflict", "They asked for somebody else", datetime.now(UTC))
    assert desk.one("SELECT owner_id FROM lead") is None
    with desk.engine.connect() as connection:
        assert [one.id for one in tray_of(connection, user(1))] == [lead]


def test_lead_never_comes_back_by_itself_to_whoever_gave_it_back(desk: Desk) -> None:
    desk.connection.execute("UPDATE owner SET duty = false")
    desk.form(name="Client", phone="+7 912 345-67-05")
    desk.drain("form")
    lead = desk.one("SELECT id FROM lead")
    had = []
    while (owner := desk.one("SELECT owner_id FROM lead")) is not None and len(had) < 4:
        had.append(owner)
        [name] = [one for one, owner_id in desk.owners.items() if owner_id == owner]
        with desk.engine.begin() as connection:
            return_lead(connection, seller(desk, name), lead, "no_time", "I am at a fair", datetime.now(UTC))
    assert sorted(had) == sorted(desk.owners.values())
    with desk.engine.begin() as connection:
        assert give_waiting(connection, HUB, datetime.now(UTC), "UTC") == 0
    assert desk.one("SELECT owner_id FROM lead") is None
    with desk.engine.begin() as connection:
        claim_lead(connection, seller(desk, "Anna"), lead, datetime.now(UTC))  # by their own will they may
    assert desk.one("SELECT owner_id FROM lead") == desk.owners["Anna"]


def test_what_was_told_long_ago_is_forgotten(desk: Desk) -> None:
    for n in range(3):
        desk.form(name=f"Client {n}", phone=f"+7 912 345-67-1{n}")
    desk.drain("form")
    desk.connection.execute(
        "UPDATE notification SET at = now() - interval '91 days' WHERE id = (SELECT min(id) FROM notification)"
    )
    with contextlib.closing(connect(desk.config.database_url, "worker")) as connection:
        assert [forget_old(connection), forget_old(connection)] == [1, 0]
    assert desk.one("SELECT count(*) FROM notification") == 2


def test_connections_are_left_as_they_were(desk: Desk, smtp: _Smtp) -> None:
    with contextlib.closing(connect(desk.config.database_url, "worker")) as connection:
        send_due(connection, replace(desk.config, smtp_url=smtp.url))
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
