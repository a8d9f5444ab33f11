"""Commands over messages to colleagues."""

from __future__ import annotations

from datetime import UTC, datetime

from door_frame import Case, Row, in_transaction

from crm_core.mentions.commands import leave_mention, read_mention

_GONE = "UPDATE owner SET active = false WHERE id = :boris"
_READ = "UPDATE mention SET read_at = '2026-11-21T10:00:00Z', read_by = 'user:1' WHERE id = :mention"
_FOR_ANNA = "UPDATE mention SET owner_id = :anna, lead_id = :other_lead WHERE id = :mention"
_PLAIN = {"to": "@boris", "text": "They asked for you, please ring."}

ROWS = (
    Row(
        leave_mention,
        "mentions.write",
        in_transaction(
            lambda connection, _hub, principal, i: leave_mention(
                connection, principal, int(i["lead"]), int(i["to"]), i["text"], datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", "/mentions", {"lead": i["lead"], "to": i["to"], "text": i["text"]}),
        console=lambda i: (f"/leads/{i['lead']}/mentions", {"to": i["to"], "text": i["text"]}),
        again="more",
        cases=(
            Case("to a colleague", _PLAIN),
            Case("by the lead's owner", _PLAIN, role="manager"),
            Case(
                "to somebody who is away",
                _PLAIN,
                before=("INSERT INTO absence (owner_id, until_at) VALUES (:boris, '2199-01-01T00:00:00Z')",),
            ),
            Case("no words", {**_PLAIN, "text": "  "}, "mention_length"),
            Case("too many words", {**_PLAIN, "text": "x" * 10_001}, "mention_length"),
            Case("nobody", {**_PLAIN, "to": "999999"}, "owner_unknown"),
            Case("somebody who left", _PLAIN, "owner_inactive", before=(_GONE,)),
            Case("to oneself", {**_PLAIN, "to": "@anna"}, "mention_to_oneself", "manager"),
            Case("unknown lead", {**_PLAIN, "lead": "999999"}, "lead_unknown"),
            Case("a colleague's lead", {**_PLAIN, "to": "@anna"}, "lead_unknown", "other_manager"),
            Case("of a manager without an owner", _PLAIN, "lead_unknown", "stray_manager"),
        ),
    ),
    Row(
        read_mention,
        "mentions.write",
        in_transaction(
            lambda connection, _hub, principal, i: read_mention(connection, principal, int(i["mention"]), datetime.now(UTC))
        ),
        api=lambda i: ("POST", f"/mentions/{i['mention']}/read", None),
        console=lambda i: (f"/mentions/{i['mention']}/read", {}),
        again="idle",
        cases=(
            Case("by the head of sales, for a colleague"),
            Case("by whom it is for", role="other_manager"),
            Case("read already", before=(_READ,), idle=True),
            Case("by whoever left it", {}, "mention_of_another", "manager"),
            Case("of others, about others", {}, "mention_unknown", "stray_manager"),
            Case("about a lead that they may not see", role="manager", before=(_FOR_ANNA,)),
            Case("unknown", {"mention": "999999"}, "mention_unknown"),
        ),
    ),
)
