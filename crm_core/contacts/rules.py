"""Who is this? The rules that attach an inquiry to a contact, merge two contacts, or make a new one. Pure.

Only exact identifiers with a compatible name join people; anything weaker is at most a suggestion for a human. What nobody
signed with a name belongs to the number that it came from, as soon as several people use it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from crm_core.base.frozen import frozen

#: A strong identifier unseen for this long may have been given to somebody else.
REISSUED_AFTER = timedelta(days=365)
#: So many different first names on one identifier mean that it is shared and identifies nobody.
NAMES_MAKE_SHARED = 4
#: And so many contacts, whatever their names: a call centre's number must not be read with all its callers each time.
CONTACTS_MAKE_SHARED = 20
#: A contact with more phones or e-mails than this is not merged with another automatically, and gets no more within a year.
MOST_IDENTIFIERS = 5

#: A weak identifier marked with one of these never joins anybody, not even its only user so far.
_NEVER_ALONE = frozenset(
    {"toll_free", "premium", "shared_cost", "alias", "typo", "sibling", "other_country", "relay", "disposable"}
)

#: Two names that have nothing in common, also where nothing excludes it that they are one person's.
_NOTHING_FOR_IT = frozenset({"nothing_to_compare", "words_similar"})

#: A phone whose country is a guess joins only those of one full name: Olga is in every country.
UNSURE = "country_unsure"


class Comparison(Protocol):
    """What comparing two names gave (`crm_core.identity.names.NameVerdict`)."""

    @property
    def verdict(self) -> Literal["agree", "unknown", "conflict"]: ...
    @property
    def why(self) -> str: ...
    @property
    def full(self) -> bool:
        """They agree on the first name and on the surname or the patronymic."""

    @property
    def near(self) -> bool:
        """They do not agree, and are a slip of the keyboard apart."""


Compare = Callable[[str, str], Comparison]


@frozen
class Candidate:
    """One contact that an identifier of the inquiry points at."""

    contact: Any  # compared by identity and hash only
    order: int  # age: the smaller, the older
    name: str
    exclusive: bool  # the identifier is theirs alone
    last_seen_at: datetime | None = None
    phones: int = 1
    emails: int = 0
    company: str = ""
    is_number: bool = False  # no person: whoever used the number without a name


@frozen
class Hit:
    """One identifier of the inquiry that is already known, with its users. Hits come in order of priority."""

    kind: str
    value: str
    strength: str  # strong | weak | shared | blocked, as the hub knows it now
    flags: tuple[str, ...]
    candidates: tuple[Candidate, ...]
    #: First names that were given with it, and none of them is that of this inquiry: its name is a stranger's.
    other_first_names: bool = False


@frozen
class Verdict:
    action: Literal["attach", "merge", "new"]
    rule: str  # machine-readable
    contact: Any = None  # to attach to; of a merge, the winner
    losers: tuple[Any, ...] = ()
    shares_with: Any = None  # new contact on an identifier of this one: same owner, and a suggestion
    suggest: tuple[Any, ...] = ()  # contacts that may be the same person
    retire: tuple[tuple[str, str], ...] = ()  # (kind, value) whose old link ends here: the number was given to another
    of_number: tuple[str, str] | None = None  # (kind, value): the new contact stands for all who use it without a name
    evidence: list[dict[str, Any]] = field(default_factory=list)


def _nobody_is_apart(_one: Any, _other: Any) -> bool:
    return False


def match(
    hits: Sequence[Hit],
    name: str,
    company: str,
    now: datetime,
    compare: Compare,
    apart: Callable[[Any, Any], bool] = _nobody_is_apart,
    reissued_after: timedelta = REISSUED_AFTER,
) -> Verdict:
    """The first rule that applies, with the evidence for every candidate. `now` is when the inquiry was received. `apart`: a
    person said that these two contacts are two people, and no rule says otherwise."""
    evidence: list[dict[str, Any]] = []
    agreeing: list[Candidate] = []  # by strong identifiers
    unsure: set[Any] = set()  # contacts among them whose name is another one, and none that excludes this
    conflicting: list[tuple[Hit, Candidate]] = []
    near: list[Candidate] = []
    for hit in hits:
        people = [one for one in hit.candidates if not one.is_number]
        if hit.strength != "strong" or not people:
            continue
        candidate = _best(people, name, compare)
        found = compare(name, candidate.name)
        verdict = found.verdict
        if hit.kind == "thread":
            # In a chat a visitor begins as "Guest 17" and gives a name later: the conversation is one person's all along.
            verdict = "agree"
        elif found.why in _NOTHING_FOR_IT and hit.other_first_names:
            verdict = "conflict"  # nothing speaks for it, and others gave other names
        evidence.append(_evidence(hit, candidate, verdict))
        if verdict == "conflict":
            conflicting.append((hit, candidate))
            if found.near:
                near.append(candidate)
        elif candidate.contact not in [known.contact for known in agreeing]:
            agreeing.append(candidate)
            if found.why in _NOTHING_FOR_IT:
                unsure.add(candidate.contact)
    if not agreeing and _twice(near):
        return Verdict("attach", "two_identifiers_and_near_name", near[0].contact, evidence=evidence)
    if len(agreeing) == 1:
        others = tuple(c.contact for _, c in conflicting if c.contact is not agreeing[0].contact)
        retire = _silent(conflicting, now - reissued_after)
        return Verdict("attach", "strong_identifier", agreeing[0].contact, suggest=others, retire=retire, evidence=evidence)
    if len(agreeing) > 1:
        return _several(agreeing, unsure, evidence, compare, apart)
    if conflicting:
        return _stranger(hits, conflicting, name, now - reissued_after, evidence, compare)
    return _weak(hits, name, company, evidence, compare)


def _twice(near: Sequence[Candidate]) -> bool:
    """Two identifiers of one contact, and of nobody else: more than a letter can speak against."""
    return len(near) > 1 and all(one.contact is near[0].contact for one in near)


def within_limits(verdict: Verdict, contact_has: Sequence[int], inquiry_brings: Sequence[int]) -> Verdict:
    """The verdict, or a contact of its own where the known one has got too many phones or e-mails within a year: then the address
    by which it was found is an office's or a robot's, and a person looks at the pair. Both counts: of phones, of e-mails."""
    fits = all(not new or had + new <= MOST_IDENTIFIERS for had, new in zip(contact_has, inquiry_brings, strict=True))
    if verdict.action != "attach" or fits:
        return verdict
    known = verdict.contact
    return Verdict("new", "too_many_in_a_year", shares_with=known, suggest=(known,), evidence=verdict.evidence)


def _silent(conflicting: Sequence[tuple[Hit, Candidate]], since: datetime) -> tuple[tuple[str, str], ...]:
    """Identifiers of others that none of them has used since: they were given to somebody else."""
    return tuple(
        (hit.kind, hit.value)
        for hit, _ in conflicting
        if all(one.last_seen_at is not None and one.last_seen_at < since for one in hit.candidates)
    )


def _stranger(
    hits: Sequence[Hit], conflicting: list[tuple[Hit, Candidate]], name: str, since: datetime, evidence: list[dict[str, Any]],
    compare: Compare,
) -> Verdict:  # fmt: skip
    """Strong identifiers of other people only."""
    reissued = _silent(conflicting, since)
    known = conflicting[0][1].contact
    if len(reissued) == len(conflicting):
        return Verdict("new", "identifier_was_reissued", suggest=(known,), retire=reissued, evidence=evidence)
    shared = _full_name(hits, name, evidence, compare)
    if shared is not None:
        return shared
    return Verdict("new", "shared_identifier_other_name", shares_with=known, suggest=(known,), evidence=evidence)


def _best(candidates: Sequence[Candidate], name: str, compare: Compare) -> Candidate:
    """Of several users of one identifier: whose name agrees, else whose alone it is, else the oldest."""
    ranked = sorted(candidates, key=lambda c: (not c.exclusive, c.order))
    agreeing = [c for c in ranked if compare(name, c.name).verdict == "agree"]
    return next((c for c in agreeing if compare(name, c.name).full), agreeing[0] if agreeing else ranked[0])


def _several(
    agreeing: list[Candidate], unsure: Collection[Any], evidence: list[dict[str, Any]], compare: Compare,
    apart: Callable[[Any, Any], bool],
) -> Verdict:  # fmt: skip
    """Strong identifiers of different contacts in one inquiry: one person, if nothing speaks against it."""
    oldest = min(agreeing, key=lambda c: c.order)
    rest = [c for c in agreeing if c is not oldest]
    named = [c for c in agreeing if c.name]
    compatible = not unsure and all(
        compare(a.name, b.name).verdict == "agree" for i, a in enumerate(named) for b in named[i + 1 :]
    )
    within_limits = sum(c.phones for c in agreeing) <= MOST_IDENTIFIERS and sum(c.emails for c in agreeing) <= MOST_IDENTIFIERS
    told_apart = any(apart(a.contact, b.contact) for i, a in enumerate(agreeing) for b in agreeing[i + 1 :])
    if compatible and within_limits and not told_apart:
        return Verdict("merge", "identifiers_of_one_person", oldest.contact, tuple(c.contact for c in rest), evidence=evidence)
    # Whose name agrees; of several the one of the identifier with the highest priority.
    first = next((c for c in agreeing if c.contact not in unsure), agreeing[0])
    return Verdict(
        "attach",
        "names_disagree" if not compatible else "told_apart" if told_apart else "too_many_identifiers",
        first.contact,
        suggest=tuple(c.contact for c in agreeing if c is not first and not apart(c.contact, first.contact)),
        evidence=evidence,
    )


def _weak(hits: Sequence[Hit], name: str, company: str, evidence: list[dict[str, Any]], compare: Compare) -> Verdict:
    """A reception's phone or info@ names a company, a shared number a household: a full name joins there, or a first name
    beside the company's. Who gives none is the only user so far, or else one of those whom the number stands for."""
    full = _full_name(hits, name, evidence, compare)
    if full is not None:
        return full
    suggest: list[Any] = []
    for hit in hits:
        if hit.strength not in ("weak", "shared"):
            continue
        may_join = not _NEVER_ALONE.intersection(hit.flags) and UNSURE not in hit.flags
        people = sorted((one for one in hit.candidates if not one.is_number), key=lambda c: c.order)
        if not name:
            verdict = _nameless(hit, people, evidence) if may_join else None
            if verdict is not None:
                return verdict
            continue
        for candidate in people:
            found = compare(name, candidate.name)
            evidence.append(_evidence(hit, candidate, found.verdict))
            if found.verdict == "agree" and may_join and _same_company(company, candidate.company):
                return Verdict("attach", "weak_identifier_name_and_company", candidate.contact, evidence=evidence)
            if found.verdict == "agree":
                suggest.append(candidate.contact)
        only = people[0] if len(hit.candidates) == len(people) == 1 else None
        if only is not None and not only.name and hit.strength == "weak" and may_join:
            return Verdict("attach", "only_user_of_weak_identifier", only.contact, evidence=evidence)
    rule = "nobody_known" if evidence or any(hit.candidates for hit in hits) else "no_known_identifier"
    return Verdict("new", rule, suggest=tuple(dict.fromkeys(suggest)), evidence=evidence)


