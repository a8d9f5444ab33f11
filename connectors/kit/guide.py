"""What the console says to whoever connects a source: guide.yaml in the connector's own folder, in both languages.

It is words and nothing else: a guide that is missing or wrong takes no connector down, it leaves a page with fewer words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, field_validator

from connectors.kit.connector import Connector
from crm_core.base.errors import Misconfigured

Locale = Literal["en", "ru"]

#: A card holds two lines of it on a phone; longer ones were the authors' notes.
LONGEST_SUMMARY = 120

_Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(_Part):
    en: _Line
    ru: _Line

    def in_(self, locale: str) -> str:
        return self.ru if locale == "ru" else self.en


class Lines(_Part):
    en: tuple[_Line, ...] = Field(min_length=1, max_length=12)
    ru: tuple[_Line, ...] = Field(min_length=1, max_length=12)

    def in_(self, locale: str) -> tuple[str, ...]:
        return self.ru if locale == "ru" else self.en


class SettingWords(_Part):
    label: Words
    help: Words


class Guide(_Part):
    summary: Words  # one plain sentence: what comes in through it
    title: Words | None = None  # where it is more than the connector's own
    common: int = Field(0, ge=0, le=100)  # place among those that are shown first, from 1; 0: behind "more"
    fields: tuple[str, ...] = ()  # settings that stand open beside the name, in this order
    steps: Lines  # what to do at the provider, in the words of its own menus
    check: Lines | None = None  # what to look at when nothing has come after three minutes
    settings: Mapping[str, SettingWords] = Field(default_factory=dict)

    @field_validator("summary")
    @classmethod
    def _is_one_sentence(cls, summary: Words) -> Words:
        for said in (summary.en, summary.ru):
            if len(said) > LONGEST_SUMMARY or not re.fullmatch(r"[^.!?\n]+(?:\.\w[^.!?\n]*)*\.", said):
                raise ValueError(f"is one sentence of at most {LONGEST_SUMMARY} characters, with a full stop")
        return summary


def read(file: Path) -> Guide:
    """Raises Misconfigured, naming what is wrong and where."""
    try:
        return Guide.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Misconfigured("wrong_guide", f"{_where(file)} cannot be read: {error}") from error
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors(include_url=False))
        raise Misconfigured("wrong_guide", f"{_where(file)}: {told}") from error


def guide_of(connector: Connector) -> Guide | None:
    """The connector's guide, read once; None if it has none that can be read."""
    return _known(connector.guide_file) if connector.guide_file else None


@cache
def _known(file: Path) -> Guide | None:
    try:
        return read(file)
    except Misconfigured:
        return None


def _where(file: Path) -> str:
    return "/".join(file.parts[-4:])


def words_of_setting(guide: Guide | None, setting: str, part: Literal["label", "help"], locale: str) -> str:
    """ "" where the guide says nothing of it: settings that many connectors share have their words elsewhere."""
    found: Any = guide.settings.get(setting) if guide else None
    return getattr(found, part).in_(locale) if found else ""
