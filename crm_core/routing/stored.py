"""What a decision saw, as it is kept with the assignment, and back: so that it can be explained, replayed and asked "what if". Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from crm_core.routing.rules import OwnerState, RoutingFacts, RoutingState


def stored_owners(state: RoutingState) -> dict[str, Any]:
    """Everybody who could not take a lead from a pool at that moment, by id, with the reason; whoever is not here could."""
    out: dict[str, Any] = {}
    for owner in state.owners.values():
        verdict = owner.excluded(state.given.get(owner.id, 0))
        if verdict is None:
            continue
        if owner.absent_until is not None and owner.deputy_id is not None:
            verdict["deputy"] = owner.deputy_id
        out[str(owner.id)] = verdict
    return out


def stored_facts(facts: RoutingFacts, out: Mapping[str, Any], state: RoutingState) -> dict[str, Any]:
    """Without what is empty."""
    told: dict[str, Any] = {
        "lead": dict(facts.lead), "pool": facts.pool_id, "earlier": facts.lead_owner_id, "contact": facts.contact_owner_id,
        "answered": facts.answered_by_id, "company": facts.company_owner_id, "shared": facts.shared_owner_id,
        "bound_until": facts.bound_until.isoformat() if facts.bound_until else None, "conflicts": sorted(facts.conflicts), "out": out,
        "duty": state.duty_id, "default": state.default_pool_id,
    }  # fmt: skip
    return {name: value for name, value in told.items() if value not in (None, [], {})}


def facts_from(told: Mapping[str, Any]) -> RoutingFacts:
    return RoutingFacts(
        told.get("pool"), told.get("earlier"), told.get("contact"), told.get("answered"), _time(told.get("bound_until")),
        told.get("company"), told.get("shared"), None, frozenset(told.get("conflicts", ())), told.get("lead", {}),
    )  # fmt: skip


def owner_from(now_known: OwnerState, verdict: Mapping[str, Any] | None) -> OwnerState:
    """The owner as they were then: available, or left out by that verdict. What nobody kept (skills, languages) is as it is now."""
    fixed: dict[str, Any] = {}
    code = (verdict or {}).get("verdict")
    until = _time((verdict or {}).get("until"))
    if code == "inactive":
        fixed = {"active": False}
    elif code == "absent":
        fixed = {"absent_until": until, "deputy_id": (verdict or {}).get("deputy")}
    elif code == "paused":
        fixed = {"paused_until": until}
    elif code == "off_shift":
        fixed = {"on_shift": False, "next_on_shift": until}
    elif code == "max_open":
        fixed = {"max_open": verdict["most"], "open_leads": verdict["have"]}  # type: ignore[index]
    elif code == "max_per_day":
        fixed = {"max_per_day": verdict["most"], "given_today": verdict["have"]}  # type: ignore[index]
    return OwnerState(
        now_known.id, now_known.name, now_known.extension, languages=now_known.languages, skills=now_known.skills,
        regions=now_known.regions, **fixed,
    )  # fmt: skip


def _time(told: Any) -> datetime | None:
    return datetime.fromisoformat(told) if isinstance(told, str) and told else None
