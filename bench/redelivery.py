"""One inquiry sent seventeen times, sixteen at once: what a proxy's retries and an impatient finger do."""

from __future__ import annotations

import http.client
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import psycopg

from bench.load import body
from bench.stage import Hub, Stage, wait_until
from bench.table import Line

_ROUNDS = 5


def measure(stage: Stage) -> list[Line]:
    hub = stage.hub("bench_redelivery")
    with (
        hub.role("web"),
        hub.role("worker"),
        hub.role("beat"),
        psycopg.connect(hub.config.database_url, autocommit=True) as connection,
    ):
        answers = [_seventeen(hub, number) for number in range(_ROUNDS)]
        wait_until(
            lambda: (
                connection.execute("SELECT 1 FROM inbound_event WHERE state <> 'done'").fetchone() is None
                and connection.execute("SELECT 1 FROM inbound_event").fetchone() is not None
            )
        )
        row = connection.execute("SELECT (SELECT count(*) FROM inbound_event), (SELECT count(*) FROM lead)").fetchone()
    stage.drop("bench_redelivery")
    assert row is not None
    events, leads = row
    equal = sum(len(set(each)) == 1 and each[0][0] == 200 for each in answers)
    said = f"{events / _ROUNDS:g} event, {leads / _ROUNDS:g} lead, 17 equal answers in {equal} of {_ROUNDS} rounds"
    met = (events, leads, equal) == (_ROUNDS, _ROUNDS, _ROUNDS)
    return [Line("17 posts with one key, 16 at once", said, "", "", "1, 1, 17", met)]


def _seventeen(hub: Hub, number: int) -> list[tuple[int, bytes]]:
    def post(_: int) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", hub.config.port, timeout=30)
        headers = {"Content-Type": "application/json", "Idempotency-Key": f'"again-{number}"'}
        connection.request("POST", urlsplit(hub.form.url).path, body(number), headers)
        answer = connection.getresponse()
        said = (answer.status, answer.read())
        connection.close()
        return said

    with ThreadPoolExecutor(16) as senders:
        return [*senders.map(post, range(16)), post(16)]
