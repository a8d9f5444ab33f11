"""Cases 60 to 64 at the door: visitors always see success, everything is stored, and what is set aside comes back once."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from case_hub import BROWSER, FORM, SCRIPT, CaseHub, open_hub
from principals import user

from connectors.kit.forms.config import FormConfig
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict
from ingest.quarantine.alerts import open_alerts
from ingest.quarantine.quarantine import Pick, release
from ingest.screening.challenge import issue
from ingest.sources.sources import NewSource

_FORM = SCRIPT | {"Content-Type": FORM}


@pytest.fixture
def hub(config: HubConfig) -> Iterator[CaseHub]:
    with open_hub(config) as opened:
        yield opened


def form(hub: CaseHub, source: NewSource, remote: str = "198.51.100.7", **fields: str) -> str:
    """The event's id."""
    heard = hub.send(source, urlencode(fields).encode(), _FORM, remote=remote)
    assert (heard.status, heard.json()["ok"]) == (200, True)
    return str(heard.json()["event"])


def test_visitor_whose_browser_filled_the_trap_sees_success_and_is_delivered_once(hub: CaseHub) -> None:  # 60
    source = hub.add()
    fields = {"name": "Anna", "phone": "+7 912 345-67-01", "message": "Перезвоните"}
    somebody = {"name": "Boris", "phone": "+7 900 765-43-21", "message": "Сколько стоит?"}
    person = hub.send(source, urlencode(somebody).encode(), BROWSER)
    trapped = hub.send(source, urlencode(fields | {"_gotcha": "filled in by the browser"}).encode(), BROWSER)
    assert (trapped.status, trapped.body, trapped.headers) == (person.status, person.body, person.headers)
    hub.drain()
    assert hub.ends(source) == ["created", "spam"]
    uid = hub.events(source)[1]["uid"]
    with hub.door.engine.begin() as connection:
        assert release(connection, user(1), Pick((uid,)), datetime.now(UTC)) == 1
    hub.drain()
    with pytest.raises(Conflict, match="none of these is set aside"), hub.door.engine.begin() as connection:  # pressed twice
        release(connection, user(1), Pick((uid,)), datetime.now(UTC))
    assert hub.ends(source) == ["created", "created"]
    assert len(hub.leads(source)) == 2
    assert all(lead["owner_id"] for lead in hub.leads(source))


def test_time_of_the_form_is_judged_and_refuses_nobody(hub: CaseHub) -> None:  # 61
    source = hub.add()
    now = datetime.now(UTC)
    tokens = {
        "too_fast": issue(hub.config, source.id, now - timedelta(seconds=0.5)),
        "token_old": issue(hub.config, source.id, now - timedelta(days=3)),
        "token_forged": issue(replace(hub.config, secret_key="of somebody else" + "0" * 32), source.id, now - timedelta(seconds=30)),
        "": issue(hub.config, source.id, now - timedelta(seconds=30)),
    }  # fmt: skip
    for n, token in enumerate(tokens.values()):
        form(hub, source, f"198.51.100.{n + 1}", name=f"Anna {n}", phone=f"+7 912 345-67-1{n}", _t=token)
    form(hub, source, "198.51.100.9", name="Anna 9", phone="+7 912 345-67-19")  # no token at all
    hub.drain()
    assert hub.ends(source) == ["created"] * 5
    found = [[reason["code"] for reason in lead["spam"]["reasons"]] for lead in hub.leads(source)]
    assert found == [[code] if code else [] for code in tokens] + [[]]


def test_office_that_posts_200_times_a_minute_is_stored_and_told_of_once(hub: CaseHub) -> None:  # 63
    """Settings as a new source has them. What is above the limit waits in the quarantine, and nobody heard of it."""
    source = hub.add()
    limit = FormConfig.model_validate({}).burst_per_minute
    assert 0 < limit < 200
    bodies = [urlencode({"name": f"Anna {n}", "phone": f"+79123450{n:03}"}).encode() for n in range(200)]
    with ThreadPoolExecutor(16) as threads:
        heard = list(threads.map(lambda body: hub.send(source, body, _FORM, remote="198.51.100.63"), bodies))
    assert {answer.status for answer in heard} == {200}
    assert len({answer.json()["event"] for answer in heard}) == 200
    hub.drain()
    ends = hub.ends(source)
    assert (len(ends), set(ends)) == (200, {"created", "spam"})
    assert ends.count("created") == len(hub.leads(source)) == limit
    assert hub.rows("SELECT 1 FROM source WHERE id = %s AND quarantine_until > now()", source.id)
    with hub.door.engine.begin() as connection:
        (alert,) = open_alerts(connection)
    assert (alert.code, alert.data["set_aside"]) == ("burst", 200 - limit)
    aside = [event["uid"] for event in hub.events(source) if event["outcome"] == "spam"]
    with hub.door.engine.begin() as connection:
        assert release(connection, user(1), Pick(tuple(aside)), datetime.now(UTC)) == 200 - limit
    hub.drain()
    assert hub.ends(source) == ["created"] * 200


def test_one_phone_from_fifty_addresses_is_set_aside_as_a_whole_but_for_the_first(hub: CaseHub) -> None:  # 63
    """A victim whom somebody wants to be called by everybody: one lead at most, and none of it is lost."""
    source = hub.add(burst_per_minute=0)
    for n in range(50):
        form(hub, source, f"203.0.113.{n + 1}", name=f"Anna {n}", phone="+79123456763", message=f"Звоните {n}")
    hub.drain()
    events = hub.events(source)
    assert len(events) == 50
    assert {event["outcome"] for event in events} <= {"created", "attached", "repeat", "spam"}
    assert len(hub.leads(source)) <= 2
    held = [
        event["reason"]["reasons"] if event["outcome"] == "spam" else event["reason"].get("spam", {"reasons": []})["reasons"]
        for event in events
    ]
    codes = [{reason["code"] for reason in reasons} for reasons in held]
    assert ["phone_many_ips" in found for found in codes] == [False, False] + [True] * 48


def test_everything_is_taken_in_when_the_broker_is_away_from_the_first_moment(config: HubConfig) -> None:  # 62, 64
    """No broker: nothing is counted, no proof is held against anybody, and the worker finds its work by itself."""
    with open_hub(replace(config, broker_url="redis://127.0.0.1:1/0")) as hub:
        source = hub.add(altcha="expected")
        form(hub, source, name="Anna", phone="+7 912 345-67-64")
        form(hub, source, name="Robot", phone="+7 912 345-67-65", _gotcha="x")
        hub.drain()
        assert hub.ends(source) == ["created", "spam"]
