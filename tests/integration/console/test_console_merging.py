"""The pages that say who is one person: the queue of pairs, a merge from the card, and taking it back."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import Hub

_TWO = (
    '{"name": "Мария Иванова", "phone": "+79123456701", "company": "Окна", "message": "первое"}',
    '{"name": "Мария И.", "email": "maria@example.com", "message": "второе"}',
)


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_two_are_merged_from_the_card_after_a_look_and_taken_apart_again(hub: Hub, locale: str) -> None:
    for body in _TWO:
        hub.send(body.encode())
    head = hub.signed_in("head")
    hub.rows("UPDATE app_user SET locale = :locale RETURNING id", locale=locale)
    (one,), (other,) = hub.rows("SELECT id FROM contact ORDER BY id")
    assert f'href="/console/contacts/{one}/merge"' in head.get(f"/console/contacts/{one}").text
    found = head.get(f"/console/contacts/{one}/merge?q=maria").text
    assert f"/console/contacts/{one}/merge?with={other}" in found
    seen = head.get(f"/console/contacts/{one}/merge?with={other}")
    assert seen.status_code == 200
    assert "maria@example.com" in seen.text
    assert "Окна" in seen.text
    assert head.post(f"/console/contacts/{one}/merge", loser=str(other), why="голос").status_code == 303
    card = head.get(f"/console/contacts/{one}/merge").text
    [undo] = re.findall(r'href="(/console/merges/\d+/undo)"', card)
    assert "голос" in card
    assert head.get(undo).status_code == 200
    assert head.post(undo, why="").status_code == 303
    assert hub.rows("SELECT count(*) FROM contact WHERE id = root_id") == [(2,)]
    assert head.get(f"/console/contacts/{one}").status_code == 200


@pytest.mark.parametrize("locale", ["en", "ru"])
def test_a_pair_waits_in_the_queue_and_is_decided_by_a_button(hub: Hub, locale: str) -> None:
    for body in _TWO:
        hub.send(body.encode())
    head = hub.signed_in("head")
    hub.rows("UPDATE app_user SET locale = :locale RETURNING id", locale=locale)
    hub.rows(
        'INSERT INTO suggestion (a_id, b_id, bits, why) SELECT min(id), max(id), 12.5, \'{"rule": "scored", "fields":'
        ' [{"field": "prior", "level": "prior", "bits": -9.1}, {"field": "last", "level": "close", "bits": 21.6}]}\''
        " FROM contact RETURNING id"
    )
    page = head.get("/console/suggestions")
    assert page.status_code == 200
    assert "+21.6" in page.text
    assert 'data-key="s"' in page.text
    [decide] = re.findall(r'action="(/console/suggestions/\d+)"', page.text)
    assert head.post(decide, decision="later").status_code == 303
    assert decide not in head.get("/console/suggestions").text, "until tomorrow"
    assert head.post(decide, decision="different").status_code == 303
    assert hub.rows("SELECT state FROM suggestion") == [("different",)]
    assert hub.rows("SELECT count(*) FROM contact WHERE id = root_id") == [(2,)]


def test_who_may_not_sees_neither_queue_nor_button(hub: Hub) -> None:
    hub.send(_TWO[0].encode())
    [(one,)] = hub.rows("SELECT id FROM contact")
    ops = hub.signed_in("ops")
    assert "/merge" not in ops.get(f"/console/contacts/{one}").text
    assert ops.get("/console/suggestions").status_code in (403, 404)
