"""The children of one hub: which there are, how they are started, how long each may take to end."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable

from leadhub.embedded import postgres, privilege, valkey
from leadhub.embedded.postgres import Cluster
from leadhub.embedded.valkey import Broker
from leadhub.supervisor import Program

#: In the order in which they are stopped. Together they stay below the ten seconds that we promise.
ROLES = ("web", "worker", "beat", "mail")
STOP_STAGES = (ROLES, ("valkey",), ("postgres",))
_ROLE_STOP_SECONDS, _VALKEY_STOP_SECONDS, _POSTGRES_STOP_SECONDS = 4.0, 1.0, 2.5


def postgres_program(cluster: Cluster) -> Program:
    return Program(
        "postgres",
        postgres.command(cluster),
        stop_signal=signal.SIGINT,
        stop_seconds=_POSTGRES_STOP_SECONDS,
        before=lambda: postgres.prepare(cluster),
    )


def valkey_program(broker: Broker) -> Program:
    return Program(
        "valkey",
        valkey.command(broker),
        stop_seconds=_VALKEY_STOP_SECONDS,
        before=lambda: valkey.prepare(broker),
    )


def role_program(name: str, before: Callable[[], None] | None = None) -> Program:
    """`leadhub web` and the like, as a child. It dies with us: whatever it was doing is in the database."""
    argv = [sys.executable, "-m", "leadhub", name]
    return Program(
        name,
        privilege.wrapped(argv, privilege.same_identity(), signal.SIGKILL),
        stop_seconds=_ROLE_STOP_SECONDS,
        environment={"PYTHONUNBUFFERED": "1"},
        before=before,
    )
