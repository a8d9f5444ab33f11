"""Wrong passwords of late, and who has to wait for how long: by account and network, and never a lock-out.

Three buckets count what strangers' browsers try: one for the account at a network, one for the account, one for the
network (guessing one password on many accounts). A browser that has signed this user in before is known by its cookie
and has a bucket of its own, so that whoever guesses elsewhere delays nobody there.

Whoever must wait is told how long and gets a turn at its end, which is theirs even if others go on guessing. Buckets
are kept by what was typed, whether there is such a user or not, so that waiting tells nothing about users.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from crm_core.access.models import SignInBucket


@dataclass(frozen=True, slots=True)
class Limit:
    free: int  # wrong passwords that cost no wait
    longest_seconds: int  # waits double from one second up to this
    forgiven_seconds: float  # one wrong password is forgotten after this time; 0: only all at once


#: People mistype twice, rarely four times. A minute is long enough to stop guessing (about 1,400 a day), short enough
#: that it is no weapon against the user.
AT_NETWORK: Final = Limit(3, 60, 0)
#: All strangers together at one account: as many as a team that shares a login could mistype in a minute.
OF_ACCOUNT: Final = Limit(20, 30, 60)
#: All accounts at one network: an office behind one address on a Monday morning.
OF_NETWORK: Final = Limit(30, 60, 30)
#: A known browser. Twenty typing errors in a row wait for nothing; a stolen cookie then guesses once in five seconds.
OF_DEVICE: Final = Limit(20, 5, 60)

#: After an hour without a wrong password a bucket is as good as none.
_FORGOTTEN: Final = timedelta(hours=1)
#: Turns that may wait at one network at once: more than somebody who guesses anew each second has open in a minute.
_MOST_TURNS: Final = 256
_TURN_KEPT: Final = timedelta(seconds=30)  # a turn that nobody takes in this time makes room
#: Between a try at a network and the next turn there, however many have waited for theirs: 8,640 guesses a day at most.
_BETWEEN_TURNS: Final = timedelta(seconds=10)
#: Rows of the table at most, about 3 MB. Beyond, the oldest go first: a flood from very many networks.
_MOST_ROWS: Final = 20_000
_SWEEP_EVERY: Final = 64  # new rows
_CLOCKS_APART: Final = timedelta(seconds=5)  # of two web processes, on two machines


@dataclass(frozen=True, slots=True)
class Admission:
    """What was counted beforehand for one try, to be taken back if it succeeds or never happened."""

    counted: tuple[_Counted, ...]
    cleared: bytes  # the bucket that a success empties
    failures: int  # in that bucket, this one counted


@dataclass(frozen=True, slots=True)
class _Counted:
    key: bytes
    failures: int
    closed_before: datetime | None
    closed_until: datetime | None


def admit(
    connection: Connection, account: str, network: str, visitor: str, device: str | None, now: datetime
) -> Admission | timedelta:
    """Counts the try as wrong beforehand, so that tries at once are counted one by one; or says how long to wait.

    `device` is the known browser's name, None for a stranger's. The caller commits in both cases. Tries made during
    a wait prolong nothing. Rows are taken in the order of their keys, so that two tries never wait for each other.
    """
    if device is not None:
        mine = _key("device", device)
        limits, turn, cleared, of_network = {mine: OF_DEVICE}, None, mine, b""
    else:
        cleared, of_network = _key("pair", account, network), _key("network", network)
        limits = {cleared: AT_NETWORK, _key("account", account): OF_ACCOUNT, of_network: OF_NETWORK}
        turn = _key("turn", account, network, visitor)
    rows, made = _locked(connection, list(limits)), 0
    if len(rows) < len(limits) and not _closed(rows, now):
        made = max(_make(connection, key, now) for key in sorted(limits.keys() - rows.keys()))
        rows = _locked(connection, list(limits))  # another try may have made and counted one meanwhile
    if closed := _closed(rows, now):
        wait = max(closed) - now
        if turn is not None:
            wait = _wait_for_turn(connection, turn, of_network, rows.get(of_network), wait, now)
        if wait:
            return wait
    if len(rows) < len(limits):  # whoever took a turn is counted too
        made = max(_make(connection, key, now) for key in sorted(limits.keys() - rows.keys()))
        rows = _locked(connection, list(limits))
    if turn is not None:  # it was for this try
        connection.execute(delete(SignInBucket).where(SignInBucket.key == turn))
    counted = tuple(_count(connection, row, limits[key], now) for key, row in sorted(rows.items()))
    if made and made % _SWEEP_EVERY < len(limits):  # a try makes up to three rows
        _sweep(connection, made, now)
    return Admission(counted, cleared, sum(one.failures for one in counted if one.key == cleared))


def succeeded(connection: Connection, admission: Admission) -> None:
    """The password was right: what was counted is taken back, and what this browser or network got wrong is forgotten."""
    never_happened(connection, admission)
    connection.execute(delete(SignInBucket).where(SignInBucket.key == admission.cleared))


def never_happened(connection: Connection, admission: Admission) -> None:
    """Takes back what was counted. What others have counted since stays as it is."""
    for counted in admission.counted:
        still_mine = SignInBucket.closed_until.is_not_distinct_from(counted.closed_until)
        connection.execute(
            update(SignInBucket)
            .where(SignInBucket.key == counted.key)
            .values(
                failures=func.greatest(SignInBucket.failures - 1, 0),
                closed_until=case((still_mine, counted.closed_before), else_=SignInBucket.closed_until),
            )
        )


def wait_after(failures: float, limit: Limit) -> timedelta:
    """How long nobody may try after so many wrong passwords: nothing at first, then 1, 2, 4 … seconds."""
    if failures < limit.free:
        return timedelta(0)
    return timedelta(seconds=min(2 ** min(int(failures) - limit.free, 16), limit.longest_seconds))


def _locked(connection: Connection, keys: list[bytes]) -> dict[bytes, SignInBucket]:
    rows = connection.execute(
        select(SignInBucket.key, SignInBucket.failures, SignInBucket.changed_at, SignInBucket.closed_until)
        .where(SignInBucket.key.in_(keys))
        .order_by(SignInBucket.key)
        .with_for_update()
    )
    return {bytes(row.key): row for row in rows}  # type: ignore[misc]


def _closed(rows: dict[bytes, SignInBucket], now: datetime) -> list[datetime]:
    """Until when. What seems to have been counted in the future was counted before a clock went back: it is over."""
    return [
        row.closed_until
        for row in rows.values()
        if row.closed_until and row.closed_until > now and row.changed_at <= now + _CLOCKS_APART
    ]


def _make(connection: Connection, key: bytes, now: datetime) -> int:
    """The number of the new row; 0 if another try made it at the same moment."""
    made = connection.execute(
        upsert(SignInBucket)
        .values(key=key, changed_at=now)
        .on_conflict_do_nothing(index_elements=[SignInBucket.key])
        .returning(SignInBucket.id)
    )
    return made.scalar_one_or_none() or 0


def _count(connection: Connection, row: SignInBucket, limit: Limit, now: datetime) -> _Counted:
    """One wrong password more."""
    failures = _left(row, limit, now) + 1
    wait = wait_after(failures, limit)
    counted = _Counted(bytes(row.key), int(failures), row.closed_until, now + wait if wait else None)
    connection.execute(
        update(SignInBucket)
        .where(SignInBucket.key == counted.key)
        .values(failures=failures, changed_at=now, closed_until=counted.closed_until)
    )
    return counted


def _left(row: SignInBucket, limit: Limit, now: datetime) -> float:
    """What is still held against them of what was counted."""
    silent = now - row.changed_at
    if silent >= _FORGOTTEN:
        return 0.0
    if not limit.forgiven_seconds:
        return row.failures
    return max(0.0, row.failures - max(silent.total_seconds(), 0) / limit.forgiven_seconds)


def _wait_for_turn(
    connection: Connection,
    turn: bytes,
    parent: bytes,
    network: SignInBucket | None,
    wait: timedelta,
    now: datetime,
) -> timedelta:
    """Nothing if this visitor has waited as they were told; else the rest of their turn, or of a new one."""
    mine = connection.execute(
        select(SignInBucket.closed_until).where(SignInBucket.key == turn).with_for_update()
    ).scalar_one_or_none()
    if mine is None or mine < now - _TURN_KEPT:
        _queue(connection, turn, parent, now + wait, now)
        return wait
    after_others = network.changed_at + _BETWEEN_TURNS - now if network else timedelta(0)
    return min(wait, max(mine - now, after_others, timedelta(0)))


def _queue(connection: Connection, turn: bytes, parent: bytes, at: datetime, now: datetime) -> None:
    connection.execute(delete(SignInBucket).where(SignInBucket.parent == parent, SignInBucket.closed_until < now - _TURN_KEPT))
    waiting = connection.execute(select(func.count()).select_from(SignInBucket).where(SignInBucket.parent == parent)).scalar_one()
    if waiting < _MOST_TURNS:
        connection.execute(
            upsert(SignInBucket)
            .values(key=turn, parent=parent, changed_at=now, closed_until=at)
            .on_conflict_do_nothing(index_elements=[SignInBucket.key])
        )


def _sweep(connection: Connection, newest: int, now: datetime) -> None:
    """Numbers only rise, so that what lies so many below the newest is at once the oldest and too much."""
    too_old = (SignInBucket.id <= newest - _MOST_ROWS) | (SignInBucket.changed_at < now - _FORGOTTEN)
    found = select(SignInBucket.id).where(too_old).with_for_update(skip_locked=True)  # others are at work on them
    connection.execute(delete(SignInBucket).where(SignInBucket.id.in_(found)))


def _key(*parts: str) -> bytes:
    return hashlib.sha256("\x00".join(parts).encode("utf-8", "surrogatepass")).digest()
