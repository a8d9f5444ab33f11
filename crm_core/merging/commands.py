"""Merging two contacts by hand, and deciding about a suggested pair."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, select, text, update

from crm_core.access import Principal, demand
from crm_core.base import history, reasons
from crm_core.base.errors import Conflict, NotFound
from crm_core.contacts.merge_review_intake import BECAME_SHARED
from crm_core.contacts.models import Suggestion
from crm_core.contacts.queries import visible_root
from crm_core.leads.merge_rows import MERGED, write_merge
from crm_core.merging.holding import cursor_of, hold_roots
from crm_core.merging.preview import read_pair
from crm_core.routing.refunds import refund
from crm_core.search import mark

Decision = Literal["same", "different", "later"]
DECIDED = history.Action("suggestion.decide")

#: What the evidence of a merge by hand says instead of a rule of the intake.
BY_HAND = "by_hand"


def merge_contacts(connection: Connection, principal: Principal, winner_id: int, loser_id: int, why: str, now: datetime) -> int:
    """The loser answers as the winner from now on, with all that is theirs. Returns the merge's id, by which it is undone.

    What the survivor shows is what `preview_merge` said. Raises Forbidden; NotFound; Conflict for one and the same person
    (also if a colleague was quicker), for an erased one, and if one of them was merged with somebody else meanwhile.
    """
    demand(principal, "contacts.merge")
    why = reasons.optional(why)
    roots = [visible_root(connection, principal, one) for one in (winner_id, loser_id)]
    read_pair(connection, principal, roots[0], roots[1], now)  # refuses before it waits for anybody
    _hold_or_say_done(connection, principal, roots)
    pair = read_pair(connection, principal, roots[0], roots[1], now)  # as it is under the locks
    winner, loser, outcome = pair.winner, pair.loser, pair.outcome
    before = _row(connection, winner.id)
    connection.execute(
        text(
            "UPDATE contact w SET name = :name, company = :company, owner_id = :owner, version = w.version + 1,"
            " company_id = coalesce(w.company_id, l.company_id),"
            " owner_since = CASE WHEN w.owner_id IS NOT DISTINCT FROM CAST(:owner AS bigint) THEN w.owner_since"
            "                    WHEN l.owner_id = :owner THEN l.owner_since ELSE :now END,"
            " owner_bound_until = CASE WHEN w.owner_id IS NOT DISTINCT FROM CAST(:owner AS bigint) THEN w.owner_bound_until"
            "                         WHEN l.owner_id = :owner THEN l.owner_bound_until END,"
            " last_seen_at = greatest(w.last_seen_at, l.last_seen_at) FROM contact l WHERE w.id = :winner AND l.id = :loser"
        ),
        {"name": outcome.name.value, "company": outcome.company.value, "owner": outcome.owner.value, "winner": winner.id,
         "loser": loser.id, "now": now},
    )  # fmt: skip
    evidence: dict[str, Any] = {"rule": BY_HAND, "why": why, "conflicts": list(outcome.conflicts)}
    merge_id = write_merge(
        cursor_of(connection), winner.id, loser.id, outcome.folds, actor=principal.actor, event_id=None, evidence=evidence,
        before={"winner": before, "after": _row(connection, winner.id), "loser_name": loser.name, "loser_owner_id": loser.owner_id,
                "named": [winner_id, loser_id]},
    )  # fmt: skip
    _settle_suggestions(connection, winner.id)
    mark(connection, [winner.id], anew=True)
    refund(cursor_of(connection), [lead for lead, _ in outcome.folds], "merged")  # locks pools, so it comes last
    touch = history.Touch(
        winner.id, now, text=why, data={"merge": str(merge_id), "winner": str(winner.id), "loser": str(loser.id)}
    )
    history.record(
        connection, principal, MERGED, winner.id,
        {"merge": str(merge_id), "loser": str(loser.id), "folded": [str(lead) for lead, _ in outcome.folds]}, touch,
    )  # fmt: skip
    return merge_id


def _row(connection: Connection, contact_id: int) -> dict[str, Any]:
    """What the contact's row says, as the log of merges keeps it."""
    statement = (
        "SELECT name, company, owner_id, owner_since, owner_bound_until, last_seen_at, company_id FROM contact WHERE id = :id"
    )
    row = connection.execute(text(statement), {"id": contact_id}).mappings().one()
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}


