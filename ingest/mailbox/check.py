"""Tries a mailbox's settings and says in words what works and what does not. Changes nothing, here or there."""

from __future__ import annotations

from dataclasses import dataclass

from connectors.mail.imap import ImapConfig, headers
from crm_core.errors import Misconfigured
from ingest.mailbox.failures import IMAP_ERRORS, FolderMissing, explain
from ingest.mailbox.limits import Limits
from ingest.mailbox.session import Examined, Session

_SHOWN_FOLDERS = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `leadhub source test`."""

    name: str  # connect | folders | folder | mails | newest
    ok: bool
    message: str


def check(settings: ImapConfig, limits: Limits | None = None) -> list[Finding]:
    """Findings in the order of the steps; the first that is not ok is the last."""
    # Somebody waits before a screen: shorter waits than the poller's.
    session = Session(settings, limits or Limits(connect_seconds=8.0, read_seconds=15.0))
    found: list[Finding] = []
    step = "connect"
    try:
        client = session.client
        how = {"tls": "over TLS", "starttls": "with STARTTLS", "plain": "WITHOUT encryption"}[
            settings.security
        ]
        found.append(
            Finding(
                step, True, f"Signed in at {settings.host}:{settings.actual_port} as {settings.user}, {how}."
            )
        )
        step = "folders"
        names = sorted(str(name) for _, _, name in client.list_folders())
        more = f" and {len(names) - _SHOWN_FOLDERS} more" if len(names) > _SHOWN_FOLDERS else ""
        found.append(Finding(step, True, f"Folders: {', '.join(names[:_SHOWN_FOLDERS])}{more}."))
        step = "folder"
        seen = session.examine()
        found.append(Finding(step, True, f"{settings.folder} opened read-only."))
        step = "mails"
        found.append(
            Finding(
                step,
                True,
                f"{seen.exists} mails there; start={settings.start} brings in {_wanted(settings)}.",
            )
        )
        step = "newest"
        found.append(Finding(step, True, _newest(session, seen)))
    except FolderMissing as error:
        found.append(
            Finding("folder", False, f"{explain(error, settings).message} Choose one of the folders above.")
        )
    except (*IMAP_ERRORS, Misconfigured) as error:
        found.append(Finding(step, False, explain(error, settings).message))
    finally:
        session.close()
    return found


def _wanted(settings: ImapConfig) -> str:
    if settings.start == "all":
        return "all of them"
    return "only what arrives from now on" if settings.start == "new" else f"what came since {settings.start}"


def _newest(session: Session, seen: Examined) -> str:
    """The newest subject, so that a person recognises the right mailbox."""
    if seen.exists == 0:
        return "The folder is empty."
    row = session.fetch([session.highest_uid(seen)], ("UID", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"))
    if not row:  # the highest number belongs to a mail that is gone; ask for the last one that exists
        last = max(session.search(1, session.highest_uid(seen)), default=0)
        row = session.fetch([last], ("UID", "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"))
    raw = next((value for one in row.values() for key, value in one.items() if key.startswith(b"BODY[")), b"")
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else ""
    subject = headers.decoded(headers.unfold(text.partition(":")[2]))[:120]
    return f"Newest mail: {subject or '(no subject)'}"
