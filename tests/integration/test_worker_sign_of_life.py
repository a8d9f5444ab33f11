"""A worker shows one sign of life as a whole, whichever of its children a canary happens to reach."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime

from sqlalchemy import Engine, text

from crm_core.base.config import HubConfig
from ingest.monitoring.health import queue_report
from workers.celery_app import make_app
from workers.tasks import register

#: As the pool does it: the tasks are registered, then children are forked, and each works off a canary of its own.
_WORKER = """
import json, os, socket, sys, time
from pathlib import Path
from crm_core.base.config import HubConfig
from workers import tasks
from workers.celery_app import make_app

told = json.loads(sys.stdin.read())
config = HubConfig(**{**told, "home": Path(told["home"])})
app = make_app(config)
tasks.register(app, config)
for queue in ("intake.form", "intake.call", "maintenance"):
    child = os.fork()
    if not child:
        app.tasks["canary"](queue, time.time())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
print(f"{socket.gethostname()}:{os.getpid()}")
"""


def test_worker_is_one_process_when_two_of_its_children_were_reached(engine: Engine, config: HubConfig) -> None:
    told = {
        "home": str(config.home), "database_url": config.database_url, "broker_url": config.broker_url,
        "secret_key": config.secret_key,
    }  # fmt: skip
    with engine.begin() as connection:  # a queue of an earlier version, which nobody works off any more
        connection.execute(
            text("INSERT INTO heartbeat (role, instance, at) VALUES ('canary', 'outbound', now() - interval '1 day')")
        )
    ran = subprocess.run([sys.executable, "-c", _WORKER], input=json.dumps(told), capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    with engine.connect() as connection:
        report = queue_report(connection, datetime.now(UTC))
    assert [(one.role, one.instance) for one in report.processes] == [("worker", ran.stdout.strip())]
    assert [one.queue for one in report.canaries] == ["intake.call", "intake.form", "maintenance"]


def test_tasks_are_of_their_own_app_when_a_process_has_two(config: HubConfig, broker_url: str) -> None:
    apps = [make_app(config) for _ in range(2)]
    for app in apps:
        register(app, config)
    for name in ("drain", "sweep", "watch", "backfill", "files", "tidy", "seal", "search", "suggest", "canary"):
        assert [app.tasks[name].app for app in apps] == apps
