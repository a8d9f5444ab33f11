"""The firm of `api_world` with a row in every corner that an answer can show: for comparing whole answers."""

from __future__ import annotations

import json

from api_world import World
from factories.calendar import make_calendar, make_day
from factories.rows import insert
from sqlalchemy import text

_AT = "2026-11-20T11:00:00.250000Z"


def fill(world: World) -> None:
    """Every optional part of every answer is filled in somewhere; the plain rows of `api_world` leave it empty."""
    ids = {name: int(number) for name, number in world.ids.items() if number.isdecimal()}
    with world.engine.begin() as connection:

        def run(statement: str, **values: object) -> None:
            connection.execute(text(statement), values)

        event = connection.execute(text("SELECT event_id FROM lead WHERE id = :id"), {"id": ids["lead"]}).scalar_one()
        run(
            """UPDATE lead SET form_id = 'f1', form_name = 'Order', pool_id = :pool, amount = 118000.5, currency = 'RUB',
               fields = '{"roof": ["red"], "floors": 2}', closed_at = :at, state = 'lost', lost_reason = 'Too dear',
               repeat_of = :other, version = 3, touches = 2,
               attribution = '{"utm": {"utm_source": "ads"}, "click_ids": {"gclid": "1"}, "landing": "/a", "page_url": "https://example.com/"}',
               spam = '{"score": 2, "reasons": [{"code": "honeypot", "points": 2, "detail": "x"}],
                        "marked": {"by": "user:1", "at": "2026-11-20T11:00:00+00:00", "why": "robot", "before": "open"}}'
               WHERE id = :id""",
            pool=ids["pool"], at=_AT, other=ids["other_lead"], id=ids["lead"],
        )  # fmt: skip
        run('UPDATE lead SET spam = \'{"score": 1.5, "reasons": []}\' WHERE id = :id', id=ids["other_lead"])
        insert(
            connection, "consent", contact_id=ids["contact"], lead_id=ids["lead"], source_id=ids["source"], event_id=event,
            purpose="processing", given=True, method="checkbox", text_id="t1", text_sha256="ab" * 32,
            text_url="https://example.com/t", field="agree", page_url="https://example.com/", ip="192.0.2.1",
            user_agent="Firefox", captured_at=_AT,
        )  # fmt: skip
        insert(
            connection, "attachment", contact_id=ids["contact"], lead_id=ids["lead"], event_id=event, n=0, field="plan",
            name="plan.pdf", type="application/pdf", size=12, sha256="cd" * 32, state="refused", note="too_large",
        )  # fmt: skip
        for kind, display in (("telegram", "@ivan"), ("phone", "+74951234567")):
            identifier = insert(connection, "identifier", kind=kind, value=display, strength="strong")
            run(
                "INSERT INTO contact_identifier (identifier_id, contact_id, display, exclusive, retired_at)"
                " VALUES (:identifier, :contact, :display, true, :retired)",
                identifier=identifier, contact=ids["contact"], display=display, retired=_AT if kind == "phone" else None,
            )  # fmt: skip
        merged = connection.execute(text("SELECT nextval(pg_get_serial_sequence('contact', 'id'))")).scalar_one()
        insert(connection, "contact", id=merged, root_id=ids["contact"], name="Ivan")
        run("UPDATE contact SET company = 'Roofs Ltd', owner_since = :at WHERE id = :id", at=_AT, id=ids["contact"])
        run("UPDATE contact SET erased_at = :at WHERE id = :id", at=_AT, id=ids["other_contact"])
        insert(
            connection, "merge_event", winner_id=ids["contact"], loser_id=merged, actor="user:1",
            evidence='{"code": "same_phone"}', moved='{"loser_name": "Ivan"}', at=_AT, undone_at=_AT,
        )  # fmt: skip
        call = insert(
            connection, "call", call_key="c1", contact_id=ids["contact"], remote="+79123456701", source_id=ids["source"],
            facts="{}", phase="closed", direction="out", outcome="out_answered", started_at=_AT, answered_at=_AT,
            ended_at="2026-11-20T11:03:00Z", talk_seconds=179.75, recording="https://example.com/r.mp3",
            owner_id=ids["anna"], lead_id=ids["lead"], our_number="+74950000000", extension="101",
        )  # fmt: skip
        mail = insert(
            connection, "mail_message", dedup_key="m1", subject="The roof", sender="ivan@example.com", event_id=event,
            contact_id=ids["contact"],
        )  # fmt: skip
        for kind, more in (
            ("call", {"call_id": call, "direction": "out"}), ("mail", {"message_id": mail, "title": "The roof", "text": "roof"}),
            ("comment", {"actor": "user:1", "text": "Wants it red", "data": '{"a": [1]}', "direction": "internal"}),
        ):  # fmt: skip
            insert(connection, "touch", kind=kind, contact_id=ids["contact"], lead_id=ids["lead"], at=_AT,
                   **{"source_id": ids["source"]} | more)  # fmt: skip
        run("UPDATE touch SET double_of = 1 WHERE id = (SELECT max(id) FROM touch)")
        run("UPDATE activity SET call_id = :call, missed = 2, tried = 1, title = 'Call back', closed_at = :at, state = 'done'"
            " WHERE id = :id", call=call, at=_AT, id=ids["activity"])  # fmt: skip
        run("INSERT INTO absence (owner_id, from_at, until_at) VALUES (:id, now() - interval '1 day', '2199-01-01T00:00:00Z')",
            id=ids["boris"])  # fmt: skip
        run("INSERT INTO absence (owner_id, from_at, until_at, deputy_id, reason)"
            " VALUES (:id, '2198-01-01T00:00:00Z', '2199-01-01T00:00:00Z', :deputy, 'Holiday')",
            id=ids["anna"], deputy=ids["boris"])  # fmt: skip
        policy = insert(
            connection, "deadline_policy", source_id=ids["source"], pool_id=ids["pool"], warn_minutes=10, breach_minutes=15,
            escalate_minutes=20, reassign_minutes=30.5, max_hops=2, head_id=ids["boris"], created_at=_AT,
        )  # fmt: skip
        world.ids["deadline"] = str(policy)
        insert(
            connection, "deadline", lead_id=ids["lead"], policy_id=policy, state="answered", started_at="2026-11-20T10:00:00Z",
            look_at="2026-11-20T10:00:00Z", owner_id=ids["anna"], hops=1, warn_at="2026-11-20T10:10:00Z",
            due_at="2026-11-20T10:15:00Z", warned_at="2026-11-20T10:10:01Z", breached_at="2026-11-20T10:15:01Z",
            breached_owner_id=ids["boris"], escalated_at="2026-11-20T10:20:01Z", answered_at="2026-11-20T10:40:00Z",
            answered_by=ids["anna"], answer="call", working_seconds=2400,
        )  # fmt: skip
        calendar = make_calendar(connection)
        world.ids["calendar"] = str(calendar)
        make_day(connection, "2026-04-30", "short")
        run(
            "INSERT INTO routing_version (body, author, note, state, created_at, activated_at) VALUES"
            " ('{\"settings\": {\"bound_days\": 30}}', 'user:1', 'First rules', 'active', '2026-11-20T10:00:00Z', '2026-11-20T11:00:00Z')"
        )
        make_day(connection, "2026-03-20", "work", calendar, [["10:00", "14:00"]])
        always = json.dumps({day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")})
        run("UPDATE owner SET zone = 'Asia/Vladivostok', week = :week, languages = '{ru}', skills = '{gates}', regions = '{Ural}',"
            " max_open = 60, max_per_day = 20, paused_until = '9999-12-31T00:00:00Z' WHERE id = :id", week=always,
            id=ids["boris"])  # fmt: skip
        run("UPDATE owner SET team_id = :team, email = 'anna@example.com' WHERE id = :id", team=ids["team"], id=ids["anna"])
        run("UPDATE pool_member SET entitled = 0.333333333, assigned = 1")
        run("UPDATE source_mapping SET state = 'published', published_at = :at, note = 'first'", at=_AT)
        run("UPDATE source_field SET acknowledged_at = :at", at=_AT)
        insert(
            connection, "source_alert", source_id=ids["source"], code="burst", data='{"since": "2026-11-20T11:00:00+00:00"}',
            resolved_at=_AT, resolved_by="user:1",
        )  # fmt: skip
        run("UPDATE inbound_event SET provider_key = 'k-1', redeliveries = 2, replayed = 1, contact_id = :contact, done_at = :at"
            " WHERE id = :id", contact=ids["contact"], at=_AT, id=event)  # fmt: skip
        run("UPDATE inbound_event SET verdict = '{\"spam\": \"spam\", \"by\": \"user:1\", \"at\": \"2026-11-20T11:00:00+00:00\"}'"
            " WHERE outcome = 'spam'")  # fmt: skip
        run("UPDATE api_token SET revoked_at = :at, last_used_at = :at, expires_at = :at WHERE id = :id",
            at=_AT, id=ids["spare_token"])  # fmt: skip
        run("INSERT INTO heartbeat (role, instance, at, data) VALUES ('worker', 'w1', now(), '{\"pid\": 1}'),"
            " ('canary', 'intake.form', now(), '{\"seconds\": 0.5}')")  # fmt: skip
