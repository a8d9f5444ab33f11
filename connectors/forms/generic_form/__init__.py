"""Any web form of any site: HTML, JSON, beacon, multipart, and posts of every provider that a preset knows by its signs."""

from connectors.forms.generic_form import delegate
from connectors.kit import Connector
from connectors.kit.forms.config import FormConfig

CONNECTOR = Connector(
    name="generic_form",
    channel="form",
    title="Any web form",
    parse=delegate.parse,
    config_model=FormConfig,
    provider_key=delegate.provider_key,
    handshake=delegate.handshake,
    reply=delegate.reply,
    get_is_event=delegate.get_is_event,
    map=delegate.read_under,
    rules={},
    reads_as=delegate.reads_as,
    sender="browser",
)
