"""F0: what one writes first. Flask, a connection pool, INSERT … ON CONFLICT, COMMIT, 204; gunicorn 2 x 8 threads."""

from __future__ import annotations

import os

from flask import Flask, request
from psycopg_pool import ConnectionPool

TABLE = "CREATE TABLE f0 (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text UNIQUE, body jsonb,"
TABLE += " at timestamptz DEFAULT now())"

application = Flask(__name__)
_pool: ConnectionPool | None = None


def _connections() -> ConnectionPool:
    """Made at the first request, in the worker that answers it."""
    global _pool  # noqa: PLW0603 - the obvious way is the baseline
    if _pool is None:
        _pool = ConnectionPool(os.environ["BENCH_DATABASE_URL"], min_size=8, max_size=8, open=True)
    return _pool


@application.post("/lead")
def lead() -> tuple[str, int]:
    request.get_json()
    with _connections().connection() as connection:
        connection.execute(
            "INSERT INTO f0 (key, body) VALUES (%s, %s) ON CONFLICT (key) DO NOTHING",
            (request.headers["Idempotency-Key"], request.get_data(as_text=True)),
        )
    return "", 204
