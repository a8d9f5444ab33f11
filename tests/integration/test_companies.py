"""Companies as contacts of their own, their people in them, and their owner, from what comes through the door."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from case_hub import at_once
from desk import Desk
from principals import user
from sqlalchemy import Engine

from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from crm_core.contacts.company_members import join_companies
from crm_core.contacts.queries import get_contact
from crm_core.merging.commands import merge_contacts
from crm_core.people.absences import set_absent
from crm_core.routing.queries import who_answers
from ingest.processing.merge_undo import undo_merge
from ingest.processing.process import Processor
from ingest.sources.sources import add_source

INN, OTHER_INN, OGRN = "7707083893", "7728168971", "1027700132195"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def companies(desk: Desk) -> list[tuple[str, list[str]]]:
    """Name of each company with the names of its people."""
    rows = desk.rows(
        "SELECT c.name, array_agg(p.name ORDER BY p.name) FILTER (WHERE p.id IS NOT NULL) AS people FROM contact c"
        " LEFT JOIN contact p ON p.company_id = c.id WHERE c.kind = 'company' GROUP BY c.id ORDER BY c.name"
    )
    return [(row["name"], row["people"] or []) for row in rows]


def seller(desk: Desk, name: str) -> Principal:
    return Principal("user", 7, name, "manager", desk.owners[name])


def owners(desk: Desk) -> set[int]:
    return {row["owner_id"] for row in desk.rows("SELECT owner_id FROM lead")}


@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "one by one"])
def test_role_mailbox_is_of_two_people_and_one_company_with_one_owner(desk: Desk, batched: bool) -> None:
    """Case 41."""
    for name in ("Анна Смирнова", "Пётр Лебедев"):
        desk.form(name=name, email="info@romashka-stroy.ru", message=f"Это {name}")
        if not batched:
            desk.drain()
    desk.drain()
    assert companies(desk) == [("romashka-stroy.ru", ["Анна Смирнова", "Пётр Лебедев"])]
    assert len(owners(desk)) == 1
    assert desk.one("SELECT owner_id FROM contact WHERE kind = 'company'") in owners(desk)


@pytest.mark.parametrize("batched", [True, False], ids=["one batch", "one by one"])
def test_colleague_of_a_client_goes_to_the_companys_owner_and_a_stranger_with_the_same_free_mail_does_not(
    desk: Desk, batched: bool
) -> None:
    """Case 81. Between the two the pool's turn moves on."""
    for number, email in enumerate(
        ("anna@romashka-stroy.ru", "a@gmail.com", "b@gmail.com", "c@gmail.com", "d@gmail.com", "oleg@mail.romashka-stroy.ru")
    ):
        desk.form(name=f"Имя{chr(1072 + number)} Иванов", email=email)
        if not batched:
            desk.drain()
    desk.drain()
    leads = desk.rows("SELECT owner_id FROM lead ORDER BY id")
    assert leads[0] == leads[5]
    assert len({row["owner_id"] for row in leads[1:4]}) == 3
    assert desk.one("SELECT a.trace->>'code' FROM assignment a JOIN lead l ON l.id = a.lead_id ORDER BY l.id DESC LIMIT 1") == (
        "owner_of_the_company"
    )


def test_one_tax_number_is_one_company_however_it_is_written(desk: Desk) -> None:
    """Case 54: also with another KPP, which is a branch."""
    desk.form(name="Анна Смирнова", phone="+79213334455", company="ООО «Ромашка»", inn=INN)
    desk.form(name="Пётр Лебедев", phone="+79213334466", company="ROMASHKA LLC", message=f"Счёт на ИНН {INN} КПП 784201001")
    desk.form(name="Ольга Кузнецова", phone="+79213334477", company=f"Ромашка, ИНН/КПП {INN}/770401001")
    desk.form(name="Иван Петров", phone="+79213334488", company="Ромашка", inn=OTHER_INN)
    desk.drain()
    assert companies(desk) == [
        ("ООО «Ромашка»", ["Анна Смирнова", "Ольга Кузнецова", "Пётр Лебедев"]),
        ("Ромашка", ["Иван Петров"]),
    ]


