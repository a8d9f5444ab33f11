"""Several people behind one number or address, through the door and the workers: who is one person, and whose the rest is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.base.config import HubConfig

LINE = "+7 495 765-43-21"
MOBILE = "+7 912 765-43-21"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def missed(desk: Desk, caller: str, number: int) -> None:
    desk.call("hangup", f"missed{number}", caller.translate({ord(c): None for c in "+ -"}), cause="noAnswer")


def names(desk: Desk) -> list[tuple[str, str, int]]:
    """(kind, name, touches) of every contact that is not merged away."""
    return [
        (row["kind"], row["name"], row["n"])
        for row in desk.rows(
            "SELECT c.kind, c.name, count(t.id) AS n FROM contact c LEFT JOIN touch t ON t.contact_id = c.id AND t.kind <> 'assignment'"
            " WHERE c.root_id = c.id GROUP BY c.id ORDER BY c.kind, c.name, c.id"
        )
    ]


def test_six_missed_calls_of_a_companys_line_are_one_lead_with_one_owner_and_one_call_back(desk: Desk) -> None:
    desk.form(name="Ivan Sokolov", phone=LINE)
    desk.form(name="Мария Орлова", phone=LINE)
    desk.drain("form")
    for n in range(6):
        missed(desk, LINE, n)
        desk.drain("call")
    found = names(desk)
    assert [one[:2] for one in found] == [("number", ""), ("person", "Ivan Sokolov"), ("person", "Мария Орлова")]
    assert desk.one("SELECT count(*) FROM lead l JOIN contact c ON c.id = l.contact_id WHERE c.kind = 'number'") == 1
    assert desk.one("SELECT count(*) FROM lead") == 3
    assert desk.one("SELECT count(*) FROM activity WHERE kind = 'call_back' AND state = 'open'") == 1
    assert desk.one("SELECT count(*) FROM call") == 6


def test_named_person_who_comes_again_on_the_line_stays_one_contact_also_when_it_is_shared(desk: Desk) -> None:
    people = ["Ivan Sokolov", "Мария Орлова", "Олег Титов", "Вера Котова", "Юрий Панов"]
    for name in people:
        desk.form(name=name, phone=MOBILE)
        desk.drain("form")
    assert desk.one("SELECT strength FROM identifier WHERE value = '+79127654321'") == "shared"
    for name in ("Юра Панов", "Panov Yuriy", "Юрий Панов", "Маша Орлова", "Иван Соколов"):
        desk.form(name=name, phone=MOBILE)
        desk.drain("form")
    assert [one[1] for one in names(desk)] == sorted(people)
    for n in range(3):
        missed(desk, MOBILE, n)
        desk.drain("call")
    assert [one for one in names(desk) if one[0] == "number"] == [("number", "", 3)]
    desk.form(name="Зоя Белова", phone=MOBILE)
    desk.form(name="Зоя Белова", phone=MOBILE)
    desk.drain("form")
    assert [one[1:] for one in names(desk) if one[1] == "Зоя Белова"] == [("Зоя Белова", 2)]


def test_nameless_callers_of_a_shared_number_in_one_batch_are_one_contact(desk: Desk) -> None:
    desk.form(name="Ivan Sokolov", phone=LINE)
    desk.form(name="Мария Орлова", phone=LINE)
    desk.drain("form")
    for n in range(6):
        missed(desk, LINE, n)
    desk.drain("call")
    assert [one[0] for one in names(desk)] == ["number", "person", "person"]


def test_strangers_on_one_mobile_stay_apart(desk: Desk) -> None:
    for name in ("Zhang Wei", "Анна", "Олег"):
        desk.form(name=name, phone=MOBILE)
        desk.drain("form")
    assert [one[1] for one in names(desk)] == ["Zhang Wei", "Анна", "Олег"]


def test_wife_has_the_shared_number_beside_her_address(desk: Desk) -> None:
    desk.form(name="Иван Соколов", phone=MOBILE)
    desk.form(name="Ольга Соколова", email="olga.sokolova@example.com")
    desk.drain("form")
    desk.form(name="Ольга Соколова", phone=MOBILE, email="olga.sokolova@example.com")
    desk.drain("form")
    desk.form(name="Оля", phone=MOBILE)
    desk.drain("form")
    missed(desk, MOBILE, 1)
    desk.drain("call")
    assert names(desk) == [("person", "Иван Соколов", 2), ("person", "Ольга Соколова", 3)]
    assert desk.one("SELECT count(*) FROM suggestion WHERE state = 'open'") == 1


def test_letter_left_out_makes_no_second_person_where_phone_and_address_agree(desk: Desk) -> None:
    desk.form(name="Павел Матвеев", phone=MOBILE, email="p.matveev@example.com")
    desk.form(name="Пвел Матвеев", phone=MOBILE, email="p.matveev@example.com")
    desk.drain("form")
    assert names(desk) == [("person", "Павел Матвеев", 2)]


#: Forms of one or more people; every order must give the same people.
SETS: dict[str, tuple[int, list[tuple[str, str, str]]]] = {
    "phone, address, both": (1, [("Анна Котова", MOBILE, ""), ("Анна", "", "anna@example.com"), ("Аня Котова", MOBILE, "anna@example.com")]),
    "nameless phone and address": (1, [("", MOBILE, ""), ("", "", "anna@example.com"), ("Анна Котова", MOBILE, "anna@example.com")]),
    "couple": (2, [("Иван Соколов", MOBILE, ""), ("Ольга Соколова", MOBILE, ""), ("Ваня Соколов", MOBILE, "")]),
    "couple with addresses": (2, [
        ("Иван Соколов", MOBILE, "ivan@example.com"), ("Ольга Соколова", MOBILE, "olga@example.com"), ("Оля Соколова", MOBILE, ""),
    ]),
    "father and son": (2, [("Иванов Пётр Сергеевич", MOBILE, ""), ("Иванов Пётр Петрович", MOBILE, "")]),
    "spellings": (1, [("Алексей Щербаков", MOBILE, ""), ("Scherbakov Aleksey", MOBILE, ""), ("Лёша", MOBILE, "")]),
    "colleagues on a line": (2, [("Ivan Sokolov", LINE, ""), ("Мария Орлова", LINE, ""), ("Маша Орлова", LINE, "")]),
    "first names on a line": (3, [("Иван", LINE, ""), ("Мария", LINE, ""), ("Олег", LINE, "")]),
    "strangers": (3, [("Zhang Wei", MOBILE, ""), ("Анна", MOBILE, ""), ("Олег", MOBILE, "")]),
    "maiden name": (1, [("Анна Сергеевна Котова", MOBILE, ""), ("Анна Сергеевна Белова", MOBILE, "")]),
    "initials": (1, [("Никитин С.А.", MOBILE, ""), ("Сергей", MOBILE, ""), ("Сергей Никитин", MOBILE, "")]),
    "two mobiles, one address": (1, [
        ("Олег Титов", MOBILE, "oleg@example.com"), ("Олег Титов", "+7 916 765-43-22", "oleg@example.com"), ("Олег", "+7 916 765-43-22", ""),
    ]),
    "role mailbox": (2, [
        ("Анна Котова", "", "info@example-firm.ru"), ("Пётр Белов", "", "info@example-firm.ru"), ("Аня Котова", "", "info@example-firm.ru"),
    ]),
    "English": (1, [("Joe Thornbury", MOBILE, ""), ("Joseph Thornbury", MOBILE, ""), ("JOSEPH", MOBILE, "joe@example.com")]),
    "look-alikes": (1, [("Cергей Котов", MOBILE, ""), ("Сергей Котов", MOBILE, "")]),
    "slip with two keys": (1, [("Павел Матвеев", MOBILE, "p@example.com"), ("Пвел Матвеев", MOBILE, "p@example.com")]),
    "withheld": (2, [("", "", ""), ("", "", "")]),
    "conflict over two keys": (2, [
        ("Анна Котова", MOBILE, ""), ("Олег Титов", "", "oleg@example.com"), ("Анна Котова", MOBILE, "oleg@example.com"),
    ]),
}  # fmt: skip


@pytest.mark.parametrize(("people", "forms"), list(SETS.values()), ids=list(SETS))
def test_order_of_arrival_does_not_change_who_is_one_person(desk: Desk, people: int, forms: list[tuple[str, str, str]]) -> None:
    partitions = set()
    numbered = list(enumerate(forms))
    for order in permutations(numbered):
        desk.connection.execute(
            "TRUNCATE contact, identifier, lead, touch, inbound_event, suggestion, merge_event, activity CASCADE"
        )
        uids: dict[str, int] = {}
        for place, (name, phone, email) in order:
            fields = {"name": name, "phone": phone, "email": email, "message": f"Request number {place}"}
            uids[desk.form(**{field: value for field, value in fields.items() if value})] = place
            desk.drain("form")
        groups: dict[int, set[int]] = {}
        for row in desk.rows(
            "SELECT DISTINCT e.uid, c.root_id FROM inbound_event e JOIN touch t ON t.event_id = e.id JOIN contact c ON c.id = t.contact_id"
        ):
            groups.setdefault(row["root_id"], set()).add(uids[row["uid"]])
        partitions.add(frozenset(frozenset(group) for group in groups.values()))
    assert len(partitions) == 1, partitions
    assert [len(partition) for partition in partitions] == [people]
