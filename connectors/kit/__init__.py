"""What every connector is made of: the request it reads, the reply it gives, and the declaration that names it."""

from connectors.kit.connector import (
    Connector,
    ConnectorConfig,
    Detect,
    Fetch,
    FetchAnswer,
    FetchedPage,
    FetchRequest,
    Reply,
    Request,
    Secret,
    sent_to,
)
from connectors.kit.forms.config import FormConfig
from connectors.kit.replaces import OldPath, Replaces

__all__ = [
    "Connector",
    "ConnectorConfig",
    "Detect",
    "Fetch",
    "FetchAnswer",
    "FetchRequest",
    "FetchedPage",
    "FormConfig",
    "OldPath",
    "Replaces",
    "Reply",
    "Request",
    "Secret",
    "sent_to",
]  # fmt: skip
