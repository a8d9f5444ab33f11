"""Hostile mappings are refused with their line; hostile bodies hurt no mapping."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from preset_maker import made, posted
from preset_maker import settings as config_of

from connectors.kit.preset.file import check_rules
from connectors.kit.preset.mapping import parsed_items_of
from connectors.kit.preset.pattern import Unsafe, check, cut
from crm_core.base.errors import Malformed, Misconfigured
from crm_core.parsed import Ignored, Inquiry


@pytest.mark.parametrize(
    "text, line, said",
    [
        ("fields:\n  phon: {from: [$.a]}\n", 2, "'phon' is not known here"),
        ("title: x\n", 1, "'title' is not known here"),
        ("event_id: [$.a]\n", 1, "'event_id' is not known here"),
        ("fields:\n  name:\n    from: [$.a]\n    regex: '(?<=a)b'\n", 4, "looks ahead or behind with (?<="),
        ("fields:\n  name: {from: [$.a], regex: '(a)\\1'}\n", 2, "refers back to a group with \\1"),
        ("unwrap:\n  - {json_string: $.a}\n  - {answers: $.b, labels: {in: $.c}}\n", 3, "'id' is a required property"),
        ("unwrap:\n  - {answer: $.b}\n", 2, "none of the forms"),
        ("unwrap:\n  - {kv: $.a, sep: ';', keep: [x]}\n", 2, "'keep' is not known here"),
        ("a: &a [x]\nb: [*a, *a]\n", 1, "anchors, aliases and tags"),
        ("fields: !!python/object/apply:os.system ['true']\n", 1, "anchors, aliases and tags"),
        ("fields:\n  name: {from: ['@eval:1']}\n", 2, "none of the forms"),
        ("fields:\n  name: {from: ['@item:$.a[b]']}\n", 2, "none of the forms"),
        ("fields:\n  name: {from: ['@name:*a*a*a*a*']}\n", 2, "none of the forms"),
        ("fields:\n  name: {from: [$.a\n", 3, "is not YAML"),
        ("fields: {name: {from: [$.a]}}\nfields: {}\n", 2, "stands twice"),
        ("? [a, b]\n: c\n", 1, ""),
        ("? {a: b}\n: c\n", 1, ""),
        ("fields: 2026-99-99\n", 1, "'2026-99-99' is not of type 'object'"),
        ("[" * 4000, 0, ""),
        ("fields: {}\n# " + "x" * 70_000, 0, "more than"),
        ("- a\n", 1, "sections such as fields"),
        ("fields:\n  1: {from: [$.a]}\n", 2, "'1' is not known here"),
        ("fields:\n  name: {from: [$.a]}\n  null: {from: [$.a]}\n", 3, "'null' is not known here"),
        ("fields:\n  line:\n    from: [$.a]\n    map:\n      yes: a\n      'yes': b\n", 6, "'yes' stands twice"),
        ("fields:\n  <<: {name: {from: [$.a]}}\n", 2, "'<<' is not known here"),
        ("fields:\n  thread: {const: x}\n", 2, "one person of all"),
        ("fields:\n  phone:\n    from: [$.a]\n    default: '+79001234567'\n", 3, "one person of all"),
        ("fields:\n  email: {from: [$.a], map: {'*': a@example.com}}\n", 2, "one person of all"),
        ("fields:\n  messenger.telegram: {const: '@anna'}\n", 2, "one person of all"),
    ],
)  # fmt: skip
def test_mistake_is_told_with_its_line_when_a_mapping_is_wrong(text: str, line: int, said: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        check_rules(text)
    assert caught.value.code == "wrong_mapping"
    assert not line or (caught.value.data["line"], f"line {line}:" in caught.value.message) == (line, True)
    assert said in caught.value.message


def test_mistake_is_told_in_few_words_when_what_is_wrong_is_long() -> None:
    with pytest.raises(Misconfigured) as caught:
        check_rules("unwrap: [" + ", ".join(["{flatten: $.a}"] * 3000) + "]\n")
    assert len(caught.value.message) < 700


def test_mapping_is_read_when_it_is_json_or_empty() -> None:
    assert check_rules('{"fields": {"name": {"from": ["$.a"]}}}') == {"fields": {"name": {"from": ["$.a"]}}}
    assert check_rules("") == {}
    assert check_rules("# nothing yet\n") == {}


@pytest.mark.parametrize(
    "pattern, text, found",
    [
        ("form=([0-9]+)", "a?form=12&b", "12"),
        (r"^order (\d{4,8})", "ORDER 123456 of", "123456"),
        ("(?:utm|ref)=([a-z_]+)", "x&ref=vk_ads", "vk_ads"),
        ("[^@ ]+@[^@ ]+", "to a@example.com", "a@example.com"),
        ("a|b(c)?", "xxa", ""),
        ("none", "text", ""),
    ],
)
def test_pattern_cuts_its_first_group_when_it_fits(pattern: str, text: str, found: str) -> None:
    check(pattern)
    assert cut(pattern, text) == found


@pytest.mark.parametrize(
    "pattern, said",
    [
        (r"(?=a)", "( ) around what is wanted"),
        (r"(?<!a)b", "( ) around what is wanted"),
        (r"(a)\1", "write out what may stand there"),
        (r"(?P<n>a)(?P=n)", "write out what may stand there"),
        (r"\bзаказ", r"(?:^|[^\w]) before a word"),
        (r"a\C", "write the signs that are meant"),
        ("a{1001}", "invalid repetition size"),
        (r"\w{999}", "smaller counts"),
        ("a**", "bad repetition"),
        ("(a", "missing )"),
        ("a)", "unexpected )"),
        ("[a", "missing ]"),
        ("*a", "no argument"),
        (r"\Z", "invalid escape"),
        ("a" * 201, "longer than 200"),
        ("\\", "trailing"),
    ],
)
def test_pattern_is_refused_in_words_when_it_cannot_be_followed(pattern: str, said: str) -> None:
    with pytest.raises(Unsafe) as caught:
        check(pattern)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "pattern",
    ["(a+)+$", "(a|aa)+$", "(.*)(.*)(.*)x", "(?:a?){30}", "a?" * 60, "x*y*z*x", "^.*.*.*.*$", r"(\w+\s?)+x", r"[\W_]+b", r"\\bx"],
)
def test_pattern_that_could_be_slow_elsewhere_is_allowed(pattern: str) -> None:
    check(pattern)
    cut(pattern, "a" * 1_000_000)  # with Python's module some of these do not end


def test_pattern_published_before_means_what_it_meant() -> None:
    """Mappings in the database were checked by other rules than those of today."""
    assert cut(r"\bзаказ (\d+)", "мой заказ 12, подзаказ 13") == "12"
    assert cut(r"\w{1,999}@", "иван@example.com") == "иван@"


_PIECES = st.sampled_from(
    [
        "a",
        "Ж",
        "9",
        "-",
        " ",
        ".",
        "[a-я]",
        "[^a]",
        "[]a]",
        r"\w",
        r"\W",
        r"\d",
        r"\D",
        r"\s",
        r"\S",
        r"[\w-]",
        r"[^\W\d]",
        r"[\S]",
        r"[\D]",
        r"\-",
        r"\ ",
    ]
)
_COUNTED = st.tuples(_PIECES, st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "*?", "+?"])).map("".join)
_ROWS = st.lists(_COUNTED, min_size=1, max_size=4).map("".join)
_GROUPS = st.tuples(_ROWS, st.sampled_from(["({})", "(?:{})", "({}|b)", "{}|(ж)"])).map(lambda one: one[1].format(one[0]))
_PATTERNS = st.tuples(
    st.sampled_from(["", "^"]), st.lists(_ROWS | _GROUPS, min_size=1, max_size=3).map("".join), st.sampled_from(["", "$"])
).map("".join)


@given(_PATTERNS, st.text("abжЖя19- _.ü", max_size=40))
@settings(max_examples=600, deadline=None)
def test_pattern_means_the_same_as_to_python(pattern: str, text: str) -> None:
    """What mappings could say before RE2 read them: in any script, and without a difference of letter case."""
    check(pattern)
    match = re.search(pattern, text, re.IGNORECASE)
    assert cut(pattern, text) == (
        "" if match is None else (next((g for g in match.groups() if g is not None), "") if match.re.groups else match[0])
    )


RULES: dict[str, Any] = check_rules(
    """
