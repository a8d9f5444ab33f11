"""Jivo: chats, messages left while nobody was there, and call-backs. The token in the address is the key."""

from connectors.forms.jivo.parse import parse, provider_key, reply
from connectors.kit import Connector, Detect, FormConfig

CONNECTOR = Connector(
    name="jivo",
    channel="form",
    title="Jivo (chat and call-back)",
    parse=parse,
    config_model=FormConfig,
    provider_key=provider_key,
    reply=reply,
    detect=Detect((('"event_name"', '"widget_id"'),)),
    experimental=True,
)
