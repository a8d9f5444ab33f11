"""The Celery app: settings with their reasons, one queue a channel. Messages carry no data, only "there is work in X"."""

from __future__ import annotations

from typing import Any

from celery import Celery
from kombu import Exchange, Queue
from kombu.transport import virtual

from crm_core.base.config import HubConfig

CHANNELS = ("form", "call", "mail")
MAINTENANCE = "maintenance"
#: What waits for foreign servers. Worked off on threads beside the work (`workers.background`), so that nothing waits for it.
FETCH = "fetch"
#: Queue of a channel. Each has its own, so that a flood of calls does not delay forms.
QUEUES = {channel: f"intake.{channel}" for channel in CHANNELS} | {MAINTENANCE: MAINTENANCE, FETCH: FETCH}

#: Longest pause between two tries to reach the broker again. Celery's own grows to half a minute.
RECONNECT_SECONDS = 2

# Nothing that was taken and not done is put back when a connection ends: it carries no data, and a broken connection would
# only be asked for one thing more.
virtual.Channel.do_restore = False


def _settings(config: HubConfig) -> dict[str, Any]:
    return {
        "broker_url": config.broker_url,
        # Journal rows are the truth and are claimed under leases in PostgreSQL. A lost hint costs a second, a hung
        # socket costs more: every wait on the broker is bounded.
        "broker_transport_options": {
            # What was taken is not written down at the broker until it is done. Else each message taken is a write, which a
            # full broker refuses, and an acknowledgement that fails keeps its place in the prefetch for ever (kombu 5.7,
            # `QoS.ack`): as many failures as processes, and the worker is alive and hears nothing any more.
            "ack_emulation": False,
            "priority_steps": [0],  # one list a queue instead of four
            "max_retries": 1,  # whoever sends does not wait for a broker that is away; the default is for ever
            "interval_start": 0.1,
            "interval_step": 0,
            "interval_max": 0.1,
            "socket_timeout": 5,  # above the 1 s of a blocking pop
            "socket_connect_timeout": 1,
            "socket_keepalive": True,
            "health_check_interval": 10,  # half-open connections (celery #10502)
            "global_keyprefix": "leadhub:",
            "queue_order_strategy": "round_robin",
        },
        "broker_pool_limit": 4,
        "broker_pool_acquire_timeout": 1,  # celery #10174: the default waits for ever
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,  # for ever; the default gives up after 100
        # A broker that refuses (read-only, loading, full) is one to connect to again, not a reason to end.
        "broker_channel_error_retry": True,
        "worker_consumer": "workers.consumer:PersistentConsumer",
        "worker_enable_prefetch_count_reduction": False,  # after a reconnection too, every process may be given something
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
        "timezone": "UTC",
    }


def make_app(config: HubConfig) -> Celery:
    """An app that can send hints; workers put the tasks on it. Connects to nothing until used."""
    app = Celery("leadhub", set_as_current=False)
    app.conf.update(_settings(config))
    return app
