"""Sources: adding one, its address, pausing it, giving it another address. Nothing here is on the hot path.

A token is shown by opening the sealed copy and found by its digest; nothing stores it in the open.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from connectors.kit import registry
from crm_core.access import Principal, demand
from crm_core.base import history
from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid, NotFound
from crm_core.base.sealing import seal, unseal
from crm_core.messages.models import MailboxFolder, MailRef
from crm_core.people.models import Pool
from crm_core.sources.models import InboundEvent, Source, SourceToken
from ingest.sources.secrets import refuse_moved_secrets
from ingest.sources.settings import LoadedSource, check_settings, loaded, marked_fields, seal_settings

SOURCE_ADDED = history.Action("source.add")
SOURCE_CHANGED = history.Action("source.change")
SOURCE_PAUSED = history.Action("source.pause")
SOURCE_RESUMED = history.Action("source.resume")
ADDRESS_ROTATED = history.Action("source.rotate")

_RIGHT: Final = "sources.write"
_TOKEN_BYTES = 16  # 128 bit; hex, so that a double click takes the whole of it


@dataclass(frozen=True, slots=True)
class NewSource:
    id: int
    name: str
    connector: str
    channel: str
    url: str  # "" for connectors that pull
    token: str
    secret: str  # a secret that the hub made for the provider to sign with; "" if there is none


@dataclass(frozen=True, slots=True)
class SourceRow:
    id: int
    name: str
    connector: str
    channel: str
    state: str
    line: str
    pool_id: int | None
    allowed_hosts: tuple[str, ...]
    created_at: datetime
    url: str  # "" for connectors that pull
    last_event_at: datetime | None


def digest_of(token: str) -> bytes:
    """How a token is looked up."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def add_source(
    connection: Connection,
    principal: Principal,
    config: HubConfig,
    connector_name: str,
    name: str,
    settings: Mapping[str, Any],
    allowed_hosts: Sequence[str] = (),
    *,
    line: str = "",
    pool_id: int | None = None,
) -> NewSource:
    """Makes a source and its address. NotFound: no such connector; Invalid: settings that do not fit, told in words, or a pool
    that there is not.

    A setting marked {"generate": True} that is not given gets a random value, returned as `secret` this once.
    """
    demand(principal, _RIGHT)
    connector = registry.get(connector_name)
    name = name.strip()
    if not name:
        raise Invalid("settings_invalid", "A source needs a name.", fields={"name": "is required"})
    given = dict(settings)
    secret = ""
    for field in sorted(marked_fields(connector.config_model, "generate") - given.keys()):
        secret = given[field] = secrets.token_urlsafe(24)
    checked = check_settings(connector, given)
    _require_pool(connection, pool_id)
    source_id: int = connection.execute(
        insert(Source)
        .values(name=name, connector=connector.name, channel=connector.channel, line=line, pool_id=pool_id,
                allowed_hosts=written_hosts(allowed_hosts), config={})
        .returning(Source.id)
    ).scalar_one()  # fmt: skip
    connection.execute(update(Source).where(Source.id == source_id).values(config=seal_settings(config, source_id, checked)))
    token = "" if connector.pulls else _new_token(connection, config, source_id)
    history.record(connection, principal, SOURCE_ADDED, source_id, {"connector": connector.name})
    return NewSource(source_id, name, connector.name, connector.channel, _address(config, token), token, secret)


def change_settings(
    connection: Connection, principal: Principal, config: HubConfig, source_id: int, settings: Mapping[str, Any]
) -> LoadedSource:
    """Replaces single settings, keeps the others, and does nothing where they are so already. An empty secret means "as it
    was", unless where it is sent changes: then it has to be given again (`refuse_moved_secrets`).

    What names the account (marked "account") cannot change once mail has been listed: the message numbers of another
    account would be taken for those of this one, and its mail for mail that is known. It needs a source of its own.
    """
    demand(principal, _RIGHT)
    hold_source(connection, source_id)  # of two at once none forgets the other's
    source = load_source(connection, config, source_id)
    secret = marked_fields(source.connector.config_model, "secret")
    changes = {name: value for name, value in settings.items() if not (name in secret and value == "")}
    kept = source.settings.model_dump(mode="json", include=source.settings.model_fields_set - {"region", "timezone"})
    stored = connection.execute(select(Source.config).where(Source.id == source_id)).scalar_one()
    kept |= {name: stored[name] for name in ("region", "timezone") if name in stored}
    checked = check_settings(source.connector, kept | changes)
    account = marked_fields(source.connector.config_model, "account")
    moved = sorted(name for name in account if getattr(checked, name) != getattr(source.settings, name))
    if moved and _has_listed_mail(connection, source_id):
        raise Invalid(
            "another_account",
            "This source has read mail of its account already. Add a new source for the other account, and pause this one.",
            fields=moved,
        )
    refuse_moved_secrets(source.connector, source.settings, checked, changes.keys())
    if checked.model_dump(mode="json", include=checked.model_fields_set) == kept:
        return source
    connection.execute(update(Source).where(Source.id == source_id).values(config=seal_settings(config, source_id, checked)))
    history.record(connection, principal, SOURCE_CHANGED, source_id, {"settings": sorted(changes)})
    return load_source(connection, config, source_id)


def _has_listed_mail(connection: Connection, source_id: int) -> bool:
    folders = select(MailboxFolder.id).where(MailboxFolder.source_id == source_id)
    return connection.execute(select(MailRef.id).where(MailRef.folder_id.in_(folders)).limit(1)).first() is not None


