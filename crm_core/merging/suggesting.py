"""Every night all contacts are compared: pairs that may be one person are put into the queue for a person to decide.

Nothing is merged here. What a person has refused, for whatever pair of contacts that answer as the two today, is not suggested
again; nor are names that cannot be one person's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Connection, Engine, insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert

from crm_core.contacts.models import Suggestion, SuggestionRun
from crm_core.identity.companies import company_name_key
from crm_core.identity.emails import email_key, guesses
from crm_core.identity.fullname import parse_name
from crm_core.identity.names import compare
from crm_core.merging.linkage import CLOSE, EXACT, Column, ScoredPair, Weights, explain, score

#: From here on a pair is worth a look ("maybe"); from 10 bits on it is called probably the same.
LEAST_BITS: Final = 5.0
MOST_OF_ONE: Final = 3  # open pairs of one contact: whoever is like everybody is like nobody
MOST_A_DAY: Final = 50  # new pairs, the surest first: so many a person can decide about
_WITHIN: Final = timedelta(hours=20)  # so long after a run there is no other


@lru_cache(maxsize=8_192)
def near_emails(value: str) -> frozenset[str]:
    """The mailbox itself and what it may be another spelling of: untold aliases, mistyped domains, look-alike letters."""
    key = email_key(value)
    return frozenset({value, *(guess.value for guess in guesses(key))}) if key is not None else frozenset({value})


COLUMNS: Final = (
    Column("first", "text", by_frequency=True, swapped_with="last"),
    Column("last", "text", by_frequency=True, swapped_with="first"),
    Column("patronymic", "text"),
    Column("company", "text", by_frequency=True),
    Column("phone", "many", likely=(0.5, 0.05, 0.45), chance=1e-5),  # people have several
    Column("email", "many", likely=(0.5, 0.1, 0.4), chance=1e-5, near=near_emails),
)
_FIRST, _LAST, _PATRONYMIC, _COMPANY, _PHONE, _EMAIL = range(6)

Record = tuple[str, str, str, str, tuple[str, ...], tuple[str, ...]]


def record_of(name: str, company: str, phones: Iterable[str], emails: Iterable[str]) -> Record:
    parsed = parse_name(name)
    first = parsed.firsts[0] if parsed.firsts else ""
    return first, parsed.last, parsed.patronymic, company_name_key(company) if company else "", tuple(phones), tuple(emails)


def blocks(record: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """What two records must share to be looked at."""
    first, last, patronymic, company, phones, emails = record
    if first and last:
        yield "name", *sorted((first, last))
        yield "last", last, first[:2]
    if last and patronymic:
        yield "father", last, patronymic
    if last and company:
        yield "firm", last, company
    for phone in phones:
        yield "phone", phone[-7:]
    for email in emails:
        for near in near_emails(email):
            yield "email", near
        yield "mailbox", email.partition("@")[0], last or first


@dataclass(frozen=True, slots=True)
class SuggestionsMade:
    contacts: int
    pairs: int
    skipped_blocks: int
    suggested: int


def run_is_due(connection: Connection, now: datetime, *, is_night: bool) -> bool:
    """At night, if none was made since the last one; by day only where two nights went by, as on a hub that is off at night."""
    last = connection.scalar(select(SuggestionRun.at).order_by(SuggestionRun.id.desc()).limit(1))
    return last is None or now - last > (_WITHIN if is_night else 2 * _WITHIN)


def suggest(engine: Engine, now: datetime) -> SuggestionsMade | None:
    """Compares all contacts and puts down what is new. None if another process is at it."""
    with engine.connect() as alone:
        if not alone.scalar(text("SELECT pg_try_advisory_lock(hashtextextended('leadhub.suggest', 0))")):
            return None
        alone.commit()
        try:
            roots, names, records = _read(alone)
            alone.commit()  # nothing is held while it is thought about
            found, weights = score(COLUMNS, records, blocks, LEAST_BITS)
            wanted = [pair for pair in found if is_worth_a_look(names, pair)]
            wanted += aliases(names, records, {(pair.one, pair.other) for pair in wanted})
            made = _write(alone, roots, records, weights, wanted, now)
            alone.commit()
            return made
        finally:
            alone.rollback()
            alone.execute(text("SELECT pg_advisory_unlock(hashtextextended('leadhub.suggest', 0))"))
            alone.commit()


_CONTACTS: Final = """
SELECT c.id, c.name, c.company, p.phones, p.emails FROM contact c
  LEFT JOIN (SELECT m.root_id, array_agg(DISTINCT i.value) FILTER (WHERE i.kind = 'phone') AS phones,
                    array_agg(DISTINCT i.value) FILTER (WHERE i.kind = 'email') AS emails
               FROM contact m JOIN contact_identifier ci ON ci.contact_id = m.id AND ci.retired_at IS NULL
               JOIN identifier i ON i.id = ci.identifier_id AND i.strength IN ('strong', 'weak') AND i.kind IN ('phone', 'email')
              GROUP BY m.root_id) p ON p.root_id = c.id
 WHERE c.root_id = c.id AND c.erased_at IS NULL AND (c.name <> '' OR p.phones IS NOT NULL OR p.emails IS NOT NULL) ORDER BY c.id
