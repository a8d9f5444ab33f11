"""Any exchange that speaks the Zammad / sipgate CTI vocabulary: newCall, answer, hangup."""

from connectors.kit import Connector
from connectors.telephony.generic_call.parse import parse, provider_key, reply

CONNECTOR = Connector(
    name="generic_call",
    channel="call",
    title="Any telephone exchange (CTI vocabulary)",
    parse=parse,
    provider_key=provider_key,
    reply=reply,
)
