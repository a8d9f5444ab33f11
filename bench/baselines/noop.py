"""Bare Celery: tasks that do nothing, acknowledged late, no results. The least that a task for each event would cost."""

from __future__ import annotations

import os

from celery import Celery

QUEUE = "bench.noop"

app = Celery("noop", broker=os.environ.get("BENCH_BROKER_URL"))
app.conf.update(
    task_acks_late=True, task_ignore_result=True, worker_send_task_events=False, task_default_queue=QUEUE,
    worker_prefetch_multiplier=4, broker_connection_retry_on_startup=True,
)  # fmt: skip


@app.task(name="noop")  # type: ignore[untyped-decorator]
def noop() -> None:
    """Nothing."""
