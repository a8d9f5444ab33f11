"""Pausing and resuming a source, giving it a new address, and trying it through the real door."""

from __future__ import annotations

from urllib.parse import urlsplit

import orjson

from crm_core.base.errors import Conflict, Transient
from ingest.journal.queries import list_events
from ingest.mailbox.source_check import begin_trial
from ingest.sources.sources import load_source, rotate_token, set_state
from webhooks.console.shell.request_context import PageAnswer, RequestContext, entered
from webhooks.console.sources import local_entrance
from webhooks.console.sources.trials import trial_of


def change_state(context: RequestContext, source_id: int) -> PageAnswer:
    state = entered("state", 20)
    with context.engine.begin() as connection:
        set_state(connection, context.principal, source_id, state)
    return context.go("source", "source_changed", source_id=source_id)


def rotate(context: RequestContext, source_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        rotate_token(connection, context.principal, context.config, source_id)
    return context.go("source", "source_rotated", source_id=source_id)


def try_it(context: RequestContext, source_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        source = load_source(connection, context.config, source_id)
        trial = trial_of(source.connector, context.now, real=entered("as", 10) == "real")
        if trial is None:
            raise Conflict("no_trial", "This source cannot be tried from here.")
        url = begin_trial(connection, context.principal, context.config, source_id, is_test=trial.is_test)
    # The door's address may lie below a path of the public URL; the entrance itself begins at /in/.
    path = urlsplit(url).path
    answers = [local_entrance.post(path[path.index("/in/") :], letter) for letter in trial.letters]
    if refused := [status for status, _ in answers if status != 200]:
        raise Transient("door_refused", f"The door answered {refused[0]}.")
    return context.go("source", source_id=source_id, tried=_event_of(context, source_id, answers[-1][1]))


def _event_of(context: RequestContext, source_id: int, answer: bytes) -> str:
    """The event that was made of a letter: some providers want to be answered without naming it, then the newest."""
    named: str | None = orjson.loads(answer).get("event")
    if named:
        return named
    with context.engine.begin() as connection:
        return list_events(connection, source_id=source_id, limit=1).items[0].uid
