"""Tries a mailbox's settings and says in words what works and what does not. Changes nothing, here or there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.mail.imap import ImapConfig, headers
from crm_core.base.config import HubConfig
from crm_core.base.errors import Misconfigured
from ingest.http_client.addresses import allowed_here
from ingest.mailbox.failures import IMAP_ERRORS, FolderMissing, explain
from ingest.mailbox.limits import Limits
from ingest.mailbox.session import Examined, Session

_SHOWN_FOLDERS = 50


@dataclass(frozen=True, slots=True)
class MailboxFinding:
    """One line of `leadhub source test`."""

    name: str  # connect | folders | folder | mails | newest
    ok: bool
    message: str
    code: str = ""  # of a failure: as on the mailbox's own error
    data: Mapping[str, Any] = field(default_factory=dict)  # what the message names, for who says it in another language


def check(settings: ImapConfig, config: HubConfig, limits: Limits | None = None) -> list[MailboxFinding]:
    """Findings in the order of the steps; the first that is not ok is the last."""
    # Somebody waits before a screen: shorter waits than the poller's.
    session = Session(settings, partial(allowed_here, config), limits or Limits(connect_seconds=8.0, read_seconds=15.0))
    found: list[MailboxFinding] = []
    step = "connect"
    try:
        client = session.client
        how = {"tls": "over TLS", "starttls": "with STARTTLS", "plain": "WITHOUT encryption"}[settings.security]
        where = f"{settings.host}:{settings.actual_port}"
        facts: dict[str, Any] = {"where": where, "user": settings.user, "security": settings.security}
        found.append(MailboxFinding(step, True, f"Signed in at {where} as {settings.user}, {how}.", data=facts))
        step = "folders"
        names = sorted(str(name) for _, _, name in client.list_folders())
        more = f" and {len(names) - _SHOWN_FOLDERS} more" if len(names) > _SHOWN_FOLDERS else ""
        shown = f"{', '.join(names[:_SHOWN_FOLDERS])}{more}"
        found.append(MailboxFinding(step, True, f"Folders: {shown}.", data={"names": ", ".join(names[:_SHOWN_FOLDERS])}))
        step = "folder"
        seen = session.examine()
        found.append(MailboxFinding(step, True, f"{settings.folder} opened read-only.", data={"folder": settings.folder}))
        step = "mails"
        found.append(
            MailboxFinding(
                step,
                True,
                f"{seen.exists} mails there; start={settings.start} brings in {_wanted(settings)}.",
                data={"count": seen.exists, "start": settings.start},
            )
        )
        step = "newest"
        subject = _newest(session, seen)
        told = "The folder is empty." if subject is None else f"Newest mail: {subject or '(no subject)'}"
        found.append(MailboxFinding(step, True, told, data={"subject": subject or "–"}))
    except FolderMissing as error:
        failure = explain(error, settings)
        found.append(
            MailboxFinding("folder", False, f"{failure.message} Choose one of the folders above.", failure.code, {"said": ""})
        )
    except (*IMAP_ERRORS, Misconfigured) as error:
        failure = explain(error, settings)
        found.append(MailboxFinding(step, False, failure.message, failure.code, {"said": failure.said}))
    finally:
        session.close()
    return found


def _wanted(settings: ImapConfig) -> str:
    if settings.start == "all":
        return "all of them"
    return "only what arrives from now on" if settings.start == "new" else f"what came since {settings.start}"


def _newest(session: Session, seen: Examined) -> str | None:
    """The newest subject, so that a person recognises the right mailbox; None if the folder is empty."""
    if seen.exists == 0:
        return None
    row = session.fetch([session.highest_uid(seen)], ("UID", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"))
    if not row:  # the highest number belongs to a mail that is gone; ask for the last one that exists
        last = max(session.search(1, session.highest_uid(seen)), default=0)
        row = session.fetch([last], ("UID", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"))
    raw = next((value for one in row.values() for key, value in one.items() if key.startswith(b"BODY[")), b"")
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else ""
    return headers.decoded(headers.unfold(text.partition(":")[2]))[:120]
