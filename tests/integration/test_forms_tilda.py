"""Tilda from its first test post to the lead: through the door, the journal and the worker."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from door_client import Door, Heard, open_door
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.people.commands import add_owner
from ingest.processing.process import Processor

FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config) as opened:
        with opened.engine.begin() as connection:
            add_owner(connection, HUB, "Anna", extension="101")
        yield opened


def post(door: Door, source: Any, body: bytes, **more: Any) -> Heard:
    return door.post(source, body, headers=FORM, **more)


def drained(door: Door) -> list[dict[str, Any]]:
    """The leads, after the worker has had its turn."""
    processor = Processor(door.config)
    try:
        processor.drain("form", budget_seconds=30)
    finally:
        processor.close()
    return rows(door, "SELECT id FROM lead ORDER BY id")


def rows(door: Door, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    with psycopg.connect(door.config.database_url, row_factory=dict_row) as connection:
        return connection.execute(sql, parameters).fetchall()  # type: ignore[arg-type]


@pytest.mark.parametrize("mapped", [False, True])
def test_test_post_is_answered_ok_and_kept_nowhere_when_the_address_is_saved(door: Door, mapped: bool) -> None:
    source = door.add("tilda")
    if mapped:  # a mapping of the source's own changes nothing about it
        with psycopg.connect(door.config.database_url) as connection:
            connection.execute(
                "INSERT INTO source_mapping (source_id, version, text, rules, state) VALUES (%s, 1, '…', %s, 'published')",
                (source.id, Jsonb({"fields": {"name": {"from": ["$.test"]}}})),
            )
    heard = post(door, source, b"test=test")
    assert (heard.status, heard.body) == (200, b"ok")
    assert door.rows() == []


def test_three_tries_a_minute_apart_are_one_lead_when_the_key_is_the_same(door: Door) -> None:
    source = door.add("tilda")
    body = urlencode({"Name": "Иван", "Phone": "+7 912 345-67-60", "tranid": "6778771:4632011511", "formid": "form1"})
    heard = [post(door, source, body.encode())]
    assert len(drained(door)) == 1
    heard += [post(door, source, body.encode()) for _ in range(2)]
    assert [(answer.status, answer.body) for answer in heard] == [(200, b"ok")] * 3
    assert len(drained(door)) == 1
    [event] = door.rows()
    assert (event["provider_key"], event["redeliveries"], event["state"]) == ("6778771:4632011511", 2, "done")


def test_eight_tries_at_once_are_one_lead_when_the_key_is_the_same(door: Door) -> None:
    source = door.add("tilda")
    body = urlencode({"Name": "Анна", "Phone": "+7 912 345-67-61", "tranid": "1:2", "formid": "form1"}).encode()
    barrier = threading.Barrier(8)

    def send(_: int) -> Heard:
        barrier.wait(60)
        return post(door, source, body)

    with ThreadPoolExecutor(8) as threads:
        heard = list(threads.map(send, range(8)))
    assert {(answer.status, answer.body) for answer in heard} == {(200, b"ok")}
    assert len(drained(door)) == 1
    assert len(door.rows()) == 1


def test_labels_and_cart_reach_the_lead_without_the_session_when_cookies_come_along(door: Door) -> None:
    source = door.add("tilda")
    body = {
        "Name": "Иван", "Phone": "+7 912 345-67-62", "Бюджет_на_покупку_": "1 млн", "Согласие_с_политикой_конфиденциальности": "yes",
        "Checkbox": "yes", "formid": "form2", "formname": "Cart", "tranid": "3:4",
        "payment": '{"sys":"none","orderid":"1987232091","products":["P=2104000"],"amount":"2104000"}',
        "COOKIES": "_ga=GA1.2.1.2; PHPSESSID=5e55f0; TILDAUTM=utm_source%3Dvk%7C%7C%7Camp%3Butm_medium%3Dsocial; roistat_visit=77",
    }  # fmt: skip
    assert post(door, source, urlencode(body).encode()).body == b"ok"
    assert len(drained(door)) == 1
    [touch] = rows(door, "SELECT to_jsonb(touch) AS row FROM touch")
    text = str(touch["row"])
    assert "5e55f0" not in text
    assert "PHPSESSID" not in text
    for kept in ("Бюджет_на_покупку_", "1 млн", "1987232091", "utm_medium", "social", "form2"):
        assert kept in text
    assert [row["purpose"] for row in rows(door, "SELECT purpose FROM consent")] == ["processing"]


def test_tilda_is_known_and_told_when_it_posts_to_an_address_for_any_form(door: Door) -> None:
    source = door.add("generic_form")
    assert post(door, source, b"test=test").body == b"ok"
    body = urlencode({"Name": "Вера", "Phone": "+7 912 345-67-63", "tranid": "5:6", "formid": "form3"}).encode()
    assert post(door, source, body).body == b"ok"
    named = post(door, source, b"Name=Olga&Phone=89123456764", rest="/tilda")
    assert named.body == b"ok"
    assert len(drained(door)) == 2
    events = door.rows()
    assert [event["provider_key"] for event in events] == ["tilda:5:6", None]
    assert [event["state"] for event in events] == ["done", "done"]
    assert [event["reason"]["read_by"] for event in events] == ["tilda", "tilda"]
