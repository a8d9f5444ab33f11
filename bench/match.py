"""How well the hub knows people again: invented people send forms, calls and mails through the real intake.

Compared are pairs of inquiries. Precision: of the pairs that stand on one contact, those of one person. "Both named": where both
carry a name. Recall: of the pairs of one person that some chain of exactly equal phones and addresses links, those that stand on
one contact; what shares nothing with its own kind cannot be found by anybody.
"""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from itertools import combinations

import psycopg
from psycopg.rows import dict_row

from bench.people import Sent, population, traffic
from bench.stage import Stage
from bench.table import Line
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.database import connect, make_engine
from ingest.journal.accept import RawEvent, insert_events
from ingest.processing.process import Processor
from ingest.sources.sources import add_source

#: Seeds of the table; any other may be asked for.
SEEDS = (101, 202, 303, 404)
PEOPLE = 2_500

_BLOCK = 250  # events in the journal before the workers take them: within a block a channel comes before the next
_IMAP = {"host": "imap.example.com", "user": "sales@hub.example", "password": "x"}
_OURS = "74951112233"


@dataclass(frozen=True, slots=True)
class Quality:
    """Of one population."""

    inquiries: int
    people: int
    precision: float
    precision_named: float
    recall: float
    recall_of_all: float
    biggest: int  # inquiries on one contact
    contacts: int
    suggestions: int
    false_pairs: tuple[tuple[int, int], ...]  # by place in the traffic; the first of them, for whoever looks into it
    missed_pairs: tuple[tuple[int, int], ...]


def measure(stage: Stage, seeds: Sequence[int], people: int) -> list[Line]:
    """The figures of every seed, held against the bars of docs/identity.md."""
    found = []
    for seed in seeds:
        hub = stage.hub("bench_match")
        found.append(assess(run(hub.config, list(traffic(seed, population(seed, people)))), people))
        stage.drop("bench_match")
    worst = min(one.precision_named for one in found)
    mean = statistics.mean(one.precision_named for one in found)
    names = f"{len(found)} × {people:,} people"
    return [
        _at_least(f"precision where both have a name, worst of {names}", worst, 0.994),
        _at_least("the same, mean", mean, 0.997),
        _at_least("precision over all pairs, worst", min(one.precision for one in found), 0.945),
        _at_least("recall of what exact identifiers link, worst", min(one.recall for one in found), 0.96),
        Line("recall of all pairs, worst", f"{min(one.recall_of_all for one in found):.4f}", "", "", "", None),
        Line("inquiries on the biggest contact", str(max(one.biggest for one in found)), "", "", "", None),
        Line("suggestions a hundred inquiries", f"{100 * sum(o.suggestions for o in found) / sum(o.inquiries for o in found):.1f}", "",
             "", "", None),
    ]  # fmt: skip


def _at_least(what: str, value: float, bar: float) -> Line:
    return Line(what, f"{value:.4f}", "", "", f"≥ {bar:g}", value >= bar)


@dataclass(frozen=True, slots=True)
class Outcome:
    sent: Sequence[Sent]
    contacts: Sequence[int | None]  # the root that each stands on
    suggestions: int


def run(config: HubConfig, sent: Sequence[Sent]) -> Outcome:
    """Sends all of it through the journal in blocks, in order, and reads where it came to stand."""
    sources = _sources(config)
    uids: list[str] = []
    with closing(connect(config.database_url, "worker")) as door, closing(Processor(config)) as processor:
        for first in range(0, len(sent), _BLOCK):
            block = [_raw(sources, one, first + n) for n, one in enumerate(sent[first : first + _BLOCK])]
            uids += [accepted.uid for accepted in insert_events(door, block)]
            for channel in ("form", "call", "mail"):
                processor.drain(channel, budget_seconds=120)
    with psycopg.connect(config.database_url, row_factory=dict_row) as connection:
        roots = {
            row["uid"]: row["root_id"]
            for row in connection.execute(
                "SELECT e.uid, min(c.root_id) AS root_id FROM inbound_event e JOIN touch t ON t.event_id = e.id"
                " JOIN contact c ON c.id = t.contact_id GROUP BY e.uid"
            )
        }
        [counted] = connection.execute("SELECT count(*) AS n FROM suggestion WHERE state = 'open'").fetchall()
    return Outcome(sent, [roots.get(uid) for uid in uids], counted["n"])


