"""Commands that take a waiting lead, give one back, and say that notifications were read."""

from __future__ import annotations

from datetime import UTC, datetime

from door_frame import Case, Row, in_transaction

from crm_core.leads.claiming import claim_lead, return_lead
from crm_core.notifications.commands import mark_read

_WAITS = "UPDATE lead SET owner_id = NULL, pool_id = (SELECT id FROM pool WHERE is_default) WHERE id = :lead"
_OF_ANOTHER_POOL = (
    "WITH other AS (INSERT INTO pool (name) VALUES ('Others') RETURNING id)"
    " UPDATE lead SET owner_id = NULL, pool_id = (SELECT id FROM other) WHERE id = :lead"
)
_CLOSED = "UPDATE lead SET state = 'lost', lost_reason = 'x', closed_at = '2026-11-21T10:00:00Z' WHERE id = :lead"
_FULL = "UPDATE owner SET max_open = 0 WHERE id = :boris"
_GONE = "UPDATE owner SET active = false WHERE id = :boris"
_TOLD = "INSERT INTO notification (owner_id, kind, lead_id, at) VALUES (:anna, 'lead_given', :lead, '2026-11-21T10:00:00Z')"
_BACK = {"code": "no_time", "why": "I am at a fair"}

ROWS = (
    Row(
        claim_lead,
        "leads.claim",
        in_transaction(
            lambda connection, _hub, principal, i: claim_lead(connection, principal, int(i["lead"]), datetime.now(UTC))
        ),
        api=lambda i: ("POST", f"/leads/{i['lead']}/claim", {}),
        console=lambda i: (f"/leads/{i['lead']}/claim", {}),
        again="idle",
        cases=(
            Case("that waits for their pool", role="other_manager", before=(_WAITS,)),
            Case("that they have already", role="manager", idle=True),
            Case("that a colleague has", {}, "lead_taken", "other_manager"),
            Case("of another pool", {}, "lead_unknown", "other_manager", before=(_OF_ANOTHER_POOL,)),
            Case("that is closed", {}, "lead_unknown", "other_manager", before=(_WAITS, _CLOSED)),
            Case("beyond their limit", {}, "claim_limit", "other_manager", before=(_WAITS, _FULL)),
            Case("of somebody who left", {}, "no_owner", "other_manager", before=(_WAITS, _GONE)),
            Case("of a user without an owner", {}, "no_owner", "stray_manager", before=(_WAITS,)),
            Case("unknown", {"lead": "999999"}, "lead_unknown", "other_manager"),
        ),
    ),
    Row(
        return_lead,
        "leads.return",
        in_transaction(
            lambda connection, _hub, principal, i: return_lead(
                connection, principal, int(i["lead"]), i["code"], i["why"], datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", f"/leads/{i['lead']}/return", {"code": i["code"], "why": i["why"]}),
        console=lambda i: (f"/leads/{i['lead']}/return", {"code": i["code"], "why": i["why"]}),
        again="more",
        cases=(
            Case("by the head", _BACK),
            Case("by whoever has it", _BACK, role="manager"),
            Case(
                "for a reason that there is not",
                {**_BACK, "code": "banana"},
                "return_code",
                doors=frozenset({"domain", "console"}),
            ),
            Case("without words", {**_BACK, "why": "  "}, "why_missing"),
            Case("that nobody has", _BACK, "nobody_has_it", before=(_WAITS,)),
            Case("that is closed", _BACK, "lead_closed", before=(_CLOSED,)),
            Case("a colleague's", _BACK, "lead_unknown", "other_manager"),
            Case("unknown", {**_BACK, "lead": "999999"}, "lead_unknown"),
        ),
    ),
    Row(
        mark_read,
        "notifications.write",
        in_transaction(lambda connection, _hub, principal, _i: mark_read(connection, principal, None, datetime.now(UTC))),
        api=lambda _i: ("POST", "/notifications/read", {"ids": None}),
        console=lambda _i: ("/notifications/read", {}),
        again="idle",
        cases=(
            Case("all of one's own", role="manager", before=(_TOLD,)),
            Case("none", role="other_manager", before=(_TOLD,), idle=True),
            Case("by somebody who only reads", {}, "forbidden", "readonly"),
        ),
    ),
)
