"""LinkedIn Lead Sync: announcements of lead form responses, which the hub then fetches over REST."""

from connectors.forms.linkedin.config import LinkedInConfig
from connectors.forms.linkedin.parse import as_form, parse, read_under
from connectors.forms.linkedin.rest import ask, lists, page, read, read_list
from connectors.forms.linkedin.verify import handshake, provider_key, verify
from connectors.kit import Connector, Fetch

CONNECTOR = Connector(
    name="linkedin",
    channel="form",
    title="LinkedIn Lead Sync",
    parse=parse,
    config_model=LinkedInConfig,
    verify=verify,
    provider_key=provider_key,
    handshake=handshake,
    map=read_under,
    as_form=as_form,
    rules={},  # its questions are read by their names
    fetch=Fetch(ask, read, lists, page, read_list),
    experimental=True,  # written from the documents, not yet seen live
)
