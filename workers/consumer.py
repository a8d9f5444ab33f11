"""How a worker holds on to its broker: it tries again every two seconds, and begins by clearing what nobody needs."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from celery.worker.consumer import Consumer
from celery.worker.state import maybe_shutdown
from kombu.transport import redis

from crm_core.base.log import get_logger
from workers.celery_app import QUEUES, RECONNECT_SECONDS
from workers.wake import MOST_WAITING, waiting

_log = get_logger(__name__)


class PersistentConsumer(Consumer):
    """Celery's consumer with a short pause between tries, and with one also where the broker takes the connection and then
    refuses every command."""

    _tried_at = float("-inf")

    def ensure_connected(self, conn: Any) -> Any:
        conn.ensure_connection = partial(conn.ensure_connection, interval_max=RECONNECT_SECONDS)
        return super().ensure_connected(conn)

    def connection_for_read(self, heartbeat: Any = None) -> Any:
        """Before the first message is taken: queues longer than we let them grow are emptied. Deleting needs no memory, so it
        works on a broker that refuses everything else; what the messages were for is in the journal."""
        while time.monotonic() - self._tried_at < RECONNECT_SECONDS:
            maybe_shutdown()
            time.sleep(0.1)
        self._tried_at = time.monotonic()
        connection = super().connection_for_read(heartbeat)
        try:
            clear(self.app, connection.default_channel)
        except Exception as error:  # noqa: BLE001 - whatever it is, the connection itself will say so in a moment
            _log.warning("broker_not_cleared", error=type(error).__name__)
        return connection


def clear(app: Any, channel: Any) -> int:
    """Empties queues that hold more than ours ever do: an older version's, or somebody else's doing. How many messages."""
    gone = 0
    for queue in QUEUES.values():
        if waiting(app, channel, queue) > 2 * MOST_WAITING:  # twice: senders that looked at the same moment
            gone += channel.queue_purge(queue)
    if isinstance(channel, redis.Channel):
        # What earlier versions wrote down as taken and not done; nobody reads it any more.
        with channel.conn_or_acquire() as client:
            if client.hlen(channel.unacked_key):
                client.delete(channel.unacked_key, channel.unacked_index_key)
    if gone:
        _log.warning("hints_cleared", messages=gone)
    return gone
