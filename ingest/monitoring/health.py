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
from crm_core.base.paging import AnyRow
from crm_core.base.values import Named
from crm_core.leads.waiting import counted, waiting_leads
from crm_core.people.queries import work_of_nobody
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
       (SELECT count(*) FROM mail_ref r WHERE r.folder_id = f.id AND r.status = 'seen') AS to_fetch,
       (SELECT count(*) FROM mail_ref r WHERE r.folder_id = f.id AND r.status = 'seen' AND r.attempts > 0) AS put_off
FROM source s JOIN mailbox_folder f ON f.source_id = s.id AND f.name = coalesce(s.config->>'folder', 'INBOX') ORDER BY s.id
"""
_SINCE = """
SELECT source_id, channel, count(*), count(*) FILTER (WHERE state = 'done')
FROM inbound_event WHERE received_at >= :start GROUP BY source_id, channel
"""


@dataclass(frozen=True, slots=True)
class ReceivedCount:
    source_id: int
    channel: str
    received: int
    done: int  # with an outcome


@dataclass(frozen=True, slots=True)
class ChannelQueue:
    """`unfinished`: events that are not done, wherever they stand."""

    channel: str
    waiting: int
    working: int
    retrying: int
    paused: int
    oldest_waiting_seconds: float | None
    needs_attention: int
    rejected: int
    unfinished: int


@dataclass(frozen=True, slots=True)
class ProcessSign:
    """The last sign of life of a process."""

    role: str
    instance: str
    age_seconds: float
    data: Mapping[str, Any]  # what it says of itself


@dataclass(frozen=True, slots=True)
class CanarySign:
    queue: str
    seconds: float | None  # how long the last one took
    age_seconds: float | None


@dataclass(frozen=True, slots=True)
class MailboxLag:
    source: Named
    folder: str
    state: str
    lag_seconds: float | None  # since it was last read
    fails: int
    missed: int  # mails that polling had missed and the reconciliation found
    to_fetch: int
    put_off: int  # of these: failed at least once and wait for the next try
    error: Mapping[str, str] | None  # {"code","message"}


@dataclass(frozen=True, slots=True)
class QueueReport:
    """Queues by channel, mailboxes, signs of life. Ages are seconds before `at`."""

    at: datetime
    channels: Sequence[ChannelQueue]
    processes: Sequence[ProcessSign]
    canaries: Sequence[CanarySign]
    mailboxes: Sequence[MailboxLag]

    @property
    def waiting(self) -> int:
        return sum(one.waiting for one in self.channels)

    @property
    def needs_attention(self) -> int:
        return sum(one.needs_attention for one in self.channels)

    @property
    def rejected(self) -> int:
        return sum(one.rejected for one in self.channels)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong: a code, one English sentence, and its facts for who words it otherwise; `seconds` among them is an age."""

    code: str
    words: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """A finding wants somebody now; a hint is a setting that costs something, and its words stand among the notes."""

    findings: Sequence[Finding]
    hints: Sequence[Finding]
    notes: Sequence[str]  # English sentences
    sources: Sequence[SourceState]
    queues: QueueReport

    @property
    def healthy(self) -> bool:
        return not self.findings

    @property
    def problems(self) -> list[str]:
        """The findings in words."""
        return [one.words for one in self.findings]


def queue_report(connection: Connection, now: datetime) -> QueueReport:
    waiting = {row.channel: row for row in connection.execute(text(_WAITING))}
    attention = {row.channel: row for row in connection.execute(text(_ATTENTION))}
    processes, canaries = _signs_of_life(connection, now)
    return QueueReport(
        now,
        [_channel(channel, waiting.get(channel), attention.get(channel), now) for channel in CHANNELS],
        processes,
        canaries,
        [
            MailboxLag(
                Named(row.id, row.name), row.folder, "paused" if row.source_state == "paused" else row.state,
                _age(row.last_ok_at, now), row.fails, row.missed, row.to_fetch, row.put_off,
                row.last_error and {name: row.last_error[name] for name in ("code", "message")},
            )
            for row in connection.execute(text(_MAILBOXES))
        ],
    )  # fmt: skip


def _channel(channel: str, line: AnyRow | None, stuck: AnyRow | None, now: datetime) -> ChannelQueue:
    return ChannelQueue(
        channel,
        waiting=line.waiting if line else 0,
        working=line.working if line else 0,
        retrying=line.retrying if line else 0,
        paused=line.paused if line else 0,
        oldest_waiting_seconds=_age(line.oldest, now) if line else None,
        needs_attention=stuck.needs_attention if stuck else 0,
        rejected=stuck.rejected if stuck else 0,
        unfinished=(line.unfinished if line else 0) + (stuck.unfinished if stuck else 0),
    )


