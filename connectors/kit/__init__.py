"""What every connector is made of: the request it reads, the reply it gives, and the declaration that names it."""

from connectors.kit.connector import (
    Answer,
    Ask,
    Connector,
    ConnectorConfig,
    Detect,
    Fetch,
    Found,
    Reply,
    Request,
    Secret,
    sent_to,
)
from connectors.kit.forms.config import FormConfig

__all__ = [
    "Answer", "Ask", "Connector", "ConnectorConfig", "Detect", "Fetch", "FormConfig", "Found", "Reply", "Request", "Secret",
    "sent_to",
]  # fmt: skip
