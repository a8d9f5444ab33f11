"""The engine of a web process, before and after a fork."""

from __future__ import annotations

import subprocess
import sys

from crm_core.base.config import HubConfig

_SCRIPT = """
import os, sys
from pathlib import Path
from sqlalchemy import text
from crm_core.base.config import HubConfig
from webhooks.engines import close_engines, ui_engine

config = HubConfig(home=Path("."), database_url=sys.argv[1], broker_url="", secret_key="x" * 32)

def backend():
    with ui_engine(config).begin() as connection:
        return connection.scalar(text("SELECT pg_backend_pid()"))

parent = backend()
assert backend() == parent, "one engine a process"
child = os.fork()
if child == 0:
    own = backend()
    close_engines()
    os._exit(0 if own != parent else 1)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0, "the child has a connection of its own"
assert backend() == parent, "and the parent's was left alone"
close_engines()
assert backend() != parent
close_engines()
"""


def test_a_child_opens_connections_of_its_own_after_a_fork(config: HubConfig) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT, config.database_url], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
