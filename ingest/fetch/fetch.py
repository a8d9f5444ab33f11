"""Gets what an event only points at. The event waits meanwhile, alone, outside of every transaction.

A provider that does not answer is left alone for a while, so that its events cannot hold those of others. An expired key
is told to somebody, and the event keeps trying until it is renewed; one whose provider is away keeps trying for two
weeks: the provider has the lead, and nothing else does.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psycopg

from connectors.kit import Fetch
from crm_core.base.config import HubConfig
from crm_core.base.errors import HubError, SourceBroken, Transient
from crm_core.base.log import error_facts, get_logger
from crm_core.intake import ParsedEvent
from crm_core.parsed import Pointer
from ingest.alerts.alerts import raise_alert
from ingest.fetch.fetched import broken, known_keys, mended, put_in
from ingest.fetch.retry_after import keeping_retry_after, retry_after_of
from ingest.http_client.client import HttpClient, Limits, http_client
from ingest.journal.claim import Claimed, Failure
from ingest.sources.settings import LoadedSource

FETCH_SECONDS = 8.0  # for all that one event points at; a worker's lease is longer
REST_SECONDS = 30.0  # a source that failed is asked again after this by the same worker
BROKEN_PAUSE_SECONDS = 900.0  # between tries of an event whose source waits for a person
TRIES_BEFORE_ALERT = 7  # that failed with doubling pauses: some ten minutes
MOST_TRIES = 350  # the longest pause is an hour: two weeks
LONGEST_REST_SECONDS = 3600.0  # whatever a provider wishes
MOST_ANSWER_BYTES = 2 * 1024 * 1024
_LEAST_SECONDS = 0.5  # what is left for one more question

_log = get_logger(__name__)


class Fetcher:
    """One a worker. Remembers which sources failed a moment ago; everything else is in the journal."""

    def __init__(self, config: HubConfig, client: HttpClient | None = None) -> None:
        self._config = config
        self._client = client
        self._resting: dict[int, float] = {}

    def resting(self) -> list[int]:
        """Sources that failed a moment ago: their events are not due here."""
        now = time.monotonic()
        self._resting = {source_id: until for source_id, until in self._resting.items() if until > now}
        return list(self._resting)

    def complete(
        self, connection: psycopg.Connection[Any], event: Claimed, source: LoadedSource, item: ParsedEvent, *, fetching: bool
    ) -> ParsedEvent | Failure:
        """The item with the uids of what it points at, once all of that is in the journal; else why it is not yet.

        Without `fetching` nobody is asked: the event goes back to the queue, marked, for those who may wait.
        """
        pointers = [parsed_item for parsed_item in item.parsed_items if isinstance(parsed_item, Pointer)]
        if not pointers:
            return item
        known = known_keys(connection, source.id, [pointer.key for pointer in pointers])
        missing = [pointer for pointer in pointers if pointer.key not in known]
        if missing:
            if source.connector.fetch is None:
                return _attention(event, "nothing_to_fetch_with", "The connector says what to fetch and not how.")
            if not fetching:
                return _later(event, "to_be_fetched", "It only says that something is there. The hub fetches it next.")
            failure = self._fetch(connection, event, source, source.connector.fetch, missing, known)
            if failure is not None:
                return failure
        return replace(item, notes={**item.notes, "events": [known[pointer.key] for pointer in pointers]})

    def _fetch(
        self, connection: psycopg.Connection[Any], event: Claimed, source: LoadedSource, fetch: Fetch,
        missing: Sequence[Pointer], known: dict[str, str],
    ) -> Failure | None:  # fmt: skip
        """Adds to `known` what it got. One that cannot be had does not keep the others from being fetched."""
        end = time.monotonic() + min(FETCH_SECONDS, self._config.lease_seconds / 2)
        failure: Failure | None = None
        fetched = 0
        for pointer in {pointer.key: pointer for pointer in missing}.values():
            left = end - time.monotonic()
            if left < _LEAST_SECONDS:
                more = _later(event, "to_be_fetched", "There is more to fetch than one turn allows.")
                return more if fetched else failure
            try:
                body = self._one(fetch, pointer, source, left)
            except Transient as error:
                return self._failed(connection, event, source, error)
            except SourceBroken as error:
                self._resting[source.id] = time.monotonic() + REST_SECONDS
                broken(connection, source.id, error.code, error.message)
                return _later(event, error.code, error.message, BROKEN_PAUSE_SECONDS)
            except HubError as error:  # malformed, too large, refused by the guard: about this one alone
                failure = _attention(event, error.code, error.message)
                continue
            except Exception as error:  # noqa: BLE001 - the table's edge, as in `ingest.processing.parse`
                _log.error("fetch_failed", event_id=event.uid, source_id=source.id, **error_facts(error))
                failure = _attention(
                    event,
                    "connector_failed",
                    f"The connector could not read an answer ({type(error).__name__}).",
                )
                continue
            known |= put_in(self._config, source.id, source.channel, {pointer.key: body})
            fetched += 1
        if fetched:
            mended(connection, source.id)
        return failure

    def _one(self, fetch: Fetch, pointer: Pointer, source: LoadedSource, seconds: float) -> bytes:
        if self._client is None:
            self._client = http_client(self._config)
        answer = self._client.ask(fetch.ask(pointer, source.settings), Limits(seconds, MOST_ANSWER_BYTES))
        with keeping_retry_after(answer):
            return fetch.read(pointer, answer, source.settings)

    def _failed(self, connection: psycopg.Connection[Any], event: Claimed, source: LoadedSource, error: Transient) -> Failure:
        """The source rests, as long as its provider wishes where it says so. The event keeps trying, and somebody is told."""
        retry_after = retry_after_of(error)
        rest = min(max(REST_SECONDS, retry_after or 0.0), LONGEST_REST_SECONDS)
        self._resting[source.id] = time.monotonic() + rest
        # The first attempt asked nobody. Told again about once a day, and not each time: others may be had meanwhile.
        late = event.attempts - TRIES_BEFORE_ALERT - 1
        if (late >= 0 and late % 24 < 2) or event.attempts >= MOST_TRIES:
            raise_alert(connection, source.id, "fetch_failed", data={"code": error.code, "said": error.message})
        if event.attempts >= MOST_TRIES:
            said = f"{error.message} (given up after {event.attempts} attempts in some two weeks)"
            return _attention(event, error.code, said)
        return Failure(
            event.id, "waiting", error.code, error.message, attempts=event.attempts - 1, to_fetch=True,
            pause_seconds=rest if retry_after else None,
        )  # fmt: skip


def _later(event: Claimed, code: str, message: str, pause_seconds: float = 0.0) -> Failure:
    """Not a try that failed: it does not count towards giving up."""
    return Failure(event.id, "waiting", code, message, pause_seconds=pause_seconds, is_try=False, to_fetch=True)


def _attention(event: Claimed, code: str, message: str) -> Failure:
    return Failure(event.id, "needs_attention", code, message)
