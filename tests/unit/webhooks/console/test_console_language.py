"""Both catalogues say the same things, and every key that a page uses is there."""

from __future__ import annotations

import re
import string
from pathlib import Path
from typing import Any, get_args

import pytest

from connectors.kit import registry
from crm_core.access.models import ROLES
from crm_core.base.errors import Invalid
from crm_core.routing.conditions import FACTS
from ingest.journal.ledger import PARTS
from ingest.journal.states import OUTCOMES, STATES
from ingest.mailbox import failures
from ingest.mapping.versions import checked
from ingest.monitoring import broker_state, health
from ingest.sources.states import Code
from webhooks.console.mapping.mapping_errors import mapping_wrong
from webhooks.console.routing.rule_form import ops_of, widget
from webhooks.console.shell import errors
from webhooks.console.shell import language as languages
from webhooks.console.shell.language import LOCALES, PLURALS, Language, catalogue, pick
from webhooks.console.sources.setup_form import fields_of

CONSOLE = Path(languages.__file__).parents[1]
FORMS = {"en": {"one", "other"}, "ru": {"one", "few", "many"}}


def _placeholders(text: Any) -> set[str]:
    texts = text.values() if isinstance(text, dict) else [text]
    return {name for one in texts for _, name, _, _ in string.Formatter().parse(one) if name}


def _used_keys() -> set[str]:
    sources = [path.read_text("utf-8") for path in (*CONSOLE.rglob("*.html"), *CONSOLE.rglob("*.py"))]
    call = re.compile(r"""\b(?:t|language)(?:\.count)?\(\s*["']([a-z_]+\.[a-z_.]*[a-z_])["']\s*[,)]""")
    return {key for source in sources for key in call.findall(source)}


def test_both_languages_have_the_same_keys() -> None:
    assert catalogue("en").keys() == catalogue("ru").keys()


def test_both_languages_fill_in_the_same_values() -> None:
    assert {key: _placeholders(text) for key, text in catalogue("en").items()} == {
        key: _placeholders(text) for key, text in catalogue("ru").items()
    }


@pytest.mark.parametrize("locale", LOCALES)
def test_every_plural_has_the_forms_of_its_language(locale: str) -> None:
    plurals = {key: set(text) for key, text in catalogue(locale).items() if isinstance(text, dict)}
    assert plurals
    assert {key: forms for key, forms in plurals.items() if forms != FORMS[locale]} == {}


def test_every_key_that_a_page_or_view_names_is_in_the_catalogue() -> None:
    used = _used_keys()
    assert len(used) > 250
    assert used - catalogue("en").keys() == set()


@pytest.mark.parametrize(
    "group, codes",
    [
        ("role", ROLES),
        ("outcome", OUTCOMES),
        ("event_words", (*OUTCOMES, *STATES)),
        ("event_state", STATES),
        ("ledger", PARTS),
        ("channel", ("form", "call", "mail")),
        ("fact", tuple(FACTS)),
        ("routing_op", tuple(sorted({op for fact in FACTS for op in ops_of(fact)}))),
        ("routing.value_wrong", tuple(sorted({widget(fact, op) for fact in FACTS for op in ops_of(fact)} - {""}))),
        ("lead_state", ("open", "won", "lost", "closed")),
        ("source_status", get_args(Code)),
        ("touch", ("form", "call", "mail", "comment", "assignment", "stage", "task")),
        ("sign_in", ("wrong", "wait", "busy", "link_used")),
        ("session_method", ("password", "link")),
        ("user_state", ("active", "invited", "new", "disabled")),
        ("token_state", ("active", "expired", "revoked")),
        ("why", ("answered_the_call", "owner_of_the_earlier_lead", "owner_of_the_contact", "largest_deficit",
                 "covers_for_absent_owner", "nobody_eligible_duty_person", "nobody_eligible", "by_hand")),
        ("call_outcome", ("answered", "missed", "abandoned_in_ivr", "after_hours", "busy", "rejected", "blocked",
                          "voicemail", "failed", "out_answered", "out_no_answer", "internal", "lost")),
    ],
)  # fmt: skip
def test_every_code_of_the_hub_has_words(group: str, codes: tuple[str, ...]) -> None:
    assert [code for code in codes if f"{group}.{code}" not in catalogue("ru")] == []


def test_every_error_page_has_a_title_and_a_text() -> None:
    kinds = {kind for kind, _ in errors.KINDS.values()} | {
        "forbidden",
        "foreign_form",
        "signed_out",
        "bug",
        "too_large",
        "in_the_way",
    }
    assert [kind for kind in kinds for part in ("title", "text") if f"error.{kind}.{part}" not in catalogue("ru")] == []


def test_every_finding_of_the_hub_has_words() -> None:
    source = Path(health.__file__).read_text("utf-8")
    codes = set(re.findall(r'_finding\(\s*"([a-z_]+)"', source))
    codes |= {f"{role}_{how}" for role in ("worker", "sweep") for how in ("unheard", "silent")}
    codes |= {f"broker_{code}" for code in broker_state._WORDS}
    assert len(codes) > 8
    assert [code for code in sorted(codes) if f"finding.{code}" not in catalogue("ru")] == []


