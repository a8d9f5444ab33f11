"""P20: the least that turns waiting events into leads. One process, claims of 20 with SKIP LOCKED, one transaction a claim.

Raw event → normalise → dedup by a unique key → owner → lead and outbox row, set-wise. It reads the same bodies as the product
and knows nothing else: no screening, no identities that join, no calls, no history, no reasons.

`python -m bench.baselines.p20 URL` works off what `fill` left there and prints the events and the seconds as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable
from typing import Any

import psycopg

BATCH = 20
TABLES = """
CREATE TABLE event (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL, done_at timestamptz,
  received_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX event_waiting ON event (id) WHERE done_at IS NULL;
CREATE TABLE owner (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
INSERT INTO owner (name) VALUES ('Anna'), ('Boris'), ('Vera');
CREATE TABLE lead (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, key text NOT NULL UNIQUE, name text NOT NULL,
  email text NOT NULL, message text NOT NULL, owner_id bigint NOT NULL REFERENCES owner, event_id bigint NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE outbox (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lead_id bigint NOT NULL REFERENCES lead,
  sent_at timestamptz);
"""

_CLAIM = """
UPDATE event e SET done_at = now()
FROM (SELECT id FROM event WHERE done_at IS NULL ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED) AS due
WHERE e.id = due.id RETURNING e.id, e.body
"""
_LEADS = """
WITH made AS (
  INSERT INTO lead (key, name, email, message, owner_id, event_id)
  SELECT * FROM unnest(%b::text[], %b::text[], %b::text[], %b::text[], %b::int8[], %b::int8[])
  ON CONFLICT (key) DO NOTHING RETURNING id)
INSERT INTO outbox (lead_id) SELECT id FROM made
"""


def fill(connection: psycopg.Connection[Any], bodies: Iterable[bytes]) -> None:
    """Makes the tables in an empty database and leaves the bodies waiting."""
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(TABLES)
        with cursor.copy("COPY event (body) FROM STDIN (FORMAT binary)") as copy:
            copy.set_types(["bytea"])
            for body in bodies:
                copy.write_row((body,))


def drain(url: str) -> tuple[int, float]:
    """(events, seconds) from the first claim to the one that finds nothing."""
    with psycopg.connect(url) as connection:
        owners = [owner for (owner,) in connection.execute("SELECT id FROM owner ORDER BY id")]
        connection.commit()
        began, events = time.monotonic(), 0
        while worked := _batch(connection, owners):
            events += worked
        return events, time.monotonic() - began


def _batch(connection: psycopg.Connection[Any], owners: list[int]) -> int:
    claimed = connection.execute(_CLAIM, (BATCH,), prepare=True, binary=True).fetchall()
    if claimed:
        forms = [json.loads(body) for _, body in claimed]
        connection.execute(
            _LEADS,
            (
                ["+" + "".join(filter(str.isdigit, form["phone"])) for form in forms],
                [" ".join(form["name"].split()) for form in forms],
                [form["email"].strip().lower() for form in forms],
                [form["message"] for form in forms],
                [owners[event_id % len(owners)] for event_id, _ in claimed],
                [event_id for event_id, _ in claimed],
            ),
            prepare=True,
        )
    connection.commit()
    return len(claimed)


if __name__ == "__main__":
    worked_off, seconds_taken = drain(sys.argv[1])
    print(json.dumps({"events": worked_off, "seconds": seconds_taken}))
