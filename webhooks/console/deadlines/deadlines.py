"""How soon inquiries are to be answered, how soon they were, and saying that a client was reached."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from flask import request

from crm_core.base.errors import Conflict, Invalid
from crm_core.deadlines import commands
from crm_core.deadlines.queries import BY, By, Mark, PolicyView, ResponseTimes, list_policies, response_times
from crm_core.people.queries import list_pools
from webhooks.console.shell import choices, clock, errors
from webhooks.console.shell.form_input import read_number
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen, entered

_STEPS = ("warn", "breach", "escalate", "reassign")
_DAYS = ("7", "30", "90")
_WHOLE = 100_000  # characters of a text: what is too long is refused in words, never cut in silence


def index(context: RequestContext) -> PageAnswer:
    return _page(context, None, None)


def _page(context: RequestContext, problem: errors.Problem | None, of: int | None) -> str:
    """`of` is the policy whose form is shown as it was typed; None is a new one's."""
    wanted = chosen("by", "days")
    by = cast(By, wanted["by"] if wanted.get("by") in BY else "source")
    days = wanted["days"] if wanted.get("days") in _DAYS else "30"
    with context.engine.begin() as connection:
        policies = list_policies(connection)
        since = context.now - timedelta(days=int(days))
        figures = response_times(connection, context.principal, by, since, None, context.config.timezone)
        options = {
            "source": choices.sources(connection, context),
            "pool": [(str(one.id), one.name) for one in list_pools(connection)],
            "head": choices.active_owners(connection),
        }
    return context.page(
        "deadlines/deadlines.html",
        policies=[{"view": one, "typed": _typed(one, of, problem), "words": _steps(context, one)} for one in policies],
        typed=_typed(None, of, problem),
        problem=problem,
        of=of,
        options=options,
        figures=[_row(context, one) for one in figures],
        by=by,
        days=days,
        days_options=[(one, context.language.count("deadlines.days", int(one))) for one in _DAYS],
        by_options=[(one, context.language.code("deadlines.by", one)) for one in BY],
        can_write=context.may("deadlines.write"),
    )


def _typed(policy: PolicyView | None, of: int | None, problem: errors.Problem | None) -> dict[str, str]:
    """What stands in a policy's form."""
    if problem is not None and of == (policy.id if policy is not None else None):
        return dict(request.form)
    if policy is None:
        return {"hops": "3"}
    told = {name: _plain(getattr(policy, f"{name}_minutes")) for name in _STEPS} | {"hops": str(policy.max_hops)}
    return told | {
        name: str(one.id) if one is not None else ""
        for name, one in (("source", policy.source), ("pool", policy.pool), ("head", policy.head))
    }


def _plain(minutes: float | None) -> str:
    return "" if minutes is None else f"{minutes:g}"


def _steps(context: RequestContext, one: PolicyView) -> list[str]:
    """What happens, in the order in which it does."""
    said = [
        (name, value) for name in _STEPS if (value := getattr(one, f"{name}_minutes")) is not None
    ]  # fmt: skip
    words = [
        context.language.code("deadlines.step", name, minutes=context.language.number(_short(value))) for name, value in said
    ]
    if one.reassign_minutes is not None:
        words.append(context.language.count("deadlines.step_head", one.max_hops))
    return words


def _short(value: float) -> float:
    return int(value) if value == int(value) else round(value, 2)


def _row(context: RequestContext, one: ResponseTimes) -> dict[str, Any]:
    named = one.source or one.owner
    hour = None if one.hour is None else f"{one.hour:02d}:00"

    def span(seconds: float | None) -> str:
        return "" if seconds is None else clock.span(seconds, context.language)

    return {
        "name": hour or (named.name if named else context.language("lead.nobody")), "inquiries": one.inquiries, "answered": one.answered,
        "waiting": one.waiting, "unanswered": one.unanswered, "late": one.late, "median": span(one.median_seconds),
        "p90": span(one.p90_seconds),
    }  # fmt: skip


def add(context: RequestContext) -> PageAnswer:
    try:
        values = _values()
        with context.engine.begin() as connection:
            commands.add_policy(connection, context.principal, values.pop("breach_minutes"), **values)
    except (Invalid, Conflict) as error:
        return _refused(context, error, None)
    return context.go("deadlines", "deadline_added")


def change(context: RequestContext, policy_id: int) -> PageAnswer:
    try:
        with context.engine.begin() as connection:
            commands.change_policy(connection, context.principal, policy_id, _values())
    except (Invalid, Conflict) as error:
        return _refused(context, error, policy_id)
    return context.go("deadlines", "deadline_changed")


def _refused(context: RequestContext, error: Invalid | Conflict, of: int | None) -> PageAnswer:
    return _page(context, errors.problem_of(context, error), of), 422 if isinstance(error, Invalid) else 409


def remove(context: RequestContext, policy_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        commands.remove_policy(connection, context.principal, policy_id, context.now)
    return context.go("deadlines", "deadline_removed")


def reached(context: RequestContext, lead_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        commands.mark_reached(
            connection,
            context.principal,
            lead_id,
            cast(commands.Means, entered("means", 20)),
            context.now,
            entered("text", _WHOLE),
        )
    return context.go("lead", "client_reached", lead_id=lead_id)


def _values() -> dict[str, Any]:
    """All fields of the form; an empty one is nothing."""
    values: dict[str, Any] = {f"{name}_minutes": _minutes(name) for name in _STEPS}
    if values["breach_minutes"] is None:
        raise Invalid("minutes_unreadable", "Say after how many minutes it is late.", fields=["breach_minutes"])
    values["max_hops"] = _whole("hops", "hops_out_of_range") if entered("hops", 10) else 3
    return values | {
        f"{name}_id": _whole(name, f"{'owner' if name == 'head' else name}_unknown") for name in ("source", "pool", "head")
    }


def _minutes(name: str) -> float | None:
    text = entered(name, 20)
    if not text:
        return None
    try:
        return read_number(text)
    except ValueError as error:
        raise Invalid("minutes_unreadable", "Minutes are a number, for instance 15.", fields=[f"{name}_minutes"]) from error


def _whole(name: str, code: str) -> int | None:
    text = entered(name, 18)
    if text and not (text.isascii() and text.isdecimal()):
        raise Invalid(code, "A whole number is needed.", fields=[name], most="20")
    return int(text) if text else None


def mark_words(context: RequestContext, mark: Mark) -> dict[str, str]:
    """How a lead's open wait is shown beside it: {"tone","words"}."""
    is_late = mark.standing == "late"
    length = clock.span(abs((mark.due_at - context.now).total_seconds()), context.language)
    if not is_late and mark.due_at - context.now > timedelta(hours=12):
        return {"tone": "", "words": context.language("deadlines.due_at", at=_at(context, mark.due_at))}
    tone = {"late": "red", "soon": "amber", "waiting": ""}[mark.standing]
    return {"tone": tone, "words": context.language("deadlines.late" if is_late else "deadlines.due_in", span=length)}


def _at(context: RequestContext, at: datetime) -> str:
    return clock.relative(at, context.now, context.config.zone, context.language)
