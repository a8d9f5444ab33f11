"""Addresses of another service that the hub answers at as well, so that a site moves here by changing the host name alone.

A connector declares them beside itself (docs/presets.md); they are checked and compiled once, when the connectors are loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, NamedTuple

import re2

from crm_core.base.re2_syntax import unicode_classes

#: What the hub itself is reached by. An address that is one of them, or leads past one, would take it away from the hub.
HUB_PATHS: Final = (
    "/in/", "/js/", "/c/", "/api/v1", "/console", "/route/", "/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/static",
)  # fmt: skip
_LONGEST: Final = 200  # characters of an id, of a template and of a pattern
_MOST_PARTS: Final = 3  # placeholders of a template
_PART: Final = re.compile(r"\{([a-z]{1,20})\}|\[([A-Za-z0-9_./-]{1,20})\]|([A-Za-z0-9_./-]+)")
_SEGMENT: Final = re.compile(
    r"/\{[a-z]+\}(?=/|\[|\Z)"
)  # a placeholder is all of a segment: two in one would be slow to tell apart
_MAIL_PATH: Final = "/{mail}"
_MAIL: Final = r"[^/@]{1,100}@[^/@]{1,100}"
_PATTERN_BYTES: Final = 8 * 1024 * 1024


class WrongReplacement(ValueError):
    """A declaration that says what cannot be; `place` is where in it."""

    def __init__(self, said: str, *place: str | int) -> None:
        super().__init__(said)
        self.place = place


@dataclass(frozen=True, slots=True)
class OldPath:
    """A path at which the hub answers: `/f/{id}[.json]`. `{mail}` holds an @; what stands in [ ] may be left out, and asks
    for JSON if it is the path's end; a slash at the end may come or not."""

    path: str
    rank: int = 9  # lower is asked first where services share a path, and stands first in lists
    get: bool = False  # it takes inquiries by GET, whatever the source's settings say
    json: bool = False  # it never answers with a page


@dataclass(frozen=True, slots=True)
class Replaces:
    """How a service names the forms of its customers. Raises WrongReplacement."""

    paths: tuple[OldPath, ...]
    id: str  # RE2: what an id looks like, all of it
    example: str  # of an id
    hosts: tuple[str, ...] = ()  # of the service itself, without www: people paste whole addresses
    old_paths: tuple[str, ...] = ()  # templates that it knows beside `paths`, and the hub does not answer at
    any_case: bool = False  # its ids are the same in any case
    key_field: str = ""  # all forms have one address, and this field says whose it is
    aliases: tuple[str, ...] = ()  # the ids that are looked up, best first, of the placeholders; none: all of them

    def __post_init__(self) -> None:
        for index, one in enumerate(self.paths):
            _check_template(one.path, "paths", index, keyed=bool(self.key_field))
            if one.path != _MAIL_PATH:
                _check_head(one.path, "paths", index)
        for index, path in enumerate(self.old_paths):
            _check_template(path, "old_paths", index, keyed=False)
        known = {name for one in self.paths for name in names_of(one.path)}
        for index, alias in enumerate(self.aliases):
            if not set(re.findall(r"\{(.*?)\}", alias)) <= known:
                raise WrongReplacement(f"{alias} names what stands in no path.", "aliases", index)
        if not self.paths:
            raise WrongReplacement("There is no path.", "paths")
        if len(self.id) > _LONGEST:
            raise WrongReplacement(f"The expression is longer than {_LONGEST} characters.", "id")
        try:
            _compiled_id(self.id)
        except re2.error as error:
            raise WrongReplacement(f"This is no regular expression of RE2: {error}.", "id") from None
        if not self.is_id(self.example):
            raise WrongReplacement(f"The example {self.example} is not what the id looks like.", "example")

    @property
    def rank(self) -> int:
        return min(one.rank for one in self.paths)

    def is_id(self, text: str) -> bool:
        return len(text) <= _LONGEST and _compiled_id(self.id).fullmatch(text.encode(errors="replace")) is not None

    def ids_of(self, values: Mapping[str, str]) -> tuple[str, ...]:
        """The ids that a path with these values in its placeholders names, best first."""
        return tuple(alias.format_map(values) for alias in self.aliases) if self.aliases else ("/".join(values.values()),)

    def path_of(self, name: str) -> str:
        """Where the form with this id posts to from now on; what the id leaves open is written in capitals."""
        for one in self.paths:
            names = names_of(one.path)
            for template in self.aliases or ("/".join(f"{{{key}}}" for key in names),):
                keys = names_of(template)
                parts = name.split("/") if len(keys) > 1 else [name]
                values = {key: key.upper() for key in names} | dict(zip(keys, parts, strict=False))
                if len(parts) == len(keys) and ("mail" not in values or _is_mail(values["mail"])):
                    return re.sub(r"\[.*?\]", "", one.path).format_map(values)
        return self.paths[0].path

    def old_id(self, path: str) -> str:
        """The id in a path of the old service; "" for a path that it does not know."""
        for template in (*(one.path for one in self.paths), *self.old_paths):
            if (found := _compiled(template)[0].fullmatch(path)) and names_of(template):
                return self.ids_of({key: found[key] for key in names_of(template)})[0]
        return ""


