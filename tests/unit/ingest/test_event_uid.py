"""Names of events: version 7 of RFC 9562, and no two alike, whichever thread or forked process makes them."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

from ingest.journal.raw_event import new_uid


def test_names_are_uuids_of_version_7() -> None:
    for _ in range(300):
        uid = UUID(new_uid())
        assert (uid.version, uid.variant) == (7, "specified in RFC 4122")


def test_names_differ_when_threads_make_them_at_once() -> None:
    with ThreadPoolExecutor(8) as threads:
        made = list(threads.map(lambda _: [new_uid() for _ in range(2_000)], range(8)))
    assert len({uid for some in made for uid in some}) == 16_000


def test_forked_process_repeats_no_randomness_of_its_parent() -> None:
    new_uid()  # from now on random numbers lie ready in this process
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(write, "".join(new_uid() for _ in range(100)).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    theirs = {said[at : at + 32][-16:] for at in range(0, len(said), 32)}
    assert len(theirs) == 100
    assert theirs.isdisjoint(new_uid()[-16:] for _ in range(300))
