"""Aliases: the ids by which a form was known to the service it posted to before, so that a site moves by its host name alone.

The connectors declare which services there are, and what their ids and addresses look like (`connectors.kit.replaces`).
An alias is a row of `source_token` whose text is "service:id". It is as public as the page that carries it, so it is no key:
it leads to one source, and a second source cannot take it while the first has it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects.postgresql import insert

from connectors.kit import registry
from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import Conflict, Invalid, NotFound
from crm_core.base.sealing import seal, unseal
from crm_core.sources.models import Source, SourceToken
from ingest.sources.sources import address_purpose, digest_of, load_source

ALIAS_ADDED = history.Action("source.alias_add")
ALIAS_REMOVED = history.Action("source.alias_remove")

_SHOWN_EXAMPLES: Final = 3  # in a message
_MOST_FIELDS: Final = 100  # of an address that somebody pasted


@dataclass(frozen=True, slots=True)
class Alias:
    alias: str  # service:id
    source_id: int
    created_at: datetime


def alias_of(service: str, name: str) -> str:
    """The text under which an id is looked up. Takes any text: an id that cannot exist is found by nobody."""
    name = name.strip()
    declared = registry.replaced().services.get(service)
    same = "@" in name or (declared is not None and declared.any_case)
    return f"{service}:{name.casefold() if same else name}"


def examples() -> tuple[str, ...]:
    """An alias of each service that a connector replaces."""
    return tuple(f"{service}:{declared.example}" for service, declared in registry.replaced().services.items())


def read_alias(typed: str) -> str:
    """What somebody typed, "service:id" or the old service's address, as an alias. Invalid, in words, if it is neither."""
    services = registry.replaced().services
    typed = typed.strip()
    service, _, name = _of_address(typed) if "://" in typed else typed.partition(":")
    service = service.strip().casefold()
    alias = alias_of(service, name)
    if service not in services or not services[service].is_id(alias.partition(":")[2]):
        shown = ", ".join(examples()[:_SHOWN_EXAMPLES])
        raise Invalid(
            "alias_invalid",
            f"An alias is service:id, for example {shown}. Services: {', '.join(services)}.",
            fields={"alias": "is not service:id"},
            examples=shown,
            services=", ".join(services),
        )
    return alias


def _of_address(address: str) -> tuple[str, str, str]:
    """The old addresses of the services, of which people paste the whole: host, and path or query with the id."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").removeprefix("www.")
        query = parse_qs(parts.query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return "", "", ""
    for service, declared in registry.replaced().services.items():
        if host in declared.hosts:
            key = query.get(declared.key_field, [""])[0] if declared.key_field else declared.old_id(unquote(parts.path))
            if key:
                return service, ":", key
    return "", "", ""


def add_alias(connection: Connection, principal: Principal, config: HubConfig, source_id: int, typed: str) -> str:
    """Gives a source an alias and returns it. Invalid: not an alias, or the connector pulls. Conflict: another source has it."""
    demand(principal, "sources.write")
    source = load_source(connection, config, source_id)
    if source.connector.pulls:
        raise Invalid("no_address", f"{source.connector.title} has no address: the hub fetches.", fields={})
    alias = read_alias(typed)
    sealed = seal(config.secret_key, alias, address_purpose(source_id))
    given = (
        insert(SourceToken)
        .values(digest=digest_of(alias), source_id=source_id, token=sealed, is_alias=True)
        .on_conflict_do_update(
            index_elements=[SourceToken.digest],
            set_={"source_id": source_id, "token": sealed, "state": "active", "retired_at": None, "created_at": func.now()},
            where=SourceToken.is_alias & (SourceToken.state != "active"),  # one that was removed may go to anybody
        )
        .returning(SourceToken.source_id)
    )  # fmt: skip
    if connection.execute(given).first() is None:
        holder = connection.execute(
            select(Source.id, Source.name)
            .join(SourceToken, SourceToken.source_id == Source.id)
            .where(SourceToken.digest == digest_of(alias))
        ).one()
        if holder.id == source_id:
            return alias
        raise Conflict(
            "alias_taken",
            f"{alias} belongs to source {holder.id} ({holder.name}). Remove it there first.",
            source_id=holder.id,
            alias=alias,
            holder=holder.name,
        )
    history.record(connection, principal, ALIAS_ADDED, source_id, {"alias": alias})
    return alias


def remove_alias(connection: Connection, principal: Principal, config: HubConfig, source_id: int, typed: str) -> None:
    """What still arrives under it is kept as unclaimed. NotFound if the source has no such alias."""
    demand(principal, "sources.write")
    load_source(connection, config, source_id)
    alias = read_alias(typed)
    removed = connection.execute(
        update(SourceToken)
        .where(SourceToken.digest == digest_of(alias), SourceToken.source_id == source_id,
               SourceToken.is_alias, SourceToken.state == "active")
        .values(state="disabled", retired_at=func.now())
    )  # fmt: skip
    if not removed.rowcount:
        raise NotFound("alias_unknown", f"Source {source_id} has no alias {alias}.", source_id=source_id)
    history.record(connection, principal, ALIAS_REMOVED, source_id, {"alias": alias})


def list_aliases(connection: Connection, config: HubConfig, source_id: int) -> list[Alias]:
    """The source's aliases, oldest first. NotFound if there is no such source."""
    if connection.execute(select(Source.id).where(Source.id == source_id)).first() is None:
        raise NotFound("source_unknown", f"There is no source {source_id}.", source_id=source_id)
    rows = connection.execute(
        select(SourceToken.token, SourceToken.created_at)
        .where(SourceToken.source_id == source_id, SourceToken.is_alias, SourceToken.state == "active")
        .order_by(SourceToken.created_at, SourceToken.digest)
    )
    purpose = address_purpose(source_id)
    return [Alias(unseal(config.secret_key, row.token, purpose), source_id, row.created_at) for row in rows]
