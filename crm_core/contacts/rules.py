"""Who is this? The rules that attach an inquiry to a contact, merge two contacts, or make a new one. Pure.

Only exact identifiers with a compatible name join people; anything weaker is at most a suggestion for a human.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

#: A strong identifier unseen for this long may have been given to somebody else.
REISSUED_AFTER = timedelta(days=365)
#: So many different first names on one identifier mean that it is shared and identifies nobody.
NAMES_MAKE_SHARED = 4
#: And so many contacts, whatever their names: a call centre's number must not be read with all its callers each time.
CONTACTS_MAKE_SHARED = 20
#: A contact with more phones or e-mails than this is not merged with another automatically.
MOST_IDENTIFIERS = 5

#: A weak identifier marked with one of these never joins anybody, not even its only user so far.
_NEVER_ALONE = frozenset(
    {"toll_free", "premium", "shared_cost", "alias", "typo", "sibling", "other_country", "relay", "disposable"}
)

#: A phone whose country is a guess joins only those of one full name: Olga is in every country.
UNSURE = "country_unsure"

Compare = Callable[[str, str], Literal["agree", "unknown", "conflict"]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One contact that an identifier of the inquiry points at."""

    contact: Any  # compared by identity and hash only
    order: int  # age: the smaller, the older
    name: str
    exclusive: bool  # the identifier is his alone
    last_seen_at: datetime | None = None
    phones: int = 1
    emails: int = 0


@dataclass(frozen=True, slots=True)
class Hit:
    """One identifier of the inquiry that is already known, with its users. Hits come in order of priority."""

    kind: str
    value: str
    strength: str  # strong | weak | shared | blocked, as the hub knows it now
    flags: tuple[str, ...]
    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    action: Literal["attach", "merge", "new"]
    rule: str  # machine-readable
    contact: Any = None  # to attach to; of a merge, the winner
    losers: tuple[Any, ...] = ()
    shares_with: Any = None  # new contact on an identifier of this one: same owner, and a suggestion
    suggest: tuple[Any, ...] = ()  # contacts that may be the same person
    retire: tuple[tuple[str, str], ...] = ()  # (kind, value) whose old link ends here: the number was given to another
    evidence: list[dict[str, Any]] = field(default_factory=list)


def _nobody_is_apart(_one: Any, _other: Any) -> bool:
    return False


def match(
    hits: Sequence[Hit], name: str, now: datetime, compare: Compare, apart: Callable[[Any, Any], bool] = _nobody_is_apart
) -> Verdict:
    """The first rule that applies, with the evidence for every candidate. `apart`: a person said that these two contacts are
    two people, and no rule says otherwise."""
    evidence: list[dict[str, Any]] = []
    agreeing: list[Candidate] = []  # by strong identifiers
    conflicting: list[tuple[Hit, Candidate]] = []
    for hit in hits:
        if hit.strength != "strong" or not hit.candidates:
            continue
        candidate = _best(hit.candidates, name, compare)
        # In a chat a visitor begins as "Guest 17" and gives his name later: the conversation is one person's all along.
        verdict = "agree" if hit.kind == "thread" else compare(name, candidate.name)
        evidence.append(_evidence(hit, candidate, verdict))
        if verdict == "conflict":
            conflicting.append((hit, candidate))
        elif candidate.contact not in [known.contact for known in agreeing]:
            agreeing.append(candidate)
    if len(agreeing) == 1:
        others = tuple(c.contact for _, c in conflicting if c.contact is not agreeing[0].contact)
        return Verdict("attach", "strong_identifier", agreeing[0].contact, suggest=others, evidence=evidence)
    if len(agreeing) > 1:
        return _several(agreeing, evidence, compare, apart)
    if conflicting:
        reissued = [
            (hit.kind, hit.value)
            for hit, c in conflicting
            if c.last_seen_at is not None and now - c.last_seen_at > REISSUED_AFTER
        ]
        if len(reissued) == len(conflicting):
            return Verdict("new", "identifier_was_reissued", suggest=(conflicting[0][1].contact,),
                           retire=tuple(reissued), evidence=evidence)  # fmt: skip
        known = conflicting[0][1].contact
        return Verdict("new", "shared_identifier_other_name", shares_with=known, suggest=(known,), evidence=evidence)
    return _weak(hits, name, evidence, compare)


