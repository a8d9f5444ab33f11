"""All routes of the API in one blueprint. A route that is not in its room's table does not exist."""

from __future__ import annotations

from typing import Final

from flask import Blueprint

from crm_core.base.config import HubConfig
from webhooks.api import (
    activities,
    alerts,
    audit,
    calls,
    contacts,
    events,
    files,
    leads,
    ledger,
    mappings,
    owners,
    pages,
    pools,
    quarantine,
    queues,
    search,
    sources,
    tokens,
    users,
)
from webhooks.api.dispatch import view_of
from webhooks.api.route import Route

PREFIX: Final = "/api/v1"

ROUTES: Final[tuple[Route, ...]] = (
    *leads.ROUTES, *files.ROUTES, *contacts.ROUTES, *calls.ROUTES, *activities.ROUTES, *events.ROUTES, *ledger.ROUTES,
    *queues.ROUTES, *search.ROUTES, *sources.ROUTES, *mappings.ROUTES, *owners.ROUTES, *pools.ROUTES,
    *quarantine.ROUTES, *alerts.ROUTES, *users.ROUTES, *tokens.ROUTES, *audit.ROUTES,
)  # fmt: skip


def blueprint(config: HubConfig) -> Blueprint:
    made = Blueprint("api", __name__, template_folder="templates")
    for route in ROUTES:
        made.add_url_rule(
            PREFIX + route.path, route.name, view_of(route, config), methods=[route.method],
            provide_automatic_options=False,
        )  # fmt: skip
    pages.add_to(made, ROUTES, PREFIX, config.base_url)
    return made
