"""Passwords in argon2id, hashed apart from everything else: a few at a time, at low priority, with no database connection.

A hash takes 64 MiB and tens of milliseconds of several cores by intent (RFC 9106, low-memory profile), so that it is the
one thing of the web process by which a stranger could take the cores from honest forms.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, NewType, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from crm_core.base.errors import Invalid, Transient

PasswordHash = NewType("PasswordHash", str)
Result = TypeVar("Result")

MIN_PASSWORD_CHARACTERS = 10
MAX_PASSWORD_CHARACTERS = 1024  # hashing megabytes would be work for free

#: Strangers and known browsers hash apart, one at a time each, so that a flood of guesses keeps nobody known out.
Lane = Literal["stranger", "known"]
#: One that runs and two that wait: each that waits holds one of the web process's 16 threads, which forms need too.
_PLACES = 3
_BUSY_SECONDS = 3  # a lane is through with its places in less than that, also on a slow machine
_LONGEST_SECONDS = 20.0  # for a result; a hash that takes longer means a machine that swaps
#: Forms go first whenever they have work. Argon2's own threads inherit it.
_NICENESS = 10


class _Lanes:
    """The executors of this process. Threads start at first use, so that a fork before it carries none along."""

    def __init__(self) -> None:
        self.places = {lane: threading.BoundedSemaphore(_PLACES) for lane in ("stranger", "known")}
        self.executors = {
            lane: ThreadPoolExecutor(1, thread_name_prefix=f"hash-{lane}", initializer=_give_way)
            for lane in ("stranger", "known")
        }

    def run(self, lane: Lane, work: Callable[[], Result]) -> Result:
        if not self.places[lane].acquire(blocking=False):
            raise _busy()
        made = self.executors[lane].submit(work)
        # With the work and not with the wait: what nobody waits for any more still has its place.
        made.add_done_callback(lambda _: self.places[lane].release())
        try:
            return made.result(_LONGEST_SECONDS)
        except TimeoutError as error:
            raise _busy() from error


def _busy() -> Transient:
    said = f"Too many sign in at this moment. Try again in {_BUSY_SECONDS} seconds."
    return Transient("sign_in_busy", said, seconds=_BUSY_SECONDS)


def _give_way() -> None:
    if sys.platform == "linux":  # elsewhere niceness belongs to the process
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


@functools.cache
def _lanes() -> _Lanes:
    return _Lanes()


if hasattr(os, "register_at_fork"):
    # A child has none of its parent's threads: it makes its own.
    os.register_at_fork(after_in_child=lambda: _lanes.cache_clear())  # noqa: PLW0108 - looked up when it happens


@functools.cache
def _hasher() -> PasswordHasher:
    return PasswordHasher()  # argon2id with the library's parameters


@functools.cache
def _nobodys_hash() -> str:
    """What the password of an unknown login is compared with, so that it takes as long as a known one's."""
    return _hasher().hash("nobody has this password")


def hash_password(password: str) -> PasswordHash:
    """What is stored of a new password. Raises Invalid (password_length) or Transient (sign_in_busy).

    Call it before a transaction begins: it may wait for other hashes.
    """
    if not MIN_PASSWORD_CHARACTERS <= len(password) <= MAX_PASSWORD_CHARACTERS:
        raise Invalid(
            "password_length",
            f"A password has {MIN_PASSWORD_CHARACTERS} to {MAX_PASSWORD_CHARACTERS} characters.",
            fields=["password"], least=MIN_PASSWORD_CHARACTERS, most=MAX_PASSWORD_CHARACTERS,
        )  # fmt: skip
    return PasswordHash(_lanes().run("known", lambda: _hasher().hash(_encoded(password))))


def fits(stored: str | None, password: str, lane: Lane) -> bool:
    """Whether it is the password of that hash; None stands for nobody's and takes as long. Raises Transient."""
    return _lanes().run(lane, lambda: _verify(stored, password))


def outdated(stored: str) -> bool:
    """True for a hash that was made with weaker parameters than today's."""
    return _hasher().check_needs_rehash(stored)


def _verify(stored: str | None, password: str) -> bool:
    known = stored if stored is not None and len(password) <= MAX_PASSWORD_CHARACTERS else None
    try:
        _hasher().verify(known or _nobodys_hash(), _encoded(password[:MAX_PASSWORD_CHARACTERS]))
    except (VerificationError, InvalidHashError):
        return False
    return known is not None


def _encoded(password: str) -> bytes:
    return password.encode("utf-8", "surrogatepass")
