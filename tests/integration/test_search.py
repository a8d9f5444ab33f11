"""Finding people as they are typed: through the engine into the database, and out by the function that page, API and lists ask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import servers
from desk import Desk
from sqlalchemy import text

from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from crm_core.base.errors import NotFound
from crm_core.contacts.queries import ContactFilter, list_contacts
from crm_core.global_search.queries import search
from crm_core.leads.commands import LeadChange, change_lead
from crm_core.leads.comments import comment_on_lead
from crm_core.leads.queries import LeadFilter, list_leads
from crm_core.people.commands import add_owner
from ingest.erasure.person_events import erase_contact
from webhooks.api.search import Found
from webhooks.api.shape import plain_json

ADMIN = Principal("user", 1, "Olga", "admin")

#: Who is in the base; the key is how the tests call them.
PEOPLE: dict[str, dict[str, str]] = {
    "ershov": {"name": "Фёдор Ершов", "phone": "+7 921 695-34-01", "message": "Нужны секционные ворота, 6 штук",
               "company": "ООО «Невский сад»", "inn": "7701234567"},
    "shcherbakova": {"name": "Наталья Щербакова", "email": "N.Shcherbakova@Mail.example.com", "message": "Ёлка и окна"},
    "mueller": {"name": "Jürgen Müller", "phone": "+49 30 9018-2000", "message": "Angebot für Türen"},
    "lodz": {"name": "Łukasz Wójcik", "email": "kontakt.wojcik@firma.example.org", "message": "Drzwi"},
    "smith": {"name": "John Smith", "phone": "+44 7911 123456", "message": "Do you ship racks to Narva?", "size": "3м"},
    "argentine": {"name": "María Gómez", "phone": "+54 9 11 2345-6789", "message": "Una puerta"},
    "yulia": {"name": "Юлия Цветкова", "phone": "+7 912 000-11-22", "message": "100% хлопок, скидка_лето"},
    "li": {"name": "李小龙", "email": "li@example.net", "message": "门"},
}  # fmt: skip


@pytest.fixture(scope="module")
def still(
    postgres_server: servers.RunPostgres, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Desk, dict[str, int]]]:
    """A desk with everybody at it, and their contacts' ids; for tests that change nothing."""
    with postgres_server.fresh_database() as url:
        engine = make_engine(url, "worker")
        config = HubConfig(home=tmp_path_factory.mktemp("home"), database_url=url, broker_url="redis://127.0.0.1:1/0",
                           secret_key="only-for-tests-" + "0" * 32)  # fmt: skip
        desk = Desk(config, engine)
        yield desk, _fill(desk)
        desk.close()
        engine.dispose()


@pytest.fixture
def desk(config: HubConfig, engine: Any) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def _fill(desk: Desk) -> dict[str, int]:
    uids = {key: desk.form(**fields) for key, fields in PEOPLE.items()}
    desk.call("newCall", "c1", "+79216953401")
    desk.call("hangup", "c1", "+79216953401", cause="noAnswer")
    desk.drain()
    return {key: desk.event(uid)["contact_id"] for key, uid in uids.items()}


def _search(desk: Desk, typed: str, who: Principal = ADMIN) -> dict[str, Any]:
    with desk.engine.begin() as connection:
        shown: dict[str, Any] = plain_json(Found, search(connection, who, typed, "RU"))
    return shown


def _contacts(desk: Desk, typed: str, who: Principal = ADMIN) -> set[int]:
    return {int(one["id"]) for one in _search(desk, typed, who)["contacts"]["items"]}


def _lead_contacts(desk: Desk, typed: str, who: Principal = ADMIN) -> set[int]:
    return {int(one["contact"]["id"]) for one in _search(desk, typed, who)["leads"]["items"]}


