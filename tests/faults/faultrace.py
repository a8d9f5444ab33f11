"""Some racers: threads that drain a channel as workers do, beginning at a common moment. Started as a script."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from crm_core.base.config import HubConfig
from ingest.processing.process import Processor


def race(database_url: str, start_at: float, batch_size: int, lease_seconds: float, channels: list[str]) -> None:
    """Works on `channels` in turn, from the Unix time `start_at`, until all of them are empty."""
    config = HubConfig(Path(), database_url, "", "0" * 32, batch_size=batch_size, lease_seconds=lease_seconds)
    processor = Processor(config)
    processor.connection().execute("SELECT 1")
    time.sleep(max(0.0, start_at - time.time()))
    while any(processor.drain(channel, 30.0).batches for channel in channels):
        pass
    processor.close()


if __name__ == "__main__":
    url, moment, threads, batch, names = sys.argv[1:]
    with ThreadPoolExecutor(int(threads)) as pool:
        running = [pool.submit(race, url, float(moment), int(batch), 60.0, names.split(",")) for _ in range(int(threads))]
        for each in running:
            each.result()
