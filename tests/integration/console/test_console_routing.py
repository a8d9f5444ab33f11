"""The editor of the routing rules: drafts, one rule in a form, what is wrong beside its field, trying, putting into force and back."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from crm_core.access.models import ROLES

if TYPE_CHECKING:
    from conftest import Hub, Visitor
    from werkzeug.test import TestResponse

OTHER = "/console/routing"


def _draft(hub: Hub, visitor: Visitor) -> str:
    visitor.get("/console/routing")
    answer = visitor.post("/console/routing", version="0")
    assert answer.status_code == 303
    return answer.headers["Location"].partition("?")[0]


def _seen(page: TestResponse) -> str:
    return re.findall(r'name="seen" value="(\w+)"', page.text)[0]


def _body(hub: Hub, version: str) -> dict[str, Any]:
    [(body,)] = hub.rows("SELECT body FROM routing_version WHERE version = :v", v=int(version.rpartition("/")[2]))
    return body  # type: ignore[return-value]


def _rule(hub: Hub, **more: str) -> dict[str, str]:
    return {
        "act": "save", "id": "", "name": "Doors", "w.mode": "all", "w.0.fact": "title", "w.0.op": "contains", "w.0.value": "door",
        "t.0.to": f"owner:{hub.owner_id}",
    } | more  # fmt: skip


def _add(hub: Hub, visitor: Visitor, draft: str, **more: str) -> TestResponse:
    return visitor.post(f"{draft}/rule", seen=_seen(visitor.get(draft)), **_rule(hub, **more))


def test_rule_is_made_of_fields_and_shown_as_a_sentence(hub: Hub) -> None:
    head = hub.signed_in("head")
    draft = _draft(hub, head)
    assert "Choose a field" in head.get(f"{draft}/rule").text
    answer = _add(
        hub, head, draft, **{"w.1.mode": "not_any", "w.1.0.fact": "phone", "w.1.0.op": "prefix", "w.1.0.value": "+7 (343)",
        "w.1.1.fact": "value", "w.1.1.op": "between", "w.1.1.value": "1 000\n2500,5", "w.2.fact": "source", "w.2.op": "not_eq",
        "w.2.value": str(hub.source_id), "t.1.to": f"pool:{hub.rows('SELECT id FROM pool')[0][0]}", "t.1.skills": "doors, Locks"},
    )  # fmt: skip
    assert answer.status_code == 303, answer.text
    assert _body(hub, draft)["rules"] == [
        {
            "id": "rule-1", "name": "Doors", "priority": 10,
            "when": {"all": [
                {"fact": "title", "op": "contains", "value": "door"},
                {"not": {"any": [{"fact": "phone", "op": "prefix", "value": "+7343"}, {"fact": "value", "op": "between", "value": [1000, 2500.5]}]}},
                {"not": {"fact": "source", "op": "eq", "value": str(hub.source_id)}},
            ]},
            "then": [{"owner": str(hub.owner_id)}, {"pool": str(hub.rows("SELECT id FROM pool")[0][0]), "skills": ["doors", "Locks"]}],
        }
    ]  # fmt: skip
    page = html.unescape(head.get(draft).text)
    assert (
        "If title contains “door” and not (client’s phone begins with +7343 or value between 1000 – 2500.5)"
        " and source is not Main site →" in page
    )
    assert "Ivan Petrov, then pool" in page
    form = head.get(f"{draft}/rule?id=rule-1").text
    assert 'name="w.1.1.value" aria-label="to" value="2500.5"' in form


@pytest.mark.parametrize(
    "fields, field, words",
    [
        ({"w.0.fact": "", "w.0.op": ""}, "w.0.fact", "Choose a field."),
        ({"w.0.fact": "source"}, "w.0.op", "not compared so"),
        ({"w.0.value": " "}, "w.0.value", "1 to 500 characters"),
        ({"w.0.value": "x" * 501}, "w.0.value", "1 to 500 characters"),
        ({"w.0.fact": "value", "w.0.op": "gte", "w.0.value": "many"}, "w.0.value", "Write a number"),
        ({"w.0.fact": "phone", "w.0.op": "between", "w.0.value": "+79\n+8"}, "w.0.value", "two numbers of one length"),
        ({"w.0.fact": "received", "w.0.op": "time_in", "w.0.value": "25:00\n26:00"}, "w.0.value", "two times"),
        ({"w.0.fact": "received", "w.0.op": "not_weekday", "w.0.value": ""}, "w.0.value", "at least one day"),
        ({"w.0.fact": "phone", "w.0.op": "phone_region", "w.0.value": "Nowhere"}, "w.0.fact", "no such range"),
        ({"w.1.mode": "any", "w.1.0.fact": "title", "w.1.0.op": "eq", "w.1.0.value": "a", "w.1.1.fact": "value", "w.1.1.op": "not_lte",
          "w.1.1.value": "x"}, "w.1.1.value", "Write a number"),
        ({"t.0.to": ""}, "t.0.to", "Choose a pool or a person."),
        ({"t.0.to": "pool:999"}, "t.0.to", "no such pool"),
        ({"t.0.to": "owner:²"}, "t.0.to", ""),
        ({"name": ""}, "name", "A name is needed."),
        ({"t.0.skills": "x" * 201}, "t.0.skills", "1 to 200"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(
    hub: Hub, fields: dict[str, str], field: str, words: str
) -> None:
    admin = hub.signed_in("admin")
    draft = _draft(hub, admin)
    answer = _add(hub, admin, draft, **{"t.0.regions": "kept"} | fields)
    assert answer.status_code == 422
    if words:
        beside = re.findall(rf'id="wrong-{re.escape(field)}">([^<]+)<', answer.text)
        assert len(beside) == 1, re.findall(r'id="wrong-([^"]+)"', answer.text)
        assert words in html.unescape(beside[0])
    assert 'value="kept"' in answer.text
    assert _body(hub, draft)["rules"] == []


def test_buttons_of_the_form_work_without_script_and_save_nothing(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    draft = _draft(hub, admin)
    seen = _seen(admin.get(draft))
    for act, expected in (
        ("add:w", 'name="w.1.fact"'), ("group:w", 'name="w.1.0.fact"'), ("target", 'name="t.1.to"'), ("refresh", 'name="w.0.op"'),
        ("drop:w.0", "No conditions: always."), ("drop:w.99.²", 'value="door"'), ("add:w.0", 'value="door"'), ("untarget:7", 'name="t.0.to"'),
    ):  # fmt: skip
        page = admin.post(f"{draft}/rule", seen=seen, **_rule(hub, act=act))
        assert page.status_code == 200
        assert expected in page.text, act
    other = admin.post(f"{draft}/rule", seen=seen, **_rule(hub, **{"act": "refresh", "w.0.fact": "received"}))
    assert other.text.count('type="checkbox" name="w.0.value"') == 7
    assert _body(hub, draft)["rules"] == []


def test_rules_are_moved_and_removed(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    draft = _draft(hub, admin)
    for name in ("One", "Two", "Three"):
        assert _add(hub, admin, draft, name=name).status_code == 303

    def press(rule: str, act: str) -> list[tuple[str, int]]:
        answer = admin.post(f"{draft}/move", seen=_seen(admin.get(draft)), rule=rule, act=act)
        assert answer.status_code == 303
        return [(one["name"], one["priority"]) for one in _body(hub, draft)["rules"]]

    assert press("rule-3", "up") == [("One", 10), ("Three", 20), ("Two", 30)]
    assert press("rule-1", "down") == [("Three", 10), ("One", 20), ("Two", 30)]
    assert press("rule-3", "up") == [("Three", 10), ("One", 20), ("Two", 30)]
    assert press("rule-1", "remove") == [("Three", 10), ("Two", 30)]
    assert admin.post(f"{draft}/move", seen=_seen(admin.get(draft)), rule="rule-9", act="up").status_code == 422
    assert admin.post(f"{draft}/move", seen=_seen(admin.get(draft)), rule="rule-2", act="sideways").status_code == 422


def test_second_editor_is_told_and_loses_nothing(hub: Hub) -> None:
    head, admin = hub.signed_in("head"), hub.signed_in("admin")
    draft = _draft(hub, head)
    assert _add(hub, head, draft).status_code == 303
    seen = _seen(admin.get(f"{draft}/rule?id=rule-1"))
    assert _add(hub, head, draft, id="rule-1", name="By the head").status_code == 303
    # Pressing another button of the form first does not make them see what they did not.
    grown = admin.post(f"{draft}/rule", seen=seen, **_rule(hub, id="rule-1", act="add:w"))
    assert _seen(grown) == seen
    late = admin.post(f"{draft}/rule", seen=seen, **_rule(hub, id="rule-1", name="By the admin"))
    assert late.status_code == 409
    told = html.unescape(late.text)
    assert "Head changed this draft meanwhile" in told
    assert "By the head: title contains “door”" in told
    assert 'value="By the admin"' in told
    assert _body(hub, draft)["rules"][0]["name"] == "By the head"
    again = admin.post(f"{draft}/rule", seen=_seen(late), **_rule(hub, id="rule-1", name="By the admin"))
    assert again.status_code == 303
    assert [rule["name"] for rule in _body(hub, draft)["rules"]] == ["By the admin"]
    for path, fields in (
        ("settings", {"wait": "5", "bound": "5"}), ("json", {"text": "{}"}), ("move", {"rule": "rule-1", "act": "remove"}),
        ("remove", {}), ("activate", {"instead_of": "0"}),
    ):  # fmt: skip
        assert head.post(f"{draft}/{path}", seen=seen, **fields).status_code == 409, path
    assert [rule["name"] for rule in _body(hub, draft)["rules"]] == ["By the admin"]
    assert hub.rows("SELECT state FROM routing_version") == [("draft",)]


def test_trying_shows_who_moves_and_writes_nothing(hub: Hub) -> None:
    for n in range(3):
        body = {"name": f"Anna Sidorova{n}", "email": f"a{n}@example.com", "title": "doors", "message": "doors"}
        hub.send(json.dumps(body).encode())
    admin = hub.signed_in("admin")
    [(duty,)] = hub.rows("SELECT id FROM owner WHERE duty")
    draft = _draft(hub, admin)
    assert (
        _add(
            hub,
            admin,
            draft,
            name="To duty",
            **{"w.0.fact": "channel", "w.0.op": "eq", "w.0.value": "form", "t.0.to": f"owner:{duty}"},
        ).status_code
        == 303
    )
    assert (
        _add(hub, admin, draft, name="Behind it", **{"w.0.fact": "channel", "w.0.op": "eq", "w.0.value": "form"}).status_code
        == 303
    )
    assert (
        _add(hub, admin, draft, name="Never", **{"w.0.fact": "channel", "w.0.op": "eq", "w.0.value": "call"}).status_code == 303
    )
    before = hub.rows(
        "SELECT (SELECT count(*) FROM audit_entry), (SELECT max(id) FROM assignment), (SELECT sum(assigned) FROM pool_member)"
    )
    admin.get(draft)
    page = admin.post(f"{draft}/simulate", days="7")
    assert page.status_code == 200
    text = html.unescape(page.text)
    for [lead] in hub.rows("SELECT id FROM lead WHERE owner_id <> :duty", duty=duty):
        assert f'href="/console/leads/{lead}"' in text
    assert "Never applies" in text
    assert "always before it: To duty" in text
    assert before == hub.rows(
        "SELECT (SELECT count(*) FROM audit_entry), (SELECT max(id) FROM assignment), (SELECT sum(assigned) FROM pool_member)"
    )
    for wrong in ("", "0", "367", "²", "-1", "9" * 40):
        assert admin.post(f"{draft}/simulate", days=wrong).status_code == 422, wrong


def test_version_goes_into_force_and_back(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    first = _draft(hub, admin)
    assert _add(hub, admin, first).status_code == 303
    page = admin.get(first)
    assert "Added: <bdi>Doors</bdi>" in page.text
    assert admin.post(f"{first}/activate", seen=_seen(page), instead_of="0").status_code == 303
    second = _draft(hub, admin)
    assert _body(hub, second) == _body(hub, first)
    assert "It says the same." in admin.get(second).text
    third = _draft(hub, admin)
    assert admin.post(f"{second}/activate", seen=_seen(admin.get(second)), instead_of=first.rpartition("/")[2]).status_code == 303
    late = admin.post(f"{third}/activate", seen=_seen(admin.get(third)), instead_of=first.rpartition("/")[2])
    assert late.status_code == 409
    assert "was put into force meanwhile" in late.text
    back = admin.get(first).text
    assert "Back to version" in back
    seen = re.findall(r'name="seen" value="(\w+)"', back)[0]
    assert admin.post(f"{first}/activate", seen=seen, instead_of=second.rpartition("/")[2]).status_code == 303
    assert hub.rows("SELECT version, state FROM routing_version ORDER BY version") == [
        (int(first.rpartition("/")[2]), "active"), (int(second.rpartition("/")[2]), "retired"), (int(third.rpartition("/")[2]), "draft"),
    ]  # fmt: skip
    assert admin.get(f"{first}/rule?id=rule-1").status_code == 409
    assert admin.post(f"{first}/json", text="{}", seen=seen).status_code == 409


@pytest.mark.parametrize(
    "text", ["", "[]", "{", "{\"rules\": 1}", '{"rules": [{}]}', '{"x": 1}', '{"ranges": {"a\\u0000": []}}', "[" * 5000,
             '{"rules": [{"id": "a", "priority": 1, "when": {"fact": "title", "op": "exists", "value": "\\u0000"}, "then": [{"owner": "1"}]}]}'],
)  # fmt: skip
def test_nonsense_in_json_is_refused_in_words_and_stays(hub: Hub, text: str) -> None:
    admin = hub.signed_in("admin")
    draft = _draft(hub, admin)
    answer = admin.post(f"{draft}/json", text=text, note="", seen=_seen(admin.get(draft)))
    assert answer.status_code == 422
    assert (
        html.escape(text, quote=False)[:200] in html.unescape(answer.text)
        or html.escape(text)[:200] in answer.text
        or text in html.unescape(answer.text)
    )
    assert _body(hub, draft) == {"settings": {}, "ranges": {}, "rules": []}


def test_settings_and_ranges_are_saved_and_refused(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    draft = _draft(hub, admin)

    def save(**fields: str) -> TestResponse:
        return admin.post(
            f"{draft}/settings", seen=_seen(admin.get(draft)), **{"wait": "15", "bound": "30", "refund": "spam", **fields}
        )

    ranges = "Ural: +7 912 200-00-00 – +79122999999\nUral: +79222000000-+79222999999"
    assert save(ranges=ranges, note="autumn").status_code == 303
    assert _body(hub, draft) == {
        "settings": {"wait_for_shift_minutes": 15, "bound_days": 30, "refund": ["spam"]},
        "ranges": {"Ural": [["+79122000000", "+79122999999"], ["+79222000000", "+79222999999"]]},
        "rules": [],
    }
    assert save(ranges="Ural +7912").status_code == 422
    assert save(ranges="Ural: +79 – +78").status_code == 422
    assert save(wait="soon").status_code == 422
    assert save(bound="99999").status_code == 422
    assert save(refund="gold").status_code == 422
    assert save(note="x" * 501).status_code == 422
    assert _body(hub, draft)["settings"]["wait_for_shift_minutes"] == 15


def test_hostile_names_stay_words(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    draft = _draft(hub, admin)
    hostile = '<script>alert("1")</script>{{7*7}}{x}'
    assert _add(hub, admin, draft, name=hostile, **{"w.0.value": hostile, "t.0.skills": hostile}).status_code == 303
    for path in (draft, f"{draft}/rule?id=rule-1"):
        page = admin.get(path).text
        assert "<script>alert" not in page
        assert "{{7*7}}{x}" in page


@pytest.mark.parametrize("role", ROLES)
def test_readers_see_rules_and_change_nothing(hub: Hub, role: str) -> None:
    admin, visitor = hub.signed_in("admin"), hub.signed_in(role)
    draft = _draft(hub, admin)
    assert _add(hub, admin, draft).status_code == 303
    page = visitor.get(draft)
    assert page.status_code == visitor.get("/console/routing").status_code == 200
    may = role in ("admin", "head")
    assert (f'action="{draft}/' in page.text) == may
    for path in ("settings", "json", "move", "rule", "simulate", "activate", "remove"):
        fields = {"seen": "another", "days": "7", "text": "", "rule": "x", "act": "x", "instead_of": "5", "wait": "x"}
        assert (visitor.post(f"{draft}/{path}", **fields).status_code == 403) == (not may), path
        assert visitor.client.post(f"{draft}/{path}", data=fields).status_code == 403, path  # no token of ours
    assert _body(hub, draft)["rules"]
