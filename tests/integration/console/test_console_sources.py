"""Changing a source, checking a mailbox and trying an entrance, as buttons of the console."""

from __future__ import annotations

import re
import socket
from typing import TYPE_CHECKING

import pytest

from crm_core.access import HUB
from ingest.http_client.addresses import DEMO_MAILBOX
from ingest.processing.process import drain
from ingest.sources.sources import add_source, load_source

if TYPE_CHECKING:
    from conftest import Hub, Visitor

IMAP = {"host": "imap.example.com", "user": "sales@example.com", "password": "hunter2-secret"}


def _mailbox(hub: Hub, **settings: str) -> int:
    with hub.engine.begin() as connection:
        return add_source(connection, HUB, hub.config, "imap", "Sales", IMAP | settings).id


def _form_of(visitor: Visitor, source_id: int) -> dict[str, str]:
    """What a browser would send if nothing was typed."""
    page = visitor.get(f"/console/sources/{source_id}/change").text
    fields = dict(re.findall(r'<input id="f-(\w+)"[^>]* value="([^"]*)"', page))
    for name, options in re.findall(r'<select id="f-(\w+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.findall(r'value="([^"]*)" selected', options)
        fields[name] = chosen[0] if chosen else re.findall(r'value="([^"]*)"', options)[0]
    return fields | dict.fromkeys(re.findall(r'type="checkbox" name="(\w+)" value="true" checked', page), "true")


def _settings(hub: Hub, source_id: int) -> dict[str, object]:
    with hub.engine.begin() as connection:
        return load_source(connection, hub.config, source_id).settings.model_dump()


def test_untouched_form_changes_nothing(hub: Hub) -> None:
    source_id = _mailbox(hub, own_addresses="a@example.com, b@example.com", port="1993", poll_seconds="5")
    admin = hub.signed_in("admin")
    before, stored = _settings(hub, source_id), hub.rows("SELECT config::text FROM source ORDER BY id")
    fields = _form_of(admin, source_id)
    assert fields["password"] == ""
    assert fields["own_addresses"] == "a@example.com, b@example.com"
    answer = admin.post(f"/console/sources/{source_id}/change", **fields)
    assert answer.status_code == 303
    assert "Nothing was different" in admin.get(answer.headers["Location"]).text
    assert _settings(hub, source_id) == before
    assert hub.rows("SELECT config::text FROM source ORDER BY id") == stored
    assert hub.rows("SELECT 1 FROM audit_entry WHERE action = 'source.change'") == []


def test_settings_are_changed_and_an_empty_secret_stays(hub: Hub) -> None:
    source_id = _mailbox(hub, port="1993")
    admin = hub.signed_in("admin")
    typed = _form_of(admin, source_id) | {"source_name": "Sales, Moscow", "source_line": "windows", "folder": "INBOX/Site",
                                          "poll_seconds": "60", "save": "later"}  # fmt: skip
    assert admin.post(f"/console/sources/{source_id}/change", **typed).status_code == 303
    changed = _settings(hub, source_id)
    assert (changed["folder"], changed["port"], changed["poll_seconds"]) == ("INBOX/Site", 1993, 60)
    assert (changed["password"], changed["host"]) == ("hunter2-secret", "imap.example.com")
    assert hub.rows("SELECT name, line FROM source WHERE connector = 'imap'") == [("Sales, Moscow", "windows")]
    deeds = hub.rows("SELECT actor, data::text FROM audit_entry WHERE action = 'source.change' ORDER BY id")
    assert {actor for actor, _ in deeds} == {f"user:{hub.user_ids['admin']}"}
    assert "folder" in str(deeds)
    assert "hunter2" not in str(deeds)


@pytest.mark.parametrize(
    "change", [{"host": "imap.evil.example"}, {"port": "1993"}, {"user": "x@example.com"}, {"security": "plain"}]
)
def test_secret_is_asked_for_again_when_the_mailbox_moves(hub: Hub, change: dict[str, str]) -> None:
    source_id = _mailbox(hub)
    before = _settings(hub, source_id)
    ops = hub.signed_in("ops")
    typed = _form_of(ops, source_id) | change
    refused = ops.post(f"/console/sources/{source_id}/change", **typed)
    assert refused.status_code == 422
    assert "Enter it again" in refused.text
    assert "hunter2-secret" not in refused.text
    assert _settings(hub, source_id) == before
    ops.post("/console/language", locale="ru")
    assert "Введите ещё раз" in ops.post(f"/console/sources/{source_id}/change", **typed).text
    assert (
        ops.post(f"/console/sources/{source_id}/change", **typed | {"password": "own-password", "save": "later"}).status_code
        == 303
    )
    assert _settings(hub, source_id)["password"] == "own-password"


