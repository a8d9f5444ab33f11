"""Who is one contact, by the names under which they write from one number: through the door, two workers, either order, doubled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from urllib.parse import urlencode

import pytest
import servers
from case_hub import BROWSER, CaseHub, at_once, open_hub

from crm_core.base.config import HubConfig

#: Names from one mobile, and how many people they are.
PEOPLE: Mapping[tuple[str, ...], int] = {
    ("Никитин С.А.", "Сергей"): 1,
    ("Никитин", "Сергей"): 1,
    ("Cергей", "Сергей Орлов"): 1,
    ("Kuznecov Ivan", "Кузнецов Иван"): 1,
    ("Jukov", "Иван Жуков"): 1,
    ("Joe Smith", "Joseph Smith"): 1,
    ("Пал Палыч", "Павел Павлович"): 1,
    ("Родионев В.Е.", "Ильдар"): 2,
    ("Жанна", "Яна"): 2,
    ("Кирилл", "Кира"): 2,
    ("Иван Петрович Сидоров", "Пётр Иванович Сидоров"): 2,
    ("Сидоров И. И.", "Сидоров И. П."): 2,
    ("Zhang Wei", "Анна"): 2,
    ("Zhang Wei", "Анна", "Олег"): 3,
}
CASES = [(order, count) for names, count in PEOPLE.items() for order in permutations(names)]


@pytest.fixture(scope="module")
def hub(
    postgres_server: servers.RunPostgres, _brokers: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[CaseHub]:
    with postgres_server.fresh_database() as url:
        home: Path = tmp_path_factory.mktemp("home")
        config = HubConfig(home=home, database_url=url, broker_url=_brokers["valkey"], secret_key="only-for-tests-" + "0" * 32)
        with open_hub(config) as opened:
            yield opened


@pytest.fixture(scope="module")
def contacts(hub: CaseHub) -> list[int]:
    """How many contacts came of each case. Every inquiry is sent twice; a stranger beside it rings in the same breath."""
    sources = [hub.add() for _ in CASES]
    for turn in range(max(len(order) for order, _ in CASES)):
        for place, (order, _) in enumerate(CASES):
            if turn < len(order):
                for name, phone in [(order[turn], mobile(place))] * 2 + [("Борис Чужой", f"+7 903 222-{place:02d}-{turn:02d}")]:
                    body = urlencode({"name": name, "phone": phone, "message": f"turn {turn}"}).encode()
                    hub.send(sources[place], body, BROWSER, remote=f"2001:db8:{place:x}:{turn:x}::7")
        at_once(2, lambda _: hub.drain())
    return [
        int(
            hub.one(
                "SELECT count(DISTINCT t.contact_id) FROM touch t JOIN contact_identifier c ON c.contact_id = t.contact_id"
                " JOIN identifier i ON i.id = c.identifier_id WHERE t.source_id = %s AND i.value LIKE '+7916%%'",
                source.id,
            )
        )
        for source in sources
    ]


def mobile(place: int) -> str:
    return f"+7 916 555-{place:02d}-37"


@pytest.mark.parametrize("place", range(len(CASES)), ids=[" then ".join(order) for order, _ in CASES])
def test_names_from_one_number_are_as_many_people_as_they_name(contacts: Sequence[int], place: int) -> None:
    assert contacts[place] == CASES[place][1]


def test_every_number_of_a_field_leads_back_to_who_left_it(hub: CaseHub) -> None:
    source = hub.add()
    for name, phone in [
        ("Анна Орлова", "8 992 835-99-68, tel: 89311572525"),
        ("Анна", "+7 931 157-25-25"),
        ("Анна", "9928359968"),
    ]:
        hub.send(source, urlencode({"name": name, "phone": phone}).encode(), BROWSER)
        hub.drain()
    assert [key["value"] for key in hub.keys(source, "phone")] == ["+79928359968", "+79311572525"]
    assert len({touch["contact_id"] for touch in hub.touches(source)}) == 1
