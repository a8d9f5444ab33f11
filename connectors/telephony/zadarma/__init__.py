"""Zadarma's cloud PBX, and Novofon's API v1, which speaks the same language."""

from connectors.kit import Connector
from connectors.telephony.zadarma.config import ZadarmaConfig
from connectors.telephony.zadarma.parse import parse, provider_key
from connectors.telephony.zadarma.replies import handshake, reply
from connectors.telephony.zadarma.verify import verify

CONNECTOR = Connector(
    name="zadarma",
    channel="call",
    title="Zadarma, Novofon (API v1)",
    parse=parse,
    config_model=ZadarmaConfig,
    verify=verify,
    provider_key=provider_key,
    handshake=handshake,
    reply=reply,
    experimental=True,
)
