"""Quarantine and alerts through the API, by the roles that may."""

from __future__ import annotations

import orjson
import psycopg
from api_world import World

from ingest.alerts.alerts import raise_alert
from ingest.journal.accept import RawEvent, insert_events
from ingest.processing.process import drain


def aside(world: World, phone: str = "+79123456791") -> str:
    body = orjson.dumps({"name": "Inna", "phone": phone, "_gotcha": "x"})
    with psycopg.connect(world.config.database_url, autocommit=True) as connection:
        [receipt] = insert_events(connection, [RawEvent(int(world.ids["source"]), "form", body)])
    drain(None, world.config, "form")
    return receipt.uid


def test_quarantine_when_listed_and_released_by_a_head(world: World) -> None:
    uid = aside(world)
    item, robot = world.get("/quarantine", "head").json["items"]
    assert robot["preview"]["name"] == "Robot"
    assert (item["id"], item["score"], item["preview"]["name"]) == (uid, 4, "Inna")
    answer = world.ask("POST", "/quarantine/release", "head", json={"ids": [uid]})
    assert (answer.status_code, answer.json) == (200, {"events": 1})
    again = world.ask("POST", "/quarantine/release", "head", json={"ids": [uid]})
    assert (again.status_code, again.json["code"]) == (409, "nothing_to_judge")
    drain(None, world.config, "form")
    event = world.get(f"/events/{uid}").json
    assert (event["outcome"], event["reason"]["code"]) == ("created", "first_inquiry")
    lead = world.get(f"/leads/{event['lead']}").json
    assert lead["spam"]["score"] == 4
    assert world.get("/quarantine?shelf=all").json["items"] == [robot]


def test_quarantine_when_confirmed_by_operations(world: World) -> None:
    uid = aside(world)
    assert world.ask("POST", "/quarantine/confirm", "ops", json={"source": world.ids["source"]}).json == {"events": 2}
    assert world.get("/quarantine").json["items"] == []
    item = world.get("/quarantine?shelf=confirmed").json["items"][0]
    assert item["id"] == uid
    assert item["judged"]["by"].startswith("token:")


def test_quarantine_when_asked_wrongly(world: World) -> None:
    assert world.ask("POST", "/quarantine/release", json={}).status_code == 422
    assert world.ask("POST", "/quarantine/release", json={"alert": "999"}).status_code == 404
    assert world.get("/quarantine?shelf=attic").status_code == 422
    assert world.get("/quarantine", "manager").status_code == 403
    assert world.ask("POST", "/events/0000/accept-consent").status_code == 404


def test_alerts_when_listed_counted_and_resolved(world: World) -> None:
    with world.engine.begin() as connection:
        raise_alert(connection, int(world.ids["source"]), "new_field", "budget")
    alert, of_the_world = world.get("/alerts", "readonly").json["items"]
    assert (alert["code"], alert["subject"], alert["raised"]) == ("new_field", "budget", 1)
    assert world.ask("POST", f"/alerts/{alert['id']}/resolve", "readonly").status_code == 403
    for _ in range(2):
        done = world.ask("POST", f"/alerts/{alert['id']}/resolve", "ops")
        assert done.status_code == 200
        assert done.json["resolved_by"].startswith("token:")
    assert world.get("/alerts").json["items"] == [of_the_world]
    assert len(world.get("/alerts?state=all").json["items"]) == 2
    assert world.ask("POST", "/alerts/999/resolve").status_code == 404


def test_metrics_when_an_alert_is_open(world: World) -> None:
    with world.engine.begin() as connection:
        raise_alert(connection, int(world.ids["source"]), "burst")
        raise_alert(connection, int(world.ids["source"]), "new_field", "a")
        raise_alert(connection, int(world.ids["source"]), "new_field", "b")
    said = world.client.get("/metrics").text
    assert 'leadhub_source_alerts{code="new_field"} 3.0' in said
    assert 'leadhub_source_alerts{code="burst"} 1.0' in said
