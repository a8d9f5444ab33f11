"""One body through the rules of a preset: unwrap, skip, fill the slots, read the rest by its names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit import vocabulary as words
from connectors.kit.connector import ConnectorConfig, Request
from connectors.kit.decoding import decode
from connectors.kit.leaves import Path, leaves, text_of, without
from connectors.kit.marks import query_of
from connectors.kit.paths import find, matches
from connectors.kit.preset_schema import LISTS, MARKS
from connectors.kit.preset_unwrap import unwrapped
from connectors.kit.reading import Draft, read, with_plus
from connectors.kit.roles import role_of
from connectors.kit.times import read_time
from crm_core.arrivals import Arrival, Ignored
from crm_core.errors import Malformed

Rules = Mapping[str, Any]


def arrivals_of(rules: Rules, request: Request, config: ConnectorConfig) -> Sequence[Arrival]:
    decoded = decode(request)
    body = decoded.data if decoded.data not in ({}, [], "", None) else None
    rows: list[Any] = (
        body
        if isinstance(body, list)
        else [body if isinstance(body, dict) else {"message": body} if body else {}]
    )
    arrivals: list[Arrival] = []
    for row in rows:
        data = {**decoded.query, **row} if isinstance(row, dict) else {}
        if data:
            arrivals.append(_one(rules, unwrapped(data, rules.get("unwrap", ())), decoded.flags, config))
    if not arrivals:
        raise Malformed("empty_form", "The form was sent without any field.")
    return arrivals


def _one(rules: Rules, data: dict[str, Any], flags: Sequence[str], config: ConnectorConfig) -> Arrival:
    for rule in rules.get("skip_if", ()):
        if _holds(rule, data):
            return Ignored(rule.get("code", "skipped"), rule["path"])
    draft = Draft(warnings=set(flags), is_test=any(_holds(rule, data) for rule in rules.get("test_if", ())))
    taken: set[Path] = set()
    for target, rule in rules.get("fields", {}).items():
        _fill(target, rule, data, draft, taken, config)
    rest = without(data, taken) if taken else data
    dropped = rules.get("extra", {}).get("drop", ())
    rest = {k: v for k, v in rest.items() if not any(matches(k, pattern) for pattern in dropped)}
    return read(rest, draft, region=config.region, by_name=rules.get("read_names", True))


def _fill(
    target: str, rule: Rules, data: dict[str, Any], draft: Draft, taken: set[Path], config: ConnectorConfig
) -> None:
    group, _, mark = target.partition(".")
    if group in MARKS:
        for source in rule.get("from", ()):
            for place, name, value in _marks(source, data):
                if mark:
                    draft.marks.put_as(
                        group, words.CLIENT_IDS.get(mark, mark) if group == "client_ids" else mark, value
                    )
                if (mark or draft.marks.put(name, value)) and place:
                    taken.add(place)
        return
    found = [
        (place, text)
        for source in rule.get("from", rule.get("join", ()))
        for place, text in _texts(source, data, phone=target == "phone")
    ]
    if not found and "const" in rule:
        found = [((), rule["const"])]
    if not found:
        return
    if "join" in rule:
        joined = rule.get("sep", "\n").join(text for _, text in found)
    elif target in LISTS and target != "message":
        joined = ""
    else:
        found, joined = found[:1], found[0][1]
    taken |= {place for place, _ in found if place}
    _put(target, joined, [text for _, text in found], draft, config)


def _put(target: str, text: str, texts: list[str], draft: Draft, config: ConnectorConfig) -> None:
    if target in ("phone", "email"):
        getattr(draft, target + "s").extend(dict.fromkeys(texts))
    elif target == "message":
        draft.messages.append(text.replace("\r\n", "\n"))
    elif target in ("page_url", "referrer"):
        setattr(draft.marks, target, text)
    elif target == "submitted_at":
        draft.submitted_at = read_time(text, ZoneInfo(config.timezone or "UTC"))
    else:
        setattr(
            draft,
            {"first_name": "first", "last_name": "last", "middle_name": "middle"}.get(target, target),
            text,
        )


def _texts(source: str, data: dict[str, Any], *, phone: bool) -> list[tuple[Path, str]]:
    """The non-empty texts that a source means, with the places that they then no longer occupy."""
    if source.startswith("@role:"):
        role = source.removeprefix("@role:")
        found = [
            (leaf.path, leaf.value)
            for leaf in leaves(data)
            if role_of(leaf.name, leaf.label, leaf.type) == role
        ]
    else:
        found = list(find(data, source))
    texts = [(place, with_plus(value, text_of(value)) if phone else text_of(value)) for place, value in found]
    return [(place, text) for place, text in texts if text]


def _marks(source: str, data: dict[str, Any]) -> list[tuple[Path, str, str]]:
    """Names and values of marks; an address gives those of its query and stays where it is."""
    if source.startswith("@url:"):
        addresses = (text_of(value) for _, value in find(data, source.removeprefix("@url:")))
        return [((), name, value) for address in addresses for name, value in query_of(address)]
    return [(place, str(place[-1]), text_of(value)) for place, value in find(data, source)]


def _holds(rule: Rules, data: dict[str, Any]) -> bool:
    values = [text_of(value) for _, value in find(data, rule["path"])]
    if "exists" in rule:
        return bool(values) is rule["exists"]
    wanted: list[str] = rule.get("in", [rule["eq"]] if "eq" in rule else [])
    return any(value in wanted for value in values)
