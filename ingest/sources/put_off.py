"""Mails that the server lists and does not hand out: they wait for their next try, where everybody can see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, text

from crm_core.access import Principal, demand

_MOST_SHOWN = 50
_WAITING = """
SELECT f.name AS folder, r.uid, r.size, r.internaldate AS arrived_at, r.attempts, r.next_try_at,
       coalesce(r.error->>'code', '') AS code, coalesce(r.error->>'message', '') AS message
  FROM mail_ref r JOIN mailbox_folder f ON f.id = r.folder_id
 WHERE f.source_id = :source AND r.status = 'seen' AND r.attempts > 0 ORDER BY r.next_try_at, r.id LIMIT :most
"""


@dataclass(frozen=True, slots=True)
class MailPutOff:
    """`uid`: its number in the folder, by which a mail program's log knows it. `size` in bytes, as the server says."""

    folder: str
    uid: int
    size: int | None
    arrived_at: datetime | None
    attempts: int
    next_try_at: datetime
    code: str
    message: str


def mails_put_off(connection: Connection, principal: Principal, source_id: int) -> Sequence[MailPutOff]:
    """Of one source, the next to be tried first; at most fifty."""
    demand(principal, "sources.read")
    rows = connection.execute(text(_WAITING), {"source": source_id, "most": _MOST_SHOWN}).mappings()
    return [MailPutOff(**row) for row in rows]
