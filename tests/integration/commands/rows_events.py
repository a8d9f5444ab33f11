"""Commands over events: what was set aside as spam, sending through again, dismissing."""

from __future__ import annotations

from datetime import UTC, datetime

from door_frame import Case, Row, in_transaction

from ingest.journal.queries import dismiss
from ingest.processing.replay import Selection, replay
from ingest.quarantine.quarantine import Pick, accept_consent, confirm, release

_SPAM = "5" * 32
_NAMED = f"UPDATE inbound_event SET uid = '{_SPAM}' WHERE outcome = 'spam'"
_HELD = {"event": _SPAM}
_HELD_FOR_CONSENT = 'UPDATE inbound_event SET error = \'{"code": "consent_unknown"}\' WHERE uid = :broken_event'
_NOTHING = Case("nothing of the kind", {"event": "0" * 32}, "nothing_to_judge")
_BY_A_MANAGER = Case("by a manager", _HELD, "forbidden", "manager", before=(_NAMED,))

ROWS = (
    Row(
        release,
        "quarantine.judge",
        in_transaction(
            lambda connection, _hub, principal, i: release(connection, principal, Pick((i["event"],)), datetime.now(UTC))
        ),
        api=lambda i: ("POST", "/quarantine/release", {"ids": [i["event"]]}),
        console=lambda i: ("/quarantine/release", {"event": i["event"]}),
        cli=lambda i: ("quarantine", "release", i["event"]),
        again="nothing_to_judge",
        cases=(
            Case("set aside", _HELD, before=(_NAMED,)),
            _NOTHING,
            _BY_A_MANAGER,
        ),
    ),
    Row(
        confirm,
        "quarantine.judge",
        in_transaction(
            lambda connection, _hub, principal, i: confirm(connection, principal, Pick((i["event"],)), datetime.now(UTC))
        ),
        api=lambda i: ("POST", "/quarantine/confirm", {"ids": [i["event"]]}),
        console=lambda i: ("/quarantine/confirm", {"event": i["event"]}),
        cli=lambda i: ("quarantine", "confirm", i["event"]),
        again="nothing_to_judge",
        cases=(
            Case("set aside", _HELD, before=(_NAMED,)),
            _NOTHING,
            _BY_A_MANAGER,
        ),
    ),
    Row(
        dismiss,
        "events.replay",
        in_transaction(
            lambda connection, _hub, principal, i: dismiss(connection, principal, i["broken_event"], i["why"], datetime.now(UTC))
        ),
        api=lambda i: ("POST", f"/events/{i['broken_event']}/dismiss", {"why": i["why"]}),
        console=lambda i: (f"/events/{i['broken_event']}/dismiss", {"why": i["why"]}),
        again="event_not_open",
        cases=(
            # Its first outcome would be counted by the time that it took, which differs.
            Case("unreadable", {"why": "a test of ours"}, before=("UPDATE inbound_event SET done_at = received_at",)),
            Case("without a reason", {"why": " "}, "why_missing", doors=frozenset({"domain", "console"})),
            Case("unknown", {"broken_event": "0" * 32, "why": "x"}, "event_unknown"),
        ),
    ),
    Row(
        replay,
        "events.replay",
        lambda hub, principal, i: replay(hub.engine, principal, hub.config, Selection(uids=(i["broken_event"],)), False),
        api=lambda i: ("POST", "/events/replay", {"filter": {"ids": [i["broken_event"]]}}),
        console=lambda i: ("/events/replay", {"event": i["broken_event"]}),
        cli=lambda i: ("events", "replay", i["broken_event"]),
        again="nothing_to_replay",
        cases=(
            Case("unreadable"),
            Case("unknown", {"broken_event": "0" * 32}, "event_unknown"),
            Case("on its way", {}, "nothing_to_replay", before=("UPDATE inbound_event SET state = 'waiting' WHERE uid = :broken_event",)),
            Case("by a head", {}, "forbidden", "head"),
        ),
    ),
    Row(
        replay,
        "events.replay",
        lambda hub, principal, i: replay(hub.engine, principal, hub.config, Selection(uids=(i["broken_event"],)), False),
        api=lambda i: ("POST", f"/events/{i['broken_event']}/replay", {}),
        again="nothing_to_replay",
        cases=(Case("unreadable"), Case("unknown", {"broken_event": "0" * 32}, "event_unknown")),
    ),
    Row(
        accept_consent,
        "quarantine.judge",
        in_transaction(
            lambda connection, _hub, principal, i: accept_consent(connection, principal, [i["broken_event"]], datetime.now(UTC))
        ),
        api=lambda i: ("POST", f"/events/{i['broken_event']}/accept-consent", None),
        console=lambda i: (f"/events/{i['broken_event']}/accept-consent", {}),
        again="consent_not_held",
        cases=(
            Case("held for lack of one", before=(_HELD_FOR_CONSENT,)),
            Case("held for another reason", {}, "consent_not_held"),
            Case("unknown", {"broken_event": "0" * 32}, "event_unknown"),
        ),
    ),
)  # fmt: skip
