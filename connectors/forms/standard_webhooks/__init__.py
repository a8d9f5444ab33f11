"""Standard Webhooks: any sender that signs as standardwebhooks.com says, among them Svix and this hub itself."""

from connectors.forms.standard_webhooks.config import StandardWebhooksConfig
from connectors.forms.standard_webhooks.parse import parse, provider_key, reply
from connectors.forms.standard_webhooks.verify import verify
from connectors.kit import Connector, Detect

CONNECTOR = Connector(
    name="standard_webhooks",
    channel="form",
    title="Standard Webhooks",
    parse=parse,
    config_model=StandardWebhooksConfig,
    verify=verify,
    provider_key=provider_key,
    reply=reply,
    detect=Detect((("header:webhook-id", "header:webhook-signature"),)),
    experimental=True,
)
