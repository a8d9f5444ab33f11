"""The queue of pairs that may be one person: one at a time, side by side, with what speaks for it in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, get_args

from crm_core.base.errors import Invalid
from crm_core.contacts.suggestions import SuggestionView, waiting_suggestions
from crm_core.merging.commands import Decision
from crm_core.merging.preview import preview_merge
from ingest.processing.merge_undo import decide_pair
from webhooks.console.merging.fields import shown_fields
from webhooks.console.shell.form_input import row_id
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen, entered

_SHOWN = 20  # of the queue beside the pair that is being looked at


def index(context: RequestContext) -> PageAnswer:
    wanted = chosen("pair").get("pair", "")
    with context.engine.begin() as connection:
        waiting = waiting_suggestions(connection, context.principal, context.now, _SHOWN)
        open_ = next((one for one in waiting if str(one.id) == wanted), waiting[0] if waiting else None)
        preview = None
        if open_ is not None and open_.merge is None and context.may("contacts.merge"):
            older, newer = sorted((open_.a.id, open_.b.id))
            preview = preview_merge(connection, context.principal, older, newer, context.now)
    return context.page(
        "merging/suggestions.html", waiting=waiting, pair=open_, preview=preview, can_decide=context.may("suggestions.decide"),
        fields=shown_fields(context, preview) if preview is not None else (), evidence=evidence_of(context, open_) if open_ else (),
        likelihood=likelihood(context, open_) if open_ else "", likelihood_of=lambda one: likelihood(context, one),
    )  # fmt: skip


def decide(context: RequestContext, suggestion_id: int) -> PageAnswer:
    decision = entered("decision", 20)
    if decision not in get_args(Decision):
        raise Invalid("filter", "Say whether it is the same person.", fields=["decision"])
    winner = row_id("winner") if entered("winner", 20) else None
    with context.engine.begin() as connection:
        decide_pair(connection, context.principal, suggestion_id, cast(Decision, decision), context.now, winner, context.config)
    return context.go("suggestions", f"suggestion_{decision}")


def likelihood(context: RequestContext, pair: SuggestionView) -> str:
    """Probably or maybe; a pair that an inquiry showed was never scored."""
    if pair.why.get("rule") == "alias":
        return context.language("suggestion.maybe")
    if pair.merge is not None:
        return context.language("suggestion.merged_by_shared")
    if pair.bits is None:
        return context.language("suggestion.shown_by_inquiry")
    return context.language("suggestion.probably" if pair.bits >= 10 else "suggestion.maybe")


def evidence_of(context: RequestContext, pair: SuggestionView) -> list[Mapping[str, Any]]:
    """Rows of {"what","tone","bits"}: each field that was compared, or each identifier of the inquiry."""
    language, why = context.language, pair.why
    if why.get("fields"):
        return [
            {"what": f"{language.code('suggestion_field', one['field'])}: {language.code('suggestion_level', one['level'])}",
             "bits": one["bits"], "tone": "green" if one["bits"] > 0 else "red"}
            for one in why["fields"]
        ]  # fmt: skip
    rows: list[Mapping[str, Any]] = []
    if code := why.get("rule") or why.get("code"):
        rows.append({"what": language.code("match", code), "bits": None, "tone": ""})
    for one in why.get("evidence") or ():
        told = language(
            "suggestion.by_identifier", identifier=language.code("suggestion_field", one.get("identifier")),
            name=language.code("suggestion_name", one.get("name")),
        )  # fmt: skip
        rows.append({"what": told, "bits": None, "tone": "red" if one.get("name") == "conflict" else "green"})
    return rows
