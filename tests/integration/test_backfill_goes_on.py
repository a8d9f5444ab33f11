"""A look through a long list goes on where it was interrupted, and misses nothing, whatever the provider does meanwhile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from desk import Desk
from graph import TOKEN, Graph, graph
from sqlalchemy import Engine

from connectors.kit import FetchAnswer, FetchRequest
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.fetch import backfill, backfill_progress
from ingest.fetch.backfill import Looked, run_next
from ingest.http_client.client import HttpClient, Limits, http_client
from ingest.sources.sources import add_source, change_settings

FORM, OTHER = "12312312312", "45645645645"


class World:
    def __init__(self, desk: Desk, api: Graph, source_id: int) -> None:
        self.desk, self.graph, self.source_id = desk, api, source_id

    def look(self, client: HttpClient | None = None) -> Looked:
        self.desk.rows("UPDATE source_poll SET next_at = clock_timestamp() RETURNING 1")
        looked = run_next(self.desk.config, client)
        assert looked is not None
        return looked

    def add(self, *lead_ids: int, form: str = FORM) -> None:
        for lead_id in lead_ids:
            self.graph.add(str(lead_id), form)

    def stored(self) -> list[int]:
        """The numbers of the leads in the journal."""
        return sorted(
            int(row["provider_key"].partition("|")[2]) for row in self.desk.rows("SELECT provider_key FROM inbound_event")
        )

    def places(self) -> list[int]:
        """Which places of the list were asked for since the last time."""
        asked = [int(parse_qs(urlsplit(one.path).query).get("after", ["0"])[0]) for one in self.graph.asked]
        self.graph.asked.clear()
        return asked

    def poll(self) -> dict[str, Any]:
        (row,) = self.desk.rows("SELECT *, extract(epoch FROM next_at - clock_timestamp()) AS due_in FROM source_poll")
        return row


@pytest.fixture
def world(config: HubConfig, engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    config = replace(config, outbound_allow=("127.0.0.1",))
    monkeypatch.setattr(backfill, "MOST_PAGES", 3)
    with graph() as api:
        api.page = 10
        desk = Desk(config, engine)
        settings = {"app_secret": "s", "page_token": TOKEN, "forms": [FORM], "api_url": api.url}
        with engine.begin() as connection:
            source = add_source(connection, HUB, config, "meta", "Facebook", settings)
        yield World(desk, api, source.id)
        desk.close()


def test_every_page_is_asked_for_once_when_a_list_takes_many_turns(world: World) -> None:
    world.add(*range(1, 96))
    looks = [world.look() for _ in range(4)]
    assert [(one.listed, one.added, one.error, one.is_whole) for one in looks] == [
        (30, 30, "", False), (30, 30, "", False), (30, 30, "", False), (5, 5, "", True),
    ]  # fmt: skip
    assert world.places() == [10 * n for n in range(10)]
    assert world.stored() == [*range(1, 96)]
    assert (world.poll()["fails"], world.poll()["error"]) == (0, None)
    assert world.desk.rows("SELECT code FROM source_alert") == []


def test_since_is_when_the_look_began_when_it_took_many_turns(world: World) -> None:
    world.add(*range(1, 36))
    world.look()
    poll = world.poll()
    assert poll["since"] is None, "not before all of it is here"
    assert poll["error"]["code"] == "poll_unfinished"
    assert poll["due_in"] <= 0, "it goes on in the next turn"
    world.look()
    assert world.poll()["since"].isoformat() == poll["error"]["look"]["began"]


class Killed(BaseException):
    """What ends a process: nothing in the code catches it."""


class Killing:
    """A client whose process is killed before the n-th question is answered."""

    def __init__(self, client: HttpClient, questions: int) -> None:
        self.client, self.left = client, questions

    def ask(self, ask: FetchRequest, limits: Limits) -> FetchAnswer:
        self.left -= 1
        if self.left < 0:
            raise Killed
        return self.client.ask(ask, limits)


def test_look_goes_on_at_its_page_when_its_worker_was_killed(world: World) -> None:
    world.add(*range(1, 36))
    with pytest.raises(Killed):
        world.look(Killing(http_client(world.desk.config), 2))  # type: ignore[arg-type]
    assert world.places() == [0, 10]
    assert world.look().added == 15
    assert world.places() == [20, 30]
    assert world.stored() == [*range(1, 36)]


def test_look_waits_and_goes_on_when_the_provider_asks_for_patience(world: World) -> None:
    world.add(*range(1, 26))
    busy = _BusyAt(http_client(world.desk.config), 1)
    assert world.look(busy).error == "graph_busy"  # type: ignore[arg-type]
    poll = world.poll()
    assert 3500 < poll["due_in"] <= 3600
    assert (poll["fails"], poll["since"]) == (1, None)
    assert world.stored() == [*range(1, 11)]
    world.look()
    assert world.places() == [0, 10, 20], "the first page is not asked for again"
    assert world.stored() == [*range(1, 26)]
    assert world.poll()["error"] is None


class _BusyAt:
    def __init__(self, client: HttpClient, question: int) -> None:
        self.client, self.left = client, question

    def ask(self, ask: FetchRequest, limits: Limits) -> FetchAnswer:
        self.left -= 1
        if self.left < 0:
            return FetchAnswer(429, {"retry-after": "3600"}, b"{}")
        return self.client.ask(ask, limits)


def test_list_begins_again_when_its_place_is_not_known_any_more(world: World) -> None:
    world.add(*range(1, 46))
    world.look()
    world.graph.forgotten = {"30"}
    assert world.places() == [0, 10, 20]
    assert not world.look().is_whole
    assert world.places() == [30, 0, 10, 20]
    world.graph.forgotten = set()
    assert world.look().is_whole
    assert world.stored() == [*range(1, 46)]
    assert world.desk.one("SELECT sum(redeliveries) FROM inbound_event") == 0


def test_somebody_is_told_when_a_place_is_forgotten_again_and_again(world: World) -> None:
    world.add(*range(1, 46))
    world.graph.forgotten = {"30"}
    for _ in range(3):
        looked = world.look()
    assert looked.error == "lead_gone"
    assert world.poll()["since"] is None
    assert [row["code"] for row in world.desk.rows("SELECT code FROM source_alert")] == ["poll_failed"]


def test_nothing_is_missed_when_new_leads_come_before_the_place(world: World) -> None:
    """Newest first: what is new moves everything behind it, and itself stands where the look has been already."""
    world.add(*range(1, 36))
    world.look()
    old = dict(world.graph.leads)
    world.graph.leads.clear()
    world.add(*range(101, 108))
    world.graph.leads |= old
    assert world.look().is_whole
    assert world.stored() == [*range(1, 36)]
    while not world.look().is_whole:
        pass  # the next look asks for what came since the first one began
    assert world.stored() == [*range(1, 36), *range(101, 108)]


def test_look_goes_on_where_it_was_when_the_token_is_renewed(world: World, engine: Engine) -> None:
    world.add(*range(1, 46))
    world.look()
    world.places()
    world.graph.token = "another-token"
    assert world.look().error == "token_expired"
    with engine.begin() as connection:
        change_settings(connection, HUB, world.desk.config, world.source_id, {"page_token": "another-token"})
    assert world.look().is_whole
    assert world.places() == [30, 30, 40]
    assert world.stored() == [*range(1, 46)]


def test_no_key_is_noted_when_a_look_is_interrupted(world: World) -> None:
    world.add(*range(1, 46))
    world.look()
    noted = json.dumps(world.poll()["error"])
    assert FORM in noted
    assert [one for one in (TOKEN, "in-the-open", "access_token", "appsecret_proof") if one in noted] == []


def test_look_begins_anew_when_the_forms_were_changed_meanwhile(world: World, engine: Engine) -> None:
    world.add(*range(1, 46))
    world.add(*range(201, 204), form=OTHER)
    world.look()
    with engine.begin() as connection:
        change_settings(connection, HUB, world.desk.config, world.source_id, {"forms": [OTHER]})
    assert world.look().is_whole
    assert world.stored() == [*range(1, 31), *range(201, 204)]


def test_nothing_is_taken_for_done_when_one_list_was_gone_in_an_earlier_turn(world: World, engine: Engine) -> None:
    world.add(*range(1, 66))
    with engine.begin() as connection:
        change_settings(connection, HUB, world.desk.config, world.source_id, {"forms": [OTHER, FORM]})
    world.graph.gone = {OTHER}
    looks = [world.look() for _ in range(3)]
    assert [one.error for one in looks] == ["", "", "lead_gone"]
    assert world.stored() == [*range(1, 66)]
    assert world.poll()["since"] is None
    world.graph.gone = set()
    world.add(301, form=OTHER)
    while not world.look().is_whole:
        pass
    assert 301 in world.stored()
    assert world.poll()["since"] is not None


def test_somebody_is_told_when_a_list_has_no_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "MOST_PAGES_OF_A_LOOK", 4)
    world.add(*range(1, 100))
    assert [world.look().error for _ in range(2)] == ["", "poll_endless"]
    assert [row["code"] for row in world.desk.rows("SELECT code FROM source_alert")] == ["poll_failed"]
    assert backfill_progress.MOST_PAGES_OF_A_LOOK > 1000


def test_page_without_leads_is_not_the_end_when_there_is_a_next_one(world: World) -> None:
    """What a filter leaves of a page may be nothing."""
    world.add(*range(1, 16))
    pages = [
        {"data": [], "paging": {"next": f"{world.graph.url}/{FORM}/leads?after=0&access_token=x&filtering=[{{%22field%22:%22time_created%22,%22operator%22:%22GREATER_THAN%22,%22value%22:1}}]"}}
    ]  # fmt: skip
    assert world.look(_First(http_client(world.desk.config), pages)).is_whole  # type: ignore[arg-type]
    assert world.stored() == [*range(1, 16)]


class _First:
    """A client that is given these answers first."""

    def __init__(self, client: HttpClient, pages: list[dict[str, Any]]) -> None:
        self.client, self.pages = client, pages

    def ask(self, ask: FetchRequest, limits: Limits) -> FetchAnswer:
        if self.pages:
            return FetchAnswer(200, {}, json.dumps(self.pages.pop(0)).encode())
        return self.client.ask(ask, limits)
