"""Nonsense gets a problem that says what is wrong, never a 500 and never the inside of the hub."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import pytest
from api_world import World
from sqlalchemy.exc import OperationalError

from crm_core.base.paging import Position
from webhooks import problems
from webhooks.api.cursors import encode_cursor
from webhooks.app import create_app
from webhooks.engines import close_engines


@pytest.mark.parametrize("query, path", [
    ("limit=0", "limit"), ("limit=201", "limit"), ("limit=x", "limit"), ("limit=-1", "limit"), ("limit=1e3", "limit"),
    ("stat=open", "stat"), ("state=opened", "state"), ("owner=abc", "owner.RowId"), ("owner=0", "owner.RowId"),
    ("source=-1", "source"), ("source=99999999999999999999", "source"), ("source=1.5", "source"),
    ("since=yesterday", "since"), ("since=2026-11-21", "since"), ("since=1732180000", "since"),
    ("since=2026-13-41T00:00:00Z", "since"), ("since=9999-12-31T23:59:59-14:00", "since"), ("q=a%00b", "q"), ("phone=%00", "phone"), ("q=" + "x" * 5000, "q"),
    ("cursor=%00", "cursor"),
])  # fmt: skip
def test_a_wrong_parameter_is_named(still_world: World, query: str, path: str) -> None:
    answer = still_world.get("/leads?" + query)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"
    assert any(error["path"].startswith(path.split(".", maxsplit=1)[0]) for error in answer.json["errors"])


def test_an_unknown_parameter_is_named_with_those_that_there_are(still_world: World) -> None:
    answer = still_world.get("/leads?colour=red&shape=round")
    assert [error["path"] for error in answer.json["errors"]] == ["colour", "shape"]
    assert "state, stage, owner" in answer.json["errors"][0]["message"]
    assert "red" not in answer.text


def test_a_parameter_that_is_given_twice_is_refused(still_world: World) -> None:
    assert still_world.get("/leads?limit=1&limit=2").json["code"] == "repeated_parameter"


@pytest.mark.parametrize("cursor", [
    "x", "!!!!", "é", "bnVsbA", "W10", "WzEsMl0", "WyIyMDI2LTExLTIxIiwxXQ", encode_cursor(Position(None, 5)), "e30", "W251bGwsMV0=",
    "WyIyMDI2LTExLTIxVDAwOjAwOjAwKzAwOjAwIiwxLjVd", "A" * 3999,
])  # fmt: skip
def test_a_foreign_cursor_is_refused(still_world: World, cursor: str) -> None:
    answer = still_world.get("/leads", query_string={"cursor": cursor})
    assert (answer.status_code, answer.json["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize("path", [
    "/leads/{}", "/leads/{}/why", "/contacts/{}", "/contacts/{}/timeline", "/calls/{}", "/events/{}", "/events/{}/raw",
    "/sources/{}", "/owners/{}", "/teams/{}", "/pools/{}",
])  # fmt: skip
@pytest.mark.parametrize("row_id", [
    "0", "-1", "abc", "1e5", "01", "999999999999999999", "9" * 40, "%00", "1%00", "١", "null", "0" * 32, "f" * 31 + "%0A",
])  # fmt: skip
def test_an_id_that_names_nothing_is_not_found(still_world: World, path: str, row_id: str) -> None:
    assert still_world.get(path.format(row_id)).status_code == 404


@pytest.mark.parametrize("body, status", [
    (b"{", 400), (b"\xff\xfe", 400), (b'{"version": 1, "title": "\\ud800"}', 400), (b"[" * 2000, 400), (b"NaN", 400),
    (b"[]", 422), (b'"text"', 422), (b"null", 422), (b"{}", 422), (b"", 422), (b'{"version": "x"}', 422),
    (b'{"version": 1, "colour": "red"}', 422), (b'{"version": 1, "title": "a\\u0000b"}', 422),
    (b'{"version": 1, "state": "opened"}', 422), (b'{"version": 99999999999999999999}', 422), (b'{"version": 1, "stage": ""}', 422),
])  # fmt: skip
def test_a_wrong_body_is_refused_in_words(still_world: World, body: bytes, status: int) -> None:
    answer = still_world.ask("PATCH", f"/leads/{still_world.ids['lead']}", data=body, content_type="application/json")
    assert answer.status_code == status
    assert answer.mimetype == "application/problem+json"
    assert still_world.value("SELECT version FROM lead WHERE id = :id", id=still_world.ids["lead"]) == 1


def test_a_body_that_is_not_declared_as_json_is_refused(still_world: World) -> None:
    answer = still_world.ask("PATCH", f"/leads/{still_world.ids['lead']}", data=b"version=1")
    assert answer.status_code == 415


def test_a_body_above_the_limit_is_refused(still_world: World) -> None:
    body = b'{"version": 1, "title": "' + b"x" * 1_100_000 + b'"}'
    answer = still_world.ask("PATCH", f"/leads/{still_world.ids['lead']}", data=body, content_type="application/json")
    assert answer.status_code == 413
    assert answer.mimetype == "application/problem+json"


@pytest.mark.parametrize("settings", [{"a": "\x00"}, {"\x00": 1}, {"a": [{"b": "x\x00"}]}, {"region": 5}, {"unknown": 1}])
def test_settings_that_do_not_fit_are_refused(still_world: World, settings: dict[str, Any]) -> None:
    body = {"connector": "generic_form", "name": "N", "settings": settings}
    assert still_world.ask("POST", "/sources", json=body).status_code == 422


def test_an_unknown_connector_is_named(still_world: World) -> None:
    answer = still_world.ask("POST", "/sources", json={"connector": "no_such", "name": "N"})
    assert answer.status_code in (404, 422)
    assert "no_such" in answer.json["detail"]


@pytest.mark.parametrize("query", [
    "from=yesterday", "from=2026-13-01", "from=2026-11-22&to=2026-11-21", "from=2001-01-01&to=2099-01-01", "by=colour",
    "to=9999-12-31", "from_=2026-11-21",
])  # fmt: skip
def test_a_wrong_ledger_range_is_refused(still_world: World, query: str) -> None:
    assert still_world.get("/ledger?" + query).status_code == 422


def test_head_tells_what_get_would_without_the_body(still_world: World) -> None:
    answer = still_world.ask("HEAD", "/leads")
    assert (answer.status_code, answer.data, answer.mimetype) == (200, b"", "application/json")
    assert still_world.ask("HEAD", "/leads", None).status_code == 401


def test_unknown_paths_and_methods_are_problems_too(still_world: World) -> None:
    assert still_world.get("/nothing").mimetype == "application/problem+json"
    answer = still_world.ask("DELETE", "/leads")
    assert answer.status_code == 405
    assert "GET" in answer.headers["Allow"]


def test_a_bug_shows_an_id_and_nothing_of_the_inside(
    still_world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("+79123456701 of Ivan")

    monkeypatch.setattr("webhooks.api.leads.list_leads", broken)
    with caplog.at_level(logging.ERROR):
        answer = still_world.get("/leads")
    assert answer.status_code == 500
    assert answer.json["code"] == "bug"
    assert "Ivan" not in answer.text
    assert "Zero" not in answer.text
    [record] = [record for record in caplog.records if record.message == "request_failed"]
    assert record.request_id == answer.json["request_id"] == answer.headers["X-Request-Id"]  # type: ignore[attr-defined]
    assert "Ivan" not in str(vars(record))
    assert record.where[-1].endswith("broken")  # type: ignore[attr-defined]


def test_a_database_that_is_away_is_503_with_retry_after(still_world: World) -> None:
    away = replace(still_world.config, database_url="postgresql://leadhub@127.0.0.1:1/none")
    answer = create_app(away).test_client().get("/api/v1/leads", headers={"Authorization": "Bearer x"})
    close_engines()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert answer.json["code"] == "database_away"


def test_connections_that_died_with_the_server_are_replaced_unnoticed(world: World) -> None:
    assert world.get("/leads").status_code == 200
    world.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'leadhub-ui'"
    )
    answer = world.ask("PATCH", f"/leads/{world.ids['lead']}", json={"version": 1, "stage": "qualified"})
    assert answer.status_code == 200


def test_a_lock_that_is_held_too_long_is_503(still_world: World) -> None:
    with still_world.engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1 FROM lead FOR UPDATE")
        answer = still_world.ask("PATCH", f"/leads/{still_world.ids['lead']}", json={"version": 1, "stage": "x"})
    assert answer.status_code == 503
    assert problems.is_database_away(OperationalError("", None, Exception()))


@pytest.mark.parametrize("path", ["/api/v1/leads", "/openapi.json", "/docs", "/nothing"])
def test_every_answer_carries_the_strict_headers(still_world: World, path: str) -> None:
    headers = still_world.get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert len(headers["X-Request-Id"]) == 16
    assert "Set-Cookie" not in headers


def test_a_browser_gets_a_page_and_its_words_are_escaped(still_world: World) -> None:
    answer = still_world.client.get("/<script>alert(1)</script>", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"
    assert "<script>" not in answer.text
