"""Whatever figure stands in a link, the list behind the link has as many rows, over all of its pages."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urljoin

import orjson
import pytest
from principals import OPERATOR
from sqlalchemy import text

from crm_core.access import HUB
from crm_core.people.commands import add_owner
from ingest.processing.process import drain
from ingest.sources.sources import add_source, set_state
from webhooks.console.shell.routes import ROUTES

#: Roles whose pages have different figures in them.
_ROLES = ("admin", "head", "manager", "ops", "readonly")
_FIGURE = re.compile(r"\d[\d,\u202f]*")


class _Page(HTMLParser):
    """Links with what is visible in them, rows of tables, and the address of the next page."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.rows, self.next, self._in_body, self._hidden = 0, "", False, False
        self._open: tuple[str, list[str]] | None = None
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = dict(attrs)
        if tag == "a":
            self._open = (at.get("href") or "", [])
            if at.get("rel") == "next":
                self.next = at.get("href") or ""
        elif tag == "tbody":
            self._in_body = True
        elif tag == "tr" and self._in_body:
            self.rows += 1
        elif tag == "span" and self._open and (at.get("class") or "") in ("badge", "badge alert", "badge due", "figure"):
            self._open[1].append("\x00")
        self._hidden = tag == "span" and at.get("class") == "visually-hidden"

    def handle_endtag(self, tag: str) -> None:
        self._hidden = False
        if tag == "a" and self._open:
            self.links.append((self._open[0], "".join(self._open[1]).strip()))
            self._open = None
        elif tag == "tbody":
            self._in_body = False

    def handle_data(self, data: str) -> None:
        if self._open and not self._hidden:
            self._open[1].append(data)

    def figures(self) -> list[tuple[str, int]]:
        """Links that are a figure, or hold one that is marked as such."""
        found = []
        for href, said in self.links:
            shown = said.partition("\x00")[2].lstrip("\x00") if "\x00" in said else said
            figure = _FIGURE.match(shown) if "\x00" in said else _FIGURE.fullmatch(shown)
            if figure:
                found.append((href, int(re.sub(r"\D", "", figure[0]))))
        return found


def _length(visitor: Any, href: str) -> int:
    """Rows of the list at this address and of all its further pages."""
    rows = 0
    while href:
        answer = visitor.get(href)
        assert answer.status_code == 200, href
        page = _Page(answer.text)
        rows, href = rows + page.rows, urljoin(href, page.next) if page.next else ""
    return rows


