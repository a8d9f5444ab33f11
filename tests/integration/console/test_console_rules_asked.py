"""A lead's card says which rules were asked, and which of their conditions held."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from crm_core.access import HUB
from crm_core.routing.commands import activate_version, save_version

if TYPE_CHECKING:
    from conftest import Hub


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ("2 rules were asked", "Language is “de” (here: “en”)", "Product contains “&lt;oak&gt;” (not known here)", "Channel is not Form (here: Form)", "Source is ", "does not apply", "applies always")),
        ("ru", ("Спрошено 2 правила", "Язык = «de» (здесь: «en»)", "Товар содержит «&lt;oak&gt;» (здесь неизвестно)", "Канал ≠ Форма (здесь: Форма)", "Источник = ", "не подходит", "подходит всегда")),
    ],
)  # fmt: skip
def test_card_shows_what_held(hub: Hub, locale: str, words: tuple[str, ...]) -> None:
    [(pool,)] = hub.rows("SELECT id FROM pool WHERE is_default")
    [(source, name)] = hub.rows("SELECT id, name FROM source")
    told = {"rules": [
        {"id": "german", "name": "German", "priority": 1, "then": [{"pool": str(pool)}],
         "when": {"all": [{"fact": "language", "op": "eq", "value": "de"}, {"fact": "product", "op": "contains", "value": "<oak>"},
                          {"not": {"fact": "channel", "op": "eq", "value": "form"}}, {"fact": "source", "op": "eq", "value": str(source)}]}},
        {"id": "rest", "name": "Everybody", "priority": 2, "when": {}, "then": [{"pool": str(pool)}]},
    ]}  # fmt: skip
    with hub.engine.begin() as connection:
        version = save_version(connection, HUB, told, ZoneInfo("UTC"))
        activate_version(connection, HUB, version, ZoneInfo("UTC"), datetime.now(UTC))
    hub.send(b'{"name": "Petr", "phone": "+79123456701", "message": "a price for windows please"}')
    admin = hub.signed_in("admin")
    hub.rows("UPDATE app_user SET locale = :locale RETURNING id", locale=locale)
    [(lead,)] = hub.rows("SELECT id FROM lead")
    card = admin.get(f"/console/leads/{lead}").text
    assert [one for one in words if one not in card] == []
    assert f"{words[4]}{name}" in card
