"""WhatsApp Business through Meta's Cloud API: what people write to the company's number."""

from connectors.forms.whatsapp.config import WhatsAppConfig
from connectors.forms.whatsapp.parse import parse, provider_key
from connectors.forms.whatsapp.replies import handshake, reply
from connectors.forms.whatsapp.verify import verify
from connectors.kit import Connector, Detect

CONNECTOR = Connector(
    name="whatsapp",
    channel="form",
    title="WhatsApp (Cloud API)",
    parse=parse,
    config_model=WhatsAppConfig,
    verify=verify,
    provider_key=provider_key,
    handshake=handshake,
    reply=reply,
    detect=Detect((('"whatsapp_business_account"',),)),
    experimental=True,
)
