"""What the "try it" buttons send: an invented inquiry or call, as a website or an exchange would send it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import orjson

from connectors.kit import Connector

_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Letter:
    """One POST to the door."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Trial:
    letters: tuple[Letter, ...]  # in this order; the last one brings the result
    is_test: bool  # marked so that no lead is made
    curl: str  # the arguments of curl that send something like it


def trial_of(connector: Connector, now: datetime, *, real: bool = False) -> Trial | None:
    """None where a trial would prove nothing: a signature that only the provider can make, or a mailbox.

    A form's trial carries a test mark unless it is to be `real`; a call cannot carry one and always is.
    """
    if connector.verify is not None or connector.pulls:
        return None
    if connector.name == "generic_form":
        return _form(real)
    return _call(now) if connector.name == "generic_call" else None


def _form(real: bool) -> Trial:
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
    marked = fields if real else fields | {"_test": "1"}
    return Trial((Letter(orjson.dumps(marked), _JSON),), not real, curl)


def _call(now: datetime) -> Trial:
    """A call that rang and was missed, in the Zammad/sipgate vocabulary; each try is another call."""
    call = {"direction": "in", "from": "79123456702", "to": "74951234567",
            "callId": f"console-{int(now.timestamp() * 1000)}"}  # fmt: skip
    rang, ended = {"event": "newCall", **call}, {"event": "hangup", **call, "cause": "noAnswer"}
    curl = "-d event=hangup -d direction=in -d from=79123456702 -d to=74951234567 -d callId=$RANDOM -d cause=noAnswer"
    return Trial((Letter(orjson.dumps(rang), _JSON), Letter(orjson.dumps(ended), _JSON)), False, curl)
