"""/livez: this process answers. /readyz: it can take arrivals in: database writable and current, disk not full.

A broker that is away makes it degraded, never unready: the entrances work without one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
import psycopg
from alembic.script import ScriptDirectory
from flask import Blueprint, Response

from crm_core.base import database as schema
from crm_core.base.config import HubConfig
from ingest.journal.bounded_connection import connect_bounded
from ingest.journal.disk_space import look
from ingest.monitoring.broker_state import LATE, look_at_broker
from webhooks.ops.health_probe import Latest

_FRESH_SECONDS = 1.0
_WAIT_SECONDS = 0.9  # whoever asks, asks every second or two
_BROKER_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class Readiness:
    ready: bool
    checks: dict[str, str]  # check → "ok" or what is wrong, in words

    def response(self) -> Response:
        degraded = self.ready and any(said != "ok" for said in self.checks.values())
        body = {"ready": self.ready, "degraded": degraded, "checks": self.checks}
        return Response(orjson.dumps(body), 200 if self.ready else 503, mimetype="application/json")


def blueprint(config: HubConfig) -> Blueprint:
    room = Blueprint("health", __name__)
    latest = Latest(lambda: check(config), _FRESH_SECONDS, _WAIT_SECONDS)

    @room.get("/livez")
    def livez() -> Response:
        return Response("ok\n", mimetype="text/plain")

    @room.get("/readyz")
    def readyz() -> Response:
        found, age = latest.get()
        if found is None or age > _FRESH_SECONDS + _WAIT_SECONDS:
            # The check itself hangs, and only the database can make it.
            found = Readiness(False, {"database": "does not answer"})
        return found.response()

    return room


def check(config: HubConfig) -> Readiness:
    """Asks everything once. Bounded by the connection's own limits, about 3 s at worst."""
    database = _database(config)
    space = look(config.home, config.disk_floor_bytes)
    disk = "ok" if space.takes_events else f"{space.words} Nothing is taken in until there is room."
    return Readiness(
        ready=database == "ok" and disk == "ok",
        checks={"database": database, "disk": disk, "broker": _broker(config)},
    )


def _database(config: HubConfig) -> str:
    try:
        with connect_bounded(config.database_url, "web", limit_seconds=1.0) as connection:
            row: Any = connection.execute(
                "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::bool,"
                " (SELECT version_num FROM alembic_version)"
            ).fetchone()
    except psycopg.errors.UndefinedTable:
        return "has no tables yet; run leadhub migrate"
    except psycopg.Error:
        return "does not answer"
    read_only, version = row
    if read_only:
        return "is read-only"
    return "ok" if version == _newest() else "has another schema version; run leadhub migrate"


@cache
def _newest() -> str | None:
    return ScriptDirectory(str(Path(schema.__file__).parents[1] / "migrations")).get_current_head()


def _broker(config: HubConfig) -> str:
    state = look_at_broker(config.broker_url, _BROKER_SECONDS)
    return f"{state.words}. {LATE}" if state.is_wrong else "ok"
