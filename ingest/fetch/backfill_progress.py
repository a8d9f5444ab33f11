"""How far a look through a provider's lists has come, so that it goes on there: after a pause, a fault, a killed worker.

It stands beside the error in `source_poll`, and holds places only: no keys and nothing about people.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

#: A list that takes more pages has no end: 300,000 leads since the last look.
MOST_PAGES_OF_A_LOOK = 3000


@dataclass(slots=True)
class Progress:
    """`todo` are places still to be asked for, each with the number of its list; the first one is asked next."""

    since: datetime  # what came after it is listed
    began: datetime  # once all is listed, everything that came before it is here
    first: list[str]  # where each list begins
    todo: deque[tuple[int, str]] = field(default_factory=deque)
    begun_again: set[int] = field(default_factory=set)  # lists whose place was not known any more
    pages: int = 0
    missed: dict[str, str] = field(default_factory=dict)  # {"code","message"}: why a list could not be had

    def next(self, place: str | None) -> None:
        """The first place was read, and its list goes on there (None: ends). Lists take turns."""
        number, _ = self.todo.popleft()
        self.pages += 1
        if place is not None:
            self.todo.append((number, place))

    def put_off(self) -> None:
        """The other lists first."""
        self.todo.rotate(-1)

    def begin_again(self) -> bool:
        """The list of the first place begins anew, once a look; False if it did, or had only just begun. It is left then."""
        number, place = self.todo.popleft()
        if number in self.begun_again or place == self.first[number]:
            return False
        self.begun_again.add(number)
        self.todo.append((number, self.first[number]))
        return True

    def stored(self) -> dict[str, Any]:
        return {
            "since": self.since.isoformat(), "began": self.began.isoformat(), "first": self.first,
            "todo": [list(one) for one in self.todo], "begun_again": sorted(self.begun_again), "pages": self.pages, "missed": self.missed,
        }  # fmt: skip


def anew(since: datetime, began: datetime, first: Sequence[str]) -> Progress:
    return Progress(since, began, list(first), deque(enumerate(first)))


def restored(stored: Any, since: datetime, first: Sequence[str]) -> Progress | None:
    """The look that was interrupted; None if there is none, or if it was another: since another time, through other lists."""
    if not isinstance(stored, Mapping):
        return None
    found = Progress(
        datetime.fromisoformat(stored["since"]),
        datetime.fromisoformat(stored["began"]),
        list(stored["first"]),
        deque((number, place) for number, place in stored["todo"]),
        set(stored["begun_again"]),
        stored["pages"],
        dict(stored["missed"]),
    )
    return found if (found.since, found.first) == (since, list(first)) else None
