"""LinkedIn's responses from announcement to lead, its challenge, and a withdrawal."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from desk import Desk
from door_client import call, open_door
from outbound_servers import Asked, Peer, peer, say
from sqlalchemy import Engine

from connectors.forms import linkedin
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.fetch import backfill
from ingest.fetch.backfill import run_next
from ingest.processing.process import drain
from ingest.sources.sources import add_source

SECRET, TOKEN, OWNER = "secret", "token-of-an-account", "urn:li:sponsoredAccount:522529623"
SAMPLE = json.loads((Path(linkedin.__file__).parent / "samples" / "lead__from_notice" / "request.json").read_text())
RESPONSE = SAMPLE["json"]["lead"]


class Service:
    """What answers in LinkedIn's place. `status` other than 200 answers everything."""

    def __init__(self) -> None:
        self.status = 200
        self.page = 1
        self.responses = {"5f0c-4": RESPONSE}

    def answer(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        if self.status != 200:
            return say(handler, b"{}", self.status)
        assert asked.headers["authorization"] == f"Bearer {TOKEN}"
        assert asked.headers["x-restli-protocol-version"] == "2.0.0"
        assert asked.headers["linkedin-version"].isdecimal()
        parts = urlsplit(asked.path)
        if parts.path.endswith("/leadFormResponses"):
            return self._list(handler, parse_qs(parts.query))
        found = self.responses.get(unquote(parts.path.rpartition("/")[2]))
        return say(handler, json.dumps(found or {}).encode(), 200 if found else 404)

    def _list(self, handler: BaseHTTPRequestHandler, query: dict[str, list[str]]) -> None:
        assert query["owner"] == [f"(sponsoredAccount:{OWNER})"]
        rows, start = list(self.responses.values()), int(query["start"][0])
        links: list[dict[str, Any]] = []
        if start + self.page < len(rows):
            period = query["submittedAtTimeRange"][0]
            links = [{"rel": "next", "href": f"/rest/leadFormResponses?start={start + self.page}&submittedAtTimeRange={period}"}]
        page = {"elements": rows[start : start + self.page], "paging": {"start": start, "links": links}}
        say(handler, json.dumps(page).encode())


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[Peer]:
    with peer(service.answer) as made:
        yield made


@pytest.fixture
def desk(config: HubConfig, engine: Engine, server: Peer) -> Iterator[Desk]:
    made = Desk(replace(config, outbound_allow=("127.0.0.1",)), engine)
    settings = {"client_secret": SECRET, "access_token": TOKEN, "owner": OWNER, "api_url": f"{server.url}/rest"}
    with engine.begin() as connection:
        made.form_source = add_source(connection, HUB, config, "linkedin", "LinkedIn", settings).id
    yield made
    made.close()


def notice(desk: Desk, action: str, response: str = "5f0c-4") -> str:
    value = {
        "type": "LEAD_ACTION", "leadGenFormResponse": f"urn:li:leadGenFormResponse:{response}", "leadAction": action,
        "leadType": "SPONSORED", "occurredAt": 1764059354000,
    }  # fmt: skip
    body = json.dumps(value).encode()
    signature = hmac.new(SECRET.encode(), b"hmacsha256=" + body, hashlib.sha256).hexdigest()
    return desk.post(desk.form_source, "form", body, {"x-li-signature": signature})


def test_challenge_is_answered_when_linkedin_asks(config: HubConfig) -> None:
    with open_door(config) as door:
        source = door.add("linkedin", {"client_secret": SECRET, "access_token": TOKEN})
        code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
        heard = call(door.entrance, "GET", f"/in/{source.token}", query=f"challengeCode={code}&applicationId=1")
        assert (heard.status, heard.headers["content-type"]) == (200, "application/json")
        assert heard.json() == {
            "challengeCode": code,
            "challengeResponse": "9585d359e64d6a2013e0cf377f702b7141313246286c6891f22e3bfcc3938f65",
        }
        assert door.rows() == []


def test_lead_is_made_when_a_response_was_announced(desk: Desk) -> None:
    uid = notice(desk, "CREATED")
    drain(None, desk.config, "form", 60)
    assert desk.event(uid)["reason"]["code"] == "fetched"
    [lead] = desk.rows("SELECT l.*, c.name FROM lead l JOIN contact c ON c.id = l.contact_id")
    assert (lead["name"], lead["form_name"]) == ("Jane Doe", "Ask for an offer")
    assert lead["fields"]["Which colours?"] == ["Red", "Blue"]


def test_withdrawal_waits_for_a_person_when_it_is_announced(desk: Desk, server: Peer) -> None:
    uid = notice(desk, "DELETED")
    drain(None, desk.config, "form", 60)
    event = desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("needs_attention", "erasure_asked")
    assert "5f0c-4" in event["error"]["message"]
    assert "erase" in event["error"]["message"]
    assert server.asked == []


@pytest.mark.parametrize(
    ("status", "state", "code", "alert"),
    [(401, "waiting", "token_expired", "token_expired"), (403, "waiting", "source_broken", "source_broken"),
     (426, "waiting", "source_broken", "source_broken"), (429, "waiting", "linkedin_busy", None),
     (500, "waiting", "linkedin_busy", None), (404, "needs_attention", "lead_gone", None)],
)  # fmt: skip
def test_answer_means_what_it_says_when_linkedin_refuses(
    desk: Desk, service: Service, status: int, state: str, code: str, alert: str | None
) -> None:
    service.status = status
    uid = notice(desk, "CREATED")
    drain(None, desk.config, "form", 60)
    event = desk.event(uid)
    assert (event["state"], event["error"]["code"]) == (state, code)
    assert [row["code"] for row in desk.rows("SELECT code FROM source_alert")] == ([alert] if alert else [])


def test_missed_responses_appear_when_the_owner_is_looked_through(desk: Desk, service: Service, server: Peer) -> None:
    service.responses |= {f"5f0c-{n}": RESPONSE | {"id": f"5f0c-{n}"} for n in (5, 6)}
    notice(desk, "CREATED")
    drain(None, desk.config, "form", 60)
    looked = run_next(desk.config)
    assert looked is not None
    assert (looked.listed, looked.added, looked.error) == (3, 2, "")
    drain(None, desk.config, "form", 60)
    assert desk.one("SELECT count(*) FROM inbound_event WHERE method = 'FETCH' AND state = 'done'") == 3


def test_no_response_is_passed_over_when_others_are_withdrawn_between_two_pages(
    desk: Desk, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LinkedIn counts places from the beginning: whoever withdraws moves all that are behind."""
    monkeypatch.setattr(backfill, "MOST_PAGES", 1)
    service.page = 10
    service.responses = {f"r-{n:02}": RESPONSE | {"id": f"r-{n:02}"} for n in range(30)}
    looked = run_next(desk.config)
    assert looked is not None
    assert not looked.is_whole
    for n in range(4):
        del service.responses[f"r-{n:02}"]
    while not looked.is_whole:
        desk.rows("UPDATE source_poll SET next_at = clock_timestamp() RETURNING 1")
        looked = run_next(desk.config)
        assert looked is not None
        assert looked.error == ""
    keys = {row["provider_key"] for row in desk.rows("SELECT provider_key FROM inbound_event")}
    assert keys == {f"lead|r-{n:02}" for n in range(30)}
