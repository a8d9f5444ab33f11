"""What stands between a running database and the roles: our role and database in it, the schema, the first user.

A process of its own (`python -m leadhub.prepare PORT`), so that the supervisor stays small. PORT is that of the
embedded PostgreSQL, 0 if the database is somebody else's. Prints one line of JSON, what the start has to tell.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import psycopg

from crm_core.base.database import migrate
from crm_core.base.errors import Misconfigured
from ingest.sources.bootstrap import first_run
from leadhub import settings
from leadhub.embedded import postgres

_PATIENCE_SECONDS = 60.0  # a big log to recover from takes its time


def main(port: int) -> None:
    read = settings.read(os.environ, Path.cwd())
    config = settings.hub_config(read, prepared=False)
    if port:
        admin = postgres.admin_url(read.home / "postgres", port)
        require_server(admin)
        postgres.ensure_database(read.home / "postgres", admin)
    else:
        require_server(config.database_url)
    migrate(config.database_url)
    first = first_run(config)
    told = {"sign_in_url": first.sign_in_url, "form_url": first.form_url, "curl": first.curl}
    sys.stdout.write(json.dumps(told) + "\n")


def require_server(url: str) -> None:
    """Waits a little for somebody else's database; Misconfigured if it stays away or is too old."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with psycopg.connect(url, connect_timeout=3) as connection:
                version = connection.info.server_version
            break
        except psycopg.OperationalError as error:
            if time.monotonic() > deadline:
                raise Misconfigured("database_away", f"{settings.masked(url)} does not answer: {str(error).strip()}") from error
            time.sleep(0.1)
    require_version(version)


def require_version(server_version: int) -> None:
    """`server_version` as libpq says it, 180006 for 18.6."""
    if server_version < int(postgres.MAJOR) * 10_000:
        raise Misconfigured(
            "database_too_old",
            f"The database server is PostgreSQL {server_version // 10_000}; Leadhub needs {postgres.MAJOR} or newer "
            "(it uses uuidv7 and more). Upgrade the server, or leave LEADHUB_DATABASE_URL unset for the embedded one.",
        )


if __name__ == "__main__":
    try:
        main(int(sys.argv[1]))
    except Misconfigured as error:
        sys.exit(error.message)
