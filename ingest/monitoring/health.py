"""What waits, what stands still, who is alive: one cheap read model for the API, the console, /metrics and the doctor.

It reads partial indexes and small tables only, so that looking costs the same however long the history is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from connectors.kit import registry
from crm_core.base.config import HubConfig
from crm_core.base.values import rfc3339
from ingest.alerts.alerts import GRAVE, open_counts
from ingest.journal.disk_space import look
from ingest.monitoring import clocks
from ingest.monitoring.broker_state import LATE, look_at_broker
from ingest.monitoring.proxies import unknown_proxy
from ingest.sources.states import SourceState, source_states

CHANNELS = ("form", "call", "mail")

#: From when on something is a problem. "Within a second" is the promise, so a minute is a fault and not a peak.
OLDEST_WAITING_SECONDS = 60.0
WORKER_SILENT_SECONDS = 30.0
SWEEP_SILENT_SECONDS = 60.0
CANARY_SECONDS = 30.0
CANARY_SILENT_SECONDS = 180.0
#: Machines' clocks may differ by this much before a sign of life is taken for one of another time.
CLOCK_TOLERANCE = timedelta(seconds=30)
#: Processes that have not been heard of for so long are gone, not sick.
GONE_SECONDS = 3600.0

_WAITING = """
SELECT e.channel,
       count(*) FILTER (WHERE e.state = 'waiting' AND s.state IS DISTINCT FROM 'paused') AS waiting,
       count(*) FILTER (WHERE e.state = 'working') AS working,
       count(*) FILTER (WHERE e.state = 'waiting' AND s.state = 'paused') AS paused,
       count(*) FILTER (WHERE e.attempts > 0 AND e.state = 'waiting') AS retrying,
       min(e.received_at) FILTER (WHERE s.state IS DISTINCT FROM 'paused') AS oldest,
       count(*) FILTER (WHERE e.done_at IS NULL) AS unfinished
FROM inbound_event e LEFT JOIN source s ON s.id = e.source_id WHERE e.state IN ('waiting', 'working') GROUP BY e.channel
"""
_ATTENTION = """
SELECT channel, count(*) FILTER (WHERE state = 'needs_attention') AS needs_attention,
       count(*) FILTER (WHERE state = 'rejected') AS rejected, count(*) FILTER (WHERE done_at IS NULL) AS unfinished
FROM inbound_event WHERE state IN ('needs_attention', 'rejected') GROUP BY channel
"""
_MAILBOXES = """
SELECT s.id, s.name, s.state AS source_state, f.name AS folder, f.state, f.last_ok_at, f.fails, f.missed, f.last_error,
       (SELECT count(*) FROM mail_ref r WHERE r.folder_id = f.id AND r.status = 'seen') AS to_fetch
