"""Deadlines on pages: set by a form, shown beside leads and on their card, explained, and read as figures, in both languages."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from crm_core.access import HUB
from crm_core.deadlines.sweep import look_at_due
from crm_core.people.commands import add_owner

if TYPE_CHECKING:
    from conftest import Hub

PETR = b'{"name": "Petr Okunev", "phone": "+79123456701", "message": "windows"}'


def look(hub: Hub, minutes: float) -> None:
    look_at_due(hub.engine, HUB, datetime.now(UTC) + timedelta(minutes=minutes))


def received(hub: Hub, minutes_ago: float) -> int:
    """The lead of an inquiry that came so long ago."""
    hub.send(PETR)
    hub.rows("UPDATE deadline_policy SET created_at = now() - interval '1 day' RETURNING id")
    at = datetime.now(UTC) - timedelta(minutes=minutes_ago)
    for table, column in (("lead", "received_at"), ("inbound_event", "received_at"), ("deadline", "started_at")):
        hub.rows(f"UPDATE {table} SET {column} = :at RETURNING id", at=at)
    look(hub, 0)
    [(lead,)] = hub.rows("SELECT id FROM lead")
    assert isinstance(lead, int)
    return lead


@pytest.mark.parametrize(
    ("locale", "late", "left", "reached", "answered"),
    [
        ("en", "late 5 min", "min left", "The client was reached", "First answer after"),
        ("ru", "опоздание 5 мин", "осталось", "С клиентом связались", "Первый ответ через"),
    ],
)
def test_wait_is_shown_in_the_list_and_on_the_card_until_somebody_reached_the_client(
    hub: Hub, locale: str, late: str, left: str, reached: str, answered: str
) -> None:
    admin = hub.signed_in("admin")
    hub.rows("UPDATE app_user SET locale = :locale RETURNING id", locale=locale)
    form = {"warn": "10", "breach": "15", "escalate": "", "reassign": "", "hops": "3", "head": "", "source": "", "pool": ""}
    assert admin.post("/console/deadlines", **form).status_code == 303
    lead = received(hub, 20.5)
    assert late in admin.get("/console/leads").text
    assert late in admin.get("/console/leads?deadline=late").text
    assert late not in admin.get("/console/leads?deadline=soon").text
    card = admin.get(f"/console/leads/{lead}").text
    assert late in card
    assert reached in card
    assert admin.post(f"/console/leads/{lead}/reached", means="call", text="They want <b>two</b>").status_code == 303
    # Nobody has looked since: the page knows all the same.
    assert late not in admin.get("/console/leads").text
    assert "Okunev" not in admin.get("/console/leads?deadline=late").text
    look(hub, 0)
    card = admin.get(f"/console/leads/{lead}").text
    assert answered in card
    assert "They want &lt;b&gt;two&lt;/b&gt;" in card
    hub.rows("UPDATE deadline_policy SET breach_minutes = 50, warn_minutes = NULL RETURNING id")
    hub.send(b'{"name": "Olga", "phone": "+79123456702", "message": "doors"}')
    look(hub, 0.01)
    assert left in admin.get("/console/leads?deadline=waiting").text


@pytest.mark.parametrize(
    ("locale", "sentence"),
    [("en", "Ivan Petrov did not answer in time; the pool gave the lead to Vera Kim."),
     ("ru", "Ответа в срок не было, лид был здесь: Ivan Petrov. Группа передала его дальше: Vera Kim.")],
)  # fmt: skip
def test_why_says_that_the_lead_was_taken_from_somebody(hub: Hub, locale: str, sentence: str) -> None:
    admin = hub.signed_in("admin")
    hub.rows("UPDATE app_user SET locale = :locale RETURNING id", locale=locale)
    admin.post("/console/deadlines", breach="15", reassign="15", hops="1")
    hub.send(PETR)
    [(lead,)] = hub.rows("SELECT id FROM lead")
    with hub.engine.begin() as connection:
        add_owner(connection, HUB, "Vera Kim")
    look(hub, 16)
    card = admin.get(f"/console/leads/{lead}").text
    assert sentence in card
    assert ("The time for a first answer was over" if locale == "en" else "Время первого ответа вышло") in card


def test_what_was_typed_stays_when_it_is_refused(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    for fields, code in (
        ({"breach": "soon"}, "minutes_unreadable"),
        ({"breach": ""}, "minutes_unreadable"),
        ({"breach": "15", "warn": "20"}, "warn_after_breach"),
        ({"breach": "15", "hops": "x"}, "hops_out_of_range"),
        ({"breach": "15", "source": "99999"}, "source_unknown"),
        ({"breach": "nan"}, "minutes_unreadable"),
        ({"breach": "1e999"}, "minutes_unreadable"),
    ):
        answer = admin.post("/console/deadlines", **fields)
        assert (answer.status_code, f'data-code="{code}"' in answer.text) == (422, True), (fields, code)
        assert f'value="{fields["breach"]}"' in answer.text
    assert admin.post("/console/deadlines", breach="12,5").status_code == 303
    assert admin.post("/console/deadlines", breach="12.5").status_code == 409
    [(policy, minutes)] = hub.rows("SELECT id, breach_minutes FROM deadline_policy")
    assert minutes == 12.5
    refused = admin.post(f"/console/deadlines/{policy}", breach="15", escalate="1")
    assert refused.status_code == 422
    assert re.search(rf'id="escalate-{policy}"[^>]*value="1"', refused.text)
    assert re.search(r'id="escalate-new"[^>]*value=""', refused.text)
    assert admin.post(f"/console/deadlines/{policy}/remove").status_code == 303
    assert admin.post(f"/console/deadlines/{policy}", breach="15").status_code == 404


def test_figures_go_by_source_person_and_hour_and_only_for_whoever_may(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    admin.post("/console/deadlines", breach="15")
    lead = received(hub, 20.5)
    admin.post(f"/console/leads/{lead}/reached", means="message", text="")
    look(hub, 0)
    for by, name in (("source", "Landing"), ("owner", "Ivan Petrov"), ("hour", ":00")):
        page = admin.get(f"/console/deadlines?by={by}&days=7").text
        report = page[page.index('id="report"') :]
        assert "20 min" in report, by
        assert name in report or by == "source", by
    assert admin.get("/console/deadlines?by=banana&days=banana").status_code == 200
    manager = hub.signed_in("manager")
    assert manager.get("/console/deadlines").status_code == 403
    assert "/console/deadlines" not in manager.get("/console/leads").text