def assess(outcome: Outcome, people: int) -> Quality:
    """Figures over pairs, counted by groups so that a big contact costs no more than it must."""
    sent = outcome.sent
    stands: dict[int, list[int]] = defaultdict(list)
    for place, contact in enumerate(outcome.contacts):
        if contact is not None:
            stands[contact].append(place)
    pairs = right = named = named_right = 0
    false: list[tuple[int, int]] = []
    for places in stands.values():
        for a, b in combinations(places, 2):
            same = sent[a].person == sent[b].person and sent[a].person >= 0
            pairs, right = pairs + 1, right + same
            if sent[a].has_name and sent[b].has_name:
                named, named_right = named + 1, named_right + same
                if not same:
                    false.append((a, b))
    linked, found, every, every_found = 0, 0, 0, 0
    missed: list[tuple[int, int]] = []
    for places in _by_person(sent).values():
        groups = _linked(sent, places)
        for a, b in combinations(places, 2):
            together = outcome.contacts[a] is not None and outcome.contacts[a] == outcome.contacts[b]
            every, every_found = every + 1, every_found + together
            if groups[a] == groups[b]:
                linked, found = linked + 1, found + together
                if not together:
                    missed.append((a, b))
    return Quality(
        len(sent), people, right / max(1, pairs), named_right / max(1, named), found / max(1, linked), every_found / max(1, every),
        max((len(places) for places in stands.values()), default=0), len(stands), outcome.suggestions, tuple(false[:200]),
        tuple(missed[:400]),
    )  # fmt: skip


def _by_person(sent: Sequence[Sent]) -> dict[int, list[int]]:
    places: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(sent):
        if one.person >= 0:
            places[one.person].append(place)
    return places


def _linked(sent: Sequence[Sent], places: Iterable[int]) -> dict[int, int]:
    """Place → its group: those that a chain of equal phones and addresses joins."""
    group: dict[int, int] = {}
    owner: dict[str, int] = {}
    for place in places:
        group[place] = place
        for key in sent[place].keys:
            if key in owner:
                old, new = group[place], group[owner[key]]
                group = {p: new if g == old else g for p, g in group.items()}
            owner[key] = place
    return group


def _sources(config: HubConfig) -> dict[str, int]:
    engine = make_engine(config.database_url, "worker", pool_size=1)
    try:
        with engine.begin() as connection:
            return {
                channel: add_source(connection, HUB, config, connector, f"Of people by {channel}", settings).id
                for channel, connector, settings in (
                    ("form", "generic_form", {}), ("call", "generic_call", {}), ("mail", "imap", _IMAP),
                )
            }  # fmt: skip
    finally:
        engine.dispose()


def _raw(sources: dict[str, int], one: Sent, number: int) -> RawEvent:
    as_json = {"content-type": "application/json"}
    if one.channel == "form":
        form = {
            "name": one.name,
            "phone": one.phone,
            "email": one.email,
            "message": f"Order {number}: windows for house {number % 97}",
        }
        return RawEvent(sources["form"], "form", json.dumps({k: v for k, v in form.items() if v}).encode(), headers=as_json)
    if one.channel == "call":
        call = {"event": "hangup", "callId": f"c{number}", "direction": "in", "cause": "noAnswer",
                "from": one.phone.lstrip("+") or "anonymous", "to": _OURS}  # fmt: skip
        return RawEvent(sources["call"], "call", json.dumps(call).encode(), headers=as_json)
    mail = EmailMessage()
    login, _, domain = one.email.partition("@")
    mail["From"], mail["To"] = Address(one.name, login, domain), "sales@hub.example"
    mail["Subject"], mail["Message-ID"] = f"Windows {number}", f"<m{number}@people.example>"
    mail.set_content(f"How much is window {number}?")
    return RawEvent(sources["mail"], "mail", mail.as_bytes())


def explain(outcome: Outcome, quality: Quality, most: int = 30) -> str:
    """Examples of what went wrong, for whoever looks into it."""
    sent = outcome.sent
    lines = [f"{quality}"[:400]]
    kinds: Counter[str] = Counter()
    for kind, pairs in (("joined", quality.false_pairs), ("missed", quality.missed_pairs)):
        for a, b in pairs:
            shared = sent[a].keys & sent[b].keys
            if kinds[kind] < most:
                lines.append(
                    f"{kind}: {sent[a].name!r} {sorted(sent[a].keys)} ~ {sent[b].name!r} {sorted(sent[b].keys)} by {sorted(shared)}"
                )
            kinds[kind] += 1
    return "\n".join(lines)