@pytest.mark.parametrize(
    ("typed", "who"),
    [
        *[(typed, "ershov") for typed in (
            "8 921 695-34-01", "89216953401", "+7(921)695-34-01", "+7 921 695 34 01", "9216953401", "921 695", "921695",
            "3401", "34-01", "695-34", "6953401", "tel:+79216953401", "８９２１６９５３４０１", "Ершов Фёдор", "фёдор ершов", "федор ершов",
            "ЕРШОВ ФЕДОР", "ершов", "ерш", "ershov", "Ershov Fedor", "Fyodor Yershov", "невский", "сад невский", "nevskiy sad", "ооо",
            "Ершов 3401", "Ф. Ершов", "ершов федор 695", "  Ершов ,  Фёдор ",
        )],
        *[(typed, "shcherbakova") for typed in (
            "n.shcherbakova@mail.example.com", "N.SHCHERBAKOVA@MAIL.EXAMPLE.COM", "shcherbakova@mail", "herbakova", "mail.example",
            "Щербакова", "щербакова наталья", "Scherbakova", "Natalia", "Наталья", "natal",
        )],
        *[(typed, "mueller") for typed in ("muller", "Müller", "MULLER jurgen", "030 90182000", "(030) 9018-2000", "+49 (0)30 90182000",
                                           "0049 30 90182000", "9018 2000")],
        *[(typed, "lodz") for typed in ("lukasz", "wojcik", "Wójcik Łukasz", "wojcik@firma", "ojcik")],
        *[(typed, "smith") for typed in ("smith john", "07911 123456", "+44 (0)7911 123456", "Смит")],
        *[(typed, "argentine") for typed in ("gomez maria", "María", "11 2345-6789", "2345 6789")],
        *[(typed, "yulia") for typed in ("Юлия", "yulia", "Julia", "цветкова ю", "tsvetkova")],
        *[(typed, "li") for typed in ("李小龙", "小龙", "li@example.net")],
    ],
)  # fmt: skip
def test_client_is_found_as_typed(still: tuple[Desk, dict[str, int]], typed: str, who: str) -> None:
    desk, ids = still
    assert _contacts(desk, typed) == {ids[who]}
    with desk.engine.begin() as connection:
        listed = list_contacts(connection, ADMIN, ContactFilter(q=typed)).items
        assert {one.id for one in listed} == {ids[who]}  # the list finds the same
        leads = list_leads(connection, ADMIN, LeadFilter(q=typed)).items
        assert {one.contact.id for one in leads} == {ids[who]}


@pytest.mark.parametrize(
    ("typed", "who"),
    [("секционные ворота", "ershov"), ("ворота ершов", "ershov"), ("ёлка", "shcherbakova"), ("елка окна", "shcherbakova"),
     ("vorota", "ershov"), ("turen", "mueller"), ("narva racks", "smith"), ("3м", "smith"), ("100%", "yulia"),
     ("скидка_лето", "yulia"), ("门", "li"), ("6 штук", "ershov"), ("7701234567", "ershov"), ("ершов 7701", "ershov")],
)  # fmt: skip
def test_lead_is_found_by_what_was_said(still: tuple[Desk, dict[str, int]], typed: str, who: str) -> None:
    desk, ids = still
    assert _lead_contacts(desk, typed) == {ids[who]}


def test_lead_is_found_by_its_number_and_event_by_its_id(still: tuple[Desk, dict[str, int]]) -> None:
    desk, ids = still
    lead = desk.rows("SELECT id, event_id FROM lead WHERE contact_id = %s", ids["smith"])[0]
    for typed in (str(lead["id"]), f"#{lead['id']}", f"№ {lead['id']}"):
        assert str(lead["id"]) in {one["id"] for one in _search(desk, typed)["leads"]["items"]}
    uid = desk.one("SELECT uid FROM inbound_event WHERE id = %s", lead["event_id"])
    found = _search(desk, uid)
    assert [one["event"] for one in found["events"]["items"]] == [uid]
    assert [one["id"] for one in found["leads"]["items"]] == [str(lead["id"])]
    assert _search(desk, f"{uid[:8]}-{uid[8:12]}-{uid[12:16]}-{uid[16:20]}-{uid[20:]}".upper())["events"]["count"] == 1


def test_event_is_found_by_its_words_and_its_number(still: tuple[Desk, dict[str, int]]) -> None:
    desk, ids = still
    (said,) = _search(desk, "секционные")["events"]["items"]
    assert (said["kind"], said["contact"]["id"]) == ("form", str(ids["ershov"]))
    assert "call" in {one["kind"] for one in _search(desk, "921 695-34-01")["events"]["items"]}


@pytest.mark.parametrize(
    "typed",
    ["", " ", "%", "_", "%%%", "'", '"', "\\", "😀", "\x00", "\x00\x00%'", "()", "&|!", ":*", "' OR 1=1 --", "<->", "\u202e", "ершов щербакова",
     "79216953402", "00000", "a" * 10_000, "9 " * 5_000, "'" * 10_000, "ж" * 10_000, "😀" * 10_000, "\ud800x", "-" * 10_000, "(" * 500],
)  # fmt: skip
def test_odd_input_finds_nothing_and_breaks_nothing(still: tuple[Desk, dict[str, int]], typed: str) -> None:
    desk, _ = still
    found = _search(desk, typed)
    assert found["contacts"]["items"] == []
    assert found["leads"]["items"] == []
    assert len(found["q"]) <= 200


def test_one_letter_is_a_word_and_not_the_beginning_of_all(still: tuple[Desk, dict[str, int]]) -> None:
    assert _contacts(still[0], "е") == set()