def test_typed_secret_replaces_the_old_one_and_is_never_shown(hub: Hub) -> None:
    source_id = _mailbox(hub)
    admin = hub.signed_in("admin")
    answer = admin.post(
        f"/console/sources/{source_id}/change", **_form_of(admin, source_id) | {"password": "new-secret-9", "save": "later"}
    )
    assert answer.status_code == 303
    assert _settings(hub, source_id)["password"] == "new-secret-9"
    for address in (answer.headers["Location"], f"/console/sources/{source_id}/change"):
        assert "new-secret-9" not in admin.get(address).text
    assert "new-secret-9" not in str(hub.rows("SELECT config::text FROM source"))


@pytest.mark.parametrize(
    "field, typed, told",
    [
        ("port", "70000", "65535 or less."), ("port", "x", "A number is needed."), ("host", "", "This is needed."),
        ("start", "yesterday", "new, all, or a date"), ("security", "none", "One of: &#39;tls&#39;"),
        ("source_name", " ", "This is needed."), ("folder", "a" * 501, "At most 500 characters."),
    ],
)  # fmt: skip
def test_wrong_setting_is_told_at_its_field_and_changes_nothing(hub: Hub, field: str, typed: str, told: str) -> None:
    source_id = _mailbox(hub)
    admin = hub.signed_in("admin")
    before = _settings(hub, source_id)
    wanted = _form_of(admin, source_id) | {"source_line": "windows", "password": "typed-in-vain", field: typed}
    answer = admin.post(f"/console/sources/{source_id}/change", **wanted)
    assert answer.status_code == 422
    [said] = re.findall(rf'<span class="wrong" id="w-{field}">(.*?)</span>', answer.text)
    assert told in said
    assert 'value="windows"' in answer.text  # what was typed is not lost
    assert "typed-in-vain" not in answer.text
    assert _settings(hub, source_id) == before
    assert hub.rows("SELECT line FROM source WHERE connector = 'imap'") == [("",)]