@pytest.fixture
def busy(hub: Any) -> Any:
    """A hub with something in every state, more than a page of what pages are made of."""
    for n in range(4):
        hub.send(orjson.dumps({"name": f"Person {n}", "email": f"p{n}@example.com", "message": "A door"}))
    hub.send(orjson.dumps({"name": "Person 1", "email": "p1@example.com", "message": "And a window"}))
    for n in range(3):
        hub.send(orjson.dumps({"name": f"Robot {n}", "phone": f"+7912345670{n}", "message": "x", "_gotcha": "filled"}))
    hub.send(orjson.dumps({"name": "Robot", "phone": "+79123456709", "_gotcha": "filled",
                           "message": "See https://b.example.top for casino bonus, free spins, viagra and cialis"}))  # fmt: skip
    with hub.engine.begin() as connection:
        add_owner(connection, HUB, "Anna Sidorova", extension="102")  # whose leads the manager does not see
        other = add_source(connection, HUB, hub.config, "generic_form", "Second site", {})
    door = hub.new_visitor().client
    for n in range(53):
        door.post(hub.url[hub.url.index("/in/") :], data={"name": f"N{n}", "email": f"n{n}@example.org", "message": "x"})
    drain(None, hub.config, "form")
    for n in range(2):
        door.post(other.url[other.url.index("/in/") :], data={"name": f"W{n}", "email": f"w{n}@example.org"})
    with hub.engine.begin() as connection:
        set_state(connection, OPERATOR, other.id, "paused")
        new = "SELECT id FROM inbound_event WHERE outcome = 'created' ORDER BY id DESC LIMIT 9"
        for part, change in (
            ("LIMIT 3", "state = 'needs_attention', outcome = NULL, lead_id = NULL, error = '{\"code\": \"connector_failed\"}'"),
            ("OFFSET 3 LIMIT 3", "state = 'rejected', outcome = NULL, lead_id = NULL, error = '{\"code\": \"not_authentic\"}'"),
            ("OFFSET 6 LIMIT 1", "state = 'working', outcome = NULL, lead_id = NULL"),
        ):
            connection.execute(text(f"UPDATE inbound_event SET {change} WHERE id IN (SELECT id FROM ({new}) n {part})"))
        connection.execute(text("UPDATE inbound_event SET verdict = '{\"spam\": \"spam\"}' WHERE id = (SELECT min(id) FROM"
                                " inbound_event WHERE outcome = 'spam')"))  # fmt: skip
        connection.execute(text("UPDATE inbound_event SET received_at = received_at - interval '10 days' WHERE id ="
                                " (SELECT max(id) FROM inbound_event WHERE outcome = 'spam')"))  # fmt: skip
        connection.execute(
            text("INSERT INTO activity (kind, phone, due_at, owner_id) SELECT 'call_back', 'p' || n, now(), CASE WHEN n < 54"
                 " THEN CAST(:owner AS bigint) END FROM generate_series(1, 57) n"),
            {"owner": hub.owner_id},
        )  # fmt: skip
        connection.execute(text("INSERT INTO source_alert (source_id, code, subject) VALUES (:id, 'new_field', 'city')"),
                           {"id": hub.source_id})  # fmt: skip
    return hub


@pytest.mark.parametrize("role", _ROLES)
def test_figure_in_a_link_is_the_length_of_its_list(busy: Any, role: str) -> None:
    visitor = busy.signed_in(role)
    pages = [f"/console{route.rule}" for route in ROUTES if route.method == "GET" and "<" not in route.rule and route.permission]
    pages += [f"/console/sources/{busy.source_id}", f"/console/quarantine?source={busy.source_id}",
              f"/console/events?source={busy.source_id}", "/console/ledger"]  # fmt: skip
    lengths: dict[str, int] = {}
    seen = 0
    for address in pages:
        answer = visitor.get(address)
        if answer.status_code in (302, 403):  # onwards, or not for this role
            continue
        assert answer.status_code in (200, 422), address  # 422: a page of something that must be named
        for href, figure in _Page(answer.text).figures():
            where = urljoin(address, href)
            if where not in lengths:
                lengths[where] = _length(visitor, where)
            assert lengths[where] == figure, f"{address}: {figure} leads to {lengths[where]} rows at {where}"
            seen += 1
    assert seen > (3 if role == "manager" else 40)


def test_bar_is_not_green_above_a_red_figure(busy: Any) -> None:
    page = busy.signed_in("admin").get("/console/queues").text
    assert "tile bad" in page
    assert 'class="notice good"' not in page


def test_replay_that_would_change_nothing_is_not_offered(busy: Any) -> None:
    admin = busy.signed_in("admin")
    with busy.engine.begin() as connection:
        connection.execute(text("UPDATE inbound_event SET body = decode('0001fffe', 'hex'), headers = '{}' WHERE state ="
                                " 'needs_attention'"))  # fmt: skip
    stuck = admin.get("/console/events/replay?state=needs_attention").text
    assert "A replay would change nothing." in stuck
    assert 'action="/console/events/replay"' not in stuck
    both = admin.get("/console/events/replay?state=attention").text
    assert "Replay: 3 of 6 will change" in both
    [(done,)] = busy.rows("SELECT uid FROM inbound_event WHERE outcome = 'created' ORDER BY id LIMIT 1")
    assert 'action="/console/events/replay"' not in admin.get(f"/console/events/replay?event={done}").text
