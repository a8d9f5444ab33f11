"""A mailbox read over IMAP. Reads what the mail says; fetching it is the work of `ingest.mailbox`."""

from connectors.kit import Connector
from connectors.mail.imap.config import ImapConfig
from connectors.mail.imap.parse import parse

__all__ = ["CONNECTOR", "ImapConfig"]

CONNECTOR = Connector(
    name="imap",
    channel="mail",
    title="IMAP mailbox",
    parse=parse,
    config_model=ImapConfig,
    pulls=True,
)
