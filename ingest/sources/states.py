"""How each source does: one function, asked by every page, command and report, so that all of them say the same.

It reads small tables and partial indexes only: the console asks it on every page for the badge beside "Sources".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Literal

import orjson
from sqlalchemy import Connection, text

from connectors.kit import registry
from crm_core.base.config import HubConfig
from crm_core.base.errors import HubError
from crm_core.base.values import Named
from ingest.alerts.alerts import GRAVE
from ingest.sources.settings import open_settings

Code = Literal[
    "works", "not_understood", "not_authentic", "silent", "refuses", "unreachable", "not_read", "unusable", "paused",
    "waiting", "unchecked", "put_off",
]  # fmt: skip
#: good: nothing to do · info: nothing has come yet · warn: it works, and something of it waits for a person · bad: nothing
#: of it becomes a lead until a person acts.
Tone = Literal["good", "info", "warn", "bad"]

_TONES: Mapping[str, Tone] = {
    "works": "good", "waiting": "info", "unchecked": "info", "paused": "info", "not_understood": "warn",
    "not_authentic": "warn", "silent": "warn", "put_off": "warn", "refuses": "bad", "unreachable": "bad", "not_read": "bad", "unusable": "bad",
}  # fmt: skip

#: What a mail server answers, and not what the way to it does.
_REFUSALS = frozenset(
    {"auth_failed", "cleartext", "not_connected", "limit", "throttled", "folder_missing", "host_private", "uidvalidity_unstable"}
)
_REFUSED_STATES = frozenset({"auth_failed", "folder_missing", "stopped"})
#: A mailbox that nobody looked into for so long is not being read; the longest pause between two looks is half a minute.
NOT_READ_SECONDS = 300.0
#: One connection that broke off is mended by the next look; it is no state before that look failed too.
_BLIP_SECONDS = 120.0
#: A flood of events that need a person must not slow every page down; a badge says "many" as well.
_MOST = 10_000

_SOURCES = """
SELECT s.id, s.name, s.connector, s.channel, s.state, s.config, s.created_at,
       (SELECT count(*) FROM mail_ref r WHERE r.folder_id = f.id AND r.status = 'seen' AND r.attempts > 0) AS put_off,
       f.name AS folder, f.last_ok_at, f.fails, f.last_error, f.state AS folder_state, f.next_poll_at,
       (SELECT e.received_at FROM inbound_event e WHERE e.source_id = s.id ORDER BY e.id DESC LIMIT 1) AS last_event_at
  FROM source s
  LEFT JOIN mailbox_folder f
    ON s.channel = 'mail' AND f.source_id = s.id AND f.name = coalesce(s.config->>'folder', 'INBOX')
 ORDER BY s.id
"""
_STUCK = """
SELECT source_id, state, count(*) AS count, min(received_at) AS since
  FROM (SELECT source_id, state, received_at FROM inbound_event
         WHERE state IN ('needs_attention', 'rejected') ORDER BY id DESC LIMIT :most) e
 GROUP BY source_id, state
"""
_ALERTS = "SELECT source_id, code, data, first_at FROM source_alert WHERE resolved_at IS NULL AND code = ANY(:codes) ORDER BY id"


@dataclass(frozen=True, slots=True)
class SourceError:
    code: str
    message: str
    said: str = ""  # by the other side, where it answered


@dataclass(frozen=True, slots=True)
class SourceState:
    """`since`: when this began, where that is known. `count`: events that wait for a person because of it,
    or mails that the server does not hand out."""

    source_id: int
    name: str
    connector: str
    channel: str
    code: Code
    since: datetime | None = None
    count: int = 0
    seconds: float | None = None  # silent: for how long; `usual_seconds`: between two, when something usually comes
    usual_seconds: float | None = None
    error: SourceError | None = None
    last_event_at: datetime | None = None
    last_read_at: datetime | None = None  # of a mailbox

    @property
    def tone(self) -> Tone:
        return _TONES[self.code]

    @property
    def in_trouble(self) -> bool:
        """A person has something to do about it: what the badge counts, and what the list shows first."""
        return self.tone in ("warn", "bad")

    @property
    def words(self) -> str:
        """One English sentence; the console has its own in the reader's language."""
        return _words(self)

    @property
    def source(self) -> Named:
        return Named(self.source_id, self.name)


def source_states(connection: Connection, config: HubConfig, now: datetime) -> list[SourceState]:
    """Every source with its state, by id."""
    stuck: dict[int, dict[str, Any]] = {}
    for row in connection.execute(text(_STUCK), {"most": _MOST}):
        stuck.setdefault(row.source_id, {})[row.state] = row
    alerts: dict[int, list[Any]] = {}
    for row in connection.execute(text(_ALERTS), {"codes": ["silence", *sorted(GRAVE)]}):
        alerts.setdefault(row.source_id, []).append(row)
    rows = connection.execute(text(_SOURCES)).mappings()
    return [_state(config, dict(row), stuck.get(row["id"], {}), alerts.get(row["id"], ()), now) for row in rows]


def state_of(connection: Connection, config: HubConfig, source_id: int, now: datetime) -> SourceState | None:
    """One of them; the few rows that the others cost are cheaper than a second query that might say something else."""
    return next((one for one in source_states(connection, config, now) if one.source_id == source_id), None)