def test_every_failure_of_a_mailbox_has_words() -> None:
    source = Path(failures.__file__).read_text("utf-8")
    codes = set(re.findall(r'Failure\(\s*"([a-z_]+)"', source)) | {"host_private"}
    assert len(codes) > 12
    assert [code for code in sorted(codes) if f"problem.{code}" not in catalogue("ru")] == []


def test_every_notice_that_a_deed_leaves_has_words() -> None:
    sources = "\n".join(path.read_text("utf-8") for path in CONSOLE.rglob("*.py"))
    named = set(re.findall(r'context\.go\("[a-z_]+", "([a-z_]+)"', sources)) | {"source_unchanged"}
    assert len(named) > 10
    assert [code for code in named if f"done.{code}" not in catalogue("ru")] == []


def test_every_setting_of_the_first_connectors_has_a_russian_name() -> None:
    names = {
        name for connector in ("generic_form", "generic_call", "imap") for name in registry.config_schema(connector)["properties"]
    }
    assert [name for name in sorted(names) if f"setting.{name}" not in catalogue("ru")] == []


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("setting", ["spam", "altcha", "consent_unknown"])
def test_every_choice_of_a_forms_settings_has_words_and_keeps_its_value(locale: str, setting: str) -> None:
    fields = fields_of(registry.get("generic_form"), Language(locale), {}, {})
    [choices] = [field.choices for field in fields if field.name == setting]
    schema = registry.config_schema("generic_form")["properties"][setting]
    assert [value for value, _ in choices] == schema["enum"]
    assert not {words for _, words in choices} & set(schema["enum"])


@pytest.mark.parametrize(
    "text, said",
    [
        ("fields: [", "Строка 2: это не YAML ("),
        ("fields:\n\tphone: x", "Строка 2: это не YAML ("),
        ("a: 1", "Строка 1: файл: 'a' здесь не бывает. Бывает: split, unwrap, fields, extra, read_names, test_if, skip_if."),
        ("fields:\n  fone: {from: ['$.a']}", "Строка 2: fields: 'fone' здесь не бывает. Бывает: name, "),
        ("fields:\n  phone: {from: ['a']}", "Строка 2: fields.phone.from.0: 'a' здесь так не записывается."),
        ("fields:\n  phone: {from: 5}", "Строка 2: fields.phone.from: '5' сюда не подходит; нужно: список"),
        ("fields:\n  phone: '$.a'", "Строка 2: fields.phone: '$.a' сюда не подходит; нужно: таблица вида «имя: значение»"),
        ("- a", "Строка 1: здесь нужны разделы, например fields:, а не ['a']."),
        ("a: 1\na: 2", "Строка 2: 'a' встречается дважды."),
        ("fields: {name: {const: ~}}", "Строка 1: '~' в YAML означает «ничего»."),
        ("x: &a 1", "Строка 1: якоря, ссылки и теги не разрешены."),
        ("a: " + "[" * 5000, "Строка"),
        ("#" * 70_000, "Разметка слишком длинная."),
    ],
)
def test_mistake_in_a_mapping_is_told_in_russian(text: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked(text)
    assert mapping_wrong(Language("ru"), caught.value.message).startswith(said)


def test_mistake_that_is_not_known_is_told_as_the_checker_tells_it() -> None:
    assert mapping_wrong(Language("ru"), "line 3: something new.") == "Строка 3: something new."


@pytest.mark.parametrize(
    "count, form",
    [(0, "many"), (1, "one"), (2, "few"), (4, "few"), (5, "many"), (11, "many"), (12, "many"), (14, "many"),
     (21, "one"), (22, "few"), (25, "many"), (101, "one"), (111, "many"), (112, "many"), (1004, "few")],
)  # fmt: skip
def test_russian_counts_choose_the_right_form(count: int, form: str) -> None:
    assert PLURALS["ru"](count) == form


def test_unknown_code_is_read_out_and_never_shown_as_a_key() -> None:
    assert Language("ru").code("reason", "something_new_and_odd") == "something new and odd"


def test_known_code_survives_a_fact_that_is_missing() -> None:
    assert "…" in Language("en").code("problem", "filter", other="x")


def test_numbers_are_grouped_as_the_language_does() -> None:
    assert Language("en").number(1234567) == "1,234,567"
    assert Language("ru").number(12345.5) == "12\u202f345,5"


@pytest.mark.parametrize(
    "wanted, accepted, expected",
    [("ru", "en-US,en", "ru"), ("", "ru-RU,ru;q=0.9,en;q=0.8", "ru"), ("", "de-DE,de", "en"), ("xx", "", "en"), (None, "de,en;q=0.5", "en")],
)  # fmt: skip
def test_language_is_the_chosen_one_then_the_browsers_then_the_hubs(wanted: str | None, accepted: str, expected: str) -> None:
    assert pick(wanted, accepted, "en") == expected
