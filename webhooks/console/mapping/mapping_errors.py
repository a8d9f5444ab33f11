"""What is wrong in a mapping's text, in the reader's language. What is not known here is told as the checker tells it."""

from __future__ import annotations

import re

from webhooks.console.shell.language import Language

_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)
#: The sentences of `connectors.kit.preset.file`, and the texts "mapping_wrong.…" that say the same.
_KNOWN = tuple(
    (re.compile(pattern, re.DOTALL), key)
    for pattern, key in (
        (r"is not YAML: (?P<said>.*)\.", "yaml"),
        (r"(?P<place>.+?): (?P<value>'.*?') is not known here\. Known are: (?P<known>.*)\.", "unknown"),
        (r"(?P<place>.+?): (?P<value>.+) is none of the forms that are allowed here, .*", "form"),
        (r"the file: sections such as fields: are expected here, not (?P<value>.*)\.", "sections"),
        (r"(?P<place>.+?): (?P<value>.+) is not of type '(?P<type>\w+)'", "type"),
        (r"(?P<value>'.*') stands twice\.", "twice"),
        (r"(?P<value>'.*'|an empty value) means nothing at all in YAML; .*", "nothing"),
        (r"(?P<place>.+?): the expression looks ahead or behind with (?P<value>.+?), which .*", "regex_around"),
        (r"(?P<place>.+?): the expression refers back to a group with (?P<value>.+?), which .*", "regex_back"),
        (r"(?P<place>.+?): the expression has (?P<value>\\[bB]), which .*", "regex_border"),
        (r"(?P<place>.+?): the expression is too large: .*", "regex_large"),
        (r"(?P<place>.+?): the expression is no regular expression: (?P<said>.*)\.", "regex"),
        (r"a key must be a plain word\.", "key"),
        (r"anchors, aliases and tags are not allowed\.", "references"),
        (r"is nested too deep\.", "deep"),
        (r"(?:A|The) mapping has (?:at most|more than) \d+ (?:characters|bytes)\.", "long"),
    )
)
_SHOWN = 200  # characters of what the text says there


def mapping_wrong(language: Language, said: str) -> str:
    """`said` is the sentence of `ingest.mapping.versions.checked`, which begins with the line where it is known."""
    found = _LINE.fullmatch(said)
    line, rest = (found[1], found[2]) if found else ("", said)
    told = _words(language, rest)
    return language("mapping_wrong.line", line=line, said=told) if line else told


def _words(language: Language, said: str) -> str:
    for pattern, key in _KNOWN:
        if found := pattern.fullmatch(said):
            facts = {name: value[:_SHOWN] if name == "value" else value for name, value in found.groupdict().items()}
            if facts.get("place") == "the file":
                facts["place"] = language("mapping_wrong.whole")
            if "type" in facts:
                facts["type"] = language.code("yaml_type", facts["type"])
            return language.code("mapping_wrong", key, **facts)
    return said