def _signs_of_life(connection: Connection, now: datetime) -> tuple[list[ProcessSign], list[CanarySign]]:
    processes: list[ProcessSign] = []
    canaries: list[CanarySign] = []
    for beat in connection.execute(text("SELECT role, instance, at, data FROM heartbeat ORDER BY role, instance")):
        if beat.at - now > CLOCK_TOLERANCE:
            continue  # written before the clock was set back: whoever is alive writes again in a moment
        age = max(0.0, round((now - beat.at).total_seconds(), 3))
        if beat.role == "canary":
            canaries.append(CanarySign(beat.instance, beat.data.get("seconds"), age))
        elif age < GONE_SECONDS:
            processes.append(ProcessSign(beat.role, beat.instance, age, beat.data))
    return processes, canaries


def received_since(connection: Connection, start: datetime) -> list[ReceivedCount]:
    """What came since `start` and how much of it is done, by source: one pass over an index on the time of receipt."""
    return [ReceivedCount(*row) for row in connection.execute(text(_SINCE), {"start": start})]


def health_report(connection: Connection, config: HubConfig, now: datetime) -> HealthReport:
    """Everything that somebody should know of the hub as a whole."""
    report = queue_report(connection, now)
    findings: list[Finding] = []
    notes: list[str] = []
    for row in report.channels:
        oldest = row.oldest_waiting_seconds
        if oldest is not None and oldest > OLDEST_WAITING_SECONDS:
            count = row.waiting + row.working
            words = (
                f"{count} events of channel {row.channel} wait, the oldest for {oldest:.0f} s;"
                f" {row.retrying} of them failed before and are being retried."
            )
            findings.append(_finding("events_wait", words, channel=row.channel, count=count, seconds=oldest,
                                     retrying=row.retrying))  # fmt: skip
        for stuck, said in ((row.needs_attention, "need attention"), (row.rejected, "were rejected")):
            if stuck:
                notes.append(f"{stuck} events of channel {row.channel} {said}.")
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
    findings += _waiting_leads(connection, now)
    findings += disk_findings(config)
    findings += _work_of_nobody(connection)
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
    return HealthReport(findings, hints, notes, states, report)


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
    return Finding(code, words, facts)


def _silent_processes(report: QueueReport, roles: Sequence[str]) -> list[Finding]:
    """Sweeps run in the workers, so a fresh one proves a worker, also in the seconds before the first canary."""
    youngest: dict[str, float] = {}
    for process in report.processes:
        for role in {process.role, "worker"} if process.role == "sweep" else {process.role}:
            youngest[role] = min(youngest.get(role, process.age_seconds), process.age_seconds)
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


def _canaries(report: QueueReport) -> list[Finding]:
    found = []
    for canary in report.canaries:
        queue, age, took = canary.queue, canary.age_seconds, canary.seconds or 0
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
        if state.tone != "bad" or (state.error is not None and state.error.code in GRAVE):
            continue
        facts = {"name": state.name, "source_id": state.source_id, "state": state.code}
        if state.channel == "mail":
            found.append(_finding("mailbox_broken", f"Mailbox {state.name}: {state.words}", **facts))
        else:
            found.append(_finding("source_unusable", f"Source {state.name}: {state.words}", **facts))
    return found


def _waiting_leads(connection: Connection, now: datetime) -> list[Finding]:
    """Leads that nobody could take; on a hub without any employee there is nobody to be missed."""
    count, oldest = counted(waiting_leads(connection))
    if oldest is None or not connection.scalar(text("SELECT EXISTS (SELECT 1 FROM owner WHERE active)")):
        return []
    seconds = _age(oldest, now)
    words = f"{count} leads have no owner, the oldest for {seconds:.0f} s: nobody can take them now."
    return [_finding("leads_wait", words, count=count, seconds=seconds)]


def _missed(report: QueueReport) -> list[Finding]:
    found = []
    for box in report.mailboxes:
        if box.missed and box.state != "paused":
            name, folder = box.source.name, box.folder
            words = f"Mailbox {name}, folder {folder}: the reconciliation found {box.missed} mails that polling had missed."
            found.append(_finding("mailbox_missed", words, name=name, folder=folder, count=box.missed))
        if box.put_off and box.state != "paused":
            name, folder = box.source.name, box.folder
            words = f"Mailbox {name}, folder {folder}: the server does not hand out {box.put_off} mails; they are tried again."
            found.append(_finding("mailbox_put_off", words, name=name, folder=folder, count=box.put_off))
    return found


def _work_of_nobody(connection: Connection) -> list[Finding]:
    return [
        _finding(
            "owner_left_with_work",
            f"Owner {one.owner.id} ({one.owner.name}) has left and still has {one.leads} open leads, {one.clients} clients and"
            f" {one.tasks} open tasks: leadhub owner hand-over {one.owner.id} --to ID.",
            owner=one.owner.name, leads=one.leads, clients=one.clients, tasks=one.tasks,
        )
        for one in work_of_nobody(connection)
    ]  # fmt: skip


def _age(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else max(0.0, round((now - at).total_seconds(), 3))
