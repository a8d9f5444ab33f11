"""Every route × every role and none; and what a manager may not see does not exist for him."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World

from crm_core.access.models import ROLES
from webhooks.api.blueprint import ROUTES
from webhooks.api.route import Route

#: A body that each writing route takes.
BODIES: dict[str, dict[str, Any]] = {
    "PATCH /leads/<id>": {"version": 1, "stage": "qualified"},
    "POST /leads/<id>/assign": {"pool": "1", "why": "test"},
    "POST /leads/<id>/spam": {"why": "test"},
    "POST /leads/<id>/claim": {},
    "POST /leads/<id>/reached": {"means": "call"},
    "POST /deadlines": {"breach_minutes": 15},
    "PATCH /deadlines/<id>": {"breach_minutes": 20},
    "POST /notifications/read": {},
    "POST /leads/<id>/return": {"code": "no_time", "why": "test"},
    "POST /leads/<id>/not-spam": {},
    "POST /activities/<id>/done": {},
    "POST /mentions": {"lead": "1", "to": "1", "text": "test"},
    "POST /events/replay": {"filter": {"state": "rejected"}, "dry_run": True},
    "POST /events/<id>/replay": {"dry_run": True},
    "POST /events/<id>/dismiss": {"why": "a test"},
    "POST /quarantine/release": {"ids": ["0" * 32]},
    "POST /quarantine/confirm": {"ids": ["0" * 32]},
    "POST /contacts/<id>/erase": {"why": "a letter"},
    "POST /contacts/merge": {"winner": "1", "loser": "2", "dry_run": True},
    "POST /merges/<id>/undo": {},
    "POST /merges/undo": {"dry_run": True},
    "POST /suggestions/<id>": {"decision": "later"},
    "POST /erasures/preview": {"email": "nobody@example.com"},
    "POST /erasures": {"email": "nobody@example.com", "why": "a letter"},
    "POST /sources": {"connector": "generic_form", "name": "Landing"},
    "PATCH /sources/<id>": {"name": "Shop"},
    "POST /sources/<id>/aliases": {"alias": "formspree:xyzabcde"},
    "POST /sources/<id>/mappings": {"text": "read_names: true"},
    "POST /sources/<id>/mappings/rollback": {"version": None},
    "POST /sources/<id>/bench/dry-run": {"text": ""},
    "POST /sources/<id>/fields/acknowledge": {},
    "POST /owners": {"name": "Vera"},
    "PATCH /owners/<id>": {"name": "Vera"},
    "POST /owners/<id>/hand-over": {"to": "2", "why": "leaves"},
    "POST /owners/<id>/absences": {"until": "2199-01-01T00:00:00Z"},
    "POST /calendars": {"name": "Office", "week": {"mon": [["09:00", "18:00"]]}},
    "PATCH /calendars/<id>": {"name": "South"},
    "PUT /calendars/<id>/days": {"days": [{"day": "2026-04-30", "kind": "short"}]},
    "PUT /calendar-days": {"days": [{"day": "2026-04-30", "kind": "short"}]},
    "PUT /routing": {"body": {}},
    "POST /routing/versions": {"body": {}},
    "POST /routing/versions/<id>/simulate": {"days": 1},
    "POST /contacts/<id>/excluded-owners": {"owner": "2", "why": "test"},
    "POST /teams": {"name": "South"},
    "PATCH /teams/<id>": {"name": "East"},
    "POST /pools": {"name": "Night"},
    "PATCH /pools/<id>": {"name": "Day"},
    "PUT /pools/<id>/members/<owner>": {"weight": 2},
    "POST /users": {"login": "vera@example.com"},
    "PATCH /users/<id>": {"name": "Vera"},
    "POST /users/<id>/password": {"password": "correct horse battery"},
    "POST /tokens": {"name": "Reports", "role": "readonly"},
}

READ_ALL = {
    "GET /leads", "GET /leads/<id>", "GET /leads/<id>/waits", "GET /leads/<id>/why", "GET /leads/<id>/why-not", "GET /files/<id>", "GET /contacts", "GET /contacts/<id>",
    "GET /contacts/<id>/timeline", "GET /calls", "GET /calls/<id>", "GET /activities", "GET /owners", "GET /owners/<id>",
    "GET /search", "GET /mentions", "GET /notifications", "GET /contacts/<id>/merges", "GET /contacts/<id>/excluded-owners", "GET /teams", "GET /teams/<id>", "GET /pools", "GET /pools/<id>",
    "GET /pools/<id>/ledger", "GET /owners/<id>/absences", "GET /calendars", "GET /calendars/<id>", "GET /calendars/<id>/year", "GET /calendar-days",
    "GET /routing", "GET /routing/versions", "GET /routing/versions/<id>",
}  # fmt: skip
WATCH = {
    "GET /quarantine",
    "GET /alerts",
    "GET /events",
    "GET /events/<id>",
    "GET /ledger",
    "GET /queues",
    "GET /sources",
    "GET /sources/<id>",
    "GET /deadlines",
    "GET /deadlines/<id>",
    "GET /response-times",
} | {
    "GET /sources/<id>/mappings",
    "GET /sources/<id>/fields",
}
WORK = {
    "PATCH /leads/<id>",
    "POST /leads/<id>/spam",
    "POST /leads/<id>/not-spam",
    "POST /activities/<id>/done",
    "POST /mentions",
    "POST /mentions/<id>/read",
    "POST /contacts/merge",
    "POST /merges/<id>/undo",
    "POST /merges/undo",
    "GET /tray",
    "POST /leads/<id>/claim",
    "POST /leads/<id>/return",
    "POST /leads/<id>/reached",
    "POST /notifications/read",
}
OPERATE = {
    "GET /events/<id>/raw", "POST /events/replay", "POST /events/<id>/replay", "POST /events/<id>/dismiss",
    "POST /sources", "PATCH /sources/<id>", "DELETE /sources/<id>", "POST /sources/<id>/rotate",
    "GET /sources/<id>/aliases", "POST /sources/<id>/aliases", "DELETE /sources/<id>/aliases",
    "POST /sources/<id>/mappings", "POST /sources/<id>/mappings/rollback", "POST /sources/<id>/mappings/<version>/publish",
    "GET /sources/<id>/bench", "POST /sources/<id>/bench/dry-run", "POST /sources/<id>/fields/acknowledge",
}  # fmt: skip
LEAD = {
    "POST /deadlines", "PATCH /deadlines/<id>", "DELETE /deadlines/<id>", "POST /leads/<id>/assign", "POST /owners", "PATCH /owners/<id>", "DELETE /owners/<id>", "POST /teams",
    "PATCH /teams/<id>", "DELETE /teams/<id>", "POST /pools", "PATCH /pools/<id>", "DELETE /pools/<id>",
    "PUT /pools/<id>/members/<owner>", "DELETE /pools/<id>/members/<owner>",
    "POST /owners/<id>/hand-over", "POST /owners/<id>/absences", "DELETE /owners/<id>/absences/<absence>", "POST /calendars", "PATCH /calendars/<id>",
    "DELETE /calendars/<id>", "PUT /calendars/<id>/days", "DELETE /calendars/<id>/days/<day>", "PUT /calendar-days",
    "DELETE /calendar-days/<day>", "PUT /routing", "POST /routing/versions", "POST /routing/versions/<id>/simulate",
    "POST /routing/versions/<id>/activate", "POST /contacts/<id>/excluded-owners", "DELETE /contacts/<id>/excluded-owners/<owner>",
}  # fmt: skip
JUDGE = {
    "POST /quarantine/release", "POST /quarantine/confirm", "POST /events/<id>/accept-consent", "POST /alerts/<id>/resolve",
}  # fmt: skip
ADMIT = {
    "GET /users", "POST /users", "GET /users/<id>", "PATCH /users/<id>", "DELETE /users/<id>", "POST /users/<id>/disable",
    "POST /users/<id>/enable", "POST /users/<id>/password", "POST /users/<id>/sign-out", "POST /users/<id>/link",
    "GET /tokens", "POST /tokens", "GET /tokens/<id>", "DELETE /tokens/<id>",
}  # fmt: skip
#: Written out by hand, so that a change of the table of rights has to be meant twice.
ALLOWED: dict[str, set[str]] = {
    "readonly": READ_ALL | WATCH | {"GET /suggestions"},
    "manager": READ_ALL | WORK,
    "ops": READ_ALL | WATCH | JUDGE | OPERATE,
    "head": READ_ALL | WATCH | JUDGE | WORK | LEAD | {"GET /suggestions", "POST /suggestions/<id>", "GET /audit"},
    "admin": READ_ALL
    | WATCH
    | JUDGE
    | WORK
    | LEAD
    | OPERATE
    | ADMIT
    | {"GET /suggestions", "POST /suggestions/<id>", "GET /audit", "POST /contacts/<id>/erase"}
    | {"POST /erasures/preview", "POST /erasures", "GET /contacts/<id>/export"},
}


def key(route: Route) -> str:
    return f"{route.method} {route.path}"


def address(route: Route, ids: dict[str, str]) -> str:
    nouns = {
        "leads": "lead", "contacts": "contact", "calls": "call", "activities": "activity", "mentions": "mention_for_anna", "merges": "merge", "suggestions": "suggestion", "events": "broken_event",
        "calendars": "source", "deadlines": "source", "routing": "anna", "sources": "source", "alerts": "source", "owners": "boris", "teams": "team", "pools": "pool", "files": "lead", "users": "user", "tokens": "spare_token",
    }  # fmt: skip
    return (
        route.path.replace("<id>", ids.get(nouns.get(route.path.split("/")[1], ""), ""))
        .replace("<owner>", ids["anna"])
        .replace("<version>", "1")
        .replace("<absence>", "1")
        .replace("<day>", "2026-04-30")
    )


def call(world: World, route: Route, role: str | None) -> int:
    body = BODIES.get(key(route))
    options = {} if body is None else {"json": body}
    return world.ask(route.method, address(route, world.ids), role, **options).status_code


def test_every_route_is_known_to_the_matrix() -> None:
    known = set().union(*ALLOWED.values())
    assert {key(route) for route in ROUTES} == known
    assert {key(route) for route in ROUTES if route.body is not None} == set(BODIES)


@pytest.mark.parametrize("role", ROLES)
def test_a_role_may_call_exactly_its_routes(world: World, role: str) -> None:
    answers = {key(route): call(world, route, role) for route in sorted(ROUTES, key=lambda r: r.method == "DELETE")}
    assert {name for name, status in answers.items() if status != 403} == ALLOWED[role]
    assert {name: status for name, status in answers.items() if status == 401 or status >= 500} == {}


#: Routes that change nothing although they are no GET.
QUESTIONS = {"POST /erasures/preview", "POST /routing/versions/<id>/simulate"}
#: Routes by which people see raw data.
LOOKS = {
    "GET /events/<id>/raw",
    "GET /files/<id>",
    "GET /contacts/<id>/export",
    "GET /sources/<id>/bench",
    "POST /sources/<id>/bench/dry-run",
}


def test_every_change_and_every_look_at_raw_data_leaves_a_row_of_the_audit(world: World) -> None:
    """Whatever route is added: if it answers that something was done, the audit says who did it, in the same transaction."""
    me = "token:" + str(world.value("SELECT id FROM api_token WHERE role = 'admin'"))
    for route in sorted(ROUTES, key=lambda r: (r.method == "DELETE", r.path)):
        name = key(route)
        if (route.method == "GET" and name not in LOOKS) or name in QUESTIONS:
            continue
        before = world.value("SELECT count(*) FROM audit_entry WHERE actor = :me", me=me)
        body = BODIES.get(name)
        answer = world.ask(route.method, address(route, world.ids), "admin", **({} if body is None else {"json": body}))
        status = answer.status_code
        # {"released": 0}: there was nothing to do
        told_nothing = answer.is_json and all(value == 0 for value in answer.json.values())
        changed = status < 400 and not (body or {}).get("dry_run") and not told_nothing
        rows = world.value("SELECT count(*) FROM audit_entry WHERE actor = :me", me=me) - before
        assert rows >= changed, f"{name} answered {status} and left no row"
        assert rows == 0 or status < 400, f"{name} answered {status} and left a row"


def test_every_route_asks_for_a_token_when_there_is_none(still_world: World) -> None:
    for route in ROUTES:
        answer = still_world.ask(route.method, address(route, still_world.ids), None, json={})
        assert (answer.status_code, answer.json["code"]) == (401, "token_missing"), key(route)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("header", ["Bearer nonsense", "Bearer ", "Basic YTpi", "Bearer " + "x" * 5000, "bearer\tx", "Bearer é"])
def test_a_wrong_token_opens_nothing(still_world: World, header: str) -> None:
    answer = still_world.get("/leads", None, headers={"Authorization": header})
    assert answer.status_code == 401


def test_a_revoked_token_opens_nothing(world: World) -> None:
    world.rows("UPDATE api_token SET revoked_at = now() WHERE name = 'head'")
    assert world.get("/leads", "head").json["code"] == "token_unknown"


def test_a_manager_sees_his_own_rows_only(still_world: World) -> None:
    assert [row["id"] for row in still_world.get("/leads", "manager").json["items"]] == [still_world.ids["lead"]]
    assert [row["id"] for row in still_world.get("/contacts", "manager").json["items"]] == [still_world.ids["contact"]]
    assert [row["id"] for row in still_world.get("/calls", "manager").json["items"]] == [still_world.ids["call"]]
    assert [row["id"] for row in still_world.get("/activities", "manager").json["items"]] == [still_world.ids["activity"]]


@pytest.mark.parametrize("path", [
    "/leads?owner={boris}", "/leads?q=Orlova", "/leads?phone=8 912 345-67-02", "/leads?email=olga@example.org",
    "/leads?contact={other_contact}", "/contacts?q=Olga", "/contacts?phone=89123456702", "/contacts?owner={boris}",
    "/calls?contact={other_contact}", "/calls?phone=+79123456702", "/activities?owner={boris}",
])  # fmt: skip
def test_no_filter_shows_a_manager_the_rows_of_others(still_world: World, path: str) -> None:
    assert still_world.get(path.format(**still_world.ids), "manager").json["items"] == []
    assert len(still_world.get(path.format(**still_world.ids), "head").json["items"]) == 1


@pytest.mark.parametrize("method, path", [
    ("GET", "/leads/{other_lead}"), ("GET", "/leads/{other_lead}/why"), ("PATCH", "/leads/{other_lead}"),
    ("GET", "/contacts/{other_contact}"), ("GET", "/contacts/{other_contact}/timeline"), ("GET", "/calls/{other_call}"),
    ("POST", "/activities/{other_activity}/done"),
])  # fmt: skip
def test_the_rows_of_others_are_not_found_by_a_manager(still_world: World, method: str, path: str) -> None:
    body = {"json": {"version": 1, "stage": "mine"} if method == "PATCH" else {}} if method != "GET" else {}
    for role in ("manager", "stray_manager"):
        answer = still_world.ask(method, path.format(**still_world.ids), role, **body)
        missing = still_world.ask(method, path.format(**dict.fromkeys(still_world.ids, "999999")), role, **body)
        assert answer.status_code == missing.status_code == 404
        assert answer.json["code"] == missing.json["code"]
    assert still_world.value("SELECT stage FROM lead WHERE id = :id", id=still_world.ids["other_lead"]) == "new"
    assert still_world.value("SELECT state FROM activity WHERE id = :id", id=still_world.ids["other_activity"]) == "open"


def test_a_manager_without_an_owner_sees_nothing(still_world: World) -> None:
    for path in ("/leads", "/contacts", "/calls", "/activities"):
        assert still_world.get(path, "stray_manager").json["items"] == []


def test_a_manager_sees_a_contact_while_he_works_its_open_lead(world: World) -> None:
    world.rows("UPDATE lead SET owner_id = :anna WHERE id = :id", anna=world.ids["anna"], id=world.ids["other_lead"])
    assert world.get(f"/contacts/{world.ids['other_contact']}", "manager").status_code == 200
    world.rows("UPDATE lead SET state = 'won' WHERE id = :id", id=world.ids["other_lead"])
    assert world.get(f"/contacts/{world.ids['other_contact']}", "manager").status_code == 404


def test_the_address_of_a_source_is_shown_only_to_who_may_hand_it_out(still_world: World) -> None:
    path = f"/sources/{still_world.ids['source']}"
    assert still_world.get(path, "ops").json["url"].startswith(still_world.config.base_url + "/in/")
    assert still_world.get(path, "head").json["url"] is None
    assert still_world.get("/sources", "readonly").json["items"][0]["url"] is None
