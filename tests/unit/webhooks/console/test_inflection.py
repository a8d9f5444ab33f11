"""Names of colleagues in Russian sentences: inflected where that is certain, left alone everywhere else."""

from __future__ import annotations

import pytest

from webhooks.console.shell.inflection import inflected


@pytest.mark.parametrize(
    ("name", "genitive", "instrumental"),
    [
        ("Ольга Соколова", "Ольги Соколовой", "Ольгой Соколовой"),
        ("Соколова Ольга Ивановна", "Соколовой Ольги Ивановны", "Соколовой Ольгой Ивановной"),
        ("Никита Черных", "Никиты Черных", "Никитой Черных"),
        ("Илья", "Ильи", "Ильёй"),
        ("Анна Шевченко", "Анны Шевченко", "Анной Шевченко"),
    ],
)
def test_name_is_inflected_where_its_gender_is_known(name: str, genitive: str, instrumental: str) -> None:
    assert (inflected(name, "gen"), inflected(name, "ins")) == (genitive, instrumental)


@pytest.mark.parametrize(
    "name", ["Саша", "Соколов", "Anna", "Отдел продаж", "ООО Ромашка", "Анна2", "", "Анна-Мария из второго отдела"]
)
def test_name_without_a_certain_gender_is_left_alone(name: str) -> None:
    assert inflected(name, "gen") is None
