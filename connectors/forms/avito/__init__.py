"""Avito's messenger: what buyers write about an advertisement. The token in the address is the key."""

from connectors.forms.avito.parse import parse, provider_key, reply
from connectors.kit import Connector, Detect, FormConfig

CONNECTOR = Connector(
    name="avito",
    channel="form",
    title="Avito (messenger)",
    parse=parse,
    config_model=FormConfig,
    provider_key=provider_key,
    reply=reply,
    detect=Detect((('"chat_type"', '"author_id"'),)),
    experimental=True,
)
