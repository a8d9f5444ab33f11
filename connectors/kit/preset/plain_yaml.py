"""YAML as mappings use it: every scalar is text, and nothing is guessed.

YAML 1.1 takes 1:30 for a number of seconds, 2026-01-01 for a day, `no` for false, 0o17 and 1_000 for numbers. Here all of
them are the text that was written. Only where the schema wants something else than text, a plain `true`, `12` or `null`
becomes that. No tags, anchors and aliases: they make a small text a huge tree, or values that are no plain data.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

#: Deeper than any mapping; the C library's reader and the schema's go down one call a level.
_DEEPEST: Final = 50
_INTEGER = re.compile(r"-?(?:0|[1-9]\d{0,17})")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,17})(?:\.\d{1,17})?(?:[eE][+-]?\d{1,2})?")
_TRUE, _FALSE = frozenset({"true", "yes", "on"}), frozenset({"false", "no", "off"})
_QUOTED = frozenset("'\"|>")
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


class NotYaml(Exception):
    """What is wrong, in words, and the line (0: unknown)."""

    def __init__(self, said: str, line: int = 0) -> None:
        super().__init__(said)
        self.line = line


class _TextLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen when the library was built
    """The safe loader without its table of what plain scalars may be."""

    yaml_implicit_resolvers: Final[Mapping[str, Any]] = {}


def load(text: str, schema: Mapping[str, Any]) -> tuple[yaml.Node | None, Any]:
    """The tree, for lines, and the data. Raises NotYaml."""
    try:
        _refuse_references(text)
        tree = _TextLoader(text).get_single_node()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 0
        raise NotYaml(f"is not YAML: {getattr(error, 'problem', None) or error}.", line) from None
    return tree, None if tree is None else _value(tree, [schema])


def _refuse_references(text: str) -> None:
    depth = 0
    for event in yaml.parse(text, Loader=_TextLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) or getattr(event, "tag", None):
            raise NotYaml("anchors, aliases and tags are not allowed.", line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise NotYaml("is nested too deep.", line)


def _value(node: yaml.Node, schemas: list[Mapping[str, Any]]) -> Any:
    """The node's data; `schemas` are all that may apply to it."""
    if isinstance(node, yaml.MappingNode):
        return {name: _value(value, _below(schemas, name)) for name, value in _pairs(node)}
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, _below(schemas, None)) for item in node.value]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node, schemas)


def _pairs(node: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node]]:
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise NotYaml("a key must be a plain word.", line)
        if key.value in seen:
            raise NotYaml(f"{key.value!r:.60} stands twice.", line)
        seen.add(key.value)
        yield key.value, value


def _scalar(node: yaml.ScalarNode, schemas: list[Mapping[str, Any]]) -> Any:
    text: str = node.value
    if node.style in _QUOTED:
        return text  # in quotes, or a block: text, whatever it looks like
    types = _types(schemas)
    if text in _NULL:
        if types is not None and "null" not in types and "string" in types:
            said = repr(text) if text else "an empty value"
            raise NotYaml(f"{said} means nothing at all in YAML; put quotes around what is text.", node.start_mark.line + 1)
        return None
    if types is None:
        return _plain(text)
    if "string" in types:
        return text
    if "boolean" in types and text.lower() in _TRUE | _FALSE:
        return text.lower() in _TRUE
    if "integer" in types and _INTEGER.fullmatch(text):
        return int(text)
    return text  # the schema says in words what it wanted


def _plain(text: str) -> Any:
    """Where anything may stand (the JSON of an answer): what JSON itself would make of it, else text."""
    if text in ("true", "false"):
        return text == "true"
    return json.loads(text) if _NUMBER.fullmatch(text) else text


def _types(schemas: list[Mapping[str, Any]]) -> frozenset[str] | None:
    """The types that a value may have; None where anything may stand."""
    found: set[str] = set()
    for schema in _open(schemas):
        if "enum" in schema or "const" in schema:
            found |= {_name_of(value) for value in schema.get("enum", [schema.get("const")])}
        elif isinstance(schema.get("type"), str):
            found.add(schema["type"])
        elif "properties" in schema:
            found.add("object")
        elif not schema:
            return None
    return frozenset(found) if found else frozenset({"string"})


def _name_of(value: Any) -> str:
    return {bool: "boolean", int: "integer", type(None): "null"}.get(type(value), "string")


def _below(schemas: list[Mapping[str, Any]], key: str | None) -> list[Mapping[str, Any]]:
    """The schemas of a key's value, or of an item of a list (`key` None)."""
    found: list[Mapping[str, Any]] = []
    for schema in _open(schemas):
        if not schema:
            found.append({})  # anything, at any depth
        elif key is None:
            found += [schema["items"]] if isinstance(schema.get("items"), Mapping) else []
        elif key in schema.get("properties", {}):
            found.append(schema["properties"][key])
        else:
            found += [one for pattern, one in schema.get("patternProperties", {}).items() if re.search(pattern, key)]
            found += [schema["additionalProperties"]] if isinstance(schema.get("additionalProperties"), Mapping) else []
    return found


def _open(schemas: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The schemas and everything that they are combined of: any of it may be what applies."""
    for schema in schemas:
        yield schema
        for word in ("allOf", "anyOf", "oneOf"):
            yield from _open(list(schema.get(word, ())))
        yield from _open([schema[word] for word in ("if", "then", "else") if isinstance(schema.get(word), Mapping)])