class Match(NamedTuple):  # one is made for each service that a post may be for: cheaper than a dataclass
    """A service that a path may belong to."""

    service: str
    path: OldPath
    declared: Replaces
    values: Mapping[str, str]  # of the placeholders, in their order
    json: bool


class ReplacedAddresses:
    """Of all connectors: made once, asked for each post that is not for the hub's own address."""

    def __init__(self, declared: Mapping[str, Replaces]) -> None:
        self.services: Mapping[str, Replaces] = dict(sorted(declared.items(), key=lambda one: one[1].rank))
        shapes: dict[str, list[tuple[str, Replaces, OldPath]]] = {}
        for service, replaces in self.services.items():
            for path in replaces.paths:
                shapes.setdefault(path.path, []).append((service, replaces, path))
        #: Services with the same template are asked with one look at the path.
        self._shapes = tuple(
            (head_of(template), *_compiled(template), names_of(template), tuple(sorted(of, key=lambda one: one[2].rank)))
            for template, of in shapes.items()
        )
        #: Beginnings of the paths, for the switch in front of Flask; a mail address has none.
        self.prefixes: tuple[str, ...] = tuple(dict.fromkeys(head_of(one) for one in shapes if one != _MAIL_PATH))
        self._mail = _compiled(_MAIL_PATH)[0] if _MAIL_PATH in shapes else None

    def is_mail_path(self, path: str) -> bool:
        return "@" in path and self._mail is not None and self._mail.fullmatch(path) is not None

    def match(self, path: str) -> list[Match]:
        """Which services the path may belong to, best first."""
        found: list[Match] = []
        shapes = 0
        for head, pattern, asks_json, names, services in self._shapes:
            if not path.startswith(head) or (match := pattern.fullmatch(path)) is None:
                continue
            shapes += 1
            values = {name: match[name] for name in names}
            json = asks_json and match["json_"] is not None
            found += [Match(service, of, declared, values, of.json or json) for service, declared, of in services]
        if shapes > 1:
            found.sort(key=lambda one: one.path.rank)
        return found


def replaces_of(rules: Mapping[str, Any]) -> Replaces:
    """Out of a preset's section, whose words the schema has checked."""
    given: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in rules.items()}
    return Replaces(**{**given, "paths": tuple(OldPath(**one) for one in rules["paths"])})


def names_of(template: str) -> tuple[str, ...]:
    return tuple(found[1] for found in _PART.finditer(template) if found[1])


def head_of(template: str) -> str:
    """What every path of this template begins with."""
    found = _PART.match(template)
    return found[0] if found is not None and found[3] else ""


def _is_mail(text: str) -> bool:
    return re.fullmatch(_MAIL, text) is not None


@cache
def _compiled(template: str) -> tuple[re.Pattern[str], bool]:
    """With Python's module: literal text and classes of at most 200 signs, one to a segment. And whether its end asks for JSON."""
    asks_json = template.endswith("]")
    parts: list[str] = []
    for found in _PART.finditer(template.removesuffix("/")):
        name, optional, literal = found.groups()
        if name:
            parts.append(f"(?P<{name}>{_MAIL if name == 'mail' else f'[^/]{{1,{_LONGEST}}}?'})")
        elif optional:
            parts.append(f"({'?P<json_>' if asks_json and found.end() == len(template) else '?:'}{re.escape(optional)})?")
        else:
            parts.append(re.escape(literal))
    end = "" if template == _MAIL_PATH else "/?"
    return re.compile("".join(parts) + end), asks_json


@cache
def _compiled_id(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False  # it would write the pattern to standard error
    options.max_mem = _PATTERN_BYTES
    return re2.compile(unicode_classes(pattern).encode(errors="replace"), options)


def _check_template(template: str, *place: str | int, keyed: bool) -> None:
    if (
        not template.startswith("/")
        or len(template) > _LONGEST
        or "".join(one[0] for one in _PART.finditer(template)) != template
    ):
        raise WrongReplacement(f"{template} is no path such as /f/{{id}}[.json].", *place)
    names = names_of(template)
    if len(set(names)) != len(names) or len(names) > _MOST_PARTS or len(_SEGMENT.findall(template)) != len(names):
        raise WrongReplacement(f"In {template} each placeholder stands once and is all between two slashes.", *place)
    if keyed and names:
        raise WrongReplacement(f"{template} holds an id, and key_field says that a field does.", *place)
    if not keyed and not names:
        raise WrongReplacement(f"{template} holds no id: write {{id}} where it stands, or name the key_field.", *place)


def _check_head(template: str, *place: str | int) -> None:
    head = head_of(template)
    if head.strip("/") == "":
        raise WrongReplacement(f"{template} would take every address: it begins with a text of its own.", *place)
    if taken := [own for own in HUB_PATHS if own.startswith(head) or head.startswith(own)]:
        raise WrongReplacement(f"{template} would take {taken[0]} away from the hub.", *place)
