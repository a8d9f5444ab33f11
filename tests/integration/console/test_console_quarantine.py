"""The quarantine's page and the alerts' table, as each role sees and uses them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from ingest.alerts.alerts import raise_alert
from ingest.processing.process import drain

if TYPE_CHECKING:
    from conftest import Hub

SPAM = b'{"name": "Inna & Co", "phone": "+79123456791", "message": "call me", "_gotcha": "x"}'


def uid_of(hub: Hub) -> str:
    [(uid,)] = hub.rows("SELECT uid FROM inbound_event WHERE outcome = 'spam' ORDER BY id DESC LIMIT 1")
    return str(uid)


@pytest.mark.parametrize("role", ["admin", "head", "ops"])
def test_page_when_something_is_set_aside_releases_it_once(hub: Hub, role: str) -> None:
    hub.send(SPAM)
    visitor = hub.signed_in(role)
    page = visitor.get("/console/quarantine").text
    assert "Inna &amp; Co" in page
    assert "A hidden field was filled in (_gotcha): +4" in page
    assert "1 inquiry set aside in the last 30 days" in page
    uid = uid_of(hub)
    assert visitor.post("/console/quarantine/release", event=uid).headers["Location"].endswith("done=released")
    again = visitor.post("/console/quarantine/release", event=uid)
    assert (again.status_code, 'data-code="nothing_to_judge"' in again.text) == (409, True)
    drain(None, hub.config, "form")
    [(outcome,)] = hub.rows("SELECT outcome FROM inbound_event WHERE uid = :uid", uid=uid)
    assert outcome == "created"
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    assert "Released by a person" in visitor.get(f"/console/leads/{lead_id}").text
    assert "Nothing is set aside" in visitor.get("/console/quarantine").text


def test_page_when_the_reader_may_not_judge_has_no_buttons(hub: Hub) -> None:
    hub.send(SPAM)
    reader = hub.signed_in("readonly")
    page = reader.get("/console/quarantine").text
    assert "Inna" in page
    assert "quarantine/release" not in page
    assert "quarantine/release" not in reader.get(f"/console/events/{uid_of(hub)}").text
    assert hub.signed_in("manager").get("/console/quarantine").status_code == 403


def test_event_when_set_aside_says_why_and_offers_both(hub: Hub) -> None:
    hub.send(SPAM)
    uid = uid_of(hub)
    visitor = hub.signed_in("ops")
    page = visitor.get(f"/console/events/{uid}").text
    assert "Set aside as spam with 4 points." in page
    assert "quarantine/release" in page
    assert "quarantine/confirm" in page
    assert visitor.post("/console/quarantine/confirm", event=uid, at="event").headers["Location"].endswith("done=confirmed_spam")
    assert "Inna" in visitor.get("/console/quarantine?shelf=confirmed").text
    assert "Inna" not in visitor.get("/console/quarantine").text


def test_page_when_the_filter_is_nonsense(hub: Hub) -> None:
    visitor = hub.signed_in("admin")
    assert visitor.get("/console/quarantine?shelf=attic").status_code == 422
    assert visitor.get("/console/quarantine?source=abc").status_code == 422
    assert visitor.post("/console/quarantine/release", event="../x").status_code == 422
    assert visitor.post("/console/quarantine/release", alert="x").status_code == 422


def test_page_in_russian_speaks_russian(hub: Hub) -> None:
    hub.send(SPAM)
    visitor = hub.signed_in("admin")
    visitor.post("/console/language", locale="ru", next="/console/quarantine")
    page = visitor.get("/console/quarantine").text
    assert "Карантин" in page
    assert "Заполнено скрытое поле (_gotcha): +4" in page


def test_queues_when_an_alert_is_open_shows_and_resolves_it(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        raise_alert(connection, hub.source_id, "new_field", "budget")
        raise_alert(connection, hub.source_id, "token_expired")
    visitor = hub.signed_in("head")
    page = visitor.get("/console/queues").text
    assert "The form sends a field that nobody has mapped: budget" in page
    assert ": the provider no longer accepts the hub’s key." in page
    for address in set(re.findall(r'action="(/console/alerts/\d+/resolve)"', page)):
        assert visitor.post(address).status_code == 303
    page = visitor.get("/console/queues").text
    assert "budget" not in page
    assert hub.rows("SELECT DISTINCT resolved_by LIKE 'user:%' FROM source_alert") == [(True,)]
    assert "resolve" not in hub.signed_in("readonly").get("/console/queues").text


def test_queues_when_a_proxy_is_unknown_names_the_setting(hub: Hub) -> None:
    path = hub.url[hub.url.index("/in/") :]
    client = hub.new_visitor().client
    sent = client.post(
        path, data={"name": "Ivan"}, headers={"X-Forwarded-For": "203.0.113.7"}, environ_base={"REMOTE_ADDR": "172.18.0.2"}
    )
    assert sent.status_code == 200
    page = hub.signed_in("readonly").get("/console/queues").text
    assert "172.18.0.2" in page
    assert "LEADHUB_TRUSTED_PROXIES=1" in page


def test_event_when_held_for_consent_can_be_accepted(hub: Hub) -> None:
    hub.rows("""UPDATE source SET config = '{"consent_unknown": "hold"}' WHERE id = :id RETURNING id""", id=hub.source_id)
    hub.send(b'{"name": "Vera", "phone": "+79123456792"}')
    [(uid,)] = hub.rows("SELECT uid FROM inbound_event WHERE state = 'needs_attention' ORDER BY id DESC LIMIT 1")
    visitor = hub.signed_in("head")
    assert "Accept the inquiry" in visitor.get(f"/console/events/{uid}").text
    assert visitor.post(f"/console/events/{uid}/accept-consent").status_code == 303
    drain(None, hub.config, "form")
    assert hub.rows("SELECT outcome FROM inbound_event WHERE uid = :uid", uid=uid) == [("created",)]
