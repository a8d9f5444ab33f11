"""Notices name leads and say nothing of them; a lead that was fetched is read by the names of its questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from connectors.forms.meta.graph import key_of
from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.preset import fetched
from connectors.kit.times import read_time
from crm_core.base.errors import Malformed
from crm_core.parsed import Ignored, Inquiry, ParsedItem, Pointer

#: Every answer of a lead of Meta's own testing tool begins so.
_DUMMY = "<test lead: dummy data"
_NOTICE = ("leadgen_id", "page_id", "form_id", "ad_id", "adgroup_id", "created_time")
_KEPT = ("page_id", "ad_id", "adgroup_id")  # of the notice, beside the answers


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    data = decode(request).data
    if not isinstance(data, dict):
        raise Malformed("no_object", "The notice is no JSON object.")
    if request.is_fetched:
        return [_lead(data, config)]
    if data.get("object") != "page":
        return [Ignored("unsupported_object", text_of(data.get("object"))[:100])]
    entries = data.get("entry")
    changes = [
        change
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict)
        for change in _list(entry.get("changes"))
        if isinstance(change, dict)
    ]
    if not changes:
        raise Malformed("no_change", "The notice names no change of the page.", path="$.entry")
    return [_change(change) for change in changes]


def _change(change: dict[str, Any]) -> ParsedItem:
    if change.get("field") != "leadgen":
        return Ignored("unsupported_change", text_of(change.get("field"))[:100])
    value = change.get("value")
    ref = {name: text for name in _NOTICE if isinstance(value, dict) and (text := text_of(value.get(name)))}
    if not ref.get("leadgen_id", "").isdecimal():
        raise Malformed("no_lead_id", "A notice of a lead does not name it.", path="$.entry[].changes[].value.leadgen_id")
    return Pointer(key_of(ref["leadgen_id"]), ref)


def as_form(request: Request) -> Request:
    """A lead as a form whose fields are its questions; a notice as it is."""
    data = decode(request).data
    return fetched.as_form(request, _fields(data)) if request.is_fetched and isinstance(data, dict) else request


def read_under(request: Request, config: ConnectorConfig, mapping: Mapping[str, Any]) -> Sequence[ParsedItem]:
    """Under a source's own mapping. A notice says nothing that could be mapped."""
    own = parse(request, config)
    if not request.is_fetched or not isinstance(own[0], Inquiry):
        return own
    return fetched.read_under(as_form(request), config, mapping, own[0])


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    """The answers by their questions' names, and what a notice says beside."""
    lead, notice = _mapping(data.get("lead")), _mapping(data.get("notice"))
    kept = {name: text for name in _KEPT if (text := text_of(notice.get(name)))}
    return {**_answers(lead), **kept, "leadgen_id": text_of(lead.get("id")) or text_of(notice.get("leadgen_id"))}


def _answers(lead: dict[str, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    for row in _list(lead.get("field_data")):
        if isinstance(row, dict) and text_of(row.get("name")):
            values = [value for value in _list(row.get("values")) if value is not None]
            answers[text_of(row["name"])] = values if len(values) > 1 else "".join(map(text_of, values))
    return answers


def _lead(data: dict[str, Any], config: ConnectorConfig) -> Inquiry:
    lead, notice = _mapping(data.get("lead")), _mapping(data.get("notice"))
    answers = _answers(lead)
    if not answers:
        raise Malformed("lead_without_answers", "The lead has no answers.", path="$.lead.field_data")
    created = read_time(lead.get("created_time"), ZoneInfo("UTC"))
    draft = Draft(
        form_id=text_of(lead.get("form_id")) or text_of(notice.get("form_id")),
        submitted_at=created or read_time(notice.get("created_time"), ZoneInfo("UTC")),
        is_test=any(_is_dummy(value) for value in answers.values()),
    )
    return read(_fields(data), draft, region=config.region, config=config)


def _is_dummy(value: Any) -> bool:
    return any(text_of(one).startswith(_DUMMY) for one in (value if isinstance(value, list) else [value]))


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
