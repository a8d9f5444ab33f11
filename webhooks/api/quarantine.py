"""What was set aside as spam: to look through, to release, to confirm; and inquiries held for lack of a consent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import AwareDatetime, Field

from ingest.journal.queries import get_event
from ingest.quarantine.quarantine import Pick, accept_consent, confirm, list_quarantine, of_alert, release
from webhooks.api.events import EventCard
from webhooks.api.parameters import RowId, Text, Time
from webhooks.api.route import Ask, Body, Paging, Route
from webhooks.api.shape import Id, Named, OffsetTime, Page, Shape
from webhooks.waking import wake_all


class SpamReason(Shape):
    code: str
    detail: str
    points: int


class Preview(Shape):
    name: str
    phones: list[str]
    emails: list[str]
    company: str
    message: str = Field(description="its beginning")
    form: str


class Verdict(Shape):
    by: str | None
    at: OffsetTime | None


class QuarantineItem(Shape):
    id: Id = Field(validation_alias="uid", description="of the event")
    source: Named
    received_at: AwareDatetime
    score: int
    reasons: list[SpamReason]
    shelf: Literal["review", "buried", "confirmed"]
    judged: Verdict | None
    preview: Preview | None = Field(description="null where the raw bytes are too large or cannot be read")


class QuarantinePage(Page[QuarantineItem]):
    pass


class Judged(Shape):
    events: int = Field(description="how many were released or confirmed; those of a second click are none")


class QuarantineQuery(Paging):
    shelf: Literal["review", "buried", "confirmed", "all"] = Field(
        "review", description="review: to be looked through; buried: 8 points and more; confirmed: spam by a person's word"
    )
    source: RowId | None = None
    days: Annotated[int, Field(ge=1, le=366)] = 30


class PickBody(Body):
    """Events by id, or all of a source in a span of time, or all that a burst set aside."""

    ids: Annotated[list[Text], Field(max_length=1000)] | None = None
    source: RowId | None = None
    since: Time | None = None
    until: Time | None = None
    alert: RowId | None = Field(None, description="of a burst: everything that it set aside")


def _list(ask: Ask) -> object:
    query = cast(QuarantineQuery, ask.query)
    shelf = None if query.shelf == "all" else query.shelf
    with ask.engine.begin() as connection:
        return list_quarantine(connection, ask.config, ask.now, shelf, query.source, query.days, query.limit, query.after)


def _release(ask: Ask) -> Mapping[str, Any]:
    body = cast(PickBody, ask.body)
    with ask.engine.begin() as connection:
        pick = _pick(body) if body.alert is None else of_alert(connection, body.alert)
        released = release(connection, ask.principal, pick, ask.now)
    if released:
        wake_all(ask.config)
    return {"events": released}


def _confirm(ask: Ask) -> Mapping[str, Any]:
    body = cast(PickBody, ask.body)
    with ask.engine.begin() as connection:
        pick = _pick(body) if body.alert is None else of_alert(connection, body.alert)
        return {"events": confirm(connection, ask.principal, pick, ask.now)}


def _accept_consent(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        accept_consent(connection, ask.principal, [ask.path["id"]], ask.now)
        event = get_event(connection, ask.path["id"])
    wake_all(ask.config)
    return event


def _pick(body: PickBody) -> Pick:
    return Pick(tuple(body.ids or ()), body.source, body.since, body.until)


ROUTES = (
    Route("GET", "/quarantine", "quarantine.read", _list, "What was set aside as spam, newest first",
          QuarantinePage, query=QuarantineQuery),
    Route("POST", "/quarantine/release", "quarantine.judge", _release, "Say that they are genuine, and send them on",
          Judged, body=PickBody),
    Route("POST", "/quarantine/confirm", "quarantine.judge", _confirm, "Say that they are spam", Judged,
          body=PickBody),
    Route("POST", "/events/<id>/accept-consent", "quarantine.judge", _accept_consent,
          "Answer for the consent of an inquiry that is held for lack of one", EventCard),
)  # fmt: skip