"""


def _read(connection: Connection) -> tuple[list[int], list[str], list[Record]]:
    roots, names, records = [], [], []
    for row in connection.execute(text(_CONTACTS), execution_options={"yield_per": 5_000}):
        roots.append(row.id)
        names.append(row.name)
        records.append(record_of(row.name, row.company, row.phones or (), row.emails or ()))
    return roots, names, records


def is_worth_a_look(names: Sequence[str], pair: ScoredPair) -> bool:
    """Names that contradict each other were told apart by the intake; names alone say little, so they need a third thing."""
    if compare(names[pair.one], names[pair.other]) == "conflict":
        return False
    level = pair.levels
    if max(level[_PHONE], level[_EMAIL]) >= CLOSE:
        return True
    third = max(level[_PATRONYMIC], level[_COMPANY]) == EXACT
    return min(level[_FIRST], level[_LAST]) >= CLOSE and third


def aliases(names: Sequence[str], records: Sequence[Record], known: set[tuple[int, int]]) -> list[ScoredPair]:
    """Addresses that may be one mailbox in another spelling, however little else is known of the two."""
    users: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        for near in {near for email in record[_EMAIL] for near in near_emails(email)}:
            users.setdefault(near, []).append(place)
    found = []
    for places in users.values():
        for at, one in enumerate(places[:MOST_OF_ONE]):
            for other in places[at + 1 : MOST_OF_ONE + 1]:
                if (one, other) in known or compare(names[one], names[other]) == "conflict":
                    continue
                known.add((one, other))
                found.append(ScoredPair(one, other, LEAST_BITS, ()))
    return found


#: Whoever was decided about, or is waiting: as the contacts answer today.
_KNOWN: Final = """
SELECT a.root_id AS a, b.root_id AS b, s.state = 'open' AS is_open, s.why->>'rule' IN ('scored', 'alias') AND s.at > :since AS is_of_today
  FROM suggestion s JOIN contact a ON a.id = s.a_id JOIN contact b ON b.id = s.b_id
"""


def _write(
    connection: Connection, roots: Sequence[int], records: Sequence[Record], weights: Weights, wanted: Sequence[ScoredPair],
    now: datetime,
) -> SuggestionsMade:  # fmt: skip
    known: set[tuple[int, int]] = set()
    open_of: dict[int, int] = {}
    today = 0
    for row in connection.execute(text(_KNOWN), {"since": now - timedelta(days=1)}):
        known.add((min(row.a, row.b), max(row.a, row.b)))
        today += row.is_of_today
        if row.is_open:
            for root in (row.a, row.b):
                open_of[root] = open_of.get(root, 0) + 1
    rows: list[dict[str, Any]] = []
    for pair in wanted:
        a, b = sorted((roots[pair.one], roots[pair.other]))
        if len(rows) + today >= MOST_A_DAY:
            break
        if (a, b) in known or max(open_of.get(a, 0), open_of.get(b, 0)) >= MOST_OF_ONE:
            continue
        for root in (a, b):
            open_of[root] = open_of.get(root, 0) + 1
        if pair.levels:
            why: dict[str, Any] = {"rule": "scored", "fields": explain(COLUMNS, records, weights, pair)}
        else:
            why = {"rule": "alias", "evidence": [{"identifier": "alias", "strength": "weak", "name": "unknown"}]}
        rows.append({"a_id": a, "b_id": b, "why": why, "bits": round(pair.bits, 1) if pair.levels else None, "at": now})
    if rows:
        connection.execute(upsert(Suggestion).values(rows).on_conflict_do_nothing())
    made = SuggestionsMade(len(records), weights.pairs, weights.skipped_blocks, len(rows))
    told = {name: [round(one, 2) for one in bits] for name, bits in weights.bits.items()} | {"prior": [round(weights.prior, 2)]}
    connection.execute(
        insert(SuggestionRun).values(
            at=now, contacts=made.contacts, pairs=made.pairs, skipped_blocks=made.skipped_blocks, suggested=made.suggested,
            weights=told,
        )
    )  # fmt: skip
    return made
