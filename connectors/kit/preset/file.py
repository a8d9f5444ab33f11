"""Reads mappings into checked data: preset.yaml, and those of a source. A mistake is told with its line.

No code (`preset_yaml` reads text and nothing else); of regular expressions only those that are cheap on every text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from connectors.kit.preset.pattern import Unsafe, check
from connectors.kit.preset.plain_yaml import NotYaml, load
from connectors.kit.preset.schema import MAPPING, SCHEMA
from connectors.kit.replaces import WrongReplacement, replaces_of
from crm_core.base.errors import Misconfigured

#: What a person is known by: whoever has the same is the same person.
_IDENTITY = ("phone", "email", "thread", "messenger")
_SAID_CHARS = 500  # of a mistake; what is wrong may be a list of thousands
BYTES = 64 * 1024  # a mapping of a real provider has under 4 kB. The one limit, for every door


def read(file: Path) -> dict[str, Any]:
    """The mapping of a connector. Raises Misconfigured, naming file and line."""
    raw = file.read_bytes()
    where = "/".join(file.parts[-4:])
    if len(raw) > BYTES:
        raise _wrong(where, 0, f"{len(raw)} bytes; a mapping has at most {BYTES}.")
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise _wrong(where, 0, "must be written in UTF-8.") from None
    return _checked(text, where, SCHEMA)


def check_rules(text: str) -> dict[str, Any]:
    """A source's own mapping, YAML or JSON: the sections of a preset that read (`preset_schema.RULES`) and no other.

    Raises Misconfigured with a sentence that begins with the line, and `data["line"]` (0: the whole).
    """
    if len(text.encode("utf-8", "replace")) > BYTES:
        raise _wrong("", 0, f"The mapping has more than {BYTES} bytes.")
    return _checked(text, "", MAPPING)


def _checked(text: str, where: str, schema: dict[str, Any]) -> dict[str, Any]:
    validator = _validator_of(mapping=schema is MAPPING)
    try:
        tree, data = load(text, schema)
    except NotYaml as error:
        raise _wrong(where, error.line, str(error)) from None
    data = {} if data is None and tree is None and schema is MAPPING else data
    fault = best_match(validator.iter_errors(data))
    if fault is not None:
        place = ".".join(map(str, fault.absolute_path)) or "the file"
        raise _wrong(where, _line(tree, fault), f"{place}: {_said(fault)}")
    assert isinstance(data, dict)
    for target, rule in data.get("fields", {}).items():
        if target.partition(".")[0] in _IDENTITY and ("const" in rule or "default" in rule or "*" in rule.get("map", {})):
            line = _line_of(tree, ("fields", target))
            raise _wrong(where, line, f"fields.{target}: the same value for everybody would make one person of all.")
        if "regex" in rule:
            try:
                check(rule["regex"])
            except Unsafe as error:
                line = _line_of(tree, ("fields", target, "regex"))
                raise _wrong(where, line, f"fields.{target}.regex: the expression {error}.") from None
    if "replaces" in data:
        try:
            replaces_of(data["replaces"])
        except WrongReplacement as error:
            where_wrong = ("replaces", *error.place)
            raise _wrong(where, _line_of(tree, where_wrong), f"{'.'.join(map(str, where_wrong))}: {error}") from None
    return data


def _wrong(where: str, line: int, said: str) -> Misconfigured:
    place = ", ".join(filter(None, (where, f"line {line}" if line else "")))
    return Misconfigured("wrong_preset" if where else "wrong_mapping", f"{place}: {said}" if place else said, line=line)


@cache
def _validator_of(*, mapping: bool) -> Draft202012Validator:
    return Draft202012Validator(MAPPING if mapping else SCHEMA)


def _said(error: ValidationError) -> str:
    if error.validator == "additionalProperties" and isinstance(error.schema, dict):
        known = ", ".join(error.schema.get("properties", {}))
        unknown = re.findall(r"'[^']*'", error.message)[:1]
        return f"{''.join(unknown)} is not known here. Known are: {known}."
    if error.validator in ("oneOf", "anyOf"):
        return f"{error.instance!r} is none of the forms that are allowed here, such as '$.phone' for a field (docs/presets.md)."
    if error.validator == "type" and not error.absolute_path:
        return f"sections such as fields: are expected here, not {error.instance!r:.60}."
    return error.message if len(error.message) <= _SAID_CHARS else "… ".join((error.message[:_SAID_CHARS], error.message[-60:]))


def _line(tree: yaml.Node | None, error: ValidationError) -> int:
    """The line of what is wrong: of the unexpected key itself where that is the fault."""
    node = _node(tree, error.absolute_path)
    if error.validator == "additionalProperties" and isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if repr(key.value) in error.message:
                return int(key.start_mark.line) + 1
    return int(node.start_mark.line) + 1 if node is not None else 1


def _line_of(tree: yaml.Node | None, place: Iterable[str | int]) -> int:
    node = _node(tree, place)
    return int(node.start_mark.line) + 1 if node is not None else 1


def _node(tree: yaml.Node | None, place: Iterable[str | int]) -> yaml.Node | None:
    node = tree
    for step in place:
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == str(step)), node)
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[int(step)]
    return node
