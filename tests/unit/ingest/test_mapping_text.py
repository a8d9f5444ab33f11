"""Clicks become readable YAML: deterministic, moving a field moves it, what was there stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from connectors.kit.preset.file import check_rules
from crm_core.base.errors import Invalid
from ingest.mapping.text import IGNORE, ROLES, assign, write


def test_first_click_writes_one_line() -> None:
    assert assign("", "$.q7", "phone").text == 'fields:\n  phone: {from: ["$.q7"]}\n'


def test_another_click_goes_first_and_keeps_the_others() -> None:
    text = assign('fields:\n  phone: {from: ["$.tel"]}\nread_names: false\n', "$.q7", "phone").text
    assert text == 'fields:\n  phone: {from: ["$.q7", "$.tel"]}\nread_names: false\n'


def test_field_has_one_role_at_a_time() -> None:
    text = assign(assign("", "$.q7", "phone").text, "$.q7", "name").text
    assert text == 'fields:\n  name: {from: ["$.q7"]}\n'
    assert assign(text, "$.q7", "").text == ""


def test_message_is_made_of_all_that_were_said_to_be_it() -> None:
    text = assign(assign(assign("", "$.a", "message").text, "$.b", "message").text, "$.c", "message").text
    assert text == 'fields:\n  message: {join: ["$.a", "$.b", "$.c"]}\n'


def test_ignored_field_is_dropped_until_it_is_given_a_role() -> None:
    text = assign(assign("", "$.session", IGNORE).text, "$.a.token", IGNORE).text
    assert text == 'extra: {drop: [session, "$.a.token"]}\n'
    assert (
        assign(assign(text, "$.session", "company").text, "$.a.token", "").text == 'fields:\n  company: {from: ["$.session"]}\n'
    )


def test_connectors_own_section_is_the_beginning() -> None:
    base = {"fields": {"name": {"from": ["$.Name"]}, "phone": {"from": ["$.Phone"]}}, "extra": {"drop": ["secret"]}}
    text = assign("", "$.q7", "phone", base).text
    assert text == 'fields:\n  name: {from: ["$.Name"]}\n  phone: {from: ["$.q7", "$.Phone"]}\n'
    assert assign("", "$.noise", IGNORE, base).text == "extra: {drop: [secret, noise]}\n"
    assert assign("", "$.Name", "", {"fields": {"name": {"from": ["$.Name"]}}}).text == "fields: {}\n"


def test_section_that_was_not_clicked_stays_as_it_is() -> None:
    text = 'unwrap:\n  - {json_string: "$.cart"}\nskip_if:\n  - {path: "$.kind", in: [ping], code: ping}\n'
    assert assign(text, "$.q7", "phone").text == text + 'fields:\n  phone: {from: ["$.q7"]}\n'


def test_comments_that_are_lost_are_told() -> None:
    assert assign("read_names: true # as it was\n", "$.q7", "phone").lost_comments
    assert not assign("read_names: true\n", "$.q7", "phone").lost_comments


@pytest.mark.parametrize("source, role", [("$.q7", "boss"), ("@name:Tel", IGNORE), ("nowhere", "phone"), ("$.****", "phone")])
def test_what_cannot_be_said_is_refused(source: str, role: str) -> None:
    with pytest.raises(Invalid):
        assign("", source, role)


def test_wrong_text_is_refused_with_its_line() -> None:
    with pytest.raises(Invalid) as caught:
        assign('fields:\n  phone: {frum: ["$.a"]}\n', "$.q7", "phone")
    assert caught.value.data["line"] == 2
    assert "line 2" in caught.value.message


NAMES = some.text(some.characters(exclude_categories=("Cs", "Cc"), exclude_characters="*"), min_size=1, max_size=40)


@given(NAMES, some.sampled_from(ROLES))
def test_whatever_a_field_is_called_the_text_says_it_back(name: str, role: str) -> None:
    text = assign("", f"$.{name}", role).text
    assert check_rules(text) == {"fields": {role: {"from": [f"$.{name}"]}}}
    assert write(check_rules(text)) == text


@given(some.recursive(some.none() | some.booleans() | some.integers() | NAMES, lambda below: some.lists(below, max_size=3)))
def test_plain_words_stay_what_they_are(value: object) -> None:
    import yaml

    assert yaml.safe_load(write({"const": value})) == {"const": value}