def test_manager_finds_his_own_and_of_others_only_who_has_them(desk: Desk) -> None:
    ids = _fill(desk)
    with desk.engine.begin() as connection:
        connection.execute(text("UPDATE contact SET owner_id = :owner"), {"owner": desk.owners["Boris"]})
        connection.execute(text("UPDATE lead SET owner_id = :owner"), {"owner": desk.owners["Boris"]})
        connection.execute(
            text("UPDATE contact SET owner_id = :anna WHERE id = :id"), {"anna": desk.owners["Anna"], "id": ids["smith"]}
        )
    anna = Principal("user", 2, "Anna", "manager", desk.owners["Anna"])
    assert _contacts(desk, "smith", anna) == {ids["smith"]}
    for typed in ("ершов фёдор", "89216953401", "n.shcherbakova@mail.example.com", "ershov"):
        found = _search(desk, typed, anna)
        assert (found["contacts"]["count"], found["leads"]["count"], found["events"]["count"]) == (0, 0, 0)
        assert [(one["name"], one["extension"]) for one in found["others"]] == [("Boris", "102")]
        assert not any(word in str(found["others"]) for word in ("Ершов", "9216953401", "Щербакова"))
    # Neither letter by letter, nor by what the client wrote, nor by the end of his number.
    for typed in ("ерш", "ersho", "ворота", "секционные", "3401", "921 695", "е", "shcherbakova@ma"):
        assert _search(desk, typed, anna)["others"] == []
    stranger = Principal("user", 3, "Nobody", "manager", None)
    assert _contacts(desk, "smith", stranger) == set()


def test_what_changes_is_found_at_once_and_no_more_as_it_was(desk: Desk) -> None:
    desk.form(name="Пётр", phone="+79120000001", message="Дверь")
    desk.drain()
    lead_id = desk.one("SELECT id FROM lead")
    assert _search(desk, "дверь")["leads"]["count"] == 1
    desk.form(name="Пётр Сомов", phone="+79120000001", message="И крыша")  # a fuller name, another touch
    desk.drain()
    assert _search(desk, "сомов крыша")["leads"]["count"] == 1
    with desk.engine.begin() as connection:
        change_lead(
            connection, ADMIN, lead_id, LeadChange(version=desk.one("SELECT version FROM lead"), title="Забор"), _now(desk)
        )
        comment_on_lead(connection, ADMIN, lead_id, "Просит скидку", _now(desk))
    assert _search(desk, "забор")["leads"]["count"] == 1
    assert _search(desk, "скидку")["events"]["count"] == 1
    assert _search(desk, "скидку сомов")["leads"]["count"] == 1


def test_merged_person_is_one(desk: Desk) -> None:
    desk.form(name="Павел Орлов", phone="+79120000002", message="Первое")
    desk.form(name="Павел Орлов", email="orlov@example.com", message="Второе")
    desk.drain()
    assert len(_contacts(desk, "орлов")) == 2
    desk.form(name="Павел Орлов", phone="+79120000002", email="orlov@example.com", message="Третье")
    desk.drain()
    (one,) = _contacts(desk, "орлов")
    assert _contacts(desk, "79120000002") == _contacts(desk, "orlov@example.com") == {one}
    assert {int(row["contact"]["id"]) for row in _search(desk, "второе")["leads"]["items"]} == {one}
    assert desk.one("SELECT count(*) FROM search_document WHERE kind = 'contact'") == 1


def test_erased_person_is_found_by_nothing(desk: Desk) -> None:
    ids = _fill(desk)
    assert _contacts(desk, "ершов") == {ids["ershov"]}
    with desk.engine.begin() as connection:
        erase_contact(connection, ADMIN, ids["ershov"], "asked by letter", desk.config.secret_key, _now(desk))
    for typed in ("ершов", "3401", "секционные", "невский", "7701234567"):
        found = _search(desk, typed)
        assert (found["contacts"]["count"], found["leads"]["count"], found["events"]["count"]) == (0, 0, 0)
    assert desk.one("SELECT count(*) FROM search_document WHERE contact_id = %s", ids["ershov"]) == 0
    with desk.engine.begin() as connection, pytest.raises(NotFound):
        erase_contact(connection, ADMIN, 999, "no such person", desk.config.secret_key, _now(desk))


def test_documents_can_be_made_anew_from_the_rows(desk: Desk) -> None:
    _fill(desk)
    _search(desk, "x1")
    before = desk.rows("SELECT kind, row_id, contact_id, words::text FROM search_document ORDER BY 1, 2")
    assert {row["kind"] for row in before} == {"contact", "lead", "touch"}
    with desk.engine.begin() as connection:
        connection.execute(text("DELETE FROM search_document"))
        connection.execute(text("INSERT INTO search_queue (contact_id, anew) SELECT id, true FROM contact"))
        add_owner(connection, HUB, "Gleb")
    _search(desk, "x1")
    assert desk.rows("SELECT kind, row_id, contact_id, words::text FROM search_document ORDER BY 1, 2") == before
    assert desk.one("SELECT count(*) FROM search_queue") == 0


def _now(desk: Desk) -> Any:
    return desk.one("SELECT clock_timestamp()")
