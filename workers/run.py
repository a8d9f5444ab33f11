"""Runs a Celery worker or the schedule in the foreground of this process."""

from __future__ import annotations

import gc
import os
import time
from datetime import timedelta
from typing import Any

from celery.beat import ScheduleEntry, Scheduler

from crm_core.config import HubConfig
from workers.celery_app import QUEUES, make_app

SWEEP_SECONDS = 1.0  # a lost hint delays an event by no more than this
CANARY_SECONDS = 10.0
WATCH_SECONDS = 60.0  # drift and silence are matters of minutes and hours

BACKFILL_SECONDS = 20.0  # one source a turn; how often each is asked is LEADHUB_BACKFILL_MINUTES
FILES_SECONDS = 10.0
TIDY_SECONDS = 60.0  # the task takes the folder whose minute it is


def run_worker(config: HubConfig, queues: list[str] | None = None, concurrency: int | None = None) -> None:
    """A prefork worker on all queues, or on those named. Returns when it was asked to stop."""
    from connectors.kit import registry
    from workers import tasks  # beat, which shares this module, needs none of what the tasks import

    app = make_app(config)
    tasks.register(app, config)
    # What is loaded before the fork is shared by all children, and stays shared if the collector leaves it alone.
    registry.discover()
    gc.collect()
    gc.freeze()
    app.worker_main(
        [
            "worker", "--pool=prefork", f"--concurrency={concurrency or config.workers}",
            f"--queues={','.join(queues or QUEUES.values())}", "--without-gossip", "--without-mingle",
            "--without-heartbeat", "--loglevel=WARNING", f"--hostname=worker-{os.getpid()}@%h",
        ]
    )  # fmt: skip


class MemoryScheduler(Scheduler):
    """Beat's schedule without a file: every entry is an interval, and the sweep makes up for whatever is missed."""

    def setup_schedule(self) -> None:
        self.merge_inplace(self.app.conf.beat_schedule)
        self.install_default_entries({})

    def apply_entry(self, entry: ScheduleEntry, producer: Any = None) -> None:
        if entry.task == "canary":
            entry.args = (entry.args[0], time.time())
        super().apply_entry(entry, producer)


def run_beat(config: HubConfig) -> None:
    """Sends sweeps and canaries. Two at once do no harm; none delays what lost its hint."""
    app = make_app(config)
    app.conf.beat_schedule = {
        "sweep": {
            "task": "sweep", "schedule": timedelta(seconds=SWEEP_SECONDS),
            "options": {"queue": QUEUES["maintenance"], "expires": 5 * SWEEP_SECONDS},
        },
        "watch": {
            "task": "watch", "schedule": timedelta(seconds=WATCH_SECONDS),
            "options": {"queue": QUEUES["maintenance"], "expires": WATCH_SECONDS},
        },
        "backfill": {
            "task": "backfill", "schedule": timedelta(seconds=BACKFILL_SECONDS),
            "options": {"queue": QUEUES["outbound"], "expires": BACKFILL_SECONDS},
        },
        "files": {
            "task": "files", "schedule": timedelta(seconds=FILES_SECONDS),
            "options": {"queue": QUEUES["outbound"], "expires": FILES_SECONDS},
        },
        "tidy": {
            "task": "tidy", "schedule": timedelta(seconds=TIDY_SECONDS),
            "options": {"queue": QUEUES["maintenance"], "expires": TIDY_SECONDS},
        },
    } | {
        f"canary-{queue}": {
            "task": "canary", "schedule": timedelta(seconds=CANARY_SECONDS), "args": (queue, 0.0),
            "options": {"queue": queue, "expires": 60},
        }
        for queue in QUEUES.values()
    }  # fmt: skip
    app.Beat(scheduler_cls=MemoryScheduler, loglevel="WARNING").run()
