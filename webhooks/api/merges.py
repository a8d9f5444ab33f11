"""Merging contacts by hand, taking merges back, and deciding about suggested pairs."""

from __future__ import annotations

from typing import Any, Literal, cast

from pydantic import AwareDatetime, Field

from crm_core.merging.commands import merge_contacts
from crm_core.merging.preview import preview_merge
from crm_core.merging.queries import MergeFilter, merges_of
from crm_core.merging.undo import UndoView
from ingest.processing.merge_undo import decide_pair, look_at_merge_undo, undo_merge, undo_merges
from webhooks.api.parameters import RowId, Text
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Named, Shape, beside


class Decided(Shape):
    id: Id
    decision: Literal["same", "different", "later"]
    merge: Id | None = Field(
        description="by which `same` is undone; of a merge that waited here, the one that `different` took apart"
    )


class Origin(Shape):
    event: Id = Field(validation_alias="event_id", description="the inquiry that it came with")
    at: AwareDatetime
    source: str


class FieldValue(Shape):
    value: str
    of: Id = Field(description="the contact that it stands on")
    origin: Origin | None


class FieldPreview(Shape):
    field: str = Field(description="name, company, owner, first_inquiry, phone, email, … (kinds of messengers)")
    chosen: str = Field(description="what the survivor shows; empty where all values stay")
    rule: str = Field(description="why: most_complete, bound, earliest_open_lead, all_stay, …")
    values: list[FieldValue]
    conflict: bool = Field(validation_alias="is_conflict")


class FoldedLead(Shape):
    lead: Id = Field(validation_alias="lead_id")
    title: str
    into: Id


class MergePreview(Shape):
    winner: Named
    loser: Named
    fields: list[FieldPreview]
    leads: int = Field(description="that come over from the loser")
    folded: list[FoldedLead] = Field(description="open leads of one line: the older one carries on")
    conflicts: list[str] = Field(description="fields on which the two say different things")
    called_different: bool = Field(description="somebody said once that these are two people")


class Merged(Shape):
    merge: Id | None = Field(description="by which it is undone; null of a dry run")
    preview: MergePreview | None = Field(description="of a dry run")


class Merge(Shape):
    id: Id
    winner: Named
    loser: Named
    loser_name: str = Field(description="as it was then")
    actor: str = Field(description='"auto", or who did it')
    rule: str
    evidence: dict[str, Any]
    event: Id | None = Field(validation_alias="event_id", description="the inquiry that showed it")
    at: AwareDatetime
    undone_at: AwareDatetime | None
    undone_by: str


class Merges(Shape):
    items: list[Merge]


class UndoConflict(Shape):
    code: str
    id: Id


class Unmerged(Shape):
    merge: Id = Field(validation_alias="merge_id")
    winner: Id = Field(validation_alias="winner_id", description="the two persons that there are again")
    loser: Id = Field(validation_alias="loser_id")
    touches: int = Field(description="of later inquiries, that go to the other one")
    leads: int = Field(description="that go to the other one")
    reopened: int = Field(description="folded leads that go on")
    new_leads: int
    conflicts: list[UndoConflict] = Field(description="what stays as people left it since")
    done: bool = Field(description="false of a dry run")


class OneOfMany(Shape):
    merge: Id = Field(validation_alias="merge_id")
    winner_name: str
    loser_name: str
    touches: int
    refused: str = Field(description='why it cannot be undone: a code, or ""')


class UnmergedMany(Shape):
    items: list[OneOfMany]
    undone: int
    refused: int
    dry_run: bool


class MergeBody(Body):
    winner: RowId = Field(description="the contact that carries on")
    loser: RowId
    why: Text = Field("", max_length=1000)
    dry_run: bool = Field(False, description="only show what would become of each field, and what speaks against it")


class UndoBody(Body):
    why: Text = Field("", max_length=1000)
    dry_run: bool = False


