"""Cases 1 to 6, 39, 40, 44 and 68 beyond their samples: what no table may hold, whose phone it is, what is switched off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from case_hub import FORM, JSON, SCRIPT, CaseHub, open_hub
from sqlalchemy import text

from connectors.kit import registry
from connectors.kit.tools.samples import samples_of
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.sources.aliases import add_alias
from ingest.sources.sources import rotate_token, set_state


@pytest.fixture
def hub(config: HubConfig) -> Iterator[CaseHub]:
    with open_hub(config) as opened:
        yield opened


def everything_but_bodies(hub: CaseHub) -> str:
    """Every row of every table as text, without the bytes that arrived."""
    with hub.door.engine.connect() as connection:
        tables = connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")).all()
        rows = [str(row) for name in tables for row in connection.execute(text(f"SELECT to_jsonb(t) - 'body' FROM \"{name}\" t"))]
    return "\n".join(rows)


@pytest.mark.parametrize("separator", ["%7C%7C%7C", "%7C%7C%7Camp%3B"])
def test_session_that_came_with_the_cookies_is_in_no_table_but_the_raw_bytes(hub: CaseHub, separator: str) -> None:  # 4
    source = hub.add("tilda")
    body = urlencode({
        "Name": "Иван", "Phone": "+7 912 345-67-66", "formid": "form1", "tranid": "1:4",
        "COOKIES": f"_ga=GA1.2.1.2; PHPSESSID=5e55f0cafe; TILDAUTM=utm_source%3Dvk{separator}utm_medium%3Dsocial; auth=t0ken; roistat_visit=77",
    })  # fmt: skip
    heard = hub.send(source, body.encode(), {"Content-Type": FORM, "Cookie": "sid=5e55f0cafe", "User-Agent": "tilda"})
    assert (heard.status, heard.body) == (200, b"ok")
    hub.drain()
    (lead,) = hub.leads(source)
    assert lead["attribution"]["utm_source"] == "vk"
    assert lead["attribution"]["utm_medium"] == "social"
    assert lead["attribution"]["client_ids"] == {"ga": "1.2", "roistat_visit": "77"}
    kept = everything_but_bodies(hub)
    assert [secret for secret in ("5e55f0cafe", "PHPSESSID", "t0ken") if secret in kept] == []


def test_number_without_quotes_and_plus_is_the_number_of_its_country(hub: CaseHub) -> None:  # 39
    source = hub.add("webflow")
    body = b'{"triggerType":"form_submission","payload":{"name":"Contact","id":"39","data":{"Phone Number":14155550132,"Name":"Anna"}}}'
    hub.send(source, body, {"Content-Type": JSON})
    hub.drain()
    assert [key["value"] for key in hub.keys(source, "phone")] == ["+14155550132"]


@pytest.mark.parametrize("how", ["paused", "replaced", "uninstalled"])
def test_provider_that_gives_up_on_a_404_never_hears_one_when_its_source_is_switched_off(hub: CaseHub, how: str) -> None:  # 40
    source = hub.add("typeform", secret="secret")
    folder = registry.folder_of("typeform")
    assert folder is not None
    genuine = next(s.request for s in samples_of(registry.get("typeform"), folder) if s.folder.name == "form_response__full")
    with hub.door.engine.begin() as connection:
        if how == "paused":
            set_state(connection, HUB, source.id, "paused")
        elif how == "replaced":
            rotate_token(connection, HUB, hub.config, source.id)
        else:
            connection.exec_driver_sql("UPDATE source SET connector = 'uninstalled'")
    heard = hub.send(source, genuine.body, genuine.headers)
    assert heard.status == 200
    hub.drain()
    (event,) = hub.events(source)
    assert bytes(event["body"]) == genuine.body
    assert hub.leads(source) == []
    if how == "paused":
        with hub.door.engine.begin() as connection:
            set_state(connection, HUB, source.id, "active")
        hub.drain()
        assert hub.ends(source) == ["created"]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_whoever_only_looks_at_an_address_leaves_nothing_whatever_its_connector(hub: CaseHub, method: str) -> None:  # 68
    names = [c.name for c in registry.discover().values() if c.channel == "form" and not c.pulls]
    looks = ({"Purpose": "prefetch"}, {"User-Agent": "Googlebot/2.1"}, {"User-Agent": "TelegramBot (like TwitterBot)"})
    for name in names:
        needed = {key: "x" * 16 for key, one in registry.get(name).config_model.model_fields.items() if one.is_required()}
        source = hub.add(name, **needed)
        for headers in looks:
            heard = hub.send(source, headers=SCRIPT | headers, method=method, query="name=Anna&phone=79123456768")
            assert heard.status in (200, 403), name  # 403: the handshake of a provider that nobody made
        assert hub.send(source, headers=SCRIPT, method=method).status in (200, 403), name
    assert len(names) > 30
    assert hub.one("SELECT count(*) FROM inbound_event") == 0


def test_old_host_s_address_answers_its_script_as_before_and_the_lead_is_whole(hub: CaseHub) -> None:  # 50, 55
    """Drop-in from end to end: the site changed nothing but the host's name."""
    from door_client import call

    source = hub.add("generic_form")
    with hub.door.engine.begin() as connection:
        add_alias(connection, HUB, hub.config, source.id, "calltouch:77")
    body = json.dumps({"fio": "Борис", "phoneNumber": "79001234577", "comment": "a=1&b=2", "sessionId": "undefined"}).encode()
    path = "/calls-service/RestAPI/requests/77/register/"
    heard = call(hub.door.entrance, "POST", path, body, SCRIPT | {"Content-Type": FORM})
    assert (heard.status, heard.body) == (200, b"{}")
    hub.drain()
    (touch,) = hub.touches(source)
    assert (touch["data"]["name"], touch["data"]["phones"], touch["text"]) == ("Борис", ["79001234577"], "a=1&b=2")
    assert touch["data"]["attribution"]["client_ids"] == {}
