"""From a claimed event to what its connector read out of it, or to the failure that the event shows. Touches no database."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Any

import psycopg

from connectors.kit import Request
from crm_core.base.errors import HubError, Malformed, NotAuthentic, Transient
from crm_core.base.log import bound, error_facts, get_logger
from crm_core.identity.emails import read_emails
from crm_core.intake import ParsedEvent
from crm_core.parsed import Inquiry, ParsedItem
from ingest.journal.claim import MOST_ATTEMPTS, Claimed, Failure
from ingest.journal.raw_event import VERIFIED_AT_DOOR, VERIFIED_HEADER
from ingest.sources.settings import LoadedSource

_log = get_logger(__name__)


def read(event: Claimed, load: Callable[[int], LoadedSource], our_addresses: Collection[str] = ()) -> ParsedEvent | Failure:
    """The worker's table of errors: what each class does to the event.

    `our_addresses` are those of the hub's mailboxes; with those that the source names they are never a client's.
    """
    with bound(event_id=event.uid):
        return _read(event, load, our_addresses)


def _read(event: Claimed, load: Callable[[int], LoadedSource], our_addresses: Collection[str]) -> ParsedEvent | Failure:
    try:
        if event.unclaimed and not event.replayed:
            return Failure(
                event.id, "needs_attention", "unclaimed",
                "It came in on an address that was replaced or switched off. Replay it if it is genuine.",
            )  # fmt: skip
        source = load(event.source_id)
        request = Request(
            event.method,
            event.path,
            event.query,
            event.headers,
            event.body,
            event.received_at,
            event.remote_ip,
        )
        if source.connector.verify is not None and not request.is_fetched and not _verified_at_door(event, source):
            source.connector.verify(request, source.settings)
        parsed_items = tuple(_parsed_items(source, request))
    except NotAuthentic as error:
        return Failure(event.id, "rejected", error.code, error.message)
    except Transient as error:
        return retry(event, error.code, error.message)
    except Malformed as error:
        return Failure(event.id, "needs_attention", error.code, error.message, error.data.get("path"))
    except HubError as error:
        return Failure(event.id, "needs_attention", error.code, error.message)
    except psycopg.Error:
        raise  # the source could not be looked up: nothing is wrong with the event
    except Exception as error:  # noqa: BLE001 - the table's edge: whatever a connector raises is about this event alone
        _log.error("connector_failed", source_id=event.source_id, **error_facts(error))
        return Failure(
            event.id, "needs_attention", "connector_failed",
            f"The connector could not read this event ({type(error).__name__}). It is kept; replay it after an update.",
        )  # fmt: skip
    if not parsed_items:
        return Failure(event.id, "needs_attention", "connector_said_nothing", "The connector read nothing from it.")
    own = {*our_addresses, *getattr(source.settings, "own_addresses", ())}
    return ParsedEvent(
        event.id, event.source_id, source.name, event.channel, event.received_at, parsed_items, source.line, source.pool_id,
        source.settings.region, event.replayed > 0,
        frozenset(key.value for address in own for key in read_emails(address) if not key.is_guess),
        zone=source.zone, first_time=event.first_time, remote_ip=event.remote_ip, user_agent=str(event.headers.get("user-agent", "")),
        windows=source.windows, has_deadlines=source.has_deadlines, notes=_notes(source, request), called_spam=_called_spam(event),
    )  # fmt: skip


def _called_spam(event: Claimed) -> dict[str, Any] | None:
    """A person's word over the lead that the event brought. Without a lead it stands in the quarantine's way instead."""
    verdict = event.verdict or {}
    return verdict if event.lead_id is not None and verdict.get("spam") == "spam" else None


def _notes(source: LoadedSource, request: Request) -> dict[str, Any]:
    """What read the event, where it was not the source's connector alone: shown on the event, asked when it reads wrong."""
    notes: dict[str, Any] = {"mapping": source.mapping_version} if source.mapping is not None else {}
    name = source.connector.reads_as(request) if source.connector.reads_as is not None else ""
    return {**notes, "read_by": name} if name else notes


def _parsed_items(source: LoadedSource, request: Request) -> Sequence[ParsedItem]:
    """Under the source's own mapping where it has one: its sections go before those of the connector.

    A mapping never costs an inquiry: where it cannot be followed, the connector reads alone and the inquiry says so.
    """
    if source.mapping is None or source.connector.map is None:
        return source.connector.parse(request, source.settings)
    try:
        return source.connector.map(request, source.settings, source.mapping)
    except HubError:
        raise  # about the body, not about the mapping
    except Exception as error:  # noqa: BLE001 - rules of an older version, say: the inquiry must not wait for them
        _log.error("mapping_failed", source_id=source.id, **error_facts(error))
    parsed_items = source.connector.parse(request, source.settings)
    return [replace(one, warnings=(*one.warnings, "mapping_failed")) if isinstance(one, Inquiry) else one for one in parsed_items]


def _verified_at_door(event: Claimed, source: LoadedSource) -> bool:
    """The door saw headers that the journal keeps masked; its word counts, and only its own.

    The header is what a door of the version before this column wrote while the hub was upgraded; nobody else can.
    """
    said = event.verified_at_door or event.headers.get(VERIFIED_HEADER) == VERIFIED_AT_DOOR
    return source.connector.verify_at_door and said


def retry(event: Claimed, code: str, message: str) -> Failure:
    """Later again; after `MOST_ATTEMPTS` a person must look."""
    if event.attempts >= MOST_ATTEMPTS:
        return Failure(event.id, "needs_attention", code, f"{message} (given up after {event.attempts} attempts)")
    return Failure(event.id, "waiting", code, message, attempts=event.attempts)