split: $.entry.changes
unwrap:
  - json_string: $.*
  - {kv: $.a, sep: "|||"}
  - {cookies: $.b, keep: [_ga]}
  - {rename: $, strip: "q#_", prefix: x}
  - {rename: $.xa, keys: {a: b}}
  - {flatten: $.*}
  - {answers: $.xlist, name: n, label: l, type: t, value: ["@type", value, values.0], pick: [label, labels], options: o, types: {X: phone, Y: message},
     labels: {in: $.*, id: id, of: f.id, label: title, type: type}}
  - {html_entities: $}
fields:
  name: {from: ["@item:$.*", "$.*"], default: nobody}
  phone: {from: ["@role:phone", "@type:X|tel", "@name:*phone*|тел*", "@text:$.message", "$.*"]}
  email: {from: ["@text:$.email", "@item:$.xlist[l=*mail*].value"]}
  message: {join: ["$.m*", "@query:m", "@header:x-m", "@path:0"], sep: " "}
  submitted_at: {from: ["$.*"]}
  form_id: {from: ["$.*"], regex: "([0-9]+)", map: {"1": one, "*": more}}
  utm: {from: ["$.*", "@url:$.url"], prefix: utm_}
  first: {from: ["$.*"]}
  messenger.telegram: {from: ["$.t*"]}
  consent.marketing: {from: ["$.c*"]}
  files: {from: ["$.f*"]}
