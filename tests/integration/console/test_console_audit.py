"""The page of the audit, and that the console's looks at raw data stand in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from conftest import Hub


def test_every_look_at_raw_data_leaves_a_row(hub: Hub) -> None:
    hub.send(b'{"name": "Olga", "message": "secret wish"}')
    [(uid,)] = hub.rows("SELECT uid FROM inbound_event")
    ops = hub.signed_in("ops")
    looks = "SELECT action, subject, data->>'as' FROM audit_entry WHERE actor = :actor AND action <> 'session.begin' ORDER BY id"
    assert "secret wish" in ops.get(f"/console/events/{uid}").text
    assert b"secret wish" in ops.get(f"/console/events/{uid}/raw").data
    assert "secret wish" in ops.get(f"/console/sources/{hub.source_id}/mapping").text
    assert ops.post(f"/console/sources/{hub.source_id}/mapping", text="read_names: true", act="try").status_code == 200
    rows = hub.rows(looks, actor=f"user:{hub.user_ids['ops']}")
    source = f"source:{hub.source_id}"
    assert rows[:3] == [
        ("event.raw", f"event:{uid}", "page"),
        ("event.raw", f"event:{uid}", "file"),
        ("source.bench", source, None),
    ]
    assert {row[:2] for row in rows[3:]} == {("source.bench", source)}
    reader = hub.signed_in("readonly")
    reader.get(f"/console/events/{uid}")
    assert hub.rows(looks, actor=f"user:{hub.user_ids['readonly']}") == [], "who may not see the bytes has looked at nothing"


def test_page_shows_who_did_what_in_both_languages(hub: Hub) -> None:
    hub.send(b'{"name": "Olga", "email": "olga@example.com", "message": "windows"}')
    [(uid,)] = hub.rows("SELECT uid FROM inbound_event")
    hub.signed_in("ops").get(f"/console/events/{uid}/raw")
    hub.rows(
        "INSERT INTO audit_entry (actor, action, subject) VALUES ('cli', 'thing.unheard_of', :odd) RETURNING id",
        odd="<b>odd</b>:1",
    )
    head = hub.signed_in("head")
    page = head.get("/console/audit").text
    assert "Looked at raw data" in page
    assert f"/console/events/{uid}" in page
    assert "thing.unheard_of" in page
    assert "<b>odd</b>" not in page
    assert "Signed in" in page
    only = head.get(f"/console/audit?actor=user:{hub.user_ids['ops']}&subject=event").text
    assert "Looked at raw data" in only
    assert "thing.unheard_of" not in only
    assert "Nothing is recorded here" in head.get("/console/audit?day=2020-01-01").text
    assert head.get("/console/audit?day=x").status_code == 422
    head.post("/console/language", locale="ru")
    assert "Смотрел исходные данные" in head.get("/console/audit").text
