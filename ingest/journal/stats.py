"""Counts finished events by channel and outcome, with the time from receipt to outcome, for /metrics."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import orjson

from crm_core.batch.rows import Cursor

#: Upper bounds of the capture histogram, seconds; the last bucket is open. "Within a second" is the promise.
BUCKETS_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 300.0, 3600.0)


def count_captures(cursor: Cursor, finished: Iterable[tuple[str, str, float]]) -> None:
    """Adds (channel, outcome, seconds) of each finished event. One short statement at the end of a batch."""
    sums: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * (len(BUCKETS_SECONDS) + 2))
    for channel, outcome, seconds in finished:
        row = sums[channel, outcome]
        row[-1] += seconds
        row[-2] += 1
        for position, bound in enumerate(BUCKETS_SECONDS):
            if seconds <= bound:
                row[position] += 1
    if not sums:
        return
    rows = [
        {"channel": channel, "outcome": outcome, "count": int(row[-2]), "seconds": row[-1],
         "buckets": [int(count) for count in row[:-1]]}
        for (channel, outcome), row in sorted(sums.items())
    ]  # fmt: skip
    cursor.execute(
        "INSERT INTO capture_stat AS c (channel, outcome, count, seconds, buckets)"
        " SELECT channel, outcome, count, seconds, buckets FROM json_populate_recordset(NULL::capture_stat, %s)"
        " ON CONFLICT (channel, outcome) DO UPDATE SET count = c.count + excluded.count,"
        "   seconds = c.seconds + excluded.seconds,"
        "   buckets = ARRAY(SELECT coalesce(a, 0) + coalesce(b, 0)"
        "                     FROM unnest(c.buckets, excluded.buckets) WITH ORDINALITY AS u(a, b, n) ORDER BY n)",
        (orjson.dumps(rows).decode(),),
    )
