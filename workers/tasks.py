"""The tasks: what a message of the broker asks for. What is done is said in `jobs`, here only that it is done."""

from __future__ import annotations

import gc
import os
import socket
import threading

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown

from crm_core.base.config import HubConfig
from workers.jobs import Jobs
from workers.journal_watch import Heard, JournalWatch
from workers.lanes import Lanes
from workers.stopwatch import Stopwatch

#: A worker that ends waits so long for what a foreign server is just giving, and for a batch that its look is just writing.
_END_SECONDS = 1.0
_LOOK_END_SECONDS = 2.0


class _Hands:
    """What one worker process holds: one set of jobs for its tasks, one for its own look, and the lanes beside them."""

    def __init__(self, config: HubConfig, app: Celery) -> None:
        # Named before the fork: whichever process a canary reaches, it is the worker as a whole that shows a sign of life.
        worker = f"{socket.gethostname()}:{os.getpid()}"
        self.heard = Heard()
        self.lanes = Lanes(config, app)
        turn = threading.Lock()
        self.jobs = Jobs(config, app, worker, turn, self.lanes)
        self.looker = JournalWatch(Jobs(config, app, worker, turn, self.lanes), self.heard)


def register(app: Celery, config: HubConfig) -> None:
    """Puts the tasks on the app, in the process that the children will be forked from.

    Each process makes its own connections on first use, after the fork. Not shared: Celery would hand the tasks of the
    first app, and its configuration, to every other app of the process.
    """
    hands = _Hands(config, app)

    @app.task(name="drain", shared=False)
    def drain(channel: str) -> None:
        hands.jobs.drain(channel)

    @app.task(name="fetch", shared=False)
    def fetch() -> None:
        hands.lanes.fetch()

    @app.task(name="sweep", shared=False)
    def sweep() -> None:
        hands.heard.note("sweep")
        hands.jobs.sweep()

    @app.task(name="watch", shared=False)
    def watch() -> None:
        hands.heard.note("watch")
        hands.jobs.watch()

    @app.task(name="backfill", shared=False)
    def backfill() -> None:
        hands.heard.note("backfill")
        hands.jobs.backfill()

    @app.task(name="files", shared=False)
    def files() -> None:
        hands.heard.note("files")
        hands.jobs.files()

    @app.task(name="tidy", shared=False)
    def tidy() -> None:
        hands.heard.note("tidy")
        hands.jobs.tidy()

    @app.task(name="seal", shared=False)
    def seal() -> None:
        hands.heard.note("seal")
        hands.jobs.seal()

    @app.task(name="search", shared=False)
    def search() -> None:
        hands.heard.note("search")
        hands.jobs.search()

    @app.task(name="give", shared=False)
    def give() -> None:
        hands.heard.note("give")
        hands.jobs.give()

    @app.task(name="deadlines", shared=False)
    def deadlines() -> None:
        hands.heard.note("deadlines")
        hands.jobs.deadlines()

    @app.task(name="suggest", shared=False)
    def suggest() -> None:
        hands.heard.note("suggest")
        hands.jobs.suggest()

    @app.task(name="mail", shared=False)
    def mail() -> None:
        hands.heard.note("mail")
        hands.jobs.mail()

    @app.task(name="canary", shared=False)
    def canary(queue: str, sent_at: float, boot: str = "", monotonic: float = 0.0) -> None:
        hands.jobs.canary(queue, Stopwatch(sent_at, boot, monotonic))

    @worker_process_init.connect(weak=False)
    def _after_fork(**_: object) -> None:
        gc.freeze()  # what was loaded before the fork lives as long as the process: no collection looks at it again
        hands.jobs.close()
        hands.looker.start()

    @worker_process_shutdown.connect(weak=False)
    def _ending(**_: object) -> None:
        hands.looker.end(_LOOK_END_SECONDS)
        hands.lanes.end(_END_SECONDS)
        hands.jobs.close()
