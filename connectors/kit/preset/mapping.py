"""One body through the rules of a mapping: split, unwrap, skip, fill the slots, read the rest by its names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.kit.connector import ConnectorConfig, Request
from connectors.kit.decoding import decode
from connectors.kit.forms.attribution import is_address
from connectors.kit.forms.fields import Path, are_descriptions, text_of
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.forms.shapes import data_of, repaired
from connectors.kit.forms.snippet_envelope import opened, sent_at
from connectors.kit.preset.paths import find, matches
from connectors.kit.preset.plan import Plan, plan_of
from connectors.kit.preset.sources import Row, values
from connectors.kit.preset.targets import hint
from connectors.kit.preset.unwrap import unwrapped
from crm_core.base.errors import Malformed
from crm_core.parsed import Ignored, ParsedItem

Rules = Mapping[str, Any]


def parsed_items_of(rules: Rules, request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    """What a post means under these rules. Raises Malformed for a form without any field."""
    plan = plan_of(rules)
    parsed_items = [_one(plan, row, flags, config) for row, flags in rows_of(rules, request, config.region)]
    if not parsed_items:
        raise Malformed("empty_form", "The form was sent without any field.")
    return parsed_items


def rows_of(rules: Rules, request: Request, region: str = "") -> Iterator[tuple[Row, Sequence[str]]]:
    """The inquiries of a post as the rules see them, split and unwrapped, each with the limits that were met."""
    plan = plan_of(rules)
    decoded = decode(request, region)
    data = data_of(decoded, request.content_type)
    for row in _rows(data):
        whole = {**decoded.query, **repaired(opened(row))}
        for data in _split(whole, plan.split) if plan.split else [whole]:
            if data:
                tree, kinds = unwrapped(data, plan.steps)
                yield Row(tree, request, region, kinds), decoded.flags


def holds(rule: Rules, row: Row) -> bool:
    """A condition: the place has one of these values, or is there, or is not."""
    found = [text for _, value in values(rule["path"], row) if (text := text_of(value) or _flag(value))]
    if "exists" in rule:
        return bool(found) is rule["exists"]
    if "like" in rule:
        return any(matches(text, rule["like"]) for text in found)
    wanted: list[str] = rule.get("in", [rule["eq"]] if "eq" in rule else [])
    return any(text in wanted for text in found)


def _flag(value: Any) -> str:
    """What JSON writes without quotes: `eq: "true"` means both."""
    return "true" if value is True else "false" if value is False else "tree" if value and isinstance(value, dict) else ""


def _rows(data: Any) -> list[dict[str, Any]]:
    """A form, also as an array of its fields, each of several, or loose words as the message of one."""
    if isinstance(data, list) and data:
        if are_descriptions(data):
            return [{"fields": data}]
        if not any(isinstance(row, dict) for row in data):
            return [{"message": text_of(data)}]
        rows = (row if isinstance(row, dict) else {"message": text_of(row)} for row in data)
        return [row for row in rows if any(row.values()) or "message" not in row]  # loose words between forms too
    if isinstance(data, dict):
        return [data]
    return [{"message": data}] if data not in ("", None, []) else [{}]


def _split(data: dict[str, Any], path: str) -> Iterator[dict[str, Any]]:
    """Each item of a list as an inquiry of its own, with the plain members of the levels around it."""
    places = [(place, item) for place, item in find(data, path)]
    items: list[tuple[Path, Any]] = []
    for place, item in places:
        if isinstance(item, list):
            items += [((*place, index), below) for index, below in enumerate(item)]
        else:
            items.append((place, item))
    found = False
    for place, item in items:
        if not isinstance(item, dict):
            continue
        found = True
        around: dict[str, Any] = {}
        level: Any = data
        for step in place:
            if isinstance(level, dict):
                around |= {k: v for k, v in level.items() if not isinstance(v, dict | list)}
            level = level[step]
        yield {**around, **item}
    if not found:
        yield data


def _one(plan: Plan, row: Row, flags: Sequence[str], config: ConnectorConfig) -> ParsedItem:
    for rule in plan.skip_if:
        if holds(rule, row):
            return Ignored(rule.get("code", "skipped"), rule["path"])
    is_test = any(holds(rule, row) for rule in plan.test_if)
    draft = Draft(warnings=set(flags), is_test=is_test, headers=row.request.headers, whole=row.data)
    draft.submitted_at = sent_at(row.data, row.request)
    referer = row.request.headers.get("referer", "")
    if is_address(referer):
        draft.marks.fallback_page = referer
    taken: set[Path] = set()
    for fill in plan.fills:
        fill(row, draft, config, taken)
    if plan.by_name:
        for path, kind in row.kinds.items():
            if path not in taken and kind.role and hint(kind, path, row, draft, plan.mapped):
                taken.add(path)
    rest = plan.drop.rest_of(row.data, taken)
    return read(rest, draft, region=config.region, by_name=plan.by_name, config=config)