class UndoManyBody(Body):
    """Which merges are meant: those that no person decided, unless `by_hand`."""

    dry_run: bool = Field(True, description="without false nothing is changed")
    why: Text = Field("", max_length=1000, description="needed where it is no dry run")
    since: AwareDatetime | None = Field(None, description="merged at or after")
    until: AwareDatetime | None = Field(None, description="merged before")
    rule: Text | None = Field(None, description="by which they were merged")
    source: RowId | None = Field(None, description="whose inquiries showed them")
    merges: list[RowId] | None = Field(None, max_length=10_000)
    by_hand: bool = False


class DecisionBody(Body):
    decision: Literal["same", "different", "later"]
    winner: RowId | None = Field(None, description="who carries on; the older contact by default")


def _merge(ask: Ask) -> object:
    body = cast(MergeBody, ask.body)
    with ask.engine.begin() as connection:
        if body.dry_run:
            preview = preview_merge(connection, ask.principal, body.winner, body.loser, ask.now)
            return {"merge": None, "preview": preview}
        return {"merge": merge_contacts(connection, ask.principal, body.winner, body.loser, body.why, ask.now), "preview": None}


def _undo(ask: Ask) -> object:
    body, merge_id = cast(UndoBody, ask.body), ask.id("merge")
    with ask.engine.begin() as connection:
        if body.dry_run:
            return _told(look_at_merge_undo(connection, ask.principal, merge_id, ask.config), done=False)
        return _told(undo_merge(connection, ask.principal, merge_id, body.why, ask.now, ask.config), done=True)


def _told(view: UndoView, *, done: bool) -> dict[str, object]:
    told = beside(view, done=done, conflicts=[{"code": code, "id": row_id} for code, row_id in view.conflicts])
    return {name: value for name, value in told.items() if name not in ("winner_name", "loser_name")}


def _undo_many(ask: Ask) -> object:
    body = cast(UndoManyBody, ask.body)
    wanted = MergeFilter(body.since, body.until, body.rule, body.source, not body.by_hand, body.merges)
    found = list(undo_merges(ask.engine, ask.principal, wanted, body.why, ask.now, dry_run=body.dry_run, config=ask.config))
    items = [
        {"merge_id": one.merge_id, "winner_name": one.view.winner_name if one.view else "",
         "loser_name": one.view.loser_name if one.view else "", "touches": one.view.touches if one.view else 0,
         "refused": one.refused}
        for one in found
    ]  # fmt: skip
    refused = sum(bool(one.refused) for one in found)
    return {"items": items, "undone": 0 if body.dry_run else len(found) - refused, "refused": refused, "dry_run": body.dry_run}


def _merges(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": merges_of(connection, ask.principal, ask.id("contact"))}


def _decide(ask: Ask) -> object:
    body, suggestion_id = cast(DecisionBody, ask.body), ask.id("suggestion")
    with ask.engine.begin() as connection:
        merge_id = decide_pair(connection, ask.principal, suggestion_id, body.decision, ask.now, body.winner, ask.config)
    return {"id": suggestion_id, "decision": body.decision, "merge": merge_id}


ROUTES = (
    Route("POST", "/contacts/merge", "contacts.merge", _merge,
          "Say that two contacts are one person; what it would make of each field with dry_run", Merged, body=MergeBody),
    Route("GET", "/contacts/<id>/merges", "contacts.read", _merges, "What was merged into this contact and what was taken back",
          Merges),
    Route("POST", "/merges/<id>/undo", "contacts.merge", _undo,
          "Take a merge back: both are as if they had never been merged", Unmerged, body=UndoBody),
    Route("POST", "/merges/undo", "contacts.merge", _undo_many,
          "Take many merges back, the newest first; shows them unless dry_run is false", UnmergedMany, body=UndoManyBody),
    Route("POST", "/suggestions/<id>", "suggestions.decide", _decide,
          "Say whether a suggested pair is the same person", Decided, body=DecisionBody),
)  # fmt: skip
