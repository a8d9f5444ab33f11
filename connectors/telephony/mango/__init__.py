"""Mango Office: events of calls and recordings of its virtual exchange (API v1.9)."""

from connectors.kit import Connector
from connectors.telephony.mango.config import MangoConfig
from connectors.telephony.mango.parse import parse, provider_key
from connectors.telephony.mango.verify import verify

CONNECTOR = Connector(
    name="mango",
    channel="call",
    title="Mango Office (virtual PBX)",
    parse=parse,
    config_model=MangoConfig,
    verify=verify,
    provider_key=provider_key,
    experimental=True,  # written from the documents, not yet seen live
)
