"""Between reading and taking in: what looks like spam is set aside, what lacks a consent is held. Nothing is dropped.

What already has a lead, and what a person has judged, is never screened again. Without the broker there are no rates;
everything else goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any, Final

import psycopg

from connectors.kit.forms.config import FormConfig
from crm_core.base.config import HubConfig
from crm_core.base.log import get_logger
from crm_core.identity.phones import read_phones
from crm_core.intake import EventResult, ParsedEvent
from crm_core.parsed import Inquiry
from crm_core.spam import Place, Score, Signal, content_signals, person_signals, score
from crm_core.spam.texts import folded, host_of, web_hosts
from ingest.alerts.alerts import raise_alert
from ingest.journal.claim import Claimed, Failure
from ingest.screening.form_proofs import Proof, honeypot_signals, proof_signals, read_proof, time_signals
from ingest.screening.rates import Counts, Post, Rates
from ingest.screening.visitors import is_visitor, network_of, request_signals, says_it_is_a_program
from ingest.sources.settings import LoadedSource

_log = get_logger(__name__)

#: After a burst what follows is set aside for so long.
BURST_PAUSE: Final = timedelta(minutes=10)
_BURST_STEP: Final = timedelta(minutes=1)  # while it goes on, its end is moved this often and no oftener
_PER_MINUTE, _PER_HOUR = 10, 60  # posts of one address; above is a sign
_PHONE_IPS, _TEXT_IPS = 3, 5
_TEXT_CHARS: Final = 60  # a shorter text may be the form's own words, which many visitors leave as they are

Read = tuple[Claimed, ParsedEvent, LoadedSource]


@dataclass(slots=True)
class Screened:
    """What goes on, what is done with already, what waits for a person."""

    items: list[ParsedEvent] = field(default_factory=list)
    aside: list[EventResult] = field(default_factory=list)
    held: list[Failure] = field(default_factory=list)


@dataclass(slots=True)
class _Case:
    """One inquiry under examination."""

    inquiry: Inquiry
    proof: Proof
    visitor: bool
    counts: Counts = field(default_factory=Counts)


class Screener:
    """One a process. It knows of bursts what the sources' rows will say in some seconds."""

    def __init__(self, config: HubConfig) -> None:
        self.config = config
        self.rates = Rates(config)
        self._bursts: dict[int, datetime] = {}  # source → end of its quarantine

    def close(self) -> None:
        self.rates.close()

    def screen(self, connection: psycopg.Connection[Any], read: Sequence[Read], *, rehearsal: bool = False) -> Screened:
        """Judges a batch. A rehearsal counts nothing and raises no alarm. psycopg errors pass through; the events then
        come again, and are counted once."""
        result = Screened()
        judged = [(one, self._cases(*one)) for one in read]
        if not rehearsal:
            self._count([(one, case) for one, cases in judged for case in cases.values()])
            self._watch_bursts(connection, judged)
        for one, cases in judged:
            self._decide(one, cases, result)
        return result

    def _cases(self, event: Claimed, item: ParsedEvent, source: LoadedSource) -> dict[int, _Case]:
        """The inquiries that are to be judged, by their place among the arrivals."""
        if event.channel != "form" or event.lead_id is not None or "spam" in (event.verdict or {}):
            return {}
        settings = form_settings(source)
        if settings.spam == "off":
            return {}
        visitor = is_visitor(event, source)
        return {
            seq: _Case(
                parsed_item,
                read_proof(self.config, source.id, parsed_item, event.received_at)
                if visitor and settings.altcha != "off"
                else Proof("none"),
                visitor,
            )
            for seq, parsed_item in enumerate(item.parsed_items)
            if isinstance(parsed_item, Inquiry) and not parsed_item.is_test
        }

    def _count(self, cases: Sequence[tuple[Read, _Case]]) -> None:
        """One round trip for all that came from visitors of the open network for the first time."""
        counted: list[_Case] = []
        posts: list[Post] = []
        for (event, item, source), case in cases:
            network = network_of(event.remote_ip)
            if not case.visitor or not network or event.replayed:
                continue
            counted.append(case)
            posts.append(_post(event, item, source, case, network))
        for case, counts in zip(counted, self.rates.count(posts), strict=True):
            case.counts = counts

    def _watch_bursts(self, connection: psycopg.Connection[Any], judged: Sequence[tuple[Read, Mapping[int, _Case]]]) -> None:
        """Sources that get more than they should in a minute go into quarantine, with one alarm for all of it."""
        ends: dict[int, tuple[datetime, datetime, int]] = {}  # source → begun, end, limit
        for (event, _, source), cases in judged:
            limit = form_settings(source).burst_per_minute
            if limit and any(case.counts.source_minute > limit for case in cases.values()):
                begun, end, _ = ends.get(source.id, (event.received_at, event.received_at, limit))
                at = event.received_at
                ends[source.id] = (min(begun, at), max(end, at + BURST_PAUSE), limit)
        for source_id, (begun, end, limit) in sorted(ends.items()):
            if end - self._bursts.get(source_id, datetime.min.replace(tzinfo=end.tzinfo)) < _BURST_STEP:
                continue
            with connection.transaction():
                moved = connection.execute(
                    "UPDATE source SET quarantine_until = %(end)s WHERE id = %(id)s"
                    " AND (quarantine_until IS NULL OR quarantine_until <= %(end)s - make_interval(secs => %(step)s))",
                    {"end": end, "id": source_id, "step": _BURST_STEP.total_seconds()},
                ).rowcount
                if moved:
                    told = {"limit": limit, "since": begun.isoformat(), "until": end.isoformat()}
                    raise_alert(connection, source_id, "burst", data=told)
                    _log.warning("burst_began", source=source_id, limit=limit)
            self._bursts[source_id] = end

    def _decide(self, one: Read, cases: Mapping[int, _Case], result: Screened) -> None:
        event, item, source = one
        settings = form_settings(source)
        verdict = event.verdict or {}
        if verdict.get("spam") == "spam" and event.lead_id is None and event.channel == "form":
            result.aside.append(_aside(event, {"code": "marked_as_spam", **_of_verdict(verdict)}))
            return
        scores = {seq: score(self._signals(one, case, settings)) for seq, case in cases.items()}
        if settings.spam == "quarantine" and _all_spam(item, scores):
            result.aside.append(_aside(event, _reason(scores)))
            return
        if (failure := _without_consent(event, item, settings)) is not None:
            result.held.append(failure)
            return
        if scores:
            item = replace(
                item,
                spam=tuple(scores[seq].as_dict() if seq in scores else {} for seq in range(len(item.parsed_items))),
                notes={**item.notes, **_noted(scores)},
            )
        elif verdict.get("spam") == "ham":
            item = replace(item, spam=tuple(_released(verdict) for _ in item.parsed_items))
        result.items.append(item)

    def _signals(self, one: Read, case: _Case, settings: FormConfig) -> Iterator[Signal]:
        event, item, source = one
        origins = (host_of(origin) for origin in settings.allowed_origins)
        own_hosts = (*origins, *source.allowed_hosts, host_of(self.config.base_url))
        yield from honeypot_signals(case.inquiry)
        yield from content_signals(case.inquiry, Place(item.region, own_hosts))
        yield from person_signals(case.inquiry, item.region)
        if not case.visitor:
            return
        yield from time_signals(self.config, source.id, case.inquiry, event.received_at)
        yield from proof_signals(case.proof, settings, used=case.counts.proof_used)
        yield from request_signals(event, case.inquiry, settings, own_hosts)
        yield from self._rate_signals(one, case, settings)

    def _rate_signals(self, one: Read, case: _Case, settings: FormConfig) -> Iterator[Signal]:
        event, _, source = one
        counts = case.counts
        if not network_of(event.remote_ip):
            return
        if counts.ip_minute > _PER_MINUTE:
            yield Signal("ip_per_minute", str(counts.ip_minute))
        if counts.ip_hour > _PER_HOUR:
            yield Signal("ip_per_hour", str(counts.ip_hour))
        if counts.phone_ips >= _PHONE_IPS:
            yield Signal("phone_many_ips", str(counts.phone_ips))
        if counts.text_ips >= _TEXT_IPS:
            yield Signal("text_many_ips", str(counts.text_ips))
        limit = settings.burst_per_minute
        if limit and (counts.source_minute > limit or self._in_burst(event, source)):
            yield Signal("burst", str(limit))

    def _in_burst(self, event: Claimed, source: LoadedSource) -> bool:
        """By when it was received, so that what waits in the queue for long is judged as if it had not."""
        ends = [end for end in (source.quarantine_until, self._bursts.get(source.id)) if end is not None]
        return any(end - BURST_PAUSE < event.received_at < end for end in ends)


