"""Every button of the console, as the address table has them: pressed only from our own page, and no field breaks a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from werkzeug.routing import Rule

from webhooks import console
from webhooks.app import create_app

if TYPE_CHECKING:
    from conftest import Hub, Visitor

#: Tables that no refused press may change; signing in writes its own before.
_WATCHED = ("lead", "contact", "touch", "activity", "inbound_event", "source", "source_token", "source_mapping", "source_alert",
            "owner", "absence", "app_user", "api_token", "sign_in_link", "audit_entry", "assignment", "tombstone")  # fmt: skip
#: Buttons over oneself, which every role may press.
_OWN = {f"console.{name}" for name in ("change_password", "set_first_password", "end_session", "sign_out_everywhere", "sign_out")}
#: Names that any page reads out of an address or a form.
_READS = re.compile(r'(?:entered|chosen|_version|\.get|getlist)\(\s*"(\w+)"')
_HOSTILE = (
    "a\x00b",
    "9" * 30,
    "9223372036854775808",
    "²",
    "[1]",
    "0001-01-01",
    "9999-12-31",
    "9999-12-31T23:59",
)


@pytest.fixture
def hub_with_rows(hub: Hub) -> Hub:
    """A lead, something set aside, something unreadable, and an alert, so that most buttons have a row to press on."""
    hub.send(b'{"name": "Petr Owned", "phone": "+79123456701", "message": "windows"}')
    hub.send(b'{"name": "Robot", "phone": "+79123456702", "_gotcha": "x"}')
    hub.send(b"\x00\x01\x02\x03")
    assert hub.rows("SELECT outcome FROM inbound_event ORDER BY id") == [("created",), ("spam",), (None,)]
    hub.rows(
        "INSERT INTO source_alert (source_id, code, subject) VALUES (:id, 'new_field', 'city') RETURNING id",
        id=hub.source_id,
    )
    hub.rows(
        "INSERT INTO mention (lead_id, owner_id, author, text) SELECT min(id), :owner, 'user:1', 'Ring them' FROM lead RETURNING id",
        owner=hub.owner_id,
    )
    return hub


def _rules(hub: Hub, method: str) -> Iterator[Rule]:
    for rule in create_app(hub.config).url_map.iter_rules():
        if rule.endpoint.startswith("console.") and method in (rule.methods or ()) and rule.endpoint != "console.static_file":
            yield rule


def _address(hub: Hub, rule: Rule, event_id: str = "") -> str:
    known = {
        "event_id": event_id or hub.rows("SELECT uid FROM inbound_event ORDER BY id DESC")[0][0],
        "connector": "generic_form", "token": "invented", "rest": "nonsense",
        "source_id": hub.source_id, "owner_id": hub.owner_id, "user_id": hub.user_ids["ops"], "lead_id": hub.rows("SELECT min(id) FROM lead")[0][0],
        "contact_id": hub.rows("SELECT min(id) FROM contact")[0][0], "alert_id": hub.rows("SELECT min(id) FROM source_alert")[0][0],
        "mention_id": hub.rows("SELECT min(id) FROM mention")[0][0],
    }  # fmt: skip
    return re.sub(r"<[^>]*?(\w+)>", lambda part: str(known.get(part[1], 1)), rule.rule)


def _state(hub: Hub) -> list[object]:
    with hub.engine.begin() as connection:
        return [
            connection.execute(
                text(f"SELECT coalesce(sum(hashtextextended(t::text, 0)::numeric), 0), count(*) FROM {name} t")
            ).one()
            for name in _WATCHED
        ]


def _values(said: str) -> dict[str, str]:
    """What a press would need to go through on most buttons."""
    return {
        "text": said, "why": said, "name": said, "sure": "yes", "state": "lost", "act": "save", "alias": "formspree:xyzabcde",
        "locale": "ru", "active": "no", "until": "2030-01-01T10:00", "email": "nobody@example.com", "version": "1", "owner": "1",
    }  # fmt: skip


def test_no_button_works_from_elsewhere_whoever_is_signed_in(hub_with_rows: Hub) -> None:
    hub = hub_with_rows
    victim, other = hub.signed_in("admin"), hub.signed_in("admin")
    stranger = hub.new_visitor()
    stranger.get("/console/sign-in")
    assert len({victim.token, other.token, stranger.token}) == 3
    here = hub.config.base_url
    ways: list[tuple[str, str | None, dict[str, str]]] = [
        ("no token", None, {}),
        ("no token, own origin", None, {"Origin": here}),
        ("empty token", "", {}),
        ("token of another session of the same person", other.token, {}),
        ("token from before signing in", stranger.token, {}),
        ("foreign origin", victim.token, {"Origin": "https://evil.example"}),
        ("our host as the beginning of another", victim.token, {"Origin": here + ".evil.example"}),
        ("our host as a name before the at sign", victim.token, {"Origin": "http://localhost@evil.example"}),
        ("no origin to tell", victim.token, {"Origin": "null"}),
        ("another site, by the browser's word", victim.token, {"Sec-Fetch-Site": "cross-site"}),
        ("a sister domain, by the browser's word", victim.token, {"Sec-Fetch-Site": "same-site"}),
    ]
    before = _state(hub)
    pressed = 0
    for rule in _rules(hub, "POST"):
        address = _address(hub, rule)
        for way, token, headers in ways:
            fields = _values("intruder") | ({} if token is None else {"form_token": token})
            answer = victim.client.post(address, data=fields, headers=headers)
            assert (answer.status_code, rule.endpoint, way) == (403, rule.endpoint, way)
            pressed += 1
    assert pressed >= 30 * len(ways)
    assert _state(hub) == before
    assert victim.get("/console/leads").status_code == 200  # still signed in, in the same language
    assert 'lang="en"' in victim.get("/console/leads").text


def test_token_in_the_address_is_none(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    answer = admin.client.post(f"/console/owners?form_token={admin.token}", data={"name": "Intruder"})
    assert answer.status_code == 403


def test_reader_changes_nothing_whatever_he_presses(hub_with_rows: Hub) -> None:
    hub = hub_with_rows
    reader = hub.signed_in("readonly")
    before = _state(hub)
    answers = {
        rule.endpoint: reader.post(_address(hub, rule), **_values("mine")).status_code
        for rule in _rules(hub, "POST")
        if rule.endpoint not in {"console.language", "console.sign_in", "console.link"} | _OWN
    }
    assert {name for name, status in answers.items() if status != 403} == {"console.nowhere"}
    assert _state(hub) == before


def _names() -> list[str]:
    places = Path(console.__file__).parent.rglob("*.py")
    found = {name for place in places for name in _READS.findall(place.read_text(encoding="utf-8"))}
    assert {"event", "state", "source", "version", "why"} <= found
    return sorted(found - {"form_token"} | {"q", "state", "source", "day", "from", "to", "shelf", "cursor", "event"})


@pytest.mark.parametrize("value", _HOSTILE, ids=ascii)
def test_no_field_of_any_page_breaks_it(hub_with_rows: Hub, value: str) -> None:
    hub = hub_with_rows
    admin, names = hub.signed_in("admin"), _names()
    alone = [{name: value} for name in ("q", "state", "source", "day", "from", "to", "cursor", "event")]
    together = dict.fromkeys(names, value)
    broken = [
        ("GET", rule.rule, asked)
        for rule in _rules(hub, "GET")
        for address in [_address(hub, rule)]
        for asked in (together, *alone)
        if admin.client.get(address, query_string=asked).status_code >= 500
    ]
    broken += [
        ("POST", rule.rule, together)
        for rule in _rules(hub, "POST")
        if rule.endpoint not in {"console.sign_in", "console.link"} | _OWN
        and admin.client.post(_address(hub, rule), data=together | {"form_token": admin.token}).status_code >= 500
    ]
    assert broken == []


@pytest.mark.parametrize("event_id", ["%00", "0" * 32 + "%00", "%ED%A0%80", "a%0d%0ab", "x" * 3000])
def test_no_name_of_an_event_breaks_a_page(hub_with_rows: Hub, event_id: str) -> None:
    admin = hub_with_rows.signed_in("admin")
    answers = {}
    for method in ("GET", "POST"):
        for rule in _rules(hub_with_rows, method):
            if "event_id" in rule.arguments:
                answers[method, rule.endpoint] = _pressed(admin, method, _address(hub_with_rows, rule, event_id))
    assert set(answers.values()) == {404}


def _pressed(visitor: Visitor, method: str, path: str) -> int:
    return (visitor.get(path) if method == "GET" else visitor.post(path, why="a test")).status_code
