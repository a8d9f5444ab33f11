"""A lead that was fetched as a form: its questions are the fields, so that a source's own mapping reads them as any form's.

What the provider says beside the answers (which form, when, a test) stays the connector's, whatever the mapping says of fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from connectors.kit.connector import ConnectorConfig, Request
from connectors.kit.preset.mapping import parsed_items_of
from crm_core.parsed import Inquiry, ParsedItem


def as_form(request: Request, fields: Mapping[str, Any]) -> Request:
    """The same request as if these fields had been sent."""
    body = json.dumps(fields, ensure_ascii=True).encode()
    return replace(request, query="", headers={"content-type": "application/json"}, body=body)


def read_under(request: Request, config: ConnectorConfig, mapping: Mapping[str, Any], own: Inquiry) -> Sequence[ParsedItem]:
    """What the mapping makes of a form, with what only the connector's own reading (`own`) knows of it. Malformed."""
    return [_with(own, one) if isinstance(one, Inquiry) else one for one in parsed_items_of(mapping, request, config)]


def _with(own: Inquiry, one: Inquiry) -> Inquiry:
    return replace(
        one,
        form_id=one.form_id or own.form_id,
        form_name=one.form_name or own.form_name,
        submitted_at=one.submitted_at or own.submitted_at,
        is_test=one.is_test or own.is_test,
        warnings=tuple(sorted({*one.warnings, *own.warnings})),
    )
