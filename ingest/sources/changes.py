"""Renaming, re-routing and removing sources. Removes only what never received anything: the journal names its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.deadlines.models import DeadlinePolicy
from crm_core.forms.models import SourceAlert, SourceField, SourceMapping, SourcePoll, SourceWatch
from crm_core.messages.models import MailboxFolder
from crm_core.sources.models import InboundEvent, Source, SourceToken
from ingest.sources.sources import SOURCE_CHANGED, hold_source, written_hosts

SOURCE_REMOVED = history.Action("source.remove")

#: What was written about a source without anything having arrived.
_KEPT_BESIDE = (SourceMapping, SourceField, SourceAlert, SourceWatch, SourcePoll, DeadlinePolicy)


def change_source(connection: Connection, principal: Principal, source_id: int, changes: Mapping[str, Any]) -> None:
    """`changes` by column: name, line, pool_id, allowed_hosts. Raises NotFound, Invalid (name, pool)."""
    demand(principal, "sources.write")
    source = hold_source(connection, source_id)
    wanted = dict(changes)
    if "allowed_hosts" in wanted:
        wanted["allowed_hosts"] = written_hosts(wanted["allowed_hosts"])
    if "name" in wanted:
        wanted["name"] = wanted["name"].strip()
        if not wanted["name"]:
            raise Invalid("settings_invalid", "A source needs a name.", fields={"name": "is required"})
    changed = {name: value for name, value in wanted.items() if getattr(source, name) != value}
    if not changed:
        return
    try:
        with connection.begin_nested():
            connection.execute(update(Source).where(Source.id == source_id).values(**changed))
    except IntegrityError as error:
        raise Invalid("pool_unknown", "There is no such pool.", fields=["pool"]) from error
    history.record(connection, principal, SOURCE_CHANGED, source_id, {"fields": sorted(changed)})


def remove_source(connection: Connection, principal: Principal, source_id: int) -> None:
    """Raises NotFound, or Conflict if anything ever arrived through it: pause it or give it a new address instead.

    A post that comes within the seconds for which a web process still knows the address is kept all the same, and needs
    attention: it names a source that there is not.
    """
    demand(principal, "sources.write")
    has_history = Conflict("source_has_history", "Something arrived through this source. Pause it, or give it a new address.")
    try:
        with connection.begin_nested():
            if connection.execute(select(InboundEvent.id).where(InboundEvent.source_id == source_id).limit(1)).first():
                raise has_history
            connection.execute(delete(SourceToken).where(SourceToken.source_id == source_id))
            connection.execute(delete(MailboxFolder).where(MailboxFolder.source_id == source_id))
            for kept in _KEPT_BESIDE:
                connection.execute(delete(kept).where(kept.source_id == source_id))
            found = connection.execute(delete(Source).where(Source.id == source_id).returning(Source.id)).one_or_none()
    except IntegrityError as error:
        raise has_history from error
    if found is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.")
    history.record(connection, principal, SOURCE_REMOVED, source_id)
