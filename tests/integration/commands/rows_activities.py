"""Commands over what is planned."""

from __future__ import annotations

from datetime import UTC, datetime

from door_frame import Case, Row, in_transaction

from crm_core.activities.commands import finish_activity

ROWS = (
    Row(
        finish_activity,
        "activities.write",
        in_transaction(
            lambda connection, _hub, principal, i: finish_activity(
                connection, principal, int(i["activity"]), i["result"], datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", f"/activities/{i['activity']}/done", {"result": i["result"]}),
        console=lambda i: (f"/call-backs/{i['activity']}/done", {"result": i["result"]}),
        again="activity_closed",
        cases=(
            Case("talked", {"result": "They want an offer."}),
            Case("nothing to say", {"result": "  "}),
            Case("own", {"result": "x"}, role="manager"),
            Case("of a caller who is no contact", {"result": "x"},
                 before=("UPDATE activity SET contact_id = NULL, lead_id = NULL WHERE id = :activity",)),
            Case("too long", {"result": "x" * 10_001}, "result_too_long"),
            Case("unknown", {"activity": "999999", "result": ""}, "activity_unknown"),
            Case("a colleague's", {"result": ""}, "activity_unknown", "other_manager"),
            Case("of a manager without an owner", {"result": ""}, "activity_unknown", "stray_manager"),
            Case("cancelled", {"result": ""}, "activity_closed", before=("UPDATE activity SET state = 'cancelled' WHERE id = :activity",)),
        ),
    ),
)  # fmt: skip
