"""The audit as its readers see it: filters, pages, names, and who may read it."""

from __future__ import annotations

import pytest
from api_world import World


@pytest.fixture
def told(world: World) -> World:
    """Some deeds by several hands."""
    for stage in ("qualified", "offer_sent"):
        version = world.value("SELECT version FROM lead WHERE id = :id", id=world.ids["lead"])
        world.ask("PATCH", f"/leads/{world.ids['lead']}", "manager", json={"version": version, "stage": stage})
    world.get(f"/events/{world.ids['event']}/raw", "ops")
    world.ask("POST", "/teams", "head", json={"name": "West"})
    return world


def actor(world: World, role: str) -> str:
    return "token:" + str(world.value("SELECT id FROM api_token WHERE name = :name", name=role))


def test_rows_are_told_newest_first_with_names(told: World) -> None:
    [row] = told.get("/audit?subject=team", "admin").json["items"]
    assert (row["actor"], row["actor_name"], row["action"]) == (actor(told, "head"), "head", "team.add")
    assert row["at"].endswith("Z")
    raw = told.get(f"/audit?actor={actor(told, 'ops')}", "admin").json["items"]
    assert [(one["action"], one["subject"], one["data"]) for one in raw] == [
        ("event.raw", f"event:{told.ids['event']}", {"as": "file"})
    ]


def test_filters_narrow_and_pages_go_on(told: World) -> None:
    lead = f"lead:{told.ids['lead']}"
    first = told.get(f"/audit?subject={lead}&limit=1", "head").json
    second = told.get(f"/audit?subject={lead}&limit=1&cursor={first['next']}", "head").json
    assert [page["items"][0]["subject"] for page in (first, second)] == [lead, lead]
    assert first["items"][0]["id"] != second["items"][0]["id"]
    assert second["next"] is None
    assert len(told.get("/audit?subject=lead").json["items"]) == 2
    assert told.get("/audit?subject=lea").json["items"] == []
    assert told.get("/audit?subject=lead:%25").json["items"] == []
    assert len(told.get("/audit?action=lead.change").json["items"]) == 2
    assert told.get("/audit?since=2200-01-01T00:00:00Z").json["items"] == []
    assert told.get("/audit?until=2020-01-01T00:00:00Z").json["items"] == []
    assert told.get("/audit?since=yesterday").status_code == 422


def test_who_looks_at_raw_data_does_not_read_who_looked(told: World) -> None:
    for role in ("ops", "manager", "readonly"):
        assert told.get("/audit", role).status_code == 403
    assert told.get("/audit", "head").status_code == 200


def test_no_row_names_a_person(told: World) -> None:
    """Ids and names of fields only: erasing a person need not touch the audit, which nobody can change."""
    told.ask("POST", f"/events/{told.ids['broken_event']}/dismiss", "ops", json={"why": "Ivan Petrov rang, +79123456701"})
    told.ask(
        "POST", f"/leads/{told.ids['lead']}/assign", "head", json={"owner": told.ids["boris"], "why": "Ivan asked for Boris"}
    )
    told.ask("POST", f"/leads/{told.ids['lead']}/spam", "head", json={"why": "Ivan Petrov is a robot"})
    told.ask("POST", f"/leads/{told.ids['lead']}/not-spam", "head", json={"why": "Ivan Petrov is none"})
    kept = str(told.rows("SELECT subject, data FROM audit_entry"))
    assert [word for word in ("Ivan", "Petrov", "79123456701", "example.com") if word in kept] == []