def list_sources(connection: Connection, config: HubConfig) -> list[SourceRow]:
    """All sources by id, with their address and when the last event came."""
    last = (
        select(InboundEvent.received_at)
        .where(InboundEvent.source_id == Source.id)
        .order_by(InboundEvent.id.desc())
        .limit(1)
        .scalar_subquery()
        .label("last_event_at")
    )
    token = (
        select(SourceToken.token)
        .where(SourceToken.source_id == Source.id, SourceToken.state == "active", ~SourceToken.is_alias)
        .order_by(SourceToken.created_at.desc())
        .limit(1)
        .scalar_subquery()
        .label("sealed")
    )
    columns = (Source.id, Source.name, Source.connector, Source.channel, Source.state, Source.line, Source.pool_id,
               Source.allowed_hosts, Source.created_at)  # fmt: skip
    rows = connection.execute(select(*columns, token, last).order_by(Source.id))
    return [
        SourceRow(
            id=row.id, name=row.name, connector=row.connector, channel=row.channel, state=row.state, line=row.line,
            pool_id=row.pool_id, allowed_hosts=tuple(row.allowed_hosts), created_at=row.created_at,
            url=_address(config, _opened(config, row.id, row.sealed)), last_event_at=row.last_event_at,
        )
        for row in rows
    ]  # fmt: skip


def source_address(connection: Connection, config: HubConfig, source_id: int) -> str:
    """The address that a website or an exchange posts to; "" if the connector pulls or its address was disabled."""
    if connection.execute(select(Source.id).where(Source.id == source_id)).first() is None:
        raise _unknown(source_id)
    sealed = connection.execute(
        select(SourceToken.token)
        .where(SourceToken.source_id == source_id, SourceToken.state == "active", ~SourceToken.is_alias)
        .order_by(SourceToken.created_at.desc())
        .limit(1)
    ).scalar()
    return _address(config, _opened(config, source_id, sealed))


def set_state(connection: Connection, principal: Principal, source_id: int, state: str) -> None:
    """active | paused. A paused source still accepts what arrives. A second click changes nothing. Raises NotFound, Invalid."""
    demand(principal, _RIGHT)
    if state not in ("active", "paused"):
        raise Invalid("state_invalid", f"A source is active or paused, not {state!r}.", fields={"state": "is unknown"})
    if hold_source(connection, source_id).state == state:
        return
    connection.execute(update(Source).where(Source.id == source_id).values(state=state))
    history.record(connection, principal, SOURCE_PAUSED if state == "paused" else SOURCE_RESUMED, source_id)


def rotate_token(connection: Connection, principal: Principal, config: HubConfig, source_id: int) -> str:
    """A new address. What still arrives at the old one is kept as unclaimed. Invalid if the connector pulls."""
    demand(principal, _RIGHT)
    hold_source(connection, source_id)  # of two at once each retires the address of the one before
    source = load_source(connection, config, source_id)
    if source.connector.pulls:
        raise Invalid("no_address", f"{source.connector.title} has no address: the hub fetches.", fields={})
    connection.execute(
        update(SourceToken)
        .where(SourceToken.source_id == source_id, SourceToken.state == "active", ~SourceToken.is_alias)
        .values(state="rotated", retired_at=func.now())
    )
    history.record(connection, principal, ADDRESS_ROTATED, source_id)
    return _address(config, _new_token(connection, config, source_id))


def load_source(connection: Connection, config: HubConfig, source_id: int) -> LoadedSource:
    """NotFound if there is none, or if nothing installed provides its connector."""
    row = connection.execute(select(*Source.__table__.columns).where(Source.id == source_id)).mappings().first()
    if row is None:
        raise _unknown(source_id)
    return loaded(config, dict(row))


def hold_source(connection: Connection, source_id: int) -> Any:
    """Its state and pool, held against other changes but not against the inserts of the door, which refer to it. NotFound."""
    row = connection.execute(
        select(Source.id, Source.name, Source.state, Source.line, Source.pool_id, Source.allowed_hosts)
        .where(Source.id == source_id)
        .with_for_update(key_share=True)
    ).one_or_none()
    if row is None:
        raise _unknown(source_id)
    return row


def written_hosts(hosts: Sequence[str]) -> list[str]:
    """Names of hosts as they are kept."""
    return sorted({host.strip().lower().rstrip(".") for host in hosts} - {""})


def _require_pool(connection: Connection, pool_id: int | None) -> None:
    if (
        pool_id is not None
        and connection.scalar(select(Pool.id).where(Pool.id == pool_id).with_for_update(key_share=True, read=True)) is None
    ):
        raise Invalid("pool_unknown", "There is no such pool.", fields=["pool"])


def _new_token(connection: Connection, config: HubConfig, source_id: int) -> str:
    token = secrets.token_hex(_TOKEN_BYTES)
    sealed = seal(config.secret_key, token, address_purpose(source_id))
    connection.execute(insert(SourceToken).values(digest=digest_of(token), source_id=source_id, token=sealed))
    return token


def _opened(config: HubConfig, source_id: int, sealed: str | None) -> str:
    return unseal(config.secret_key, sealed, address_purpose(source_id)) if sealed else ""


def _address(config: HubConfig, token: str) -> str:
    return f"{config.base_url}/in/{token}" if token else ""


def address_purpose(source_id: int) -> str:
    return f"source:{source_id}:address"


def _unknown(source_id: int) -> NotFound:
    return NotFound("source_unknown", f"There is no source {source_id}.", source_id=source_id)