def test_companies_of_one_holding_stay_apart_by_their_numbers(desk: Desk) -> None:
    desk.form(name="Анна Смирнова", email="anna@holding-group.ru", inn=INN)
    desk.drain()
    desk.form(name="Пётр Лебедев", email="petr@holding-group.ru", inn=OTHER_INN)
    desk.drain()
    assert [people for _, people in companies(desk)] == [["Анна Смирнова"], ["Пётр Лебедев"]]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_number_and_domain_meet_in_one_company_whatever_the_order(desk: Desk, order: tuple[int, ...]) -> None:
    forms = (
        {"name": "Анна Смирнова", "email": "anna@romashka-stroy.ru"},
        {"name": "Пётр Лебедев", "email": "petr@romashka-stroy.ru", "inn": INN, "company": "ООО «Ромашка»"},
        {"name": "Ольга Кузнецова", "email": "olga@romashka-stroy.ru", "ogrn": OGRN, "inn": INN},
    )
    for number in order:
        desk.form(**forms[number])
        desk.drain()
    assert companies(desk) == [("ООО «Ромашка»", ["Анна Смирнова", "Ольга Кузнецова", "Пётр Лебедев"])]


@pytest.mark.parametrize(
    "email",
    ["ivan@gmail.com", "ivan@mysite.tilda.ws", "ivan@firma.wixsite.com", "x@privaterelay.appleid.com", "ivan@example.com"],
)
def test_where_anybody_may_have_an_address_there_is_no_company(desk: Desk, email: str) -> None:
    """Cases 44, 55."""
    desk.form(name="Иван Петров", email=email)
    desk.drain()
    assert companies(desk) == []


def test_own_domain_is_no_clients_company(desk: Desk) -> None:
    with desk.engine.begin() as connection:
        settings = {"host": "imap.example.com", "user": "sales@our-doors.ru", "password": "none"}
        add_source(connection, HUB, desk.config, "imap", "Mailbox", settings)
    desk.form(name="Иван Петров", email="ivan@our-doors.ru")
    desk.drain()
    assert companies(desk) == []


def test_cards_show_a_companys_people_to_whoever_may_see_them(desk: Desk) -> None:
    desk.form(name="Анна Смирнова", email="anna@romashka-stroy.ru", inn=INN, company="ООО «Ромашка»")
    desk.drain()
    desk.connection.execute("UPDATE contact SET owner_id = %s WHERE kind = 'person'", (desk.owners["Vera"],))
    desk.connection.execute("UPDATE lead SET owner_id = %s", (desk.owners["Vera"],))
    desk.connection.execute("UPDATE contact SET owner_id = %s WHERE kind = 'company'", (desk.owners["Anna"],))
    person, company = (desk.one("SELECT id FROM contact WHERE kind = %s", kind) for kind in ("person", "company"))
    with desk.engine.connect() as connection:
        card = get_contact(connection, user(1), company)
        assert (card.kind, card.name, [one.id for one in card.people]) == ("company", "ООО «Ромашка»", [person])
        assert {(one.kind, one.value) for one in card.identifiers} == {("inn", INN), ("domain", "romashka-stroy.ru")}
        card = get_contact(connection, user(1), person)
        assert card.works_for is not None
        assert (card.works_for.name, card.sees_company, card.people) == ("ООО «Ромашка»", True, ())
        card = get_contact(connection, seller(desk, "Vera"), person)
        assert (card.works_for is not None, card.sees_company) == (True, False)
        card = get_contact(connection, seller(desk, "Anna"), company)
        assert card.people == []


def test_eight_colleagues_at_once_make_one_company(desk: Desk) -> None:
    """Each by a worker of their own, the company unknown to all of them."""
    for number in range(8):
        desk.form(
            name=f"Сотрудник {chr(1040 + number)}лов", email=f"user{number}@romashka-stroy.ru", phone=f"+7921333000{number}"
        )

    def work(_: int) -> int:
        processor = Processor(replace(desk.config, batch_size=1))
        try:
            return processor.drain("form", budget_seconds=60).finished
        finally:
            processor.close()

    assert sum(at_once(8, work)) == 8
    (company,) = companies(desk)
    assert len(company[1]) == 8
    assert len(owners(desk)) == 1


