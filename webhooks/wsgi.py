"""The web process: entrances answered by a bare callable, everything else by Flask behind it.

The entrances stay out of Flask because what they do is small and often: Flask's own work would be half of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from connectors.kit import registry
from crm_core.base.config import HubConfig
from ingest.journal.accept import GroupAcceptor
from ingest.sources.directory import SourceDirectory
from webhooks.app import create_app
from webhooks.console.sources import local_entrance
from webhooks.entrance import challenge, dropins, snippet
from webhooks.entrance.bodies import Bodies
from webhooks.entrance.challenge import Guard
from webhooks.entrance.entrance import PREFIX, Entrance
from webhooks.entrance.replies import StartResponse
from webhooks.pages import Pages
from workers.wake import Waker

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def create_application(config: HubConfig) -> Application:
    """The WSGI callable of one web process. Nothing connects before the first request."""
    registry.discover()  # all presets take half a second to load: not within the first inquiry's three
    directory = SourceDirectory(config)
    bodies = Bodies()
    entrance = Entrance(config, directory, GroupAcceptor(config, Waker(config).wake), bodies)
    app = create_app(config)
    local_entrance.share(app, entrance)
    return in_front_of(Pages(app, bodies), entrance, Guard(config, directory))


def in_front_of(app: Application, entrance: Application, guard: Application) -> Application:
    entrances = (PREFIX, *dropins.prefixes())

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(entrances) or dropins.is_mail_path(path):
            return entrance(environ, start_response)
        if path.startswith(snippet.PREFIX):
            return snippet.serve(environ, start_response)
        if path.startswith(challenge.PREFIX):
            return guard(environ, start_response)
        return app(environ, start_response)

    return application