def form_settings(source: LoadedSource) -> FormConfig:
    """The settings against spam; those of a connector that knows none are the defaults."""
    return source.settings if isinstance(source.settings, FormConfig) else _default_settings()


@cache
def _default_settings() -> FormConfig:
    return FormConfig.model_validate({})


def _post(event: Claimed, item: ParsedEvent, source: LoadedSource, case: _Case, network: str) -> Post:
    inquiry = case.inquiry
    phones = {
        key.value for phone in inquiry.phones[:5] for key in read_phones(phone, item.region, kind="form", hints=inquiry.country_hints.get(phone, ()))
        if key.strength != "blocked"
    }  # fmt: skip
    text = folded(inquiry.message)
    return Post(
        event.id, source.id, event.received_at.timestamp(), network, not says_it_is_a_program(event),
        tuple(sorted(phones)[:5]), text if len(text) >= _TEXT_CHARS or web_hosts([text]) else "",
        case.proof.signature, case.proof.seconds,
    )  # fmt: skip


def _all_spam(item: ParsedEvent, scores: Mapping[int, Score]) -> bool:
    """An event is set aside as a whole or not at all: only if each of its arrivals is."""
    return len(scores) == len(item.parsed_items) and all(found.verdict != "accept" for found in scores.values())


def _reason(scores: Mapping[int, Score]) -> dict[str, Any]:
    """Of several inquiries the one that looks least like spam speaks for the event."""
    least = min(scores.values(), key=lambda found: found.points)
    return {"code": "quarantined", "buried": least.verdict == "bury", **least.as_dict()}


