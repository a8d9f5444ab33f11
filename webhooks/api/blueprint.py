"""All routes of the API in one blueprint. A route that is not in its room's table does not exist."""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Final

from flask import Blueprint

from crm_core.base.config import HubConfig
from webhooks.api import pages
from webhooks.api.dispatch import view_of
from webhooks.api.route import Route

PREFIX: Final = "/api/v1"


def _routes() -> Iterator[Route]:
    """What the modules of this package declare in `ROUTES`: a new subject is here by being there."""
    for found in pkgutil.iter_modules([str(Path(__file__).parent)], "webhooks.api."):
        if found.name != __name__:
            yield from getattr(import_module(found.name), "ROUTES", ())


ROUTES: Final[tuple[Route, ...]] = tuple(_routes())


def blueprint(config: HubConfig) -> Blueprint:
    made = Blueprint("api", __name__, template_folder="templates")
    for route in ROUTES:
        made.add_url_rule(
            PREFIX + route.path, route.name, view_of(route, config), methods=[route.method],
            provide_automatic_options=False,
        )  # fmt: skip
    pages.add_to(made, ROUTES, PREFIX, config.base_url)
    return made
