"""The hub's own entrance, for the "try it" button: the same door that a website posts to, without the way through the net."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from crm_core.config import HubConfig
from ingest.accept import GroupAcceptor
from ingest.source_directory import SourceDirectory
from webhooks.console.trials import Trial
from webhooks.entrance import Entrance
from workers.wake import Waker


@lru_cache(maxsize=4)
def _entrance(config: HubConfig) -> Entrance:
    """Built at the first trial of a process; its threads and its connection start then."""
    return Entrance(config, SourceDirectory(config), GroupAcceptor(config, Waker(config).wake))


def post(config: HubConfig, path: str, trial: Trial) -> tuple[int, bytes]:
    """The status and the body that the sender of this trial gets."""
    builder = EnvironBuilder(
        path=path, method="POST", data=trial.body, content_type=trial.content_type,
        headers=Headers({"Accept": "application/json", "User-Agent": "Leadhub console"}),
    )  # fmt: skip
    body, status, _ = run_wsgi_app(_entrance(config), builder.get_environ())
    return int(status.split()[0]), b"".join(body)