@pytest.mark.parametrize("by", ["hand", "inquiry"])
def test_company_goes_along_with_a_merge_and_back_with_its_undo(desk: Desk, by: str) -> None:
    """The older contact wrote from a free mailbox, the other from their company's; later inquiries name companies again."""
    desk.form(name="Анна Смирнова", phone="+79213334455")
    desk.form(name="Анна Смирнова", email="anna@romashka-stroy.ru")
    desk.drain()
    first, second = (row["id"] for row in desk.rows("SELECT id FROM contact WHERE kind = 'person' ORDER BY id"))
    if by == "hand":
        with desk.engine.begin() as connection:
            merge_contacts(connection, user(1, "head"), first, second, "", datetime.now(UTC))
    else:
        desk.form(name="Анна Смирнова", phone="+79213334455", email="anna@romashka-stroy.ru")
        desk.drain()
    told = "SELECT p.id, c.name FROM contact p LEFT JOIN contact c ON c.id = p.company_id WHERE p.kind = 'person' ORDER BY p.id"
    assert [row["name"] for row in desk.rows(told)] == ["romashka-stroy.ru"] * 2
    assert desk.one("SELECT root_id FROM contact WHERE id = %s", second) == first
    desk.form(name="Анна Смирнова", email="anna@romashka-stroy.ru", phone="+79213334466")
    desk.drain()
    with desk.engine.begin() as connection:
        undo_merge(connection, user(1, "head"), desk.one("SELECT id FROM merge_event"), "", datetime.now(UTC))
    # The inquiry that showed the merge named the company; its first identifier is the number, so it went with the older contact.
    rest = "romashka-stroy.ru" if by == "inquiry" else None
    assert [row["name"] for row in desk.rows(told)] in ([None, "romashka-stroy.ru"], [rest, "romashka-stroy.ru"])


def test_whoever_wrote_before_their_company_was_known_comes_into_it_at_night(desk: Desk) -> None:
    """As contacts of a version before companies: only those whose addresses are of one company, and nobody who has another one."""
    for name, email in (
        ("Анна Смирнова", "anna@romashka-stroy.ru"), ("Пётр Лебедев", "petr@romashka-stroy.ru"), ("Иван Петров", "ivan@gmail.com"),
        ("Ольга Кузнецова", "olga@doors-and-more.ru"), ("Олег Носов", "oleg@unknown-firm.ru"),
    ):  # fmt: skip
        desk.form(name=name, email=email)
    desk.drain()
    assert join_companies(desk.engine) == 0
    desk.connection.execute(
        "UPDATE contact SET company_id = (SELECT id FROM contact WHERE name = 'doors-and-more.ru') WHERE name = 'Пётр Лебедев'"
    )
    desk.connection.execute(
        "UPDATE contact SET company_id = NULL WHERE name IN ('Анна Смирнова', 'Иван Петров', 'Ольга Кузнецова', 'Олег Носов')"
    )
    desk.connection.execute(
        "DELETE FROM contact_identifier USING contact c WHERE c.id = contact_id AND c.name = 'unknown-firm.ru'"
    )
    assert join_companies(desk.engine) == 2
    assert join_companies(desk.engine) == 0
    assert companies(desk) == [
        ("doors-and-more.ru", ["Ольга Кузнецова", "Пётр Лебедев"]), ("romashka-stroy.ru", ["Анна Смирнова"]), ("unknown-firm.ru", [])
    ]  # fmt: skip


def test_exchange_is_told_the_companys_owner_where_nobody_has_the_caller(desk: Desk) -> None:
    """Case 81 for calls: the client's own owner comes first, then the company's, then the pool."""
    desk.form(name="Анна Смирнова", email="anna@romashka-stroy.ru", phone="+79213334455")
    desk.drain()
    owner = desk.one("SELECT owner_id FROM contact WHERE kind = 'company'")
    other = next(one for one in desk.owners.values() if one != owner)
    extensions = {row["id"]: row["extension"] for row in desk.rows("SELECT id, extension FROM owner")}

    def asked() -> tuple[str, tuple[str, ...]]:
        with desk.engine.connect() as connection:
            answer = who_answers(connection, "+79213334455", "RU")
        return answer.reason, answer.targets

    assert asked() == ("owner_of_the_open_lead", (extensions[owner],))
    desk.connection.execute("UPDATE lead SET state = 'lost', closed_at = now()")
    desk.connection.execute("UPDATE contact SET owner_id = NULL WHERE kind = 'person'")
    assert asked() == ("owner_of_the_company", (extensions[owner],))
    desk.connection.execute("UPDATE contact SET owner_id = %s WHERE kind = 'person'", (other,))
    assert asked() == ("owner_of_the_contact", (extensions[other],))
    with desk.engine.begin() as connection:
        set_absent(connection, HUB, other, datetime.now(UTC) + timedelta(days=1), datetime.now(UTC))
    assert asked() == ("owner_of_the_company", (extensions[owner],)), "whose own owner is away is rung through to the company's"
    desk.connection.execute("UPDATE contact SET owner_id = NULL")
    assert asked()[0] == "known_caller_without_owner"