def _state(
    config: HubConfig, row: Mapping[str, Any], stuck: Mapping[str, Any], alerts: Sequence[Any], now: datetime
) -> SourceState:
    def made(code: Code, since: datetime | None = None, **facts: Any) -> SourceState:
        return SourceState(
            source_id=row["id"], name=row["name"], connector=row["connector"], channel=row["channel"], code=code, since=since,
            last_event_at=row["last_event_at"], last_read_at=row["last_ok_at"], **facts,
        )  # fmt: skip

    if row["state"] == "paused":
        return made("paused")
    broken = _unusable(config, row["id"], row["connector"], orjson.dumps(row["config"]))
    if broken:
        return made("unusable", error=broken)
    grave = next((alert for alert in alerts if alert.code in GRAVE), None)
    if grave is not None:
        code: Code = "refuses" if grave.code in ("token_expired", "source_broken") else "unreachable"
        return made(code, grave.first_at, error=SourceError(grave.code, _ALERT_WORDS[grave.code]))
    if row["channel"] == "mail":
        mailbox = _mailbox_state(row, now)
        if mailbox is not None:
            return made(mailbox[0], mailbox[1], error=mailbox[2])
        if row["put_off"]:
            return made("put_off", count=row["put_off"])
    if "rejected" in stuck:
        return made("not_authentic", stuck["rejected"].since, count=stuck["rejected"].count)
    silence = next((alert for alert in alerts if alert.code == "silence"), None)
    if silence is not None and row["last_event_at"] is not None:
        silent = (now - row["last_event_at"]).total_seconds()
        return made("silent", row["last_event_at"], seconds=silent, usual_seconds=silence.data.get("usual_seconds"))
    if "needs_attention" in stuck:
        return made("not_understood", stuck["needs_attention"].since, count=stuck["needs_attention"].count)
    if row["last_event_at"] is None and row["last_ok_at"] is None:
        return made("waiting", row["created_at"])
    return made("works", row["last_event_at"])


def _mailbox_state(row: Mapping[str, Any], now: datetime) -> tuple[Code, datetime | None, SourceError | None] | None:
    """What is wrong with the mailbox itself; None if it is being read."""
    error, last_ok_at = row["last_error"], row["last_ok_at"]
    if row["folder"] is None or (error is None and last_ok_at is None):
        if now - row["created_at"] > timedelta(seconds=NOT_READ_SECONDS):
            return "not_read", row["created_at"], None
        return "unchecked", None, None
    if error is not None:
        recent = last_ok_at is not None and now - last_ok_at < timedelta(seconds=_BLIP_SECONDS)
        refused = error["code"] in _REFUSALS or row["folder_state"] in _REFUSED_STATES
        if refused or row["fails"] > 1 or not recent:
            since = datetime.fromisoformat(error["since"]) if "since" in error else last_ok_at
            told = SourceError(error["code"], error["message"], str(error.get("said") or ""))
            return "refuses" if refused else "unreachable", since, told
    elif now - last_ok_at > timedelta(seconds=NOT_READ_SECONDS):
        return "not_read", last_ok_at, None
    return None


@lru_cache(maxsize=4096)  # of sources, each with what is stored about it: a changed one is another key
def _unusable(config: HubConfig, source_id: int, connector: str, stored: bytes) -> SourceError | None:
    """Why nothing that comes here can be read: its connector is away, or its settings do not fit it."""
    try:
        open_settings(config, source_id, registry.get(connector), orjson.loads(stored))
    except HubError as error:
        return SourceError(error.code, error.message)
    except ValueError:
        return SourceError("settings_unreadable", "Its secrets were sealed with another LEADHUB_SECRET_KEY.")
    return None


_ALERT_WORDS: Mapping[str, str] = {
    "token_expired": "The key has expired. Make a new one at the service and enter it here.",
    "source_broken": "The service refuses the key or no longer knows this version of its interface.",
    "fetch_failed": "Something that the service announced could not be fetched.",
    "poll_failed": "The service cannot be asked for what was missed.",
}


def _words(state: SourceState) -> str:
    since = f" since {state.since:%Y-%m-%d %H:%M} UTC" if state.since is not None else ""
    said = state.error.message if state.error else ""
    match state.code:
        case "not_understood":
            return f"Works; {state.count} not understood. `leadhub events list --state needs_attention` shows them."
        case "not_authentic":
            return f"{state.count} not authentic{since}. Compare the secret with the one at the provider, then replay them."
        case "refuses":
            return f"Refuses{since}. {said}".rstrip()
        case "unreachable":
            return f"Cannot be reached{since}. {said}".rstrip()
        case "silent":
            usual = f" (usually {_span(state.usual_seconds)})" if state.usual_seconds else ""
            return f"Silent for {_span(state.seconds or 0)}{usual}. Try it yourself: send the form, or call."
        case "not_read":
            return f"Not read{since}. Is the mail process running? `leadhub health` knows."
        case "unusable":
            return f"Cannot be used. {said}".rstrip()
        case "paused":
            return "Paused: what arrives is kept and waits."
        case "waiting":
            return "Waiting for the first event."
        case "unchecked":
            return "Not checked yet."
        case "put_off":
            return (
                f"Works; {state.count} mails wait, because the server does not hand them out. They are tried again by themselves."
            )
        case "works":
            return "Works."


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