def _best(candidates: Sequence[Candidate], name: str, compare: Compare) -> Candidate:
    """Of several users of one identifier: whose name agrees, else whose alone it is, else the oldest."""
    ranked = sorted(candidates, key=lambda c: (not c.exclusive, c.order))
    return next((c for c in ranked if compare(name, c.name) == "agree"), ranked[0])


def _several(
    agreeing: list[Candidate], evidence: list[dict[str, Any]], compare: Compare, apart: Callable[[Any, Any], bool]
) -> Verdict:
    """Strong identifiers of different contacts in one inquiry: one person, if nothing speaks against it."""
    oldest = min(agreeing, key=lambda c: c.order)
    rest = [c for c in agreeing if c is not oldest]
    named = [c for c in agreeing if c.name]
    compatible = all(compare(a.name, b.name) == "agree" for i, a in enumerate(named) for b in named[i + 1 :])
    within_limits = sum(c.phones for c in agreeing) <= MOST_IDENTIFIERS and sum(c.emails for c in agreeing) <= MOST_IDENTIFIERS
    told_apart = any(apart(a.contact, b.contact) for i, a in enumerate(agreeing) for b in agreeing[i + 1 :])
    if compatible and within_limits and not told_apart:
        return Verdict("merge", "identifiers_of_one_person", oldest.contact, tuple(c.contact for c in rest), evidence=evidence)
    first = agreeing[0]  # of the identifier with the highest priority
    return Verdict(
        "attach",
        "names_disagree" if not compatible else "told_apart" if told_apart else "too_many_identifiers",
        first.contact,
        suggest=tuple(c.contact for c in agreeing if c is not first and not apart(c.contact, first.contact)),
        evidence=evidence,
    )


def _weak(hits: Sequence[Hit], name: str, evidence: list[dict[str, Any]], compare: Compare) -> Verdict:
    """A reception's phone or info@ names a company: it joins on an agreeing name, or as long as it has one nameless user."""
    suggest: list[Any] = []
    for hit in hits:
        if hit.strength != "weak" or not hit.candidates:
            continue
        for candidate in sorted(hit.candidates, key=lambda c: c.order):
            verdict = compare(name, candidate.name)
            evidence.append(_evidence(hit, candidate, verdict))
            if verdict == "agree" and _may_join(hit, name, candidate):
                return Verdict("attach", "weak_identifier_and_name", candidate.contact, evidence=evidence)
            if verdict == "agree":
                suggest.append(candidate.contact)
        if len(hit.candidates) == 1 and not _NEVER_ALONE.intersection(hit.flags) and UNSURE not in hit.flags:
            only = hit.candidates[0]
            if compare(name, only.name) == "unknown":
                return Verdict("attach", "only_user_of_weak_identifier", only.contact, evidence=evidence)
    rule = "nobody_known" if evidence or any(hit.candidates for hit in hits) else "no_known_identifier"
    return Verdict("new", rule, suggest=tuple(dict.fromkeys(suggest)), evidence=evidence)


def _may_join(hit: Hit, name: str, candidate: Candidate) -> bool:
    if UNSURE in hit.flags:
        return min(len(name.split()), len(candidate.name.split())) > 1
    return not _NEVER_ALONE.intersection(hit.flags)


def _evidence(hit: Hit, candidate: Candidate, verdict: str) -> dict[str, Any]:
    """Names the candidate's object; whoever stores the evidence replaces it by the id. Never the number itself."""
    return {"identifier": hit.kind, "strength": hit.strength, "contact": candidate.contact, "name": verdict}
