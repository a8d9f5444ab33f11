"""Mailboxes: what arrives in a folder goes into the journal, every mail exactly once. Reads only, writes nothing there.

`run` is the mail role of the hub, `poll` one look into one folder, `check` what `leadhub source test` says.
"""

from ingest.mailbox.check import MailboxFinding, check
from ingest.mailbox.loop import run
from ingest.mailbox.poll import PollReport, poll
from ingest.mailbox.session import Session

__all__ = ["MailboxFinding", "PollReport", "Session", "check", "poll", "run"]
