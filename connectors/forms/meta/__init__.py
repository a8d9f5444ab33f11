"""Meta Lead Ads (Facebook, Instagram): announcements of leads, which the hub then fetches from the Graph API."""

from connectors.forms.meta.config import MetaConfig
from connectors.forms.meta.graph import ask, lists, page, read, read_list
from connectors.forms.meta.parse import as_form, parse, read_under
from connectors.forms.meta.verify import handshake, provider_key, verify
from connectors.kit import Connector, Fetch

CONNECTOR = Connector(
    name="meta",
    channel="form",
    title="Meta Lead Ads (Facebook, Instagram)",
    parse=parse,
    config_model=MetaConfig,
    verify=verify,
    provider_key=provider_key,
    handshake=handshake,
    map=read_under,
    as_form=as_form,
    rules={},  # its questions are read by their names
    fetch=Fetch(ask, read, lists, page, read_list),
    experimental=True,  # written from the documents, not yet seen live
)
