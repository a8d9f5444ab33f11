"""A mapping's text changed by a click: "this field is the phone", "nobody needs this one". Writes YAML that a person reads.

The text is written anew from its rules, always in the same way. A person's comments do not survive that, and it is said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from connectors.kit.preset.targets import LISTS, SCALARS
from crm_core.base.errors import Invalid
from ingest.mapping.versions import checked

#: What a field can be said to be. `submitted_at` and the marks of origin are for who writes the text himself.
ROLES = (
    "name",
    "first_name",
    "last_name",
    "middle_name",
    "phone",
    "email",
    "message",
    "company",
    "title",
    "form_name",
    "page_url",
)
IGNORE = "ignore"

#: Sections in the order in which the hub itself goes through them.
_ORDER = ("split", "unwrap", "skip_if", "test_if", "fields", "extra", "read_names")
_SLOTS = (*SCALARS[:4], *LISTS, *SCALARS[4:])
#: Plain words that YAML 1.1 takes for something else than text.
_NOT_TEXT = re.compile(r"(?:y|yes|n|no|true|false|on|off|null)\Z", re.IGNORECASE)
_PLAIN = re.compile(r"[^\W\d_][\w-]*(?:\.[\w-]+)*\Z")
_COMMENT = re.compile(r"(?:^|\s)#")


@dataclass(frozen=True, slots=True)
class Changed:
    text: str
    lost_comments: bool  # the person's comments could not be kept


def assign(text: str, source: str, role: str, base: Mapping[str, Any] | None = None) -> Changed:
    """The text in which the field that `source` names (`$.a.b`, `@name:…`) is the `role`, or is left out of what is kept.

    `base`: the connector's own rules. A section that the text begins goes before the connector's whole section, so it
    begins as a copy of it. The role "" takes the field out of the mapping: it is read by its name again. Invalid for a
    role that there is not, a source that cannot be ignored, and a text that is wrong already.
    """
    rules = checked(text) if text.strip() else {}
    base = base or {}
    if role not in ("", IGNORE, *ROLES):
        raise Invalid("role_unknown", f"There is no role {role!r}; choose {', '.join((*ROLES, IGNORE))}.", fields=["role"])
    if role == IGNORE and not source.startswith("$."):
        raise Invalid("not_ignorable", "Only a field that has a place of its own can be ignored.", fields=["source"])
    before = rules.get("fields", base.get("fields", {}))
    fields = _without(before, source)
    if role not in ("", IGNORE):
        fields[role] = _added(fields.get(role), role, source)
    extra = rules.get("extra", base.get("extra", {}))
    dropped = [one for one in extra.get("drop", ()) if one not in (source, source.removeprefix("$."))]
    if role == IGNORE:
        dropped.append(_dropped(source))
    changed = {**rules}
    if fields != before or "fields" in rules:
        changed["fields"] = fields
    if dropped != list(extra.get("drop", ())) or "extra" in rules:
        changed["extra"] = {**extra, "drop": dropped}
    written = write({name: value for name, value in changed.items() if _says_something(name, value, base)})
    checked(written)
    return Changed(written, bool(_COMMENT.search(text)))


def _says_something(section: str, value: Any, base: Mapping[str, Any]) -> bool:
    """An empty section is needed only where it stands before one of the connector."""
    return bool(base.get(section)) or any(value.values()) if isinstance(value, Mapping) else True


def write(rules: Mapping[str, Any]) -> str:
    """The rules as YAML: one line a slot, one line a step. The same rules always give the same text."""
    lines: list[str] = []
    for section in sorted(rules, key=lambda name: (_ORDER.index(name) if name in _ORDER else -1, name)):
        value = rules[section]
        if section == "fields" and value:
            lines += ["fields:", *(f"  {_scalar(slot)}: {_flow(value[slot])}" for slot in sorted(value, key=_slot_order))]
        elif isinstance(value, list) and value:
            lines += [f"{section}:", *(f"  - {_flow(item)}" for item in value)]
        else:
            lines.append(f"{_scalar(section)}: {_flow(value)}")
    return "\n".join(lines) + "\n" if lines else ""


def named_sources(rules: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(slot, source) of everything that the rules take a value from."""
    return [
        (slot, source)
        for slot, rule in rules.get("fields", {}).items()
        for source in (*rule.get("from", ()), *rule.get("join", ()))
    ]


def _dropped(source: str) -> str:
    """As `extra.drop` names it: a key of the first level by itself, a place further below in full."""
    key = source.removeprefix("$.")
    return key if "." not in key else source


def _without(fields: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The slots without this source; a slot that had nothing else goes."""
    left: dict[str, Any] = {}
    for slot, rule in fields.items():
        kept = dict(rule)
        for verb in ("from", "join"):
            if source in kept.get(verb, ()):
                kept[verb] = [one for one in kept[verb] if one != source]
                if not kept[verb]:
                    del kept[verb]
        if kept.keys() & {"from", "join", "const"}:
            left[slot] = kept
    return left


def _added(rule: Mapping[str, Any] | None, role: str, source: str) -> dict[str, Any]:
    """First of those it may come from; a message is made of all of them."""
    if rule is None:
        return {"from": [source]}
    if "join" in rule:
        return {**rule, "join": [*rule["join"], source]}
    if role == "message" and "from" in rule:
        rest = {name: value for name, value in rule.items() if name != "from"}
        return {**rest, "join": [*rule["from"], source]}
    return {**{name: value for name, value in rule.items() if name != "const"}, "from": [source, *rule.get("from", ())]}


def _slot_order(slot: str) -> tuple[int, str]:
    return (_SLOTS.index(slot) if slot in _SLOTS else len(_SLOTS), slot)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_scalar(str(name))}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    """A word as it is where YAML cannot mistake it, else quoted as JSON does, which YAML reads too."""
    if not isinstance(value, str):
        return json.dumps(value)
    if _PLAIN.match(value) and not _NOT_TEXT.match(value):
        return value
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08X}" for char in quoted)
