"""Values that stand in lists of answers, under packed names, around the body: what a mapping can look up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import settings as so_often
from hypothesis import strategies as st
from preset_maker import inquiry, made, posted, settings

from connectors.kit.preset.paths import find, find_items
from crm_core.parsed import Inquiry

ANSWERS = [
    {"type": "phone_number", "phone_number": "+7 912 345-67-60", "field": {"ref": "f1"}},
    {"label": " Телефон: ", "value": "+7 912 345-67-61"},
    {"key": "first_name", "answer": "Анна"},
]


@pytest.mark.parametrize(
    "path, found",
    [
        ("@item:$.a[type=phone_number].phone_number", ["+7 912 345-67-60"]),
        ("@item:$.a[type=PHONE_NUMBER].phone_number", ["+7 912 345-67-60"]),
        ("@item:$.a[label=телефон].value", ["+7 912 345-67-61"]),
        ("@item:$.a[label=Тел*].value", ["+7 912 345-67-61"]),
        ("@item:$.a[key=name|first_name].answer", ["Анна"]),
        ("@item:$.a[field.ref=f1].type", ["phone_number"]),
        ("@item:$.a[key=none].answer", []),
        ("@item:$.none[key=a].b", []),
    ],
)
def test_item_is_found_when_a_member_chooses_it(path: str, found: list[Any]) -> None:
    assert [value for _, value in find_items({"a": ANSWERS}, path)] == found


def test_item_is_gone_from_the_fields_when_it_filled_a_slot(tmp_path: Path) -> None:
    connector = made(tmp_path, 'fields: {name: {from: ["@item:$.answers[key=first_name|name].answer"]}}\n')
    read = inquiry(
        connector,
        {"answers": [{"key": "name", "question": "Имя?", "answer": "Анна"}, {"key": "q", "answer": "3"}]},
    )
    assert (read.name, read.fields) == ("Анна", {"answers": [{"key": "q", "answer": "3"}]})


TYPEFORM = {
    "form_response": {
        "definition": {"fields": [{"id": "1", "title": "Какой этаж?"}, {"id": "2", "title": "Как с вами связаться?"}]},
        "answers": [
            {"type": "number", "number": 3, "field": {"id": "1"}},
            {"type": "phone_number", "phone_number": "+7 912 345-67-62", "field": {"id": "2"}},
            {"type": "choices", "choices": {"labels": ["a", "b"], "ids": ["x", "y"]}, "field": {"id": "9", "ref": "Что"}},
        ],
    }
}  # fmt: skip


def test_answers_become_fields_with_their_questions_when_opened(tmp_path: Path) -> None:
    connector = made(
        tmp_path,
        'unwrap: [{answers: $.form_response.answers, name: field.ref, type: type, value: "@type", pick: [label, labels],'
        " labels: {in: $.form_response.definition.fields, id: id, of: field.id, label: title}}]\n"
        "extra: {drop: [form_response]}\n",
    )
    read = inquiry(connector, TYPEFORM)
    assert read.phones == ("+7 912 345-67-62",), "by its type, though the question names no phone"
    assert read.fields == {"Какой этаж?": 3, "Что": ["a", "b"]}


def test_option_ids_become_texts_when_the_list_has_options(tmp_path: Path) -> None:
    connector = made(
        tmp_path,
        "unwrap: [{answers: $.data.fields, name: key, label: label, type: type, options: options}]\n",
    )
    options = [{"id": "o1", "text": "Кухня"}, {"id": "o2", "text": "Ванная"}]
    fields = [
        {
            "key": "question_1",
            "label": "Комнаты",
            "type": "CHECKBOXES",
            "value": ["o2", "o1"],
            "options": options,
        },
        {"key": "question_2", "label": "Full Name", "type": "INPUT_TEXT", "value": "Anna"},
        {"key": "question_3", "label": "Mobile?", "type": "INPUT_PHONE_NUMBER", "value": "+7 912 345-67-63"},
        {"key": "q4", "label": "utm_source", "type": "HIDDEN_FIELDS", "value": "ya"},
        {"key": "q5", "label": "Комнаты", "type": "INPUT_TEXT", "value": "ещё"},
        {"key": "q6", "label": "Пусто", "type": "INPUT_TEXT", "value": None},
    ]
    read = inquiry(connector, {"data": {"fields": fields}})
    assert (read.name, read.phones, read.attribution.utm) == (
        "Anna",
        ("+7 912 345-67-63",),
        {"utm_source": "ya"},
    )
    assert read.fields == {"Комнаты": ["Ванная", "Кухня", "ещё"], "Пусто": ""}


def test_question_and_answer_lists_are_read_when_keys_are_short(tmp_path: Path) -> None:
    connector = made(tmp_path, "unwrap: [{answers: $.answers, label: q, value: a}]\n")
    read = inquiry(
        connector,
        {
            "answers": [{"q": "Какой этаж?", "a": "3"}, {"q": "Что?", "a": ["x", "y"]}, "odd"],
            "contacts": {"phone": "+79123456764"},
        },
    )
    assert read.fields == {"Какой этаж?": "3", "Что?": ["x", "y"], "answers": ["odd"]}
    assert read.phones == ("+79123456764",)


def test_nothing_is_lost_when_an_answer_has_the_name_of_a_field(tmp_path: Path) -> None:
    connector = made(tmp_path, "unwrap: [{answers: $.list, label: q, value: a}, {flatten: $.more}]\n")
    read = inquiry(
        connector,
        {"color": "red", "list": [{"q": "color", "a": "blue"}], "more": {"color": "green", "size": 1}},
    )
    assert read.fields == {"color": "red", "list_color": "blue", "more_color": "green", "size": 1}


def test_numbered_names_are_read_when_their_numbers_are_stripped(tmp_path: Path) -> None:
    connector = made(
        tmp_path,
        'unwrap: [{json_string: $.rawRequest}, {rename: $.rawRequest, strip: "q#_"}, {flatten: $.rawRequest}, {html_entities: $}]\n',
    )
    raw = '{"q6_fullName6":{"first":"Ana ","last":"Souza "},"q8_phone":{"area":"495","phone":"1112233"},"q10_note":"say &quot;hi&quot;","slug":"s"}'
    read = inquiry(connector, {"formID": "7", "rawRequest": raw})
    assert (read.name, read.phones, read.message, read.form_id) == (
        "Ana Souza",
        ("(495) 1112233",),
        'say "hi"',
        "7",
    )
    assert read.fields == {"slug": "s"}


def test_around_the_body_is_read_when_named(tmp_path: Path) -> None:
    connector = made(
        tmp_path,
        'fields:\n  form_id: {from: ["@path:1"]}\n  form_name: {from: ["@query:form"]}\n  thread: {from: ["@header:x-thread"]}\n'
        '  utm: {from: ["@url:@header:referer"]}\n  phone: {from: ["@text:$.message"]}\n  email: {from: ["@text:$.message"]}\n',
    )
    read = inquiry(
        connector, {"message": "Звоните 8 912 345-67-65 или anna@example.com"}, path="forms/f-1", query="form=Main", x_thread="t1",
        referer="https://shop.example.com/?utm_source=vk",
    )  # fmt: skip
    assert (read.form_id, read.form_name, read.thread) == ("f-1", "Main", "t1")
    assert (read.phones, read.emails, read.message[:6]) == (
        ("8 912 345-67-65",),
        ("anna@example.com",),
        "Звонит",
    )
    assert read.attribution.utm == {"utm_source": "vk"}


def test_value_is_changed_when_the_rule_says_how(tmp_path: Path) -> None:
    connector = made(
        tmp_path,
        'fields:\n  line: {from: [$.kind], map: {"1": kitchens, "да": doors, "*": other}, default: none}\n'
        '  form_id: {from: [$.url], regex: "form=([0-9]+)"}\n  utm: {from: ["$.session.*"], prefix: utm_}\n'
        '  title: {from: [$.urgent], map: {"true": Urgent, "false": Calm}}\n',
    )
    read = inquiry(
        connector,
        {"kind": 1, "url": "/a?form=12&x", "session": {"source": "vk", "campaign": "c"}, "urgent": True},
    )
    assert (read.line, read.form_id, read.title) == ("kitchens", "12", "Urgent")
    assert read.attribution.utm == {"utm_source": "vk", "utm_campaign": "c"}
    assert [inquiry(connector, {"kind": k, "a": 1}).line for k in ("ДА", "9", "")] == [
        "doors",
        "other",
        "none",
    ]
    assert inquiry(connector, {"url": "nothing"}).form_id == ""


def test_person_and_first_visit_are_told_when_slots_name_them(tmp_path: Path) -> None:
    connector = made(
        tmp_path,
        "fields:\n  messenger.telegram_id: {from: [$.from.id]}\n  consent.marketing: {from: [$.news]}\n  first: {from: [$.first.*]}\n"
        "  first.page_url: {from: [$.landing]}\n  files: {from: [$.docs]}\n  page_title: {from: [$.pt]}\n",
    )
    read = inquiry(
        connector,
        {"from": {"id": 5}, "news": False, "first": {"utm_source": "ya", "gclid": "g", "x": 1}, "landing": "https://a.example.com/", "pt": "Home",
         "docs": [{"filename": "../a.txt", "content": "aGk="}, {"filename": "b", "content": "%%%"}]},
    )  # fmt: skip
    assert read.messengers == {"telegram_id": "5"}
    assert [(c.purpose, c.given) for c in read.consents] == [("marketing", False)]
    assert read.attribution.page_title == "Home"
    assert read.attribution.first == {
        "utm": {"utm_source": "ya"},
        "click_ids": {"gclid": "g"},
        "page_url": "https://a.example.com/",
    }
    assert next((f.name, f.data) for f in read.files) == ("a.txt", b"hi")


def test_file_is_an_address_when_the_field_holds_one(tmp_path: Path) -> None:
    connector = made(tmp_path, "fields: {files: {from: [$.f]}}\n")
    assert [f.url for f in inquiry(connector, {"f": "https://a.example.com/a.pdf", "name": "A"}).files] == [
        "https://a.example.com/a.pdf"
    ]
    assert len(inquiry(connector, {"f": ["https://a.example.com/a.pdf", "https://a.example.com/b.pdf"]}).files) == 2
    assert inquiry(connector, {"f": "just words", "name": "A"}).files == ()


def test_each_item_is_an_inquiry_when_split(tmp_path: Path) -> None:
    connector = made(tmp_path, "split: $.entry.changes\nfields: {form_id: {from: [$.value.form_id]}}\n")
    body = {
        "object": "page",
        "entry": [
            {"id": 1, "changes": [{"value": {"form_id": 7}}, {"value": {"form_id": 8}}]},
            {"id": 2, "changes": [{"value": {"form_id": 9}}]},
        ],
    }
    parsed_items = connector.parse(posted(body), settings(connector))
    assert [(a.form_id, a.fields["id"], a.fields["object"]) for a in parsed_items if isinstance(a, Inquiry)] == [
        ("7", 1, "page"), ("8", 1, "page"), ("9", 2, "page"),
    ]  # fmt: skip
    assert len(connector.parse(posted({"name": "A"}), settings(connector))) == 1


def test_own_mapping_goes_before_the_preset_when_a_source_has_one(tmp_path: Path) -> None:
    connector = made(
        tmp_path,
        "settings: {key: {description: K, secret: true}}\nshared_secret: {path: $.key, setting: key}\nfields: {name: {from: [$.a]}, line: {const: x}}\n",
    )
    assert connector.map is not None
    mapping = {"fields": {"name": {"from": ["$.b"]}}, "extra": {"drop": ["c"]}}
    (read,) = connector.map(posted({"a": "1", "b": "Anna", "c": 3, "key": "s3cret"}), settings(connector), mapping)
    assert isinstance(read, Inquiry)
    assert (read.name, read.line, read.fields) == ("Anna", "", {"a": "1"}), "and the secret is not brought back"


KEYS = st.sampled_from(["a", "b", "c", "a.b", "b.c", "a.b.c", "0", ""])
TREES = st.recursive(
    st.sampled_from(["x", 1, None]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=4),
    max_leaves=15,
)


@so_often(max_examples=300, deadline=None)
@given_any(
    st.dictionaries(KEYS, TREES, max_size=4),
    st.lists(st.sampled_from(["a", "b", "c", "", "b*"]), min_size=1, max_size=8).map(".".join),
)
def test_path_finds_the_same_when_it_cannot_be_walked_straight(tree: dict[str, Any], path: str) -> None:
    straight = find(tree, "$." + path)
    in_list = [(place[1:], value) for place, value in find([tree], "$." + path)]  # lists are searched step by step
    assert straight == in_list


def test_each_mapping_is_followed_when_many_came_before_it(tmp_path: Path) -> None:
    connector = made(tmp_path, "fields: {form_id: {from: [$.id]}}\n")
    config, request = settings(connector), posted({"id": "7", **{f"k{number}": f"value {number}" for number in range(5)}})
    assert connector.map is not None
    for number in range(1_200):  # more than are remembered, and each of them soon forgotten
        (read,) = connector.map(request, config, {"fields": {"company": {"from": [f"$.k{number % 5}"]}}})
        assert isinstance(read, Inquiry)
        assert (read.company, read.form_id) == (f"value {number % 5}", "")
