"""What pages show and what buttons do, with what came in from outside kept harmless."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
import pytest

from webhooks.console.shell.language import LOCALES

if TYPE_CHECKING:
    from conftest import Hub

HOSTILE = '<script>alert("1")</script><img src=x onerror=alert(2)>'
RTL = "gpj.\u202eexe"


def _form(**fields: str) -> bytes:
    return orjson.dumps(fields)


def _broken(hub: Hub) -> str:
    hub.send(b"\x00\x01\xff\xfe", "application/octet-stream")
    return str(hub.rows("SELECT uid FROM inbound_event WHERE state = 'needs_attention'")[0][0])


def test_hostile_words_stay_words_on_every_page(hub: Hub) -> None:
    hub.send(_form(name=f"{HOSTILE} Smith", email="evil@example.com", message=HOSTILE + RTL, **{HOSTILE: HOSTILE}))
    admin = hub.signed_in("admin")
    [(lead_id, contact_id, uid)] = hub.rows(
        "SELECT l.id, l.contact_id, e.uid FROM lead l JOIN inbound_event e ON e.id = l.event_id"
    )
    for address in (
        "leads", f"leads/{lead_id}", "contacts", f"contacts/{contact_id}", "events", f"events/{uid}", "leads?q=%3Cscript%3E",
        f"events/replay?event={uid}",
    ):  # fmt: skip
        page = admin.get(f"/console/{address}")
        assert page.status_code == 200, address
        assert "<script>alert" not in page.text, address
        assert "<img src=x" not in page.text, address
        assert not re.search(r"<script(?! src=\"/console/static/)", page.text), address
        assert not re.search(r"\son\w+=|\sstyle=|javascript:", re.sub(r"&lt;.*?&gt;|&#34;|&#x27;", "", page.text)), address
    assert "⟨U+202E⟩" in admin.get(f"/console/events/{uid}").text


def test_download_is_a_file_and_never_a_page(hub: Hub) -> None:
    hub.send(b"<html><script>alert(1)</script>", "text/html")
    [(uid,)] = hub.rows("SELECT uid FROM inbound_event")
    answer = hub.signed_in("admin").get(f"/console/events/{uid}/raw")
    assert answer.data == b"<html><script>alert(1)</script>"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_pages_allow_nothing_from_elsewhere(hub: Hub) -> None:
    page = hub.signed_in("admin").get("/console/leads")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["Cache-Control"] == "no-store"
    linked = re.findall(r'(?:src|href|action)="([^"]+)"', page.text)
    assert {urlsplit(address).netloc for address in linked} == {""}


def test_styles_and_scripts_may_be_kept_for_ever(hub: Hub) -> None:
    page = hub.new_visitor().get("/console/sign-in").text
    for address in re.findall(r'(?:src|href)="(/console/static/[^"]+)"', page):
        answer = hub.new_visitor().get(address)
        assert (answer.status_code, "?v=" in address) == (200, True)
        assert "max-age=31536000" in answer.headers["Cache-Control"]
        answer.close()


def test_static_files_end_at_their_folder(hub: Hub) -> None:
    assert hub.new_visitor().get("/console/static/../session.py").status_code == 404
    assert hub.new_visitor().get("/console/static/%2e%2e/session.py").status_code == 404


def test_card_explains_the_owner_for_every_candidate(hub: Hub) -> None:
    hub.send(_form(name="Anna Sidorova", email="anna@example.com", message="doors"))
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    page = hub.signed_in("admin").get(f"/console/leads/{lead_id}").text
    assert "it was Ivan Petrov’s turn" in page
    assert "1 candidate looked at" in page
    assert "gets it" in page


def test_lead_is_handed_over_with_a_reason(hub: Hub) -> None:
    hub.send(_form(name="Anna Sidorova", email="anna@example.com", message="doors"))
    [(lead_id, duty)] = hub.rows("SELECT l.id, o.id FROM lead l, owner o WHERE o.duty")
    admin = hub.signed_in("admin")
    assert admin.post(f"/console/leads/{lead_id}/assign", owner=str(duty), why="", version="1").status_code == 422
    answer = admin.post(f"/console/leads/{lead_id}/assign", owner=str(duty), why="Knows the house", version="1")
    assert answer.status_code == 303
    assert hub.rows("SELECT owner_id FROM lead") == [(duty,)]
    page = admin.get(answer.headers["Location"]).text
    assert "The lead has a new owner." in page
    assert "Reason: Knows the house" in page
    assert "Decided by Admin" in page
    stale = admin.post(f"/console/leads/{lead_id}/assign", owner=str(hub.owner_id), why="again", version="1")
    assert stale.status_code == 409
    assert "Somebody was faster" in stale.text


def test_comment_stands_in_the_history(hub: Hub) -> None:
    hub.send(_form(name="Anna Sidorova", email="anna@example.com", message="doors"))
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    manager = hub.signed_in("manager")
    assert manager.post(f"/console/leads/{lead_id}/comment", text="  Called,\r\nwants white ones ").status_code == 303
    assert manager.post(f"/console/leads/{lead_id}/comment", text=" ").status_code == 422
    assert hub.rows("SELECT text, actor FROM touch WHERE kind = 'comment'") == [
        ("Called,\nwants white ones", f"user:{hub.user_ids['manager']}")
    ]
    assert "wants white ones" in manager.get(f"/console/leads/{lead_id}").text
    assert hub.rows("SELECT touches FROM lead") == [(2,)]


def test_lead_is_won_or_lost_with_a_reason(hub: Hub) -> None:
    hub.send(_form(name="Anna Sidorova", email="anna@example.com", message="doors"))
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    manager = hub.signed_in("manager")
    assert manager.post(f"/console/leads/{lead_id}/close", state="lost", version="1").status_code == 422
    assert manager.post(f"/console/leads/{lead_id}/close", state="nonsense", version="1").status_code == 422
    assert manager.post(f"/console/leads/{lead_id}/close", state="lost", why="Too dear", version="1").status_code == 303
    assert hub.rows("SELECT state, lost_reason FROM lead") == [("lost", "Too dear")]
    assert "Too dear" in manager.get(f"/console/leads/{lead_id}").text


def test_lead_is_called_spam_with_a_reason_and_brought_back(hub: Hub) -> None:
    hub.send(_form(name="Anna Sidorova", email="anna@example.com", message="doors"))
    [(lead_id,)] = hub.rows("SELECT id FROM lead")
    manager, path = hub.signed_in("manager"), f"/console/leads/{lead_id}"
    assert "I have read all of it" in manager.get(path).text
    assert manager.post(f"{path}/spam", why="an offer", version="1").status_code == 422
    assert manager.post(f"{path}/spam", sure="yes", version="1").status_code == 422
    assert manager.post(f"{path}/spam", why="an offer", sure="yes", version="7").status_code == 409
    assert hub.rows("SELECT state FROM lead") == [("open",)]
    assert manager.post(f"{path}/spam", why="<b>offer</b>", sure="yes", version="1").status_code == 303
    card = manager.get(path).text
    assert "&lt;b&gt;offer&lt;/b&gt;" in card
    assert "Not spam after all?" in card
    assert path not in manager.get("/console/leads?state=open").text
    assert path in manager.get("/console/leads?state=spam").text
    assert hub.signed_in("ops").post(f"{path}/not-spam").status_code == 403
    assert manager.post(f"{path}/not-spam").status_code == 303
    assert path in manager.get("/console/leads?state=open").text
    assert hub.rows("SELECT outcome FROM inbound_event") == [("created",)]


def test_unreadable_event_tells_why_and_can_be_dismissed(hub: Hub) -> None:
    uid = _broken(hub)
    admin = hub.signed_in("admin")
    page = admin.get(f"/console/events/{uid}").text
    assert "00000000  00 01 ff fe" in page
    assert "binary" in page
    assert admin.post(f"/console/events/{uid}/dismiss", why=" ").status_code == 422
    assert admin.post(f"/console/events/{uid}/dismiss", why="A scanner").status_code == 303
    assert hub.rows("SELECT outcome, reason->>'why' FROM inbound_event") == [("dismissed", "A scanner")]
    assert "Reason: A scanner" in admin.get(f"/console/events/{uid}").text


def test_replay_shows_the_difference_and_changes_nothing_before_it_is_asked_to(hub: Hub) -> None:
    hub.send(_form(name="Anna Sidorova", email="anna@example.com", message="doors"))
    [(uid,)] = hub.rows(
        "UPDATE inbound_event SET state = 'needs_attention', outcome = NULL, error = '{\"code\": \"connector_failed\"}',"
        " lead_id = NULL RETURNING uid"
    )
    admin = hub.signed_in("admin")
    page = admin.get(f"/console/events/replay?event={uid}")
    assert page.status_code == 200
    assert "Replay: 1 of 1 will change" in page.text
    assert hub.rows("SELECT state, replayed FROM inbound_event") == [("needs_attention", 0)]
    assert admin.post("/console/events/replay", event=str(uid)).status_code == 303
    assert hub.rows("SELECT state, replayed FROM inbound_event") == [("waiting", 1)]
    assert admin.get("/console/events/replay").status_code == 422


def test_source_is_added_by_its_form_and_told_what_is_wrong(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert admin.get("/console/sources/add").status_code == 200
    wrong = admin.post("/console/sources/add/imap", source_name="Sales", host="imap.example.com", start="yesterday")
    assert wrong.status_code == 422
    assert "This is needed." in wrong.text
    assert 'value="imap.example.com"' in wrong.text
    assert hub.rows("SELECT 1 FROM source WHERE connector = 'imap'") == []
    right = admin.post(
        "/console/sources/add/imap", source_name="Sales", host="imap.example.com", user="sales@example.com",
        password="hunter2-secret", security="tls", folder="INBOX", start="new", port="0", save="later",
    )  # fmt: skip
    assert right.status_code == 303
    page = admin.get(right.headers["Location"]).text
    assert "hunter2-secret" not in page
    assert "imap.example.com" in page
    assert "hunter2-secret" not in str(hub.rows("SELECT config::text FROM source"))


def test_address_is_replaced_and_the_old_one_still_listens(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    assert admin.post(f"/console/sources/{hub.source_id}/rotate").status_code == 303
    assert hub.url not in admin.get(f"/console/sources/{hub.source_id}").text
    hub.send(_form(name="Late", message="x"))
    assert hub.rows("SELECT state, error->>'code' FROM inbound_event") == [("needs_attention", "unclaimed")]


def test_source_is_paused_and_resumed(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    for state in ("paused", "active"):
        assert admin.post(f"/console/sources/{hub.source_id}/state", state=state).status_code == 303
        assert hub.rows("SELECT state FROM source") == [(state,)]
    assert admin.post(f"/console/sources/{hub.source_id}/state", state="broken").status_code == 422


def test_owners_come_and_go(hub: Hub) -> None:
    head = hub.signed_in("head")
    assert head.post("/console/owners", name="Anna Sidorova", extension="102").status_code == 303
    assert "already belongs" in head.post("/console/owners", name="Twin", extension="102").text
    [(anna,)] = hub.rows("SELECT id FROM owner WHERE name = 'Anna Sidorova'")
    assert head.post(f"/console/owners/{anna}/absent", until="2020-01-01T00:00").status_code == 422
    assert head.post(f"/console/owners/{anna}/absent", until="soon").status_code == 422
    assert head.post(f"/console/owners/{anna}/absent", until="2099-01-01T09:00").status_code == 303
    assert hub.rows("SELECT until_at AT TIME ZONE 'UTC' FROM absence")[0][0].isoformat() == "2099-01-01T06:00:00"  # type: ignore[attr-defined]
    assert "Away" in head.get("/console/owners").text
    assert head.post(f"/console/owners/{anna}/present").status_code == 303
    assert head.post(f"/console/owners/{anna}/active", active="no").status_code == 303
    assert hub.rows("SELECT active FROM owner WHERE id = :id", id=anna) == [(False,)]


def test_every_figure_of_the_ledger_opens_as_many_events(hub: Hub) -> None:
    for number in range(3):
        hub.send(_form(name=f"Person {number}", email=f"p{number}@example.com", message="x"))
    _broken(hub)
    admin = hub.signed_in("admin")
    page = admin.get("/console/ledger").text
    assert "Balanced: everything that arrived is accounted for." in page
    figures = re.findall(r'<td[^>]*class="num"><a href="([^"]+)">(\d+)</a>', page)
    assert len(figures) >= 3
    for address, count in figures:
        events = admin.get(address.replace("&amp;", "&")).text
        assert len(re.findall(r'class="row-link" href="/console/events/', events)) == int(count), address


@pytest.mark.parametrize("address", ["ledger?from=nonsense", "ledger?from=2026-01-01&to=2026-12-31", "events?state=nonsense",
                                     "events?day=x", "events?source=x", "leads?owner=x", "leads?cursor=x", "leads?state=%00"])  # fmt: skip
def test_nonsense_in_the_address_is_explained(hub: Hub, address: str) -> None:
    answer = hub.signed_in("admin").get(f"/console/{address}")
    assert answer.status_code in (200, 422)
    assert (answer.status_code == 422) == ("That does not fit" in answer.text)


@pytest.mark.parametrize("locale", LOCALES)
def test_no_page_shows_a_raw_key(hub: Hub, locale: str) -> None:
    hub.send(_form(name="Anna Sidorova", email="anna@example.com", message="doors"))
    uid = _broken(hub)
    [(lead_id, contact_id)] = hub.rows("SELECT id, contact_id FROM lead")
    admin = hub.signed_in("admin")
    admin.post("/console/language", locale=locale)
    from webhooks.console.shell.language import catalogue

    keys = set(catalogue("en"))
    for address in (
        "leads", f"leads/{lead_id}", "contacts", f"contacts/{contact_id}", "call-backs", "events", f"events/{uid}", "sources",
        "sources/add", "sources/add/generic_form", "sources/add/imap", f"sources/{hub.source_id}",
        f"sources/{hub.source_id}/change", "owners", "queues", "ledger",
        f"events/replay?event={uid}", "nonsense",
    ):  # fmt: skip
        text = re.sub(r"<[^>]+>", " ", admin.get(f"/console/{address}").text)
        assert {word for word in re.findall(r"[a-z_]+\.[a-z_.]+", text) if word in keys} == set(), address
        assert f'lang="{locale}"' in admin.get(f"/console/{address}").text


def test_database_away_is_told_on_a_page(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    hub.rows("SELECT 1")
    from webhooks import engines

    engines.close_engines()
    [(name,)] = hub.rows("SELECT current_database()")
    hub.engine.dispose()
    import psycopg

    with psycopg.connect(hub.config.database_url.rpartition("/")[0] + "/postgres", autocommit=True) as other:
        other.execute(f'ALTER DATABASE "{name}" RENAME TO "{name}_away"')
        try:
            answer = admin.get("/console/leads")
        finally:
            engines.close_engines()
            other.execute(f'ALTER DATABASE "{name}_away" RENAME TO "{name}"')
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "Back in a moment" in answer.text


def test_fault_of_the_hub_is_a_page_with_its_id_and_nothing_of_the_inside(
    hub: Hub, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_given: object, **_named: object) -> None:
        raise KeyError("anna@example.com")

    admin = hub.signed_in("admin")
    monkeypatch.setattr("webhooks.console.sources.actions.set_state", broken)
    answer = admin.post(f"/console/sources/{hub.source_id}/state", state="paused")
    assert answer.status_code == 500
    assert "Something went wrong inside the hub" in answer.text
    assert 'href="/console/"' in answer.text
    assert "anna@example.com" not in answer.text + caplog.text
    [line] = [record for record in caplog.records if record.message == "request_failed"]
    assert line.__dict__["request_id"] in answer.text
    assert answer.headers["X-Request-Id"] == line.__dict__["request_id"]
    assert hub.rows("SELECT state FROM source") == [("active",)]


def test_too_large_a_form_is_a_page(hub: Hub) -> None:
    answer = hub.signed_in("admin").post("/console/owners", name="x" * 1_100_000)
    assert answer.status_code == 413
    assert "That is too much" in answer.text
