"""events/recording says how a recording goes on, events/record/added that it can be fetched.

Source: MangoOffice_VPBX_API_v1.9. Only the id is kept: a link is signed, used once, and made at the click.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from connectors.kit.forms.fields import text_of
from connectors.telephony.mango.values import Tree, joined, moment, rest
from crm_core.base.errors import Malformed
from crm_core.parsed import CallEvent


def read_state(data: Tree, zone: ZoneInfo) -> CallEvent:
    """Started, Continued, Completed: worth keeping, but nothing can be heard before record/added.

    Its `seq` stays a field: nobody says that it is counted together with that of events/call.
    """
    return CallEvent(
        call_key=text_of(data.get("entry_id")),
        event_id=state_identity(data),
        kind="observed",
        extension=text_of(data.get("extension")),
        occurred_at=moment(data, "timestamp", zone),
        fields=rest(data, "entry_id", "extension", "timestamp"),
    )


def state_identity(data: Tree) -> str:
    return joined("recording", data, "entry_id", "recording_id", "recording_state", "seq")


def read_added(data: Tree, zone: ZoneInfo) -> CallEvent:
    recording = text_of(data.get("recording_id"))
    if not recording:
        raise Malformed("no_recording_id", "The event names no recording.", path="$.json.recording_id")
    return CallEvent(
        call_key=text_of(data.get("entry_id")),
        event_id=added_identity(data),
        kind="recording_ready",
        occurred_at=moment(data, "timestamp", zone),
        recording=recording,
        fields=rest(data, "entry_id", "timestamp", "recording_id"),
    )


def added_identity(data: Tree) -> str:
    return joined("record_added", data, "entry_id", "recording_id")
