"""The mapping page: understood by clicks, checked, tried, published, taken back; what was missed is sent again once."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from ingest.processing.process import drain

if TYPE_CHECKING:
    from conftest import Hub, Visitor

ODD = b'{"zakaz_kod": "+7 912 345-67-05, after six", "zakaz_kto": "Anna Sidorova", "wish": "<b>roof</b>"}'
FIX = 'fields:\n  phone: {from: ["$.zakaz_kod"]}\n'


def _page(hub: Hub) -> str:
    return f"/console/sources/{hub.source_id}/mapping"


def _visit(hub: Hub, body: bytes = ODD) -> Visitor:
    hub.send(body)
    visitor = hub.signed_in("admin")
    assert visitor.get(_page(hub)).status_code == 200
    return visitor


def test_page_shows_what_arrived_and_what_was_understood(hub: Hub) -> None:
    visitor = _visit(hub)
    page = visitor.get(_page(hub)).text
    assert "zakaz_kod" in page
    assert "+7 912 345-67-05, after six" in page
    assert "&lt;b&gt;roof&lt;/b&gt;" in page
    assert "<b>roof" not in page
    assert "by the connector’s own rules" in page
    assert "<script" not in re.sub(r'<script src="[^"]+" defer></script>', "", page)
    assert f'href="{_page(hub)}"' in visitor.get(f"/console/sources/{hub.source_id}").text


def test_clicks_write_the_draft_and_the_page_shows_what_it_would_be(hub: Hub) -> None:
    visitor = _visit(hub)
    answer = visitor.post(f"{_page(hub)}/click", source="$.zakaz_kod", role="phone")
    assert answer.status_code == 303
    page = visitor.get(answer.headers["Location"]).text
    assert "The draft knows it now." in page
    assert "Draft differs" in page
    assert FIX in html.unescape(page)
    visitor.post(f"{_page(hub)}/click", source="$.wish", role="ignore")
    [(text,)] = hub.rows("SELECT text FROM source_mapping")
    assert text == FIX + "extra: {drop: [wish]}\n"
    assert visitor.post(f"{_page(hub)}/click", source="$.wish", role="boss").status_code == 422


def test_wrong_text_stays_in_the_editor_with_its_line(hub: Hub) -> None:
    visitor = _visit(hub)
    for act in ("check", "try", "save"):
        answer = visitor.post(_page(hub), text='fields:\n  fone: {from: ["$.a"]}', act=act)
        assert answer.status_code == 422
        assert "line 2" in answer.text
        assert "fone:" in answer.text
    assert hub.rows("SELECT * FROM source_mapping") == []
    assert "No mistake found" in visitor.post(_page(hub), text=FIX, act="check").text
    assert hub.rows("SELECT * FROM source_mapping") == []


def test_try_publish_replay_and_roll_back(hub: Hub) -> None:
    visitor = _visit(hub)
    tried = visitor.post(_page(hub), text=FIX, act="try").text
    assert "1 would be understood otherwise. 0 new leads would come." in tried
    assert "<ins><bdi>+7 912 345-67-05, after six</bdi></ins>" in tried
    assert hub.rows("SELECT * FROM source_mapping") == []
    assert visitor.post(_page(hub), text=FIX, act="save", note="new form").status_code == 303
    for _ in range(2):
        assert visitor.post(f"{_page(hub)}/publish", version="1").status_code == 303
    replay = f"/console/events/replay?source={hub.source_id}&affected=1"
    assert "Replay: 1 of 1 will change" in visitor.get(replay).text
    for _ in range(2):
        answer = visitor.post("/console/events/replay", source=str(hub.source_id), affected="1")
        assert answer.status_code == 303
    drain(None, hub.config, "form")
    assert hub.rows("SELECT replayed FROM inbound_event") == [(1,)]
    assert hub.rows("SELECT count(*) FROM lead") == [(1,)]
    assert hub.rows("SELECT value FROM identifier") == [("+79123456705",)]
    assert "Replay: 1 of 1 will change" not in visitor.get(replay).text

    visitor.post(f"{_page(hub)}/back")
    assert "by the connector’s own rules" in visitor.get(_page(hub)).text
    visitor.post(f"{_page(hub)}/back", version="1")
    assert hub.rows("SELECT version, state, note FROM source_mapping ORDER BY version") == [
        (1, "retired", "new form"), (2, "published", "= 1"),
    ]  # fmt: skip
    assert visitor.post(f"{_page(hub)}/publish", version="x").status_code == 422
    assert visitor.post(f"{_page(hub)}/publish", version="99").status_code == 404


def test_unmapped_fields_are_listed_until_somebody_has_seen_them(hub: Hub) -> None:
    visitor = _visit(hub)
    hub.rows(
        "INSERT INTO source_field (source_id, form_id, field, event_id) VALUES (:id, 'order', 'wish', 1) RETURNING 1",
        id=hub.source_id,
    )
    assert "Fields that nobody mapped" in visitor.get(_page(hub)).text
    assert visitor.post(f"{_page(hub)}/fields").status_code == 303
    assert "Fields that nobody mapped" not in visitor.get(_page(hub)).text


def test_source_without_events_and_one_that_takes_no_mapping(hub: Hub) -> None:
    visitor = hub.signed_in("admin")
    assert "Nothing has arrived yet" in visitor.get(_page(hub)).text
    visitor.get("/console/sources/add/generic_call")
    added = visitor.post("/console/sources/add/generic_call", source_name="Exchange")
    source = re.findall(r"/sources/(\d+)", added.headers["Location"])[0]
    assert "takes no mapping" in visitor.get(f"/console/sources/{source}/mapping").text
    assert visitor.post(f"/console/sources/{source}/mapping", text=FIX, act="save").status_code == 422


def test_page_speaks_russian(hub: Hub) -> None:
    visitor = _visit(hub)
    hub.rows("UPDATE app_user SET locale = 'ru' RETURNING 1")
    page = visitor.get(_page(hub)).text
    assert "Что пришло" in page
    assert "Что мы поняли" in page
