"""Renaming, re-routing and removing sources. Removes only what never received anything: the journal names its source."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from crm_core.access import audit
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.forms.models import SourceAlert, SourceField, SourceMapping, SourcePoll, SourceWatch
from crm_core.messages.models import MailboxFolder
from crm_core.sources.models import InboundEvent, Source, SourceToken

#: What the hub wrote about a source without anything having arrived.
_KEPT_BESIDE = (SourceMapping, SourceField, SourceAlert, SourceWatch, SourcePoll)


def change_source(connection: Connection, source_id: int, changes: dict[str, Any], *, actor: str = "hub") -> None:
    """`changes` by column: name, line, pool_id, allowed_hosts. Raises NotFound, Invalid (pool)."""
    if not changes:
        return
    if "allowed_hosts" in changes:
        changes = changes | {"allowed_hosts": sorted({h.strip().lower().rstrip(".") for h in changes["allowed_hosts"]} - {""})}
    try:
        with connection.begin_nested():
            found = connection.execute(
                update(Source).where(Source.id == source_id).values(**changes).returning(Source.id)
            ).one_or_none()
    except IntegrityError as error:
        raise Invalid("pool_unknown", "There is no such pool.", fields=["pool"]) from error
    if found is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.")
    audit(connection, actor, "source.change", f"source:{source_id}", {"fields": sorted(changes)})


def remove_source(connection: Connection, source_id: int, *, actor: str = "hub") -> None:
    """Raises NotFound, or Conflict if anything ever arrived through it: pause it or give it a new address instead.

    A post that comes within the seconds for which a web process still knows the address is kept all the same, and needs
    attention: it names a source that there is not.
    """
    history = Conflict("source_has_history", "Something arrived through this source. Pause it, or give it a new address.")
    try:
        with connection.begin_nested():
            if connection.execute(select(InboundEvent.id).where(InboundEvent.source_id == source_id).limit(1)).first():
                raise history
            connection.execute(delete(SourceToken).where(SourceToken.source_id == source_id))
            connection.execute(delete(MailboxFolder).where(MailboxFolder.source_id == source_id))
            for kept in _KEPT_BESIDE:
                connection.execute(delete(kept).where(kept.source_id == source_id))
            found = connection.execute(delete(Source).where(Source.id == source_id).returning(Source.id)).one_or_none()
    except IntegrityError as error:
        raise history from error
    if found is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.")
    audit(connection, actor, "source.remove", f"source:{source_id}")
