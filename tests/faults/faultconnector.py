"""A third party's connector that misbehaves on demand, offered to the roles through an entry point, as one would be."""

from __future__ import annotations

from pathlib import Path

_MODULE = """
import os, time
from pathlib import Path
from connectors.kit import Connector
from crm_core.parsed import Inquiry

_TRACE = Path({trace!r})

def parse(request, config):
    body = request.body.decode()
    (_TRACE / f"{{os.getpid()}}-{{time.monotonic_ns()}}").write_text(body)
    if body.startswith("poison"):
        os.kill(os.getpid(), 9)
    if body.startswith("slow"):
        time.sleep(2)
    return [Inquiry(name="Slow Reader", phones=("+7 912 345-67-" + body[-2:],), message=body)]

CONNECTOR = Connector(name="faulty", channel="form", title="Misbehaves on demand", parse=parse)
"""


def install(directory: Path) -> tuple[dict[str, str], Path]:
    """The environment in which the connector `faulty` is there, and the folder where each of its parses leaves a file."""
    trace, site = directory / "parses", directory / "site"
    trace.mkdir()
    info = site / "faulty-1.0.dist-info"
    info.mkdir(parents=True)
    (site / "faulty_connector.py").write_text(_MODULE.format(trace=str(trace)))
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: faulty\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[leadhub.connectors]\nfaulty = faulty_connector\n")
    return {"PYTHONPATH": str(site)}, trace
