"""A connector in Python for something that posts inquiries."""

from connectors.kit.tools.templates.page import GUIDE, PAGE

FORMS = {
    "README.md": PAGE,
    "guide.yaml": GUIDE,
    "__init__.py": '''"""TITLE: inquiries of its forms."""

from connectors.forms.NAME.parse import parse, provider_key
from connectors.kit import Connector

CONNECTOR = Connector(
    name="NAME",
    channel="form",
    title="TITLE",
    parse=parse,
    provider_key=provider_key,
    experimental=True,
)
''',
    "parse.py": '''"""What TITLE's posts mean. Source: say which page of its documentation."""

from __future__ import annotations

from collections.abc import Sequence

from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of
from connectors.kit.forms.read_form import Draft, read
from crm_core.parsed import Arrival
from crm_core.base.errors import Malformed


def parse(request: Request, config: ConnectorConfig) -> Sequence[Arrival]:
    decoded = decode(request)
    if not decoded.fields:
        raise Malformed("empty_form", "The form was sent without any field.")
    draft = Draft(form_id=text_of(decoded.fields.get("form")), warnings=set(decoded.flags))
    return [read(decoded.fields, draft, region=config.region)]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    try:
        return text_of(decode(request).fields.get("id")) or None
    except Malformed:
        return None
''',
    "samples/form__all_fields/request.json": """{
  "headers": {"content-type": "application/json"},
  "json": {"id": "1", "form": "f1", "name": "Ivan", "phone": "+7 912 345-67-60", "comment": "Hello", "city": "Tver"}
}
""",
    "samples/form__phone_only/request.json": """{
  "headers": {"content-type": "application/json"},
  "json": {"id": "2", "phone": "8 912 345-67-61"}
}
""",
    "samples/wrong__empty/request.json": """{
  "headers": {"content-type": "application/json"},
  "body": ""
}
""",
}
