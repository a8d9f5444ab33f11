"""What the API changes: rows, versions, touches, assignments and the audit."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from api_world import World
from factories.contact import make_contact
from factories.event import make_event
from factories.lead import make_lead
from sqlalchemy.exc import DBAPIError


def _audit(world: World) -> list[tuple[str, str, str]]:
    return [tuple(row) for row in world.rows("SELECT actor, action, subject FROM audit_entry ORDER BY id")]


def _last_audit(world: World) -> tuple[str, str, str]:
    return _audit(world)[-1]


def _actor(world: World, role: str) -> str:
    return f"token:{world.value('SELECT id FROM api_token WHERE name = :role', role=role)}"


def test_a_lead_is_changed_at_its_version_and_only_there(world: World) -> None:
    path = f"/leads/{world.ids['lead']}"
    changed = world.ask("PATCH", path, "manager", json={"version": 1, "stage": "qualified", "title": "Red roof"})
    assert (changed.status_code, changed.json["version"], changed.json["stage"]) == (200, 2, "qualified")
    stale = world.ask("PATCH", path, "head", json={"version": 1, "stage": "meeting_set"})
    assert (stale.status_code, stale.json["code"]) == (409, "version")
    assert world.get(path).json["stage"] == "qualified"
    [touch] = world.rows("SELECT actor, data FROM touch WHERE kind = 'stage'")
    assert touch.actor == _actor(world, "manager")
    assert touch.data["changed"]["stage"] == {"from": "new", "to": "qualified"}
    assert _last_audit(world) == (_actor(world, "manager"), "lead.change", f"lead:{world.ids['lead']}")


def test_a_change_that_changes_nothing_leaves_no_trace(world: World) -> None:
    answer = world.ask("PATCH", f"/leads/{world.ids['lead']}", json={"version": 1, "stage": "new"})
    assert answer.json["version"] == 1
    assert world.rows("SELECT 1 FROM touch WHERE kind = 'stage'") == []


def test_closing_and_opening_a_lead_moves_its_closing_time(world: World) -> None:
    path = f"/leads/{world.ids['lead']}"
    won = world.ask("PATCH", path, json={"version": 1, "state": "won"}).json
    assert won["closed_at"] is not None
    assert world.ask("PATCH", path, json={"version": 2, "state": "open"}).json["closed_at"] is None


def test_a_lead_is_called_spam_and_brought_back(world: World) -> None:
    path = f"/leads/{world.ids['lead']}"
    assert world.ask("POST", f"{path}/spam", "manager", json={}).status_code == 422
    assert world.ask("POST", f"{path}/spam", "manager", json={"why": "x", "version": 9}).json["code"] == "version"
    assert world.ask("POST", f"{path}/spam", "other_manager", json={"why": "x"}).status_code == 404
    marked = world.ask("POST", f"{path}/spam", "manager", json={"why": "an offer", "version": 1})
    assert (marked.status_code, marked.json["state"], marked.json["lost_reason"]) == (200, "closed", "spam")
    assert marked.json["spam"]["marked"]["by"] == _actor(world, "manager")
    assert [lead["id"] for lead in world.get("/leads?state=spam").json["items"]] == [world.ids["lead"]]
    again = world.ask("POST", f"{path}/spam", "manager", json={"why": "twice"}).json
    assert (again["version"], again["spam"]["marked"]["why"]) == (marked.json["version"], "an offer")
    assert world.value("SELECT state FROM activity WHERE id = :id", id=world.ids["activity"]) == "cancelled"
    back = world.ask("POST", f"{path}/not-spam", "manager", json={}).json
    assert (back["state"], back["closed_at"], back["spam"]["marked"]) == ("open", None, None)
    assert world.value("SELECT state FROM activity WHERE id = :id", id=world.ids["activity"]) == "open"
    assert _last_audit(world) == (_actor(world, "manager"), "lead.not_spam", f"lead:{world.ids['lead']}")


def test_a_second_open_lead_of_a_contact_is_a_conflict(world: World) -> None:
    with world.engine.begin() as connection:
        closed = make_lead(connection, int(world.ids["source"]), int(world.ids["contact"]), None, state="won")
    answer = world.ask("PATCH", f"/leads/{closed}", json={"version": 1, "state": "open"})
    assert (answer.status_code, answer.json["code"]) == (409, "another_open_lead")


def test_of_two_changes_at_once_one_wins(world: World) -> None:
    answers: list[int] = []

    def change(stage: str) -> None:
        client = world.client.application.test_client()
        headers = {"Authorization": f"Bearer {world.tokens['admin']}"}
        path = f"/api/v1/leads/{world.ids['lead']}"
        answers.append(client.patch(path, json={"version": 1, "stage": stage}, headers=headers).status_code)

    threads = [
        threading.Thread(target=change, args=(stage,)) for stage in ("qualified", "offer_sent", "meeting_set", "meeting_held")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 409, 409, 409]
    assert world.value("SELECT count(*) FROM touch WHERE kind = 'stage'") == 1


def test_a_lead_is_handed_to_an_owner_with_client_and_tasks(world: World) -> None:
    path = f"/leads/{world.ids['lead']}"
    body = {"owner": world.ids["boris"], "why": "Anna is on leave"}
    assert world.ask("POST", path + "/assign", "head", json=body).json["owner"]["name"] == "Boris"
    assert world.value("SELECT owner_id FROM contact WHERE id = :id", id=world.ids["contact"]) == int(world.ids["boris"])
    assert world.value("SELECT owner_id FROM activity WHERE id = :id", id=world.ids["activity"]) == int(world.ids["boris"])
    decision = world.get(path + "/why").json["assignments"][-1]
    assert (decision["kind"], decision["actor"]) == ("manual", _actor(world, "head"))
    assert decision["trace"]["why"] == "Anna is on leave"
    assert decision["trace"]["before"] == world.ids["anna"]
    assert world.get(path, "manager").status_code == 404
    assert world.get(path, "other_manager").status_code == 200
    assert _last_audit(world) == (_actor(world, "head"), "lead.assign", f"lead:{world.ids['lead']}")


def test_a_client_of_a_third_person_stays_his_when_a_lead_is_handed_over(world: World) -> None:
    with world.engine.begin() as connection:
        contact = make_contact(connection, "Third", int(world.ids["boris"]))
        lead = make_lead(connection, int(world.ids["source"]), contact, None)
    world.ask("POST", f"/leads/{lead}/assign", json={"owner": world.ids["anna"], "why": "cover"})
    assert world.value("SELECT owner_id FROM contact WHERE id = :id", id=contact) == int(world.ids["boris"])


def test_a_pool_picks_whom_it_owes_most_and_counts_it(world: World) -> None:
    world.rows("UPDATE pool_member SET entitled = 3 WHERE owner_id = :id", id=world.ids["boris"])
    body = {"pool": world.ids["pool"], "why": "share it out"}
    lead = world.ask("POST", f"/leads/{world.ids['lead']}/assign", json=body).json
    assert (lead["owner"]["name"], lead["pool"]["name"]) == ("Boris", "Default")
    assert world.value("SELECT assigned FROM pool_member WHERE owner_id = :id", id=world.ids["boris"]) == 1
    assert world.value("SELECT seq FROM pool WHERE id = :id", id=world.ids["pool"]) == 1
    assert world.value("SELECT sum(entitled) FROM pool_member") == pytest.approx(4)


@pytest.mark.parametrize("body, status, code", [
    ({"owner": "999999", "why": "x"}, 422, "owner_unknown"), ({"pool": "999999", "why": "x"}, 422, "pool_unknown"),
    ({"why": "x"}, 422, "owner_or_pool"), ({"owner": "1", "pool": "1", "why": "x"}, 422, "owner_or_pool"),
    ({"owner": "1", "why": " "}, 422, "why_missing"),
    ({"owner": "1"}, 422, "invalid_body"), ({"owner": 1, "why": "x"}, 422, "invalid_body"),
    ({"owner": "1", "why": "x", "version": 9}, 409, "version"),
])  # fmt: skip
def test_a_wrong_assignment_is_refused(still_world: World, body: dict[str, object], status: int, code: str) -> None:
    answer = still_world.ask("POST", f"/leads/{still_world.ids['lead']}/assign", json=body)
    assert (answer.status_code, answer.json["code"]) == (status, code)


def test_an_inactive_owner_gets_no_lead(world: World) -> None:
    refused = world.ask("DELETE", f"/owners/{world.ids['boris']}")
    assert (refused.status_code, refused.json["code"]) == (409, "owner_has_work")
    handed = world.ask("POST", f"/owners/{world.ids['boris']}/hand-over", json={"to": world.ids["anna"], "why": "They leave"})
    assert handed.status_code < 300, handed.text
    assert world.ask("DELETE", f"/owners/{world.ids['boris']}").status_code == 204
    body = {"owner": world.ids["boris"], "why": "x"}
    assert world.ask("POST", f"/leads/{world.ids['lead']}/assign", json=body).json["code"] == "owner_inactive"


def test_an_activity_is_finished_once(world: World) -> None:
    path = f"/activities/{world.ids['activity']}/done"
    done = world.ask("POST", path, "manager", json={"result": "He will think about it"})
    assert (done.json["state"], done.json["closed_at"] is not None) == ("done", True)
    assert world.ask("POST", path, "manager").json["code"] == "activity_closed"
    [touch] = world.rows("SELECT text, contact_id FROM touch WHERE kind = 'task'")
    assert (touch.text, touch.contact_id) == ("He will think about it", int(world.ids["contact"]))
    assert world.get("/activities?state=open", "manager").json["items"] == []


def test_the_raw_body_is_handed_out_for_saving_and_never_rendered(world: World) -> None:
    answer = world.get(f"/events/{world.ids['broken_event']}/raw", "ops", headers={"Accept": "text/html"})
    assert answer.data == b"<script>alert(1)</script>"
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert _last_audit(world) == (_actor(world, "ops"), "event.raw", f"event:{world.ids['broken_event']}")


def test_replay_sends_one_event_through_again_and_says_who_did(world: World) -> None:
    path = f"/events/{world.ids['broken_event']}/replay"
    assert world.ask("POST", path, json={"dry_run": True}).json["replayed"] == 0
    assert world.get(f"/events/{world.ids['broken_event']}").json["state"] == "needs_attention"
    report = world.ask("POST", path).json
    assert (report["selected"], report["replayed"], report["dry_run"]) == (1, 1, False)
    event = world.get(f"/events/{world.ids['broken_event']}").json
    assert (event["state"], event["replayed"], event["error"]) == ("waiting", 1, None)
    assert world.ask("POST", path).json["code"] == "nothing_to_replay"
    assert _last_audit(world)[:2] == (_actor(world, "admin"), "events.replay")


def test_replay_by_filter_takes_what_the_filter_names(world: World) -> None:
    wanted = {"state": "needs_attention", "code": "bad", "source": world.ids["source"]}
    dry = world.ask("POST", "/events/replay", json={"filter": wanted, "dry_run": True}).json
    assert (dry["selected"], dry["replayed"], dry["before"]) == (1, 0, {"needs_attention": 1})
    assert world.ask("POST", "/events/replay", json={"filter": wanted | {"code": "other"}}).json["selected"] == 0
    assert world.ask("POST", "/events/replay", json={"filter": {"ids": [world.ids["broken_event"]]}}).json["replayed"] == 1


@pytest.mark.parametrize("body", [{}, {"filter": {}}, {"filter": {"ids": ["x"]}}, {"filter": {"state": "waiting"}},
                                  {"filter": {"colour": "red"}}, {"filter": None}])  # fmt: skip
def test_a_replay_of_nothing_in_particular_is_refused(still_world: World, body: dict[str, object]) -> None:
    assert still_world.ask("POST", "/events/replay", json=body).status_code == 422


def test_an_event_is_dismissed_with_a_reason(world: World) -> None:
    path = f"/events/{world.ids['broken_event']}/dismiss"
    event = world.ask("POST", path, "ops", json={"why": "a scanner"}).json
    assert (event["state"], event["outcome"], event["reason"]["why"]) == ("done", "dismissed", "a scanner")
    assert world.ask("POST", path, "ops", json={"why": "again"}).status_code == 409


def test_a_source_is_added_changed_paused_rotated_and_kept(world: World) -> None:
    made = world.ask("POST", "/sources", json={"connector": "generic_form", "name": "Landing", "line": "roofs"})
    assert made.status_code == 201
    assert made.json["url"].startswith(world.config.base_url + "/in/")
    assert (made.json["channel"], made.json["line"], made.json["state"]) == ("form", "roofs", "active")
    path = f"/sources/{made.json['id']}"
    changed = world.ask("PATCH", path, json={
        "name": "Shop", "state": "paused", "settings": {"region": "KZ"}, "pool": world.ids["spare_pool"],
        "allowed_hosts": ["Example.com."],
    }).json  # fmt: skip
    assert (changed["name"], changed["state"], changed["pool"]) == ("Shop", "paused", world.ids["spare_pool"])
    assert (changed["settings"]["region"], changed["allowed_hosts"], changed["line"]) == ("KZ", ["example.com"], "roofs")
    assert world.ask("PATCH", path, json={"pool": None}).json["pool"] is None
    assert world.ask("POST", path + "/rotate").json["url"] not in ("", None, made.json["url"])
    assert world.ask("DELETE", path).status_code == 204
    assert world.get(path).status_code == 404
    kept = world.ask("DELETE", f"/sources/{world.ids['source']}")
    assert (kept.status_code, kept.json["code"]) == (409, "source_has_history")
    assert world.get(f"/sources/{world.ids['source']}").json["url"] is not None


def test_an_owner_is_added_changed_absent_on_duty_and_retired(world: World) -> None:
    made = world.ask("POST", "/owners", "head", json={"name": "Vera", "extension": "103", "team": world.ids["team"]})
    assert (made.status_code, made.json["team"]) == (201, {"id": world.ids["team"], "name": "North"})
    path = f"/owners/{made.json['id']}"
    assert made.json["id"] in {m["owner"]["id"] for m in world.get(f"/pools/{world.ids['pool']}").json["members"]}
    until = (datetime.now(UTC) + timedelta(days=3)).replace(microsecond=0)
    away = world.ask("PATCH", path, json={"absent_until": until.isoformat(), "team": None, "duty": True}).json
    assert away["absent_until"] == until.isoformat().replace("+00:00", "Z")
    assert (away["team"], away["duty"]) == (None, True)
    assert world.ask("PATCH", path, json={"absent_until": None, "email": "v@example.com"}).json["absent_until"] is None
    taken = world.ask("PATCH", path, json={"extension": "101"})
    assert (taken.status_code, taken.json["code"]) == (409, "extension_taken")
    assert world.ask("PATCH", path, json={"team": "999999"}).json["code"] == "team_unknown"
    for never in ("2020-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"):
        assert world.ask("PATCH", path, json={"absent_until": never}).status_code == 422
    on_duty = world.ask("DELETE", path)
    assert (on_duty.status_code, on_duty.json["code"]) == (409, "owner_on_duty")
    assert world.ask("PATCH", f"/owners/{world.ids['anna']}", json={"duty": True}).status_code == 200
    assert world.ask("DELETE", path).status_code == 204
    assert world.get(path).json["active"] is False
    assert world.ask("DELETE", "/owners/999999").status_code == 404


def test_teams_are_added_renamed_and_removed(world: World) -> None:
    team = world.ask("POST", "/teams", json={"name": "South"}).json
    assert world.ask("POST", "/teams", json={"name": "South"}).status_code == 409
    assert world.ask("PATCH", f"/teams/{team['id']}", json={"name": "North"}).status_code == 409
    assert world.ask("PATCH", f"/teams/{team['id']}", json={"name": "East"}).json["name"] == "East"
    assert world.ask("DELETE", f"/teams/{team['id']}").status_code == 204
    assert world.ask("DELETE", f"/teams/{team['id']}").status_code == 404


def test_pools_keep_their_history_and_one_default(world: World) -> None:
    spare, default = f"/pools/{world.ids['spare_pool']}", f"/pools/{world.ids['pool']}"
    member = f"{spare}/members/{world.ids['anna']}"
    assert world.ask("PUT", member, json={"weight": 2.5}).json["members"][0]["weight"] == 2.5
    assert world.ask("PUT", member, json={"weight": 1, "paused": True}).json["members"][0]["paused"] is True
    assert world.ask("PUT", member, json={"weight": -1}).status_code == 422
    assert world.ask("PUT", f"{spare}/members/999999", json={}).status_code == 404
    assert world.ask("DELETE", member).status_code == 204
    assert world.ask("DELETE", member).status_code == 404
    assert world.ask("PATCH", default, json={"default": False}).json["code"] == "default_needed"
    assert world.ask("PATCH", spare, json={"default": True, "name": "Main"}).json["default"] is True
    assert world.get(default).json["default"] is False
    assert world.ask("DELETE", spare).json["code"] == "default_needed"
    assert world.ask("DELETE", default).status_code == 204
    assert world.ask("PATCH", "/pools/999999", json={"name": "x"}).status_code == 404


def test_the_audit_can_only_grow(world: World) -> None:
    world.ask("POST", "/teams", json={"name": "South"})
    for statement in ("UPDATE audit_entry SET actor = 'nobody'", "DELETE FROM audit_entry"):
        with pytest.raises(DBAPIError):
            world.rows(statement)
    assert _last_audit(world)[1] == "team.add"


def test_a_refused_deed_leaves_neither_rows_nor_audit(world: World) -> None:
    before = _audit(world)
    world.ask("POST", f"/leads/{world.ids['lead']}/assign", json={"owner": "999999", "why": "x"})
    world.ask("PATCH", f"/leads/{world.ids['lead']}", json={"version": 7, "stage": "x"})
    world.ask("PATCH", f"/owners/{world.ids['anna']}", json={"name": "A", "extension": "102"})
    assert _audit(world) == before
    assert world.value("SELECT name FROM owner WHERE id = :id", id=world.ids["anna"]) == "Anna"


def test_events_of_nobody_are_shown_and_then_emptied(world: World) -> None:
    uid = world.value(
        "INSERT INTO inbound_event (source_id, channel, body, state, outcome, reason) VALUES (:source, 'form',"
        " 'phone=89000001122', 'done', 'spam', '{\"code\": \"quarantined\"}') RETURNING uid", source=int(world.ids["source"]),
    )  # fmt: skip
    asked = {"phone": "+7 900 000-11-22"}
    seen = world.ask("POST", "/erasures/preview", json=asked).json
    assert (seen["count"], [one["id"] for one in seen["found"]], seen["next"]) == (1, [uid], None)
    assert world.ask("POST", "/erasures", json=asked).status_code == 422
    done = world.ask("POST", "/erasures", json=asked | {"why": "a letter"}).json
    assert (done["events"], done["contacts"]) == (1, [])
    assert world.value("SELECT octet_length(body) FROM inbound_event WHERE uid = :uid", uid=uid) == 0
    assert _last_audit(world) == (_actor(world, "admin"), "events.erase", "events")
    assert world.ask("POST", "/erasures/preview", json={}).json["code"] == "one_person"
    assert world.ask("POST", "/erasures", json={"email": "nobody", "why": "x"}).json["code"] == "email_unreadable"
    named = world.ask("POST", "/erasures/preview", json={"email": "Olga@example.org"}).json
    assert (named["count"], named["contacts"]) == (0, [world.value("SELECT id::text FROM contact WHERE name = 'Olga Orlova'")])


def test_a_contact_is_erased_with_the_events_of_nobody_that_name_him(world: World) -> None:
    with world.engine.begin() as connection:
        make_event(connection, int(world.ids["source"]), b"m=ivan@EXAMPLE.com", state="done", outcome="spam")
    erased = world.ask("POST", f"/contacts/{world.ids['contact']}/erase", json={"why": "a letter"}).json
    assert (erased["strays"], erased["on_their_way"]) == (1, 0)