FROM source s JOIN mailbox_folder f ON f.source_id = s.id AND f.name = coalesce(s.config->>'folder', 'INBOX') ORDER BY s.id
"""
_SINCE = """
SELECT source_id, channel, count(*), count(*) FILTER (WHERE state = 'done')
FROM inbound_event WHERE received_at >= :start GROUP BY source_id, channel
"""

Finding = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ReceivedCount:
    source_id: int
    channel: str
    received: int
    done: int  # with an outcome


def queue_report(connection: Connection, now: datetime) -> dict[str, Any]:
    """Queues by channel, mailboxes, signs of life. Ages are seconds before `now`."""
    waiting = {row["channel"]: row for row in connection.execute(text(_WAITING)).mappings()}
    attention = {row["channel"]: row for row in connection.execute(text(_ATTENTION)).mappings()}
    channels = []
    for channel in CHANNELS:
        line: Mapping[str, Any] = waiting.get(channel, {})  # type: ignore[assignment]
        stuck: Mapping[str, Any] = attention.get(channel, {})  # type: ignore[assignment]
        channels.append(
            {
                "channel": channel,
                "waiting": line.get("waiting", 0),
                "working": line.get("working", 0),
                "retrying": line.get("retrying", 0),
                "paused": line.get("paused", 0),
                "oldest_waiting_seconds": _age(line.get("oldest"), now),
                "needs_attention": stuck.get("needs_attention", 0),
                "rejected": stuck.get("rejected", 0),
                "unfinished": line.get("unfinished", 0) + stuck.get("unfinished", 0),
            }
        )
    beats = connection.execute(text("SELECT role, instance, at, data FROM heartbeat ORDER BY role, instance")).mappings()
    processes, canaries = [], []
    for beat in beats:
        if beat["at"] - now > CLOCK_TOLERANCE:
            continue  # written before the clock was set back: whoever is alive writes again in a moment
        age = _age(beat["at"], now)
        if beat["role"] == "canary":
            seconds = beat["data"].get("seconds")
            canaries.append({"queue": beat["instance"], "seconds": seconds, "age_seconds": age})
        elif age is not None and age < GONE_SECONDS:
            processes.append({"role": beat["role"], "instance": beat["instance"], "age_seconds": age, "data": beat["data"]})
    return {
        "at": rfc3339(now),
        "channels": channels,
        "waiting": sum(row["waiting"] for row in channels),
        "needs_attention": sum(row["needs_attention"] for row in channels),
        "rejected": sum(row["rejected"] for row in channels),
        "processes": processes,
        "canaries": canaries,
        "mailboxes": [
            {
                "source": {"id": str(row["id"]), "name": row["name"]},
                "folder": row["folder"],
                "state": "paused" if row["source_state"] == "paused" else row["state"],
                "lag_seconds": _age(row["last_ok_at"], now),
                "fails": row["fails"],
                "missed": row["missed"],
                "to_fetch": row["to_fetch"],
                "error": row["last_error"] and {name: row["last_error"][name] for name in ("code", "message")},
            }
            for row in connection.execute(text(_MAILBOXES)).mappings()
        ],
    }


def received_since(connection: Connection, start: datetime) -> list[ReceivedCount]:
    """What came since `start` and how much of it is done, by source: one pass over an index on the time of receipt."""
    return [ReceivedCount(*row) for row in connection.execute(text(_SINCE), {"start": start})]


def health_report(connection: Connection, config: HubConfig, now: datetime) -> dict[str, Any]:
    """{"healthy", "problems": [sentences], "findings": [{"code", "words", facts}], "hints": [the same], "notes": [sentences], "sources", "queues"}.

    A problem wants somebody now; a hint is a setting that costs something, and its words stand among the notes. `findings` are the same problems with their facts, for who words them otherwise;
    `seconds` among the facts is an age, `queues` is the queue_report, `sources` the state of each (`SourceState`).
    """
    report = queue_report(connection, now)
    findings: list[Finding] = []
    notes: list[str] = []
    for row in report["channels"]:
        oldest = row["oldest_waiting_seconds"]
        if oldest is not None and oldest > OLDEST_WAITING_SECONDS:
            count = row["waiting"] + row["working"]
            words = (
                f"{count} events of channel {row['channel']} wait, the oldest for {oldest:.0f} s;"
                f" {row['retrying']} of them failed before and are being retried."
            )
            findings.append(_finding("events_wait", words, channel=row["channel"], count=count, seconds=oldest,
                                     retrying=row["retrying"]))  # fmt: skip
        for state, said in (("needs_attention", "need attention"), ("rejected", "were rejected")):
            if row[state]:
                notes.append(f"{row[state]} events of channel {row['channel']} {said}.")
    told = clocks.ask(connection, now)
    if abs(told.skew) > clocks.BAD_SECONDS:
        notes.append(told.skew_words)
    if told.ahead > clocks.BAD_SECONDS:
        notes.append(told.ahead_words)
    broker = look_at_broker(config.broker_url)
    if broker.is_wrong:
        findings.append(_finding(f"broker_{broker.code}", f"The broker {broker.words}. {LATE}"))
    # Sweeps and canaries come through the broker: that they are missing says nothing more then.
    findings += _silent_processes(report, roles=("worker",) if broker.is_wrong else ("worker", "sweep"))
    findings += [] if broker.is_wrong else _canaries(report)
    states = source_states(connection, config, now)
    findings += _sources(states)
    findings += _missed(report)
    findings += disk_findings(config)
    for alert in open_counts(connection):
        name, count = alert.source.name, alert.count
        if alert.code in GRAVE:
            words = f"Source {name}: {alert.code.replace('_', ' ')} ({count} open). `leadhub alerts` says more."
            findings.append(_finding("source_alert", words, name=name, alert=alert.code, count=count))
        else:
            notes.append(f"Source {name}: {alert.code.replace('_', ' ')} ({count} open alerts).")
    findings += [_finding("connector_broken", sentence, name=name) for name, sentence in sorted(registry.problems().items())]
    hints: list[Finding] = []
    proxy = unknown_proxy(connection, config.trusted_proxies, now)
    if proxy is not None:
        hints.append(_finding(proxy.code, proxy.words, peer=proxy.peer, needed=proxy.needed, posts=proxy.posts))
        notes.append(proxy.words)
    problems = [finding["words"] for finding in findings]
    return {
        "healthy": not problems,
        "problems": problems,
        "findings": findings,
        "hints": hints,
        "notes": notes,
        "sources": states,
        "queues": report,
    }


def disk_findings(config: HubConfig) -> list[Finding]:
    """One if the disk is below its floor: the only problem that shuts the door. Needs no database."""
    disk = look(config.home, config.disk_floor_bytes)
    if disk.takes_events:
        return []
    words = f"{disk.words} Nothing is taken in until there is room: entrances say 503, mailboxes wait."
    return [
        _finding("disk_read_only" if disk.read_only else "disk_low", words, free_bytes=disk.free_bytes, home=str(config.home))
    ]


def _finding(code: str, words: str, **facts: Any) -> Finding:
    return {"code": code, "words": words, **facts}


def _silent_processes(report: Mapping[str, Any], roles: Sequence[str]) -> list[Finding]:
    """Sweeps run in the workers, so a fresh one proves a worker, also in the seconds before the first canary."""
    youngest: dict[str, float] = {}
    for process in report["processes"]:
        for role in {process["role"], "worker"} if process["role"] == "sweep" else {process["role"]}:
            youngest[role] = min(youngest.get(role, process["age_seconds"]), process["age_seconds"])
    found = []
    for role, limit in (("worker", WORKER_SILENT_SECONDS), ("sweep", SWEEP_SILENT_SECONDS)):
        if role not in roles:
            continue
        age = youngest.get(role)
        if age is None:
            words = f"No {role} has been heard of in the last hour."
            found.append(_finding(f"{role}_unheard", words, role=role))
        elif age > limit:
            words = f"The last sign of life of a {role} is {age:.0f} s old."
            found.append(_finding(f"{role}_silent", words, role=role, seconds=age))
    return found


def _canaries(report: Mapping[str, Any]) -> list[Finding]:
    found = []
    for canary in report["canaries"]:
        queue, age, took = canary["queue"], canary["age_seconds"], canary["seconds"] or 0
        if age is not None and age > CANARY_SILENT_SECONDS:
            words = f"The canary of queue {queue} has not come through for {age:.0f} s."
            found.append(_finding("canary_silent", words, queue=queue, seconds=age))
        elif took > CANARY_SECONDS:
            words = f"The canary of queue {queue} took {took:.1f} s."
            found.append(_finding("canary_slow", words, queue=queue, seconds=took))
    return found


def _sources(states: Sequence[SourceState]) -> list[Finding]:
    """Sources of which nothing becomes a lead until a person acts; a key that has expired has its alert."""
    found = []
    for state in states:
        if state.tone != "bad" or (state.error or {}).get("code") in GRAVE:
            continue
        facts = {"name": state.name, "source_id": state.source_id, "state": state.code}
        if state.channel == "mail":
            found.append(_finding("mailbox_broken", f"Mailbox {state.name}: {state.words}", **facts))
        else:
            found.append(_finding("source_unusable", f"Source {state.name}: {state.words}", **facts))
    return found


def _missed(report: Mapping[str, Any]) -> list[Finding]:
    found = []
    for box in report["mailboxes"]:
        if box["missed"] and box["state"] != "paused":
            name, folder = box["source"]["name"], box["folder"]
            words = f"Mailbox {name}, folder {folder}: the reconciliation found {box['missed']} mails that polling had missed."
            found.append(_finding("mailbox_missed", words, name=name, folder=folder, count=box["missed"]))
    return found


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, round((now - at).total_seconds(), 3))
