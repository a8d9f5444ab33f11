"""The few errors of the hub. Each class is one reaction; anything else is a bug and looks like one.

`webhooks` maps them to HTTP in one table, `ingest.processing.process` to worker behaviour in another.
"""

from __future__ import annotations

from typing import Any


class HubError(Exception):
    """An error that carries data: a stable `code`, a sentence for a person, and what it was about."""

    def __init__(self, code: str, message: str, **data: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class UnknownSource(HubError):
    """No such token: 404, nothing stored."""


class TooLarge(HubError):
    """Body above the limit: 413, nothing stored."""


class NotAuthentic(HubError):
    """Signature or secret is wrong: the event is kept as `rejected` and can be replayed once the secret is right."""


class Malformed(HubError):
    """The bytes cannot be read: the event is kept and needs a person. `data["path"]` says where, if known."""


class Transient(HubError):
    """Will pass by itself (database away, lock timeout): try this event again later, its neighbours go on."""


class SourceBroken(HubError):
    """A source cannot work until somebody mends it (a token has expired): tell somebody, keep the event, go on trying."""


class Misconfigured(HubError):
    """Settings contradict each other or name nothing: refuse to start, say what to change."""


class NotFound(HubError):
    """A thing named by id does not exist, or the asker may not see it: 404."""


class Forbidden(HubError):
    """The role may not do this at all: 403. A row that it may not see is NotFound instead."""


class Invalid(HubError):
    """A request's own content is wrong: 422, `data["fields"]` names the places."""


class TooMany(HubError):
    """Asked too often of late: 429, `data["seconds"]` says when it is worth to ask again."""


class Conflict(HubError):
    """Somebody else changed it meanwhile: 409, read again and repeat."""
