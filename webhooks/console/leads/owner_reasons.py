"""Why this owner, in words, out of the trace that routing stored: the rule, and a reason for every candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from crm_core.leads.why import AssignmentView, WhyNot
from crm_core.routing.asked import AskedRule
from webhooks.console.routing.rule_words import Names, clause_words
from webhooks.console.shell import clock
from webhooks.console.shell.inflection import inflected
from webhooks.console.shell.request_context import RequestContext

#: Verdicts of traces that an older version wrote as sentences, as codes of the texts "verdict.…".
_OLD_VERDICTS = {"paused in this pool": "paused_in_pool", "weight 0": "no_weight", "smaller deficit or later turn": "later_turn"}

#: Sentences that name somebody in a case; where that cannot be formed, "…_plain" is said instead.
_CASED = {
    "owner_of_the_contact": ("owner", "gen"), "waits_for_shift": ("owner", "gen"), "answered_the_call": ("owner", "gen"),
    "by_hand": ("owner", "gen"), "largest_deficit": ("owner", "gen"), "covers_for_absent_owner": ("covers_for", "ins"), "deputy_covers": ("covers_for", "ins"),
}  # fmt: skip


def explain(
    context: RequestContext, assignments: Sequence[AssignmentView], names: Mapping[str, str], rule_names: Names
) -> dict[str, Any] | None:
    """The last decision: {"sentence","candidates":[{"name","verdict","chosen"}],"rules":[{"name","applies","clauses"}],"by","at","earlier","is_cover"}; None if there is
    none."""
    if not assignments:
        return None
    last = assignments[-1]
    trace: Mapping[str, Any] = last.trace
    by_hand = last.actor != "hub"
    said = trace.get("why")
    return {
        "sentence": " ".join(
            part
            for part in (
                _waited(context, trace),
                sentence(context, last),
                context.language("why.said", why=said) if said else "",
                context.language("why.refunded") if last.refunded_at else "",
            )
            if part
        ),
        "candidates": _passed_over(context, trace.get("steps", [])) + _candidates(context, trace),
        "rules": [_asked(context, rule, rule_names) for rule in last.rules],
        "by": context.language("why.by", name=actor(context, last.actor, names)) if by_hand else context.language("why.by_hub"),
        "at": last.at,
        "earlier": len(assignments) - 1,
        "is_cover": last.kind == "cover",
    }


def sentence(context: RequestContext, last: AssignmentView) -> str:
    """The decision in one sentence that a head of sales may repeat."""
    trace: Mapping[str, Any] = last.trace
    code = str(trace.get("code", ""))
    values = {
        "owner": last.owner.name if last.owner else "",
        "covers_for": (trace.get("covers_for") or {}).get("name", ""),
        "pool": trace.get("pool", ""),
        "client": last.shares_with.name if last.shares_with else "…",
        "rule": (trace.get("rule") or {}).get("name", ""),
        "next": _when(context, trace.get("next")),
        "before": trace.get("before_name") or "…",
    }
    if code == "largest_deficit":
        code = _turn(trace)
    if code in ("returned", "deadline_missed") and last.owner is None:
        code = f"{code}_waits"
    if code in _CASED and context.language.locale == "ru":
        who, case = _CASED[code]
        form = inflected(values[who], case)
        code, values[f"{who}_{case}"] = (code, form) if form is not None else (f"{code}_plain", "")
    elif code in _CASED:
        who, case = _CASED[code]
        values[f"{who}_{case}"] = f"{values[who]}’s" if case == "gen" else values[who]
    return context.language.code("why", code, **values)


def _asked(context: RequestContext, rule: AskedRule, rule_names: Names) -> dict[str, Any]:
    """A rule with each of its comparisons in words, and whether it speaks for the rule."""
    clauses = [replace(one, actual=_when(context, one.actual)) if one.fact == "received" else one for one in rule.clauses]
    return {
        "name": rule.name,
        "applies": rule.applies,
        "clauses": [{"words": clause_words(one, rule_names, context.language), "holds": one.speaks_for_it} for one in clauses],
    }


def why_not(context: RequestContext, answer: WhyNot) -> str:
    """One sentence for one colleague."""
    if answer.is_owner:
        return context.language("why_not.has_it", owner=answer.owner.name)
    told = verdict(context, {"verdict": answer.code, **answer.values})
    if answer.step:
        told = context.language("verdict.by_rule", rule=context.language.code("rule", answer.step), verdict=told)
    return context.language("why_not.said", owner=answer.owner.name, verdict=told)


def _turn(trace: Mapping[str, Any]) -> str:
    """Which of the ledger's rules decided between the last two: what is owed, whose turn is longer ago, the list."""
    told = {one.get("verdict") for one in trace.get("candidates", [])}
    if "later_in_list" in told:
        return "first_in_list"
    return "longest_without" if "later_turn" in told else "largest_deficit"


def _waited(context: RequestContext, trace: Mapping[str, Any]) -> str:
    since = trace.get("waited_since")
    return context.language("why.waited", since=_when(context, since)) if since else ""


def actor(context: RequestContext, code: str, names: Mapping[str, str]) -> str:
    """Who did it: a person's name, or the hub, the command line, a program that is gone."""
    kind, _, account = code.partition(":")
    said = names.get(code) or context.language.code("actor", kind)
    return f"{said} ({account})" if kind == "cli" and account else said


def _passed_over(context: RequestContext, steps: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those who had a right to the client before the pool was asked."""
    return [
        {
            "name": step.get("name", ""),
            "chosen": step.get("verdict") in ("chosen", "covers", "starts_soon"),
            "verdict": context.language(
                "verdict.by_rule", rule=context.language.code("rule", step.get("rule")), verdict=verdict(context, step)
            ),
        }
        for step in steps
    ]


def _candidates(context: RequestContext, trace: Mapping[str, Any]) -> list[dict[str, Any]]:
    shown = [
        {"name": one.get("name", ""), "chosen": one.get("verdict") == "chosen", "verdict": verdict(context, one)}
        for one in trace.get("candidates", [])
    ]
    return sorted(shown, key=lambda one: not one["chosen"])


def verdict(context: RequestContext, candidate: Mapping[str, Any]) -> str:
    """One candidate's verdict with what the ledger owed them: "got it: was owed 0.67 of a lead"."""
    said = str(candidate.get("verdict", ""))
    until = candidate.get("until")
    if said.startswith("absent until "):
        said, until = "absent", said.removeprefix("absent until ")
    code = _OLD_VERDICTS.get(said, said)
    if until and str(until).startswith("9999"):
        code, until = f"{code}_open_end", None
    words = context.language.code(
        "verdict", code, until=_when(context, until), have=candidate.get("have", 0), most=candidate.get("most", 0),
        needs=", ".join(candidate.get("needs", [])), pool=candidate.get("pool_name", ""),
    )  # fmt: skip
    if candidate.get("open") is not None:
        return f"{words} ({context.language.count('verdict.open', int(candidate['open']))})"
    deficit = candidate.get("deficit")
    if deficit is None:
        return words
    owed = _short(deficit)
    told = context.language("verdict.deficit" if owed >= 0 else "verdict.ahead", deficit=context.language.number(abs(owed)))
    return f"{words} ({told})"


def _when(context: RequestContext, told: Any) -> str:
    at = clock.moment(told) if told else None
    return clock.relative(at, context.now, context.config.zone, context.language) if at is not None else "…"


def _short(value: float) -> float:
    """Two places, and none where they would say nothing; never "-0"."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