def test_allowed_sites_may_be_pasted_as_addresses(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    typed = _form_of(admin, hub.source_id)
    pasted = "https://Example.com/contact?x=1, www.example.org окна.рф"
    assert admin.post(f"/console/sources/{hub.source_id}/change", **typed | {"source_hosts": pasted}).status_code == 303
    assert hub.rows("SELECT allowed_hosts FROM source") == [(["example.com", "www.example.org", "окна.рф"],)]
    wrong = admin.post(f"/console/sources/{hub.source_id}/change", **typed | {"source_hosts": "javascript:alert(1)"})
    assert (wrong.status_code, "is not the name of a site" in wrong.text) == (422, True)


def test_pool_is_asked_for_when_there_is_a_choice(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert "source_pool" not in _form_of(admin, hub.source_id)
    [(pool_id,)] = hub.rows("INSERT INTO pool (name) VALUES ('Windows') RETURNING id")
    typed = _form_of(admin, hub.source_id)
    assert typed["source_pool"] == ""
    assert admin.post(f"/console/sources/{hub.source_id}/change", **typed | {"source_pool": str(pool_id)}).status_code == 303
    assert hub.rows("SELECT pool_id FROM source") == [(pool_id,)]
    gone = admin.post(f"/console/sources/{hub.source_id}/change", **typed | {"source_pool": "987654"})
    assert (gone.status_code, "There is no such pool." in gone.text) == (422, True)
    assert admin.post(f"/console/sources/{hub.source_id}/change", **typed).status_code == 303
    assert hub.rows("SELECT pool_id FROM source") == [(None,)]


def test_source_without_its_connector_keeps_name_and_settings_apart(hub: Hub) -> None:
    hub.rows("UPDATE source SET connector = 'uninstalled', config = '{\"old\": 1}' RETURNING id")
    admin = hub.signed_in("admin")
    typed = _form_of(admin, hub.source_id)
    assert set(typed) == {"source_name", "source_hosts", "source_line"}
    assert admin.post(f"/console/sources/{hub.source_id}/change", **typed | {"source_name": "Old site"}).status_code == 303
    assert hub.rows("SELECT name, config FROM source") == [("Old site", {"old": 1})]


def test_connection_is_checked_in_words_of_the_reader(hub: Hub) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nothing answers there
        port = taken.getsockname()[1]
        source_id = _mailbox(hub, host="127.0.0.1", port=str(port))
        (hub.config.home / DEMO_MAILBOX).write_text(f"127.0.0.1 {port}")  # or the guard would refuse this machine
        admin = hub.signed_in("admin")
        assert "Check connection" in admin.get(f"/console/sources/{source_id}").text
        page = admin.post(f"/console/sources/{source_id}/check")
        assert page.status_code == 200
        assert "Nothing answers there." in page.text
        assert f"127.0.0.1:{taken.getsockname()[1]}" in page.text
        assert "Does not work" in page.text
        admin.post("/console/language", locale="ru")
        russian = admin.post(f"/console/sources/{source_id}/check").text
    assert "Там никто не отвечает." in russian
    assert "hunter2-secret" not in page.text + russian
    assert hub.rows("SELECT count(*) FROM audit_entry WHERE action = 'source.check'") == [(2,)]
    assert admin.get(f"/console/sources/{source_id}/check").headers["Location"] == f"/console/sources/{source_id}"


def test_private_server_is_not_asked_unless_allowed(hub: Hub) -> None:
    source_id = _mailbox(hub, host="127.0.0.1")
    page = hub.signed_in("admin").post(f"/console/sources/{source_id}/check").text
    assert "private network" in page


def test_form_has_no_connection_to_check(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert "Check connection" not in admin.get(f"/console/sources/{hub.source_id}").text
    assert admin.post(f"/console/sources/{hub.source_id}/check").status_code == 409


def test_trial_goes_through_the_real_door_and_makes_no_lead(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    answer = admin.post(f"/console/sources/{hub.source_id}/try")
    assert answer.status_code == 303
    [(uid, state)] = hub.rows("SELECT uid, state FROM inbound_event")
    assert (f"tried={uid}" in answer.headers["Location"], state) == (True, "waiting")
    drain(None, hub.config, "form")
    assert hub.rows("SELECT outcome, (SELECT count(*) FROM lead) FROM inbound_event") == [("test", 0)]
    page = admin.get(answer.headers["Location"]).text
    assert "Your trial" in page
    assert "data-refresh-seconds" not in page


def test_real_trial_makes_a_lead(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert "a lead is made" in admin.get(f"/console/sources/{hub.source_id}").text
    answer = admin.post(f"/console/sources/{hub.source_id}/try", **{"as": "real"})
    drain(None, hub.config, "form")
    [(lead_id, outcome)] = hub.rows("SELECT l.id, e.outcome FROM lead l JOIN inbound_event e ON e.id = l.event_id")
    assert outcome == "created"
    assert f'href="/console/leads/{lead_id}"' in admin.get(answer.headers["Location"]).text


def test_trial_of_an_exchange_rings_and_hangs_up(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        source = add_source(connection, HUB, hub.config, "generic_call", "Exchange", {})
    admin = hub.signed_in("admin")
    assert "Send a missed call" in admin.get(f"/console/sources/{source.id}").text
    answer = admin.post(f"/console/sources/{source.id}/try")
    assert answer.status_code == 303
    drain(None, hub.config, "call")
    assert hub.rows("SELECT count(*), count(DISTINCT call_key) FROM inbound_event, call") == [(2, 1)]
    assert hub.rows("SELECT outcome FROM call") == [("missed",)]
    assert hub.rows("SELECT phone FROM activity WHERE kind = 'call_back'") == [("+79123456702",)]
    assert "Your trial" in admin.get(answer.headers["Location"]).text


def test_today_is_counted_by_source(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        other = add_source(connection, HUB, hub.config, "generic_form", "Landing page", {})
    for number in range(3):
        hub.send(b'{"message": "%d"}' % number)
    hub.rows(
        "UPDATE inbound_event SET received_at = received_at - interval '2 days' WHERE id = (SELECT min(id) FROM inbound_event) RETURNING id"
    )
    admin = hub.signed_in("admin")
    page = admin.get("/console/sources").text
    shown = dict(re.findall(r'source=(\d+)&amp;day=[\d-]+">(\d+)</a>', page))
    assert shown == {str(hub.source_id): "2", str(other.id): "0"}
    tile = re.findall(r"Done today</span><span class=\"figure\">(\d+)<", admin.get("/console/queues").text)
    assert tile == ["2"]


def test_ended_process_is_no_alarm_while_another_one_works(hub: Hub) -> None:
    hub.rows("INSERT INTO heartbeat (role, instance, at, data) VALUES ('worker', 'new:1', now(), '{}'),"
             " ('worker', 'old:1', now() - interval '10 minutes', '{}'), ('mail', 'gone:1', now() - interval '10 minutes', '{}'),"
             " ('canary', 'intake.form', now(), '{\"seconds\": 0.004}') RETURNING role")  # fmt: skip
    page = re.sub(r"<[^>]+>|\s+", " ", hub.signed_in("admin").get("/console/queues").text)
    assert re.search(r"Worker +new:1 +Alive", page)
    assert re.search(r"Worker +old:1 +Ended", page)
    assert re.search(r"Mail +gone:1 +Silent", page)
    assert "through in 4 ms" in page
