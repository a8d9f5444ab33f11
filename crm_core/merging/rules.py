"""What a person made of two shows, and what speaks against it. Pure: nothing is guessed, the first rule that applies decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm_core.identity.names import compare, first_name_key


@dataclass(frozen=True, slots=True)
class Member:
    """One of the two, as it stands now."""

    id: int
    name: str
    company: str
    owner_id: int | None
    kind: str = "person"
    is_owner_bound: bool = False  # whoever approached them first is protected, for a time


@dataclass(frozen=True, slots=True)
class WrittenName:
    """A name as somebody wrote it in an inquiry of one of the two."""

    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenLead:
    id: int
    contact_id: int
    line: str
    owner_id: int | None
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Chosen:
    """A value and the rule that chose it, machine-readable."""

    value: Any
    rule: str


@dataclass(frozen=True, slots=True)
class Survivor:
    name: Chosen
    company: Chosen
    owner: Chosen
    folds: tuple[tuple[int, int], ...]  # leads that close, with the one that carries on
    conflicts: tuple[str, ...]  # fields on which the two say different things


def survivor(winner: Member, loser: Member, names: Sequence[WrittenName], leads: Sequence[OpenLead]) -> Survivor:
    """Names: the most complete, of those the most often written, of those the newest; of two that cannot be one person's the
    winner's. Owner: bound, else who had an open lead first. Of two open leads of a line the older one carries on."""
    name, company = _name(winner, loser, names), _company(winner, loser)
    conflicts = [
        field
        for field, is_conflict in (
            ("kind", winner.kind != loser.kind),
            ("name", compare(winner.name, loser.name) == "conflict"),
            ("company", bool(winner.company and loser.company) and _plain(winner.company) != _plain(loser.company)),
            ("owner", None not in (winner.owner_id, loser.owner_id) and winner.owner_id != loser.owner_id),
        )
        if is_conflict
    ]
    folds = _folds(leads)
    if folds:
        conflicts.append("open_leads")
    return Survivor(name, company, _owner(winner, loser, leads), folds, tuple(conflicts))


def _name(winner: Member, loser: Member, names: Sequence[WrittenName]) -> Chosen:
    if not winner.name or not loser.name:
        return Chosen(winner.name or loser.name, "only_one")
    if winner.name == loser.name:
        return Chosen(winner.name, "equal")
    if compare(winner.name, loser.name) == "conflict":
        return Chosen(winner.name, "names_conflict")
    words = {name: _completeness(name) for name in (winner.name, loser.name)}
    if words[winner.name] != words[loser.name]:
        return Chosen(max(words, key=lambda name: words[name]), "most_complete")
    times = {name: [one.at for one in names if one.text == name] for name in words}
    if len(times[winner.name]) != len(times[loser.name]):
        return Chosen(max(times, key=lambda name: len(times[name])), "most_frequent")
    if times[winner.name]:
        return Chosen(max(times, key=lambda name: max(times[name])), "newest")
    return Chosen(winner.name, "of_the_winner")


def _completeness(name: str) -> tuple[int, int]:
    """Whole words, then letters: an initial is no word."""
    words = [word for word in name.replace(".", " ").split() if len(word) > 1]
    return len(words), int(first_name_key(name) is not None)


def _company(winner: Member, loser: Member) -> Chosen:
    if not winner.company or not loser.company:
        return Chosen(winner.company or loser.company, "only_one")
    return Chosen(winner.company, "equal" if _plain(winner.company) == _plain(loser.company) else "of_the_winner")


def _plain(text: str) -> str:
    return " ".join("".join(char if char.isalnum() else " " for char in text.casefold()).split())


def _owner(winner: Member, loser: Member, leads: Sequence[OpenLead]) -> Chosen:
    for one in (winner, loser):
        if one.is_owner_bound and one.owner_id is not None:
            return Chosen(one.owner_id, "bound")
    owned = [lead for lead in leads if lead.owner_id is not None]
    if owned and winner.owner_id != loser.owner_id:
        first = min(owned, key=lambda lead: (lead.received_at, lead.id))
        return Chosen(first.owner_id, "earliest_open_lead")
    if winner.owner_id is None:
        return Chosen(loser.owner_id, "only_one")
    return Chosen(winner.owner_id, "equal" if winner.owner_id == loser.owner_id else "of_the_winner")


def _folds(leads: Sequence[OpenLead]) -> tuple[tuple[int, int], ...]:
    kept: dict[str, OpenLead] = {}
    folds = []
    for lead in sorted(leads, key=lambda one: (one.received_at, one.id)):
        older = kept.setdefault(lead.line, lead)
        if older is not lead:
            folds.append((lead.id, older.id))
    return tuple(folds)
