"""A client and a colleague are kept apart on the client's card, and what is kept of the client is saved as a file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from crm_core.access import HUB
from crm_core.routing.queries import list_excluded_owners

if TYPE_CHECKING:
    from conftest import Hub


def _client(hub: Hub, name: str = "Petr", phone: str = "+79123456701") -> int:
    hub.send(json.dumps({"name": name, "phone": phone, "message": "windows"}).encode())
    [(contact,)] = hub.rows("SELECT id FROM contact WHERE name = :name", name=name)
    return int(contact)


@pytest.mark.parametrize(
    ("locale", "words"), [("en", "They never get this client again."), ("ru", "больше не получит этого клиента")]
)
def test_colleague_is_kept_from_a_client_and_let_again(hub: Hub, locale: str, words: str) -> None:
    contact, other = _client(hub), _client(hub, "Olga", "+79123456702")
    [(boris,)] = hub.rows("INSERT INTO owner (name) VALUES ('Boris') RETURNING id")
    admin = hub.signed_in("admin")
    hub.rows("UPDATE app_user SET locale = :locale RETURNING id", locale=locale)
    done = admin.post(f"/console/contacts/{contact}/excluded-owners", owner=str(boris), why="Поссорились <из-за двери>")
    assert done.status_code == 303
    card = admin.get(done.headers["location"]).text
    assert words in card
    assert "Поссорились &lt;из-за двери&gt;" in card
    assert hub.rows("SELECT contact_id, owner_id FROM owner_exclusion") == [(contact, boris)]
    with hub.engine.begin() as connection:
        [listed] = list_excluded_owners(connection, HUB, contact)
    assert (listed.owner.name, listed.why) == ("Boris", "Поссорились <из-за двери>")
    [choices] = re.findall(r'<select id="apart_owner".*?</select>', card, re.DOTALL)
    assert "Boris" not in choices
    assert "Поссорились" not in admin.get(f"/console/contacts/{other}").text
    assert admin.post(f"/console/contacts/{contact}/excluded-owners/{boris}/allow").status_code == 303
    assert hub.rows("SELECT 1 FROM owner_exclusion") == []


def test_nonsense_is_refused_in_words_and_changes_nothing(hub: Hub) -> None:
    contact, admin = _client(hub), hub.signed_in("admin")
    [(boris,)] = hub.rows("INSERT INTO owner (name) VALUES ('Boris') RETURNING id")
    for fields, code in (
        ({"owner": "x", "why": "a"}, "filter"), ({"owner": str(boris), "why": " "}, "why_missing"), ({"owner": "99999", "why": "a"}, "owner_unknown"),
    ):  # fmt: skip
        answer = admin.post(f"/console/contacts/{contact}/excluded-owners", **fields)
        assert (answer.status_code in (404, 422), f'data-code="{code}"' in answer.text) == (True, True)
    assert admin.post("/console/contacts/99999/excluded-owners", owner=str(boris), why="a").status_code == 404
    assert hub.rows("SELECT 1 FROM owner_exclusion") == []


def test_seller_sees_who_is_kept_apart_and_has_no_button(hub: Hub) -> None:
    contact, admin = _client(hub), hub.signed_in("admin")
    [(boris,)] = hub.rows("INSERT INTO owner (name) VALUES ('Boris') RETURNING id")
    admin.post(f"/console/contacts/{contact}/excluded-owners", owner=str(boris), why="quarrelled")
    hub.rows("UPDATE lead SET owner_id = (SELECT owner_id FROM app_user WHERE id = :id) RETURNING id", id=hub.user_ids["manager"])
    manager = hub.signed_in("manager")
    card = manager.get(f"/console/contacts/{contact}").text
    assert "Boris" in card
    assert "quarrelled" not in card, "a head's words may be about a colleague"
    assert "excluded-owners" not in card
    assert "/export" not in card
    assert manager.post(f"/console/contacts/{contact}/excluded-owners", owner=str(boris), why="a").status_code == 403
    assert manager.post(f"/console/contacts/{contact}/export").status_code == 403


def test_what_is_kept_is_saved_and_who_saved_it_is_recorded(hub: Hub) -> None:
    contact, admin = _client(hub), hub.signed_in("admin")
    _client(hub, "Olga", "+79123456702")
    saved = admin.post(f"/console/contacts/{contact}/export")
    assert (saved.status_code, saved.headers["content-disposition"]) == (200, f'attachment; filename="contact-{contact}.json"')
    assert "+79123456701" in saved.text
    assert "Olga" not in saved.text
    assert json.loads(saved.text)
    assert hub.rows("SELECT count(*) FROM audit_entry WHERE action = 'contact.export'") == [(1,)]
    assert admin.get(f"/console/contacts/{contact}/export").status_code in (404, 405)