def _noted(scores: Mapping[int, Score]) -> dict[str, Any]:
    """For the event's reason: a lead shows the score of the inquiry that it was born from, and others join it later."""
    most = max(scores.values(), key=lambda found: found.points)
    return {"spam": most.as_dict()} if most.reasons else {}


def _aside(event: Claimed, reason: dict[str, Any]) -> EventResult:
    return EventResult(event.id, "spam", reason, None, None)


def _of_verdict(verdict: Mapping[str, Any]) -> dict[str, Any]:
    return {"score": verdict.get("score", 0), "reasons": list(verdict.get("reasons", ()))}


def _released(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """What the lead shows: why it was set aside, and that a person released it."""
    had = _of_verdict(verdict)
    return {**had, "reasons": [*had["reasons"], {"code": "released", "points": 0, "detail": str(verdict.get("by", ""))}]}


def _without_consent(event: Claimed, item: ParsedEvent, settings: FormConfig) -> Failure | None:
    """Held until a person decides, if the source is set to that. What has a lead already goes on."""
    if settings.consent_unknown != "hold" or event.channel != "form" or event.lead_id is not None:
        return None
    if (event.verdict or {}).get("consent") == "accepted":
        return None
    lacking = [
        parsed_item for parsed_item in item.parsed_items
        if isinstance(parsed_item, Inquiry) and not parsed_item.is_test
        and not any(one.purpose == "processing" and one.given for one in parsed_item.consents)
    ]  # fmt: skip
    if not lacking:
        return None
    if any(one.purpose == "processing" for parsed_item in lacking for one in parsed_item.consents):
        return Failure(
            event.id, "needs_attention", "consent_declined",
            "The person did not agree to the processing of his data. Accept it if there is another ground, or dismiss it.",
        )  # fmt: skip
    return Failure(
        event.id, "needs_attention", "consent_unknown",
        "The form says nothing about consent to the processing of data. Accept the inquiry, or dismiss it.",
    )  # fmt: skip
