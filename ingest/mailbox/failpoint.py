"""A place where a test may kill the process. Does nothing unless LEADHUB_FAILPOINT names it.

`LEADHUB_FAILPOINT=mailbox.after_refs` ends the process at its first visit, `mailbox.after_refs:3` at the third, with
SIGKILL: no handler runs, no transaction ends, exactly as when the machine loses power.
"""

from __future__ import annotations

import os
import signal

_visits: dict[str, int] = {}


def reach(name: str) -> None:
    wanted, _, number = os.environ.get("LEADHUB_FAILPOINT", "").partition(":")
    if wanted != name:
        return
    _visits[name] = _visits.get(name, 0) + 1
    if _visits[name] >= (int(number) if number.isdigit() else 1):
        os.kill(os.getpid(), signal.SIGKILL)
