"""Why this owner, in words, out of the trace that routing stored: the rule, and a reason for every candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_core.leads.why import AssignmentView
from webhooks.console.shell import clock
from webhooks.console.shell.request_context import RequestContext

#: Routing's verdicts that are sentences, as codes of the texts "verdict.…".
_VERDICTS = {
    "chosen": "chosen",
    "eligible": "eligible",
    "inactive": "inactive",
    "unknown": "unknown",
    "paused in this pool": "paused",
    "weight 0": "no_weight",
    "smaller deficit or later turn": "later_turn",
}


def explain(context: RequestContext, assignments: Sequence[AssignmentView], names: Mapping[str, str]) -> dict[str, Any] | None:
    """The last decision: {"sentence","candidates":[{"name","verdict","chosen"}],"by","at","earlier"}; None if there is none."""
    if not assignments:
        return None
    last = assignments[-1]
    trace: Mapping[str, Any] = last.trace
    owner = last.owner.name if last.owner else ""
    by_hand = last.actor != "hub"
    sentence = context.language.code(
        "why",
        trace.get("code"),
        owner=owner,
        pool=trace.get("pool", ""),
        covers_for=(trace.get("covers_for") or {}).get("name", ""),
    )
    said = trace.get("why")
    return {
        "sentence": f"{sentence} {context.language('why.said', why=said)}" if said else sentence,
        "candidates": _passed_over(context, trace.get("steps", [])) + _candidates(context, trace.get("candidates", [])),
        "by": context.language("why.by", name=actor(context, last.actor, names)) if by_hand else context.language("why.by_hub"),
        "at": last.at,
        "earlier": len(assignments) - 1,
    }


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
            "chosen": step.get("verdict") == "chosen",
            "verdict": context.language(
                "verdict.by_rule", rule=context.language.code("rule", step.get("rule")), verdict=verdict(context, step)
            ),
        }
        for step in steps
    ]


def _candidates(context: RequestContext, candidates: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    shown = [
        {"name": one.get("name", ""), "chosen": one.get("verdict") == "chosen", "verdict": verdict(context, one)}
        for one in candidates
    ]
    return sorted(shown, key=lambda one: not one["chosen"])


def verdict(context: RequestContext, candidate: Mapping[str, Any]) -> str:
    """One candidate's verdict with what the ledger owed him: "got it: was owed 0.67 of a lead"."""
    said = str(candidate.get("verdict", ""))
    if said.startswith("absent until "):
        until = clock.moment(said.removeprefix("absent until "))
        assert until is not None
        return context.language("verdict.absent", until=clock.relative(until, context.now, context.config.zone, context.language))
    words = context.language.code("verdict", _VERDICTS.get(said, said))
    deficit = candidate.get("deficit")
    if deficit is None:
        return words
    owed = _short(deficit)
    told = context.language("verdict.deficit" if owed >= 0 else "verdict.ahead", deficit=context.language.number(abs(owed)))
    return f"{words} ({told})"


def _short(value: float) -> float:
    """Two places, and none where they would say nothing; never "-0"."""
    rounded = round(value, 2)
    return int(rounded) if rounded == int(rounded) else rounded
