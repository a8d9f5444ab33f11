"""A worker that becomes deaf as kombu makes one: alive, connected, its prefetch taken, and nothing more is asked for.

Called with a file: from the moment it exists, nothing is consumed. What the guard waits is shortened to fit a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

from kombu.transport import virtual

from leadhub.cli.answers import read_config
from leadhub.logs import keep_celery_log
from leadhub.serving import bind_children
from workers import deafness
from workers.run import run_worker

if __name__ == "__main__":
    mark = Path(sys.argv[1])
    can_consume = virtual.QoS.can_consume
    virtual.QoS.can_consume = lambda self: not mark.exists() and can_consume(self)  # type: ignore[method-assign]
    deafness.CHECK_SECONDS = 0.5
    keep_celery_log()
    bind_children()
    run_worker(read_config())
