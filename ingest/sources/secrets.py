"""Where a source's secrets are sent, and that a stored one never follows to another server or a weaker transport.

Who may change a source need not know its secrets. If he could change the server and keep the stored password, the hub
would hand it to his server.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from connectors.kit import Connector, ConnectorConfig
from crm_core.base.errors import Invalid
from ingest.sources.settings import marked_fields

#: Names of settings that say where something is sent, by which name and how safely. A connector declares them of each
#: secret (`sent_to`); where it does not, all that look like one count, because a forgotten word must not give a secret away.
LOOKS_LIKE_DESTINATION = re.compile(
    r"(^|_)(host|hosts|server|port|url|uri|base|endpoint|address|domain|site|api|proxy|user|login|account|"
    r"security|tls|ssl|starttls|encryption|verify_certificate|insecure|scheme|protocol|transport)(_|$)"
)


def destinations_of(connector: Connector) -> dict[str, frozenset[str]]:
    """{secret: settings that say where it is sent}, of the secrets that leave the hub."""
    if not connector.pulls and connector.fetch is None:
        return {}  # it only listens: its secrets verify what came in
    properties: Mapping[str, Mapping[str, object]] = connector.config_model.model_json_schema().get("properties", {})
    secret = marked_fields(connector.config_model, "secret")
    looking = frozenset(name for name in properties if name not in secret and LOOKS_LIKE_DESTINATION.search(name))
    found: dict[str, frozenset[str]] = {}
    for name in secret:
        declared = properties[name].get("sent_to")
        found[name] = frozenset(map(str, declared)) if isinstance(declared, list) else looking
    return {name: settings for name, settings in found.items() if settings}


def refuse_moved_secrets(connector: Connector, before: ConnectorConfig, after: ConnectorConfig, given: Collection[str]) -> None:
    """Raises Invalid, naming each stored secret that has to be entered again because its destination changes.

    `given`: the settings that were entered this time. Whoever enters the secret knows it.
    """
    wrong: dict[str, str] = {}
    for secret, settings in destinations_of(connector).items():
        moved = sorted(name for name in settings if getattr(before, name) != getattr(after, name))
        if moved and secret not in given and getattr(before, secret):
            wrong[secret] = f"has to be entered again, because {', '.join(moved)} changed"
    if wrong:
        told = "; ".join(f"{name} {why}" for name, why in sorted(wrong.items()))
        raise Invalid(
            "secret_needed_again",
            f"{connector.title}: {told}. A stored secret does not follow to another server or account.",
            fields=wrong,
        )
