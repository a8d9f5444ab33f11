"""What every connector must be, whoever wrote it: discovered, documented, honest about errors, free of real people."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

from connectors.kit import guide, registry
from connectors.kit.forms.config import FormConfig
from connectors.kit.guide import words_of_setting
from connectors.kit.tools.samples import samples_of
from ingest.sources.secrets import LOOKS_LIKE_DESTINATION, destinations_of
from webhooks.console.shell.language import LOCALES, Language

#: The questions that an administrator asks, in the order in which he asks them.
SECTIONS = ("Set it up", "What is read", "How it authenticates", "What is not known")
FEWEST_SAMPLES = 3

#: Domains that belong to nobody (RFC 2606, RFC 6761).
_NOBODYS = re.compile(r"(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost)$")
_ADDRESS = re.compile(r"[\w.+'-]+@([\w-]+(?:\.[\w-]+)+)")
#: Numbers of samples: invented Russian ones, the fictional American and British ranges, and those of documentation.
_NUMBERS = re.compile(
    r"(?:[78]?(?:9123456\d{3}|900(?:123)?\d{4,7}|9991112233|495\d{7}|4951112233|800\d{7}|812000\d{4})|1?\d{3}55501\d{2}|44\d{3}496\d+|447700900\d{3})"
)
_WRITTEN = re.compile(r"(?<![\w.:|-])\+\d[\d\s()-]{8,18}\d|(?<![\w.:|-])8[\s(-]{1,2}\d{3}[\s)-]{1,2}\d{3}[\s-]?\d{2}[\s-]?\d{2}")

#: Settings whose names look like a destination and are none, each with its reason.
LEAVES_SECRETS_WHERE_THEY_ARE = frozenset({
    "api_version",  # a header of LinkedIn's API
})  # fmt: skip


def test_registry_reports_no_problem_when_everything_is_as_it_should_be() -> None:
    assert dict(registry.problems()) == {}


def test_connector_is_declared_completely_when_discovered(name: str) -> None:
    connector = registry.get(name)
    assert connector.name == name
    assert connector.title.strip() == connector.title != ""
    assert connector.channel in ("form", "call", "mail")
    assert not connector.verify_at_door or connector.verify, "what is checked at the door must be a check"


def test_settings_have_words_when_shown_as_a_form(name: str) -> None:
    schema = registry.config_schema(name)
    assert json.loads(json.dumps(schema)) == schema
    for setting, described in schema["properties"].items():
        assert described.get("description"), f"{setting} says nothing about itself"
        looks_secret = re.search(r"secret|password|salt|api_?key|token", setting)
        assert not looks_secret or described.get("secret"), f"{setting} looks like a secret and is not declared as one"


def test_secret_says_where_it_is_sent_when_the_hub_connects(name: str) -> None:
    """A stored secret follows no changed destination: so each says what its destination is, and none is forgotten."""
    connector = registry.get(name)
    properties = connector.config_model.model_json_schema()["properties"]
    secret = {setting for setting, described in properties.items() if described.get("secret")}
    destinations = {setting for setting in properties if LOOKS_LIKE_DESTINATION.search(setting)} - secret
    declared = {setting: properties[setting].get("sent_to") for setting in secret}
    if not connector.pulls and connector.fetch is None:
        assert not any(declared.values()), "a connector that only listens sends no secret"
        return
    assert None not in declared.values(), f"say sent_to(…) of each secret: {declared}"
    named = {setting for settings in declared.values() for setting in settings}
    assert named <= set(properties) - secret
    assert destinations - LEAVES_SECRETS_WHERE_THEY_ARE <= named, (
        f"{sorted(destinations - named)} look like where something is sent, and no secret names them"
    )
    assert destinations_of(connector) == {setting: frozenset(settings) for setting, settings in declared.items() if settings}


def test_guide_speaks_both_languages_when_a_source_is_added(name: str) -> None:
    """Read strictly here: in a running hub a wrong guide only leaves a page with fewer words."""
    connector = registry.get(name)
    assert connector.guide_file, "guide.yaml is missing: docs/adding-a-connector.md"
    found = guide.read(connector.guide_file)
    assert not re.search("[а-яё]", found.summary.en.casefold())
    assert re.search("[а-яё]", found.summary.ru.casefold())
    for notes in ("://", "experimental", "seen live", "general knowledge", "source:", "public code"):
        assert notes not in found.summary.en.casefold(), "the authors' notes belong into README.md"
    assert len(found.steps.en) == len(found.steps.ru)
    settings = registry.config_schema(name)["properties"]
    assert set(found.fields) <= set(settings)
    assert set(found.settings) <= set(settings)
    assert len(found.fields) <= 3


def test_every_setting_has_words_in_both_languages(name: str) -> None:
    connector = registry.get(name)
    missing = [
        (locale, setting, part)
        for locale in LOCALES
        for setting in registry.config_schema(name)["properties"]
        for part, group in (("label", "setting"), ("help", "setting_help"))
        if not words_of_setting(guide.guide_of(connector), setting, part, locale) and not Language(locale).knows(group, setting)  # type: ignore[arg-type]
    ]
    assert missing == []


def test_page_answers_the_questions_when_read(name: str) -> None:
    headings = re.findall(r"(?m)^## (.+?)\s*$", registry.get(name).docs)
    missing = [section for section in SECTIONS if section not in headings]
    assert not missing, f"README.md lacks the sections {missing}"


def test_page_names_every_setting_when_the_connector_has_its_own(name: str) -> None:
    connector = registry.get(name)
    common = set(FormConfig.model_fields)  # told once, in docs/connectors.md
    unnamed = [s for s in connector.config_model.model_fields if s not in common and f"`{s}`" not in connector.docs]
    assert not unnamed, f"README.md says nothing about the settings {unnamed}"


def test_samples_are_enough_when_counted(name: str) -> None:
    folder = registry.folder_of(name)
    assert folder
    found = [sample.folder.name for sample in samples_of(registry.get(name), folder)]
    assert len(found) >= FEWEST_SAMPLES
    assert all(re.fullmatch(r"[a-z0-9_]+__[a-z0-9_]+", sample) for sample in found), "event__detail in lower case"


def test_samples_hold_no_real_people_when_searched(name: str) -> None:
    folder = registry.folder_of(name)
    assert folder
    for file in sorted(p for p in folder.rglob("samples/**/*") if p.is_file()):
        text = file.read_bytes().decode("utf-8", "ignore")
        strangers = {domain for domain in _ADDRESS.findall(text) if not _NOBODYS.search(domain.lower().rstrip("."))}
        assert not strangers, f"{_short(file)}: addresses at {sorted(strangers)}; use example.com"
        numbers = {re.sub(r"\D", "", written) for written in _WRITTEN.findall(text)}
        real = {number for number in numbers if not _NUMBERS.fullmatch(number)}
        assert not real, f"{_short(file)}: numbers {sorted(real)}; use +7 912 345-6x-xx"


def test_record_has_no_unknown_part_when_compared(name: str) -> None:
    """The kit's record is the whole interface: a connector that hangs more on it is read by nobody."""
    assert set(registry.get(name).__slots__) == {field.name for field in fields(registry.get(name))}


def _short(file: Path) -> str:
    return "/".join(file.parts[-4:])
