"""Meta's leads from announcement to lead: fetched through the guard, once, whatever Meta does in between."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

import pytest
from desk import Desk
from door_client import open_door
from graph import TOKEN, Graph, graph
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.fetch import fetch
from ingest.fetch.backfill import run_next
from ingest.processing.process import Processor, drain
from ingest.sources.sources import NewSource, add_source, change_settings

SECRET = "app-secret"


@dataclass
class Page:
    """A page with one form, its hub, and the Graph API that the hub asks."""

    desk: Desk
    graph: Graph
    config: HubConfig
    source: NewSource

    def notice(self, *lead_ids: str, secret: str = SECRET) -> str:
        changes = [
            {"field": "leadgen", "value": {"leadgen_id": int(one), "form_id": 12312312312, "ad_id": 77}} for one in lead_ids
        ]
        body = json.dumps({"object": "page", "entry": [{"id": 1, "changes": changes}]}).encode()
        headers = {"x-hub-signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}
        return self.desk.post(self.source.id, "form", body, headers)

    def drain(self) -> None:
        drain(None, self.config, "form", 60)

    def due(self) -> None:
        self.desk.rows("UPDATE inbound_event SET next_attempt_at = clock_timestamp() RETURNING id")

    def look(self) -> Any:
        self.desk.rows("UPDATE source_poll SET next_at = clock_timestamp() RETURNING source_id")
        return run_next(self.config)

    def leads(self) -> list[str]:
        """Whose leads there are, by the first part of their addresses."""
        rows = self.desk.rows(
            "SELECT i.value FROM lead l JOIN contact_identifier ci ON ci.contact_id = l.contact_id"
            " JOIN identifier i ON i.id = ci.identifier_id WHERE i.kind = 'email' ORDER BY l.id"
        )
        return [row["value"].partition("@")[0] for row in rows]

    def alerts(self) -> list[tuple[str, bool]]:
        return [
            (row["code"], row["resolved_at"] is None)
            for row in self.desk.rows("SELECT code, resolved_at FROM source_alert ORDER BY id")
        ]


@pytest.fixture
def page(config: HubConfig, engine: Engine) -> Iterator[Page]:
    config = replace(config, outbound_allow=("127.0.0.1",))
    with graph() as api:
        desk = Desk(config, engine)
        settings = {
            "app_secret": SECRET, "page_token": TOKEN, "verify_token": "meatyhamhock", "forms": ["12312312312"],
            "api_url": api.url,
        }  # fmt: skip
        with engine.begin() as connection:
            source = add_source(connection, HUB, config, "meta", "Facebook", settings)
        yield Page(desk, api, config, source)
        desk.close()


def test_lead_is_made_when_it_was_announced(page: Page) -> None:
    page.graph.add("123", full_name="Anna Ivanova", phone_number="+79123456701", which_room="kitchen")
    uid = page.notice("123")
    page.drain()
    announced, fetched = page.desk.rows("SELECT * FROM inbound_event ORDER BY id")
    assert (announced["uid"], announced["outcome"], announced["error"]) == (uid, "ignored", None)
    assert announced["reason"]["code"] == "fetched"
    assert announced["reason"]["events"] == [fetched["uid"]]
    assert (fetched["method"], fetched["path"], fetched["provider_key"]) == ("FETCH", "fetched", "lead|123")
    assert fetched["outcome"] == "created"
    [lead] = page.desk.rows("SELECT * FROM lead")
    assert lead["fields"]["which_room"] == "kitchen"
    assert lead["fields"]["ad_id"] == "77"
    assert page.desk.one("SELECT name FROM contact") == "Anna Ivanova"
    [asked] = page.graph.asked
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in asked.path


def test_three_leads_are_made_when_one_post_names_three(page: Page) -> None:
    for lead_id in ("1", "2", "3"):
        page.graph.add(lead_id)
    page.notice("1", "2", "3")
    page.drain()
    assert sorted(page.leads()) == ["lead1", "lead2", "lead3"]
    assert len(page.desk.rows("SELECT 1 AS x FROM inbound_event")) == 4


def test_lead_is_fetched_once_when_it_is_announced_twice(page: Page) -> None:
    page.graph.add("5")
    page.graph.add("6")
    page.notice("5")
    page.notice("5", "6")
    page.notice("6", "6")
    page.drain()
    assert sorted(page.leads()) == ["lead5", "lead6"]
    assert len(page.graph.asked) == 2
    announcements = page.desk.rows("SELECT outcome FROM inbound_event WHERE method = 'POST'")
    assert [row["outcome"] for row in announcements] == ["ignored"] * 3


def test_event_does_not_hold_its_neighbours_when_it_must_be_fetched(page: Page) -> None:
    """Who works off a channel asks nobody: the batch goes through, and the event waits for those who fetch."""
    page.graph.add("7")
    page.notice("7")
    page.desk.form(name="Boris", email="boris@example.org")
    with closing(Processor(page.config)) as processor:
        assert processor.drain("form", 60).to_fetch == 1
        assert processor.drain("form", 60).batches == 0, "it is not for the channel any more"
        assert page.graph.asked == []
        rows = page.desk.rows("SELECT state, outcome, error->>'code' AS code FROM inbound_event ORDER BY id")
        assert rows[1]["outcome"] == "created"
        assert rows[0] == {"state": "waiting", "outcome": None, "code": "to_be_fetched"}
        assert processor.fetch(60).channels == {"form"}
    rows = page.desk.rows("SELECT method, outcome, attempts FROM inbound_event ORDER BY id")
    assert rows[0] == {"method": "POST", "outcome": "ignored", "attempts": 2}


def test_test_lead_is_a_test_when_meta_marks_it(page: Page) -> None:
    page.graph.add("8", full_name="<test lead: dummy data for full_name>", email="test@example.com")
    page.notice("8")
    page.drain()
    assert page.desk.one("SELECT outcome FROM inbound_event WHERE method = 'FETCH'") == "test"
    assert page.leads() == []


def test_notice_is_rejected_when_its_signature_is_wrong(page: Page) -> None:
    page.notice("9", secret="another")
    page.drain()
    assert page.desk.one("SELECT state FROM inbound_event") == "rejected"
    assert page.graph.asked == []


def test_nothing_is_lost_when_the_token_has_expired(page: Page, engine: Engine) -> None:
    page.graph.add("10")
    page.graph.expired = True
    uid = page.notice("10")
    for _ in range(15):  # more often than an event is tried before a person must look
        page.drain()
        page.due()
    event = page.desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("waiting", "token_expired")
    assert "new one" in event["error"]["message"]
    assert page.alerts() == [("token_expired", True)]
    assert TOKEN not in json.dumps(page.desk.rows("SELECT data FROM source_alert"))
    page.graph.expired = False
    page.graph.token = "another-token"
    with engine.begin() as connection:
        change_settings(connection, HUB, page.config, page.source.id, {"page_token": "another-token"})
    page.drain()
    assert page.leads() == ["lead10"]
    assert page.alerts() == [("token_expired", False)]


def test_what_was_got_stays_when_the_token_expires_between_two_leads(page: Page) -> None:
    page.graph.add("101")
    page.graph.add("102")
    page.graph.expires_after = 1
    uid = page.notice("101", "102")
    page.drain()
    assert page.leads() == ["lead101"]
    event = page.desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("waiting", "token_expired")
    assert page.alerts() == [("token_expired", True)]
    page.graph.expired, page.graph.expires_after = False, -1
    page.due()
    page.drain()
    assert sorted(page.leads()) == ["lead101", "lead102"]
    assert page.desk.event(uid)["outcome"] == "ignored"
    assert len(page.graph.asked) == 3, "what was got is not asked for again"
    assert page.alerts() == [("token_expired", False)]


def test_person_is_told_why_when_a_right_is_missing_or_the_lead_is_gone(page: Page) -> None:
    page.graph.code = 200
    uid = page.notice("103")
    page.drain()
    event = page.desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("waiting", "source_broken")
    assert "leads_retrieval" in event["error"]["message"]
    assert page.alerts() == [("source_broken", True)]
    page.graph.code = 0  # the right was given; the lead was deleted meanwhile
    page.due()
    page.drain()
    event = page.desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("needs_attention", "lead_gone")
    assert "no such lead" in event["error"]["message"]


def test_source_is_left_alone_when_it_failed_a_moment_ago(page: Page) -> None:
    page.graph.status = 500
    for lead_id in ("11", "12", "13"):
        page.notice(lead_id)
    page.drain()
    assert len(page.graph.asked) == 1
    codes = [row["error"]["code"] for row in page.desk.rows("SELECT error FROM inbound_event ORDER BY id")]
    assert sorted(codes) == ["graph_busy", "to_be_fetched", "to_be_fetched"]
    attempts = page.desk.rows("SELECT error->>'code' AS code, attempts FROM inbound_event")
    assert all(row["attempts"] == 1 for row in attempts if row["code"] == "to_be_fetched"), "resting is no try"


def test_lead_comes_when_meta_has_recovered(page: Page) -> None:
    page.graph.add("14")
    page.graph.status = 503
    uid = page.notice("14")
    page.drain()
    assert page.desk.event(uid)["state"] == "waiting"
    page.graph.status = 200
    page.due()
    page.drain()
    assert page.leads() == ["lead14"]
    assert page.alerts() == []


def test_nothing_is_lost_when_meta_is_away_for_three_days(page: Page) -> None:
    """Some ten tries, then one an hour: about eighty. Somebody is told early, and what waited goes on when Meta is back."""
    for lead_id in ("15", "151", "152"):
        page.graph.add(lead_id)
    page.graph.status = 500
    uid = page.notice("15")
    for tries in range(80):
        page.drain()
        assert (tries >= fetch.TRIES_BEFORE_ALERT - 1) == bool(page.alerts())
        page.due()
    page.notice("151", "152")
    event = page.desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("waiting", "graph_busy")
    assert page.alerts() == [("fetch_failed", True)]
    page.graph.status = 200
    page.desk.rows(
        "UPDATE inbound_event SET next_attempt_at = clock_timestamp() + interval '1 hour' WHERE uid = %s RETURNING id", uid
    )
    page.drain()
    assert sorted(page.leads()) == ["lead15", "lead151", "lead152"]
    assert page.alerts() == [("fetch_failed", False)]


def test_person_is_asked_when_meta_never_recovers(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MOST_TRIES", 12)
    page.graph.status = 500
    uid = page.notice("15")
    for _ in range(14):
        page.drain()
        page.due()
    event = page.desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("needs_attention", "graph_busy")
    assert "given up after 12 attempts" in event["error"]["message"]
    assert page.alerts() == [("fetch_failed", True)]


def test_source_rests_as_long_as_meta_wishes_when_it_says_so(page: Page) -> None:
    page.graph.add("153")
    page.graph.status, page.graph.headers = 429, {"Retry-After": "1800"}
    uid = page.notice("153")
    page.drain()
    wait = page.desk.one("SELECT extract(epoch FROM next_attempt_at - clock_timestamp()) FROM inbound_event WHERE uid = %s", uid)
    assert 800 < wait <= 2700, "half to one and a half of what was wished, so that not all come at once"


def test_lead_is_fetched_once_when_two_workers_are_told_of_it(page: Page) -> None:
    """Two announcements of one lead, two workers, and Meta slow enough that both have asked before either is answered."""
    page.graph.add("154")
    page.graph.add("155")
    page.graph.hang = threading.Event()
    page.notice("154")
    page.notice("154", "155")
    page.desk.drain("form")
    workers = [Processor(page.config), Processor(page.config)]
    threads = [threading.Thread(target=one.fetch, args=(60,)) for one in workers]
    for thread in threads:
        thread.start()
    try:
        while len(page.graph.asked) < 2:
            threads[0].join(0.01)
    finally:
        page.graph.hang.set()
    for thread, worker in zip(threads, workers, strict=True):
        thread.join()
        worker.close()
    page.drain()
    assert sorted(page.leads()) == ["lead154", "lead155"]
    assert page.desk.one("SELECT count(*) FROM inbound_event WHERE method = 'FETCH'") == 2
    assert page.desk.one("SELECT count(*) FROM inbound_event WHERE outcome = 'ignored'") == 2


def test_others_are_fetched_when_one_of_them_is_gone(page: Page) -> None:
    page.graph.add("17")
    uid = page.notice("16", "17")
    page.drain()
    assert page.leads() == ["lead17"]
    event = page.desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("needs_attention", "lead_gone")


def test_worker_goes_on_when_meta_is_silent(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "FETCH_SECONDS", 0.6)
    page.graph.hang = threading.Event()
    uid = page.notice("18")
    other = page.desk.form(name="Boris", email="boris@example.org")
    try:
        page.drain()
    finally:
        page.graph.hang.set()
    assert page.desk.event(uid)["error"]["code"] == "outbound_timeout"
    assert page.desk.event(other)["outcome"] == "created"


def test_internal_address_is_refused_when_the_settings_name_one(page: Page) -> None:
    page.config = replace(page.config, outbound_allow=())
    uid = page.notice("19")
    page.drain()
    event = page.desk.event(uid)
    assert (event["state"], event["error"]["code"]) == ("needs_attention", "address_refused")
    assert page.graph.asked == []


def test_missed_lead_appears_when_the_form_is_looked_through(page: Page) -> None:
    page.graph.page = 2
    for lead_id in ("20", "21", "22", "23", "24"):
        page.graph.add(lead_id)
    page.notice("21")
    page.drain()
    looked = page.look()
    assert (looked.listed, looked.added, looked.error) == (5, 4, "")
    page.drain()
    assert sorted(page.leads()) == [f"lead{n}" for n in range(20, 25)]
    assert page.desk.one("SELECT count(*) FROM inbound_event WHERE method = 'FETCH'") == 5
    assert all("in-the-open" not in asked.path for asked in page.graph.asked)
    again = page.look()
    assert (again.listed, again.added) == (5, 0)
    assert page.desk.one("SELECT sum(redeliveries) FROM inbound_event") == 0
    [poll] = page.desk.rows("SELECT * FROM source_poll")
    assert poll["last_ok_at"] is not None
    assert poll["since"] is not None
    page.notice("22")
    page.drain()
    assert page.desk.one("SELECT count(*) FROM lead") == 5, "announced after it was found: still one"


def test_look_is_not_repeated_when_it_was_a_moment_ago(page: Page) -> None:
    assert page.look() is not None
    asked = len(page.graph.asked)
    assert run_next(page.config) is None
    assert len(page.graph.asked) == asked


def test_since_stays_when_a_look_failed(page: Page) -> None:
    page.graph.add("30")
    page.graph.code = 4
    assert page.look().error == "graph_busy"
    [poll] = page.desk.rows("SELECT * FROM source_poll")
    assert (poll["since"], poll["fails"], poll["error"]["code"]) == (None, 1, "graph_busy")
    page.graph.code = 0
    assert page.look().added == 1
    [poll] = page.desk.rows("SELECT * FROM source_poll")
    assert (poll["fails"], poll["error"]) == (0, None)


def test_waiting_events_go_on_when_a_look_succeeds_after_an_expired_token(page: Page) -> None:
    page.graph.add("31")
    page.graph.add("32", form_id="99999")  # a form that is not looked through
    page.graph.expired = True
    page.notice("32")
    page.drain()
    assert page.look().error == "token_expired"
    assert page.alerts() == [("token_expired", True)]
    page.graph.expired = False
    page.look()
    assert page.alerts() == [("token_expired", False)]
    page.drain()
    assert sorted(page.leads()) == ["lead31", "lead32"]


def test_paused_source_is_not_asked_when_a_look_is_due(page: Page) -> None:
    page.desk.rows("UPDATE source SET state = 'paused' RETURNING id")
    assert page.look() is None
    assert page.graph.asked == []


def test_address_is_verified_when_meta_asks(config: HubConfig) -> None:
    with open_door(config) as door:
        source = door.add("meta", {"app_secret": SECRET, "page_token": TOKEN, "verify_token": "meatyhamhock"})
        from door_client import call

        path = f"/in/{source.token}"
        right = call(
            door.entrance,
            "GET",
            path,
            query="hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=meatyhamhock",
        )
        assert (right.status, right.body) == (200, b"1158201444")
        wrong = call(
            door.entrance,
            "GET",
            path,
            query="hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=no",
        )
        assert wrong.status == 403
        assert call(door.entrance, "FETCH", path, b"{}").status == 405, "nobody outside fetches"
        assert door.rows() == []