extra: {drop: ["z*", $.a.b]}
test_if: [{path: $.test, eq: "true"}]
skip_if: [{path: $.skip, like: "y*"}]
""".replace('"@item:$.*", ', "")
)

_TEXTS = st.sampled_from(["", "a", "l", "n", "t", "o", "f", "id", "value", "+79123456760", "a=1|||b=2", '{"a":[1]}', "&quot;&#0;", "2026-01-01", "x@example.com",
                          "https://a.example.com/?utm_source=x", "q1_a", "message", "phone", "list", "xlist", "X", "\U0001f600", "entry", "changes", "9" * 400])  # fmt: skip
_TREES = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(_TREES)
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_only_known_errors_come_when_rules_meet_any_body(tree: Any) -> None:
    request = posted(tree, path="a/b", query="m=1&list=2", referer="https://a.example.com/?utm_source=x")
    try:
        parsed_items = parsed_items_of(RULES, request, CONFIG)
    except Malformed:
        return
    assert all(isinstance(parsed_item, Inquiry | Ignored) for parsed_item in parsed_items)
    for parsed_item in parsed_items:
        if isinstance(parsed_item, Inquiry):
            text = json.dumps(parsed_item.fields, ensure_ascii=False, default=str)
            assert "\x00" not in text
            text.encode()


def _config() -> Any:
    from connectors.kit.forms.config import FormConfig

    return FormConfig(region="RU", timezone="Europe/Moscow")


CONFIG = _config()


def test_value_is_never_lost_when_no_rule_takes_it(tmp_path: Path) -> None:
    """Whatever the order of names, each value that nobody took stands among the fields under some name."""
    connector = made(
        tmp_path,
        'unwrap: [{flatten: $.a}, {rename: $, strip: "q#_"}, {answers: $.list, label: l, value: v}]\n',
    )
    dice = random.Random(3)
    names = ["q1_x", "q2_x", "x", "a_x", "list_x", "list"]
    for _ in range(50):
        marks = [f"mark{n}" for n in range(8)]
        tree: dict[str, Any] = {name: marks[n] for n, name in enumerate(dice.sample(names[:5], 4))}
        tree["a"] = {"x": marks[4], "q3_x": marks[5]}
        tree["list"] = [{"l": "x", "v": marks[6]}, {"l": "x", "v": marks[7]}]
        (read,) = connector.parse(posted(tree), config_of(connector))
        assert isinstance(read, Inquiry)
        kept = json.dumps(read.fields)
        assert all(f'"{mark}"' in kept for mark in marks)
