"""Why a typed setting does not fit, in the reader's language. What is not known here is told as the model tells it."""

from __future__ import annotations

import re

from webhooks.console.shell.language import Language

#: The sentences of pydantic's errors, as `ingest.sources.settings` passes them on, and the texts that say the same.
_KNOWN = tuple(
    (re.compile(pattern), key)
    for pattern, key in (
        (r"is required$", "form.required"),
        (r"string should have at least 1 character", "form.required"),
        (r"string should have at most (?P<most>\d+) char", "wrong.long"),
        (r"input should be greater than or equal to (?P<least>\S+)$", "wrong.least"),
        (r"input should be less than or equal to (?P<most>\S+)$", "wrong.most"),
        (r"input should be a valid (?:integer|number)", "wrong.number"),
        (r"input should be (?P<these>'.+')$", "wrong.one_of"),
        (r"value error, must not hold control characters$", "wrong.control"),
        (r"has to be entered again, because ", "wrong.secret_again"),
        (r"is not a setting of this connector$", "wrong.unknown"),
    )
)


def why_wrong(language: Language, setting: str, said: str) -> str:
    """`said` is English; a connector's own refusal may have words under "wrong_setting.<name>"."""
    for pattern, key in _KNOWN:
        if found := pattern.match(said):
            return language(key, **found.groupdict())
    if language.knows("wrong_setting", setting):
        return language.code("wrong_setting", setting)
    return said.removeprefix("value error, ")
