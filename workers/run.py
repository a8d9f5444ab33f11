"""Runs a Celery worker or the schedule in the foreground of this process."""

from __future__ import annotations

import gc
import os
import sys
import warnings

from celery.exceptions import CPendingDeprecationWarning
from celery.signals import celeryd_after_setup

from crm_core.base.config import HubConfig
from workers.celery_app import QUEUES, make_app


def run_worker(config: HubConfig, queues: list[str] | None = None, concurrency: int | None = None) -> None:
    """A prefork worker on all queues, or on those named. Returns when it was asked to stop; exits with
    `deafness.LEFT_STATUS` when it found that it should be started anew."""
    from connectors.kit import registry
    from workers import tasks  # beat, which shares this module, needs none of what the tasks import
    from workers.deafness import LEFT_STATUS, Guard

    app = make_app(config)
    tasks.register(app, config)
    # What is loaded before the fork is shared by all children, and stays shared if the collector leaves it alone.
    registry.discover()
    gc.collect()
    gc.freeze()
    guard = Guard(app)
    guard.start()
    celeryd_after_setup.connect(_quiet, weak=False)
    app.worker_main(
        [
            "worker", "--pool=prefork", f"--concurrency={concurrency or config.workers}",
            f"--queues={','.join(queues or QUEUES.values())}", "--without-gossip", "--without-mingle",
            "--without-heartbeat", "--loglevel=WARNING", f"--hostname=worker-{os.getpid()}@%h",
        ]
    )  # fmt: skip
    if guard.left:
        sys.exit(LEFT_STATUS)


def _quiet(**_: object) -> None:
    """Celery says with every reconnection that an option which we have set will have another default one day."""
    warnings.filterwarnings("ignore", category=CPendingDeprecationWarning)


def run_beat(config: HubConfig) -> None:
    """Sends sweeps, canaries and the other jobs of the schedule. Two at once do no harm; none delays what lost its hint."""
    from workers.schedule import WakeupScheduler

    make_app(config).Beat(scheduler_cls=WakeupScheduler, loglevel="WARNING").run()
