"""How long what is known of somebody counts: settings of the hub, each of which a source may set for itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Windows:
    """Measured from when something was received, not from the date that it bears."""

    #: A lost lead is picked up again within this time; later it counts as a new occasion.
    lost: timedelta = timedelta(days=90)
    #: A lost lead itself is opened again within this time; zero: never, there is a new lead that is linked to it.
    reopen: timedelta = timedelta(0)
    #: An open lead without any touch for this long is marked "reactivated" when the next one comes.
    asleep: timedelta = timedelta(days=30)
    #: A call, a form and a mail so close together are one occasion, although only one of them names a line.
    together: timedelta = timedelta(minutes=15)
    #: A number or an address unseen for this long may have been given to somebody else.
    reissued: timedelta = timedelta(days=365)


DEFAULT = Windows()

#: Of a source, by its id; None: of the hub.
WindowsOf = Callable[[int | None], Windows]


def standard(_source_id: int | None) -> Windows:
    return DEFAULT
