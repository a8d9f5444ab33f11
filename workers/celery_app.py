"""The Celery app: settings with their reasons, one queue a channel. Messages carry no data, only "there is work in X"."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu import Exchange, Queue

from crm_core.config import HubConfig

CHANNELS = ("form", "call", "mail")
MAINTENANCE = "maintenance"
#: What waits for foreign servers. Worked off on threads beside the work (`workers.aside`), so that nothing waits for it.
OUTBOUND = "outbound"
#: Queue of a channel. Each has its own, so that a flood of calls does not delay forms.
QUEUES = {channel: f"intake.{channel}" for channel in CHANNELS} | {MAINTENANCE: MAINTENANCE, OUTBOUND: OUTBOUND}

#: A message unread for this long means nothing any more: the sweep has sent a newer one.
HINT_LIFE_SECONDS = 60


def _settings(config: HubConfig) -> dict[str, Any]:
    return {
        "broker_url": config.broker_url,
        # Journal rows are the truth and are claimed under leases in PostgreSQL. A redelivered hint is cheap, a hung
        # socket is not: every wait on the broker is bounded.
        "broker_transport_options": {
            "visibility_timeout": 120,  # above task_time_limit
            "unacked_restore_interval": 5,  # redelivery after a crash within seconds, not 100 s (kombu #2558)
            "unacked_restore_throttle": 1,
            "socket_timeout": 5,  # above the 1 s of a blocking pop
            "socket_connect_timeout": 1,
            "socket_keepalive": True,
            "health_check_interval": 10,  # half-open connections (celery #10502)
            "global_keyprefix": "leadhub:",
            "queue_order_strategy": "round_robin",
        },
        "visibility_timeout": 120,
        "broker_pool_limit": 4,
        "broker_pool_acquire_timeout": 1,  # celery #10174: the default waits for ever
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # for ever; the default gives up after 100
        "task_publish_retry": False,  # the sweep repeats
        "task_publish_retry_policy": {"max_retries": 0},
        "task_serializer": "json",
        "accept_content": ["json"],  # never pickle
        "result_backend": None,
        "task_ignore_result": True,
        "task_acks_late": True,
        "task_acks_on_failure_or_timeout": True,  # the row's state decides, not redelivery
        "task_reject_on_worker_lost": False,  # else an event that kills workers loops (celery #9082)
        "task_time_limit": 90,
        "task_soft_time_limit": 60,
        "worker_prefetch_multiplier": 1,
        "worker_soft_shutdown_timeout": 5,  # everything ends within ten seconds
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,  # the lease guards against doubles
        "worker_max_tasks_per_child": 20_000,
        "worker_max_memory_per_child": 400_000,  # kB
        "worker_send_task_events": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
        "task_default_queue": MAINTENANCE,
        "task_create_missing_queues": False,
        # Through the anonymous exchange a name is the address: no bindings, so none that FLUSHALL could remove.
        "task_queues": [Queue(name, Exchange("", type="direct"), routing_key=name) for name in QUEUES.values()],
        "beat_max_loop_interval": 1,
        "timezone": "UTC",
    }


def make_app(config: HubConfig) -> Celery:
    """An app that can send hints; workers put the tasks on it. Connects to nothing until used."""
    app = Celery("leadhub", set_as_current=False)
    app.conf.update(_settings(config))
    return app
