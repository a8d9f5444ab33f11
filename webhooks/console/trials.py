"""What the "try it" button sends: an invented inquiry or call, as a website or an exchange would send it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson

from connectors.kit import Connector


@dataclass(frozen=True, slots=True)
class Trial:
    body: bytes
    content_type: str
    curl: str  # the arguments of curl that send something like it


def trial_of(connector: Connector, now: datetime) -> Trial | None:
    """None where a trial would prove nothing: a signature that only the provider can make, or a mailbox."""
    if connector.verify is not None or connector.pulls:
        return None
    make = {"generic_form": _form, "generic_call": _call}.get(connector.name)
    return make(now) if make else None


def _form(_now: datetime) -> Trial:
    fields = {
        "name": "Anna Example",
        "phone": "+7 912 345-67-02",
        "email": "anna@example.com",
        "message": "A try from the console. Please call me back about the windows.",
        "page_url": "https://example.com/?utm_source=console&utm_medium=try",
    }
    curl = (
        '-d name="Anna Example" --data-urlencode "phone=+7 912 345-67-02" -d email=anna@example.com'
        ' -d message="Please call me back"'
    )
    return Trial(orjson.dumps(fields), "application/json", curl)


def _call(now: datetime) -> Trial:
    """A call that rang and was missed, in the Zammad/sipgate vocabulary; each try is another call."""
    call_id = f"console-{int(now.timestamp() * 1000)}"
    fields = {"event": "hangup", "direction": "in", "from": "+79123456702", "to": "+74951234567", "callId": call_id,
              "cause": "noAnswer"}  # fmt: skip
    curl = "-d event=hangup -d direction=in -d from=79123456702 -d to=74951234567 -d callId=$RANDOM -d cause=noAnswer"
    return Trial(orjson.dumps(fields), "application/json", curl)
