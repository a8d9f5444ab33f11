"""Reads preset.yaml into checked data. A mistake is told with its line. No tags, no anchors, no code, no expressions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from connectors.kit.preset_schema import SCHEMA
from crm_core.errors import Misconfigured

BYTES = 64 * 1024  # a mapping of a real provider has under 4 kB
_VALIDATOR = Draft202012Validator(SCHEMA)


def read(file: Path) -> dict[str, Any]:
    """The mapping. Raises Misconfigured, naming file and line."""
    where = "/".join(file.parts[-4:])
    raw = file.read_bytes()
    if len(raw) > BYTES:
        raise Misconfigured("wrong_preset", f"{where}: {len(raw)} bytes; a preset has at most {BYTES}.")
    try:
        text = raw.decode("utf-8")
        _refuse_references(text, where)
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_doubles(tree, where)
        data = yaml.safe_load(text)
    except UnicodeDecodeError:
        raise Misconfigured("wrong_preset", f"{where}: must be written in UTF-8.") from None
    except RecursionError:
        raise Misconfigured("wrong_preset", f"{where}: is nested too deep.") from None
    except yaml.YAMLError as error:
        raise Misconfigured("wrong_preset", f"{where}: is not YAML: {error}") from None
    wrong = best_match(_VALIDATOR.iter_errors(data))
    if wrong is not None:
        place = ".".join(map(str, wrong.absolute_path)) or "the file"
        raise Misconfigured("wrong_preset", f"{where}, line {_line(tree, wrong)}: {place}: {_said(wrong)}")
    assert isinstance(data, dict)
    return data


def _refuse_references(text: str, where: str) -> None:
    """Anchors make a small file a huge tree (a "billion laughs"); tags make values that are no plain data."""
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        tagged = getattr(event, "tag", None)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or tagged:
            line = event.start_mark.line + 1 if event.start_mark else 0
            raise Misconfigured(
                "wrong_preset", f"{where}, line {line}: anchors, aliases and tags are not allowed."
            )


def _refuse_doubles(node: yaml.Node | None, where: str) -> None:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise Misconfigured(
                    "wrong_preset", f"{where}, line {key.start_mark.line + 1}: {key.value!r} stands twice."
                )
            seen.add(key.value)
            _refuse_doubles(value, where)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_doubles(item, where)


def _said(error: ValidationError) -> str:
    if error.validator == "additionalProperties" and isinstance(error.schema, dict):
        known = ", ".join(error.schema.get("properties", {}))
        unknown = re.findall(r"'[^']*'", error.message)[:1]
        return f"{''.join(unknown)} is not known here. Known are: {known}."
    if error.validator in ("oneOf", "anyOf"):
        return f"{error.instance!r} is none of the forms that are allowed here (docs/adding-a-connector.md)."
    return error.message


def _line(tree: yaml.Node | None, error: ValidationError) -> int:
    """The line of what is wrong: of the unexpected key itself where that is the fault."""
    node = tree
    for step in error.absolute_path:
        if isinstance(node, yaml.MappingNode):
            node = next(value for key, value in node.value if key.value == str(step))
        elif isinstance(node, yaml.SequenceNode):
            node = node.value[int(step)]
    if error.validator == "additionalProperties" and isinstance(node, yaml.MappingNode):
        for key, _ in node.value:
            if repr(key.value) in error.message:
                return int(key.start_mark.line) + 1
    return int(node.start_mark.line) + 1 if node is not None else 1
