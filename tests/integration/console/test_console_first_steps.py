"""The first contact: an empty hub leads on, the printed line makes a lead without a sign of spam, and pages agree on its owner."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from ingest.processing.process import drain
from ingest.sources.bootstrap import _curl
from leadhub.demo.play import Played
from webhooks.console.sources.snippets import curl_line

if TYPE_CHECKING:
    from conftest import Hub


def _steps(page: str) -> list[tuple[bool, bool]]:
    """(is done, is the one to take now) of each step."""
    return [
        ("step-mark done" in one, 'aria-current="step"' in one)
        for one in re.findall(r"<li.*?</li>", page.split('id="first-steps"')[1])
    ]


def test_empty_hub_leads_on_from_people_to_the_first_lead(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    hub.rows("UPDATE owner SET active = false WHERE NOT duty RETURNING id")
    page = admin.get("/console/leads").text
    assert _steps(page)[:3] == [(False, True), (False, False), (False, False)]
    assert page.count("button primary") == 1
    hub.rows("UPDATE owner SET active = true RETURNING id")
    page = admin.get("/console/leads").text
    assert _steps(page)[:3] == [(True, False), (False, True), (False, False)]
    assert f'href="/console/sources/{hub.source_id}/connect"' in page
    hub.send(b'{"name": "A test", "phone": "+7 912 345-67-01", "_test": "1"}')
    assert _steps(admin.get("/console/leads").text)[:3] == [(True, False), (True, False), (False, True)]
    hub.send(b'{"name": "Anna Sidorova", "phone": "+7 912 345-67-01"}')
    assert "first-steps" not in admin.get("/console/leads").text
    assert "first-steps" not in hub.signed_in("manager").get("/console/leads").text


@pytest.mark.parametrize("printed_by", ["the first start", "the source's page"])
def test_printed_line_makes_a_lead_without_a_sign_of_spam(hub: Hub, printed_by: str) -> None:
    from datetime import UTC, datetime

    line = _curl(hub.url) if printed_by == "the first start" else curl_line(hub.url, "generic_form", datetime.now(UTC))
    words = shlex.split(line)
    fields = [words[n + 1].split("=", 1) for n, word in enumerate(words) if word in ("-d", "--data-urlencode")]
    body = urlencode(dict(fields)).encode()
    answer = hub.new_visitor().client.post(
        hub.url[hub.url.index("/in/") :],
        data=body,
        content_type="application/x-www-form-urlencoded",
        headers={"User-Agent": "curl/8.5.0"},
    )
    assert answer.status_code == 200
    drain(None, hub.config, "form")
    assert hub.rows("SELECT e.outcome, l.spam->>'score' FROM inbound_event e JOIN lead l ON l.id = e.lead_id") in (
        [("created", "0")], [("created", None)],
    )  # fmt: skip


def test_contact_says_who_holds_the_lead_while_nobody_owns_the_client(hub: Hub) -> None:
    hub.rows("UPDATE owner SET active = false WHERE NOT duty RETURNING id")
    hub.send(b'{"name": "Anna Sidorova", "phone": "+7 912 345-67-01", "message": "doors"}')
    [(contact_id, owner)] = hub.rows("SELECT l.contact_id, o.name FROM lead l JOIN owner o ON o.id = l.owner_id")
    admin = hub.signed_in("admin")
    assert f"Nobody yet; the lead is held by {owner}" in admin.get(f"/console/contacts/{contact_id}").text
    admin.post("/console/language", locale="ru")
    assert f"Пока никто; лид ведёт {owner}" in admin.get(f"/console/contacts/{contact_id}").text


def test_figures_of_the_demo_add_up_in_words() -> None:
    played = Played("Demo website", 200, 192, 8)
    assert played.sent == played.received + played.redelivered
    assert (
        played.words
        == "Demo website: 200 sent = 192 received + 8 sent a second time under the same key, which are the same events."
    )
    assert Played("Demo exchange", 3, 3, 0).words == "Demo exchange: 3 sent = 3 received."
