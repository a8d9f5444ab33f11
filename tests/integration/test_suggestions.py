"""The nightly comparison: what it asks people about, how often, and what it never asks again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from factories.contact import make_contact
from principals import user
from sqlalchemy import Engine, text

from crm_core.base.config import HubConfig
from crm_core.merging.commands import decide_suggestion, merge_contacts
from crm_core.merging.suggesting import MOST_A_DAY, MOST_OF_ONE, suggest
from ingest.monitoring.suggestions_upkeep import suggest_nightly

HEAD = user(2, "head")
NOW = datetime(2026, 11, 28, 23, 30, tzinfo=UTC)  # half past two in Moscow


def suggested(engine: Engine) -> list[tuple[int, int]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("SELECT a_id, b_id FROM suggestion ORDER BY id"))]


def strangers(engine: Engine, count: int = 40) -> None:
    with engine.begin() as connection:
        for n in range(count):
            make_contact(connection, f"Человек{chr(1072 + n % 30)}{n} Иван", phone=f"+7495000{n:04d}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ivan.petrov@yandex.ru", "ivan-petrov@yandex.ru"),  # identity case 34
        ("ivan@mail.ru", "ivan+1@mail.ru"),  # 35
        ("ivan@mail.ru", "iv\u0430n@mail.ru"),  # 39
        ("ivan@gmail.com", "ivan@gmail.con"),  # 40
    ],
)
def test_weak_spellings_of_one_mailbox_are_suggested_and_never_joined(engine: Engine, one: str, other: str) -> None:
    with engine.begin() as connection:
        pair = make_contact(connection, "Иван Петров", email=one), make_contact(connection, "Иван", email=other)
        make_contact(connection, "Иван Петров", email="ivan@bk.ru")  # another mailbox
    made = suggest(engine, NOW)
    assert made is not None
    assert suggested(engine) == [pair]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM contact WHERE id <> root_id")) == 0


def test_names_alone_need_a_third_thing(engine: Engine) -> None:
    strangers(engine)
    with engine.begin() as connection:
        make_contact(connection, "Лобачевский Трифон", phone="+79210000001")
        make_contact(connection, "Трифон Лобачевский", email="t@example.com")
        full = [
            make_contact(connection, "Менделеев Аристарх Савельевич", phone="+79210000003"),
            make_contact(connection, "Аристарх Савельевич Менделеев", email="m@example.com"),
        ]
        firm = [
            make_contact(connection, "Вяземский Лука", company="ООО «Ромашка»", phone="+79210000004"),
            make_contact(connection, "Лука Вяземский", company="Ромашка", email="l@example.com"),
        ]
    suggest(engine, NOW)
    assert sorted(suggested(engine)) == [tuple(full), tuple(firm)]


def test_names_that_contradict_each_other_are_never_suggested(engine: Engine) -> None:
    strangers(engine)
    with engine.begin() as connection:
        make_contact(connection, "Пётр Лобачевский", email="pl@mail.ru")
        make_contact(connection, "Анна Лобачевская", email="pl+1@mail.ru")
    suggest(engine, NOW)
    assert suggested(engine) == []


def test_refused_once_is_refused_for_ever_whatever_the_two_were_merged_with(engine: Engine) -> None:  # identity case 60
    with engine.begin() as connection:
        one = make_contact(connection, "Иван Петров", email="ivan.petrov@yandex.ru")
        other = make_contact(connection, "Иван", email="ivan-petrov@yandex.ru")
        third = make_contact(connection, "Иван Петров", phone="+79210000001")
    suggest(engine, NOW)
    with engine.begin() as connection:
        row_id = connection.scalar(text("SELECT id FROM suggestion"))
        decide_suggestion(connection, HEAD, int(row_id or 0), "different", NOW)
        merge_contacts(connection, HEAD, third, one, "", NOW)
    for day in range(1, 4):
        suggest(engine, NOW + timedelta(days=day))
    assert suggested(engine) == [(one, other)]
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT state FROM suggestion")) == "different"


def test_so_many_of_one_contact_and_so_many_a_day(engine: Engine) -> None:
    with engine.begin() as connection:
        for n in range(MOST_OF_ONE + 3):
            make_contact(connection, "Иван", email=f"same+{n}@mail.ru")
        for n in range(MOST_A_DAY + 10):
            make_contact(connection, "Иван", email=f"p{n}@mail.ru")
            make_contact(connection, "Иван", email=f"p{n}+1@mail.ru")
    made = suggest(engine, NOW)
    assert made is not None
    assert made.suggested == MOST_A_DAY
    with engine.connect() as connection:
        most = connection.scalar(
            text(
                "SELECT max(n) FROM (SELECT count(*) AS n FROM suggestion s, unnest(ARRAY[a_id, b_id]) AS one GROUP BY one) of_one"
            )
        )
    assert (most or 0) <= MOST_OF_ONE
    assert suggest(engine, NOW + timedelta(hours=1)).suggested == 0  # type: ignore[union-attr]
    assert suggest(engine, NOW + timedelta(days=1, hours=1)).suggested > 0  # type: ignore[union-attr]


def test_it_runs_once_a_night_and_by_day_where_nights_were_missed(engine: Engine, config: HubConfig) -> None:
    assert suggest_nightly(engine, config, NOW) is not None
    assert suggest_nightly(engine, config, NOW + timedelta(minutes=1)) is None
    assert suggest_nightly(engine, config, NOW + timedelta(hours=14)) is None, "by day"
    assert suggest_nightly(engine, config, NOW + timedelta(days=1)) is not None
    assert suggest_nightly(engine, config, NOW + timedelta(days=1, hours=36)) is None
    assert suggest_nightly(engine, config, NOW + timedelta(days=3, hours=12)) is not None