def _full_name(hits: Sequence[Hit], name: str, evidence: list[dict[str, Any]], compare: Compare) -> Verdict | None:
    """By an identifier that joins nobody alone, to the one user of it who has this first name and surname."""
    if not name:
        return None
    for hit in hits:
        if hit.strength not in ("weak", "shared") or _NEVER_ALONE.intersection(hit.flags):
            continue
        agreeing = [c for c in hit.candidates if not c.is_number and _is_full(compare(name, c.name))]
        if agreeing:
            oldest = min(agreeing, key=lambda c: c.order)
            evidence.append(_evidence(hit, oldest, "agree"))
            rest = tuple(c.contact for c in agreeing if c is not oldest)
            return Verdict("attach", "weak_identifier_and_name", oldest.contact, suggest=rest, evidence=evidence)
    return None


def _is_full(found: Comparison) -> bool:
    return found.verdict == "agree" and found.full


def _nameless(hit: Hit, people: Sequence[Candidate], evidence: list[dict[str, Any]]) -> Verdict | None:
    number = next((one for one in hit.candidates if one.is_number), None)
    if number is not None:
        evidence.append(_evidence(hit, number, "unknown"))
        return Verdict("attach", "nameless_on_shared_identifier", number.contact, evidence=evidence)
    if hit.strength == "weak" and len(people) == 1:
        evidence.append(_evidence(hit, people[0], "unknown"))
        return Verdict("attach", "only_user_of_weak_identifier", people[0].contact, evidence=evidence)
    if people or hit.strength == "shared":
        return Verdict("new", "nameless_on_shared_identifier", of_number=(hit.kind, hit.value), evidence=evidence)
    return None


def _same_company(one: str, other: str) -> bool:
    return bool(one) and bool(other) and one.casefold() == other.casefold()


def _evidence(hit: Hit, candidate: Candidate, verdict: str) -> dict[str, Any]:
    """Names the candidate's object; whoever stores the evidence replaces it by the id. Never the number itself."""
    return {"identifier": hit.kind, "strength": hit.strength, "contact": candidate.contact, "name": verdict}
