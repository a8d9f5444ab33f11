"""Any web form of any site: HTML, JSON, beacon, multipart. The token in the address is the key."""

from connectors.forms.generic_form.parse import parse, provider_key
from connectors.kit import Connector

CONNECTOR = Connector(
    name="generic_form",
    channel="form",
    title="Any web form",
    parse=parse,
    provider_key=provider_key,
)
