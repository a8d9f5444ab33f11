"""Messages to colleagues on pages: left on a lead's card, counted in the navigation, read by a button."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Hub


@pytest.mark.parametrize(
    ("locale", "waits", "nobodys"), [("en", "1 message waits", "a colleague"), ("ru", "1 сообщение ждёт", "ведёт коллега")]
)
def test_message_is_left_on_a_card_and_read_by_the_colleague(hub: Hub, locale: str, waits: str, nobodys: str) -> None:
    hub.send(b'{"name": "Petr", "phone": "+79123456701", "message": "windows"}')
    admin = hub.signed_in("admin")
    hub.rows("UPDATE app_user SET locale = :locale RETURNING id", locale=locale)
    [(lead,)] = hub.rows("SELECT min(id) FROM lead ")
    [(mine,)] = hub.rows("SELECT owner_id FROM app_user WHERE id = :id", id=hub.user_ids["manager"])
    hub.rows(
        "WITH boris AS (INSERT INTO owner (name) VALUES ('Boris') RETURNING id) UPDATE lead SET owner_id = boris.id FROM boris RETURNING lead.id"
    )
    card = admin.get(f"/console/leads/{lead}").text
    assert f'action="/console/leads/{lead}/mentions"' in card
    assert admin.post(f"/console/leads/{lead}/mentions", to=str(mine), text="Прошу <b>перезвонить</b>").status_code == 303
    assert "Прошу &lt;b&gt;перезвонить&lt;/b&gt;" in admin.get(f"/console/leads/{lead}").text
    manager = hub.signed_in("manager")
    page = manager.get("/console/mentions?state=unread").text
    assert waits in page
    assert nobodys in page.replace("&#39;", "'")
    assert "Прошу &lt;b&gt;перезвонить&lt;/b&gt;" in page
    [read] = re.findall(r'action="(/console/mentions/\d+/read)"', page)
    assert manager.post(read).status_code == 303
    assert waits not in manager.get("/console/mentions").text
    assert "перезвонить" not in manager.get("/console/mentions?state=unread").text


def test_nonsense_is_refused_in_words(hub: Hub) -> None:
    hub.send(b'{"name": "Petr", "phone": "+79123456701", "message": "windows"}')
    admin = hub.signed_in("admin")
    [(lead,)] = hub.rows("SELECT min(id) FROM lead")
    for fields, code in (
        ({"to": "x", "text": "a"}, "filter"),
        ({"to": "1", "text": " "}, "mention_length"),
        ({"to": "99999", "text": "a"}, "owner_unknown"),
    ):
        answer = admin.post(f"/console/leads/{lead}/mentions", **fields)
        assert (answer.status_code, f'data-code="{code}"' in answer.text) == (422, True)
    assert admin.post("/console/mentions/99999/read").status_code == 404
    assert hub.rows("SELECT 1 FROM mention") == []