def _hold_or_say_done(connection: Connection, principal: Principal, roots: list[int]) -> None:
    try:
        hold_roots(connection, roots)
    except Conflict:
        if len({visible_root(connection, principal, one) for one in roots}) == 1:  # somebody merged the same two
            raise Conflict("merged_already", "These are one contact already.") from None
        raise


def _settle_suggestions(connection: Connection, root_id: int) -> None:
    """Pairs within one person are the same now, whoever had said otherwise."""
    connection.execute(
        text(
            "UPDATE suggestion s SET state = 'same' FROM contact a, contact b WHERE a.id = s.a_id AND b.id = s.b_id"
            " AND a.root_id = :root AND b.root_id = :root AND s.state <> 'same'"
            f" AND s.why->>'rule' IS DISTINCT FROM '{BECAME_SHARED}'"
        ),
        {"root": root_id},
    )


def decide_suggestion(
    connection: Connection, principal: Principal, suggestion_id: int, decision: Decision, now: datetime,
    winner_id: int | None = None,
) -> int | None:  # fmt: skip
    """`same` merges the two, into the older one unless `winner_id` names the other; returns the merge's id. `different` holds for
    everybody and for ever: the pair is neither suggested nor joined again by itself. `later` takes it out of the queue for a day.
    Of a merge that came before a person again `same` keeps it; that the two are `different` is said by undoing it
    (`ingest.processing.merge_undo.decide_pair`).

    Raises Forbidden; NotFound; Conflict if somebody decided already, or as `merge_contacts`.
    """
    demand(principal, "suggestions.decide")
    row = connection.execute(select(Suggestion).where(Suggestion.id == suggestion_id)).one_or_none()
    if row is None:
        raise NotFound("suggestion_unknown", f"There is no suggestion {suggestion_id}.")
    merge_id = None
    if decision == "same" and row.why.get("rule") == BECAME_SHARED:  # they are one, and stay it
        _refuse_decided(connection.scalar(select(Suggestion.state).where(Suggestion.id == suggestion_id).with_for_update()))
    elif decision == "same":
        # Not locked before the two contacts are: a merge by hand settles suggestions after them.
        _refuse_decided(connection.scalar(select(Suggestion.state).where(Suggestion.id == suggestion_id)))
        roots = sorted(visible_root(connection, principal, one) for one in (row.a_id, row.b_id))
        winner = roots[0] if winner_id is None else visible_root(connection, principal, winner_id)
        if winner not in roots:
            raise NotFound("contact_unknown", "The winner is none of the two.")
        loser = roots[1] if winner == roots[0] else roots[0]
        try:
            merge_id = merge_contacts(connection, principal, winner, loser, "", now)
        except Conflict:
            _refuse_decided(connection.scalar(select(Suggestion.state).where(Suggestion.id == suggestion_id)))
            raise
    else:
        # A row that is being decided about is waited for: the first word counts.
        state = connection.scalar(select(Suggestion.state).where(Suggestion.id == suggestion_id).with_for_update())
        _refuse_decided(state)
    decided: dict[str, Any] = {"state": decision, "decided_at": now, "decided_by": principal.actor}
    values = {"postponed_at": now} if decision == "later" else decided
    connection.execute(update(Suggestion).where(Suggestion.id == suggestion_id).values(**values))
    history.record(
        connection, principal, DECIDED, suggestion_id, {"decision": decision} | ({"merge": str(merge_id)} if merge_id else {})
    )
    return merge_id


def _refuse_decided(state: str | None) -> None:
    if state != "open":
        raise Conflict("suggestion_decided", "Somebody has decided about this pair already.", state=str(state))
