"""CloudEvents 1.0 over HTTP: one event with its attributes in headers, one as a JSON object, or several in a list."""

from connectors.forms.cloudevents.parse import parse, provider_key, reply
from connectors.kit import Connector, Detect, FormConfig

CONNECTOR = Connector(
    name="cloudevents",
    channel="form",
    title="CloudEvents",
    parse=parse,
    config_model=FormConfig,
    provider_key=provider_key,
    reply=reply,
    detect=Detect((("header:ce-id", "header:ce-source"), ('"specversion"', '"source"', '"type"'))),
    experimental=True,
)
