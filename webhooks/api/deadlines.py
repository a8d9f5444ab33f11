"""How soon inquiries are to be answered, that a client was reached, and how soon everybody was."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import AwareDatetime, Field

from crm_core.deadlines import commands
from crm_core.deadlines.queries import get_policy, list_policies, response_times, waits_of
from webhooks.api.parameters import Filters, RowId, StorableText, Time
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Named, Number, Page, Shape

Minutes = Annotated[float, Field(allow_inf_nan=False)]


class Deadline(Shape):
    id: Id
    source: Named | None = Field(description="null: of any source")
    pool: Named | None = Field(description="null: of any pool")
    warn_minutes: Number | None = Field(description="of working time since the inquiry was received; null: nobody is warned")
    breach_minutes: Number = Field(description="from then on it is late")
    escalate_minutes: Number | None = Field(description="then the head is told")
    reassign_minutes: Number | None = Field(description="so long an owner who does not answer keeps a late lead")
    max_hops: int = Field(description="times that a lead is taken from somebody; then the head has it")
    head: Named | None = Field(description="null: the heads of sales")
    created_at: AwareDatetime = Field(description="what was received before has no deadline")


class DeadlinePage(Page[Deadline]):
    pass


class Wait(Shape):
    id: Id
    state: Literal["open", "answered", "ended"]
    started_at: AwareDatetime = Field(description="when the inquiry was received")
    due_at: AwareDatetime | None = Field(description="null: not counted yet")
    warned_at: AwareDatetime | None
    breached_at: AwareDatetime | None = Field(description="it was late; late stays late")
    escalated_at: AwareDatetime | None
    hops: int
    answered_at: AwareDatetime | None
    answered_by: Named | None
    answer: Literal["", "call", "got_through", "message", "by_hand"]
    working_seconds: Number | None = Field(description="from the inquiry to the answer")
    ended_code: str = Field(description="why nobody waits any more: won, lost, closed, merged, spam, erased")


class WaitPage(Page[Wait]):
    pass


class ResponseTimes(Shape):
    source: Named | None
    owner: Named | None
    hour: int | None = Field(description="in the hub's zone")
    inquiries: int
    answered: int
    waiting: int
    unanswered: int = Field(description="closed without an answer")
    late: int
    median_seconds: Number | None = Field(description="of working time")
    p90_seconds: Number | None
    median_wall_seconds: Number | None
    p90_wall_seconds: Number | None


class ResponseTimesPage(Page[ResponseTimes]):
    pass


class ResponseTimesQuery(Filters):
    by: Literal["source", "owner", "hour"] = "source"
    since: Time | None = Field(None, description="received at or after")
    until: Time | None = Field(None, description="received before")


class DeadlineBody(Body):
    breach_minutes: Minutes = Field(description="of working time since the inquiry was received")
    warn_minutes: Minutes | None = None
    escalate_minutes: Minutes | None = None
    reassign_minutes: Minutes | None = None
    max_hops: int = 3
    source: RowId | None = None
    pool: RowId | None = None
    head: RowId | None = Field(None, description="an owner's id")


class DeadlinePatch(Body):
    """What is not named stays; null takes a step or a condition away."""

    breach_minutes: Minutes | None = None
    warn_minutes: Minutes | None = None
    escalate_minutes: Minutes | None = None
    reassign_minutes: Minutes | None = None
    max_hops: int | None = None
    source: RowId | None = None
    pool: RowId | None = None
    head: RowId | None = None


class ReachedBody(Body):
    means: Literal["call", "message", "meeting"]
    text: StorableText = Field("", description="what was said; at most 10000 characters")


def _columns(body: Body) -> dict[str, Any]:
    """By the names of the table, and only what was sent. Neither when it is late nor how often it moves can be nothing."""
    sent = body.model_dump(exclude_unset=True)
    told = {f"{name}_id" if name in ("source", "pool", "head") else name: value for name, value in sent.items()}
    return {name: value for name, value in told.items() if value is not None or name not in ("breach_minutes", "max_hops")}


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_policies(connection), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_policy(connection, ask.id("deadline"))


def _add(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_policy(connection, commands.add_policy(connection, ask.principal, **_columns(cast(DeadlineBody, ask.body))))


def _change(ask: Ask) -> object:
    policy_id = ask.id("deadline")
    with ask.engine.begin() as connection:
        commands.change_policy(connection, ask.principal, policy_id, _columns(cast(DeadlinePatch, ask.body)))
        return get_policy(connection, policy_id)


def _remove(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.remove_policy(connection, ask.principal, ask.id("deadline"), ask.now)


def _reached(ask: Ask) -> None:
    body = cast(ReachedBody, ask.body)
    with ask.engine.begin() as connection:
        commands.mark_reached(connection, ask.principal, ask.id("lead"), body.means, ask.now, body.text)


def _waits(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": waits_of(connection, ask.principal, ask.id("lead")), "next": None}


def _times(ask: Ask) -> object:
    query = cast(ResponseTimesQuery, ask.query)
    with ask.engine.begin() as connection:
        found = response_times(connection, ask.principal, query.by, query.since, query.until, ask.config.timezone)
    return {"items": found, "next": None}


ROUTES = (
    Route("GET", "/deadlines", "deadlines.read", _list, "How soon inquiries are to be answered, the general rule first", DeadlinePage),
    Route("POST", "/deadlines", "deadlines.write", _add, "Say how soon, from the next inquiry on", Deadline, body=DeadlineBody,
          status=201),
    Route("GET", "/deadlines/<id>", "deadlines.read", _get, "One deadline", Deadline),
    Route("PATCH", "/deadlines/<id>", "deadlines.write", _change, "Change a deadline; what is late already stays late", Deadline,
          body=DeadlinePatch),
    Route("DELETE", "/deadlines/<id>", "deadlines.write", _remove, "Take a deadline away", None, status=204),
    Route("GET", "/response-times", "deadlines.read", _times, "First answers by source, person or hour of the day", ResponseTimesPage,
          query=ResponseTimesQuery),
    Route("GET", "/leads/<id>/waits", "leads.read", _waits, "How long a lead's client waited each time, the latest first", WaitPage),
    Route("POST", "/leads/<id>/reached", "leads.write", _reached, "Say that its client was reached where no exchange sees it", None,
          body=ReachedBody, status=204),
)  # fmt: skip
