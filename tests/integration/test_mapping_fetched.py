"""A source's own mapping for leads that were fetched: the questions of the form are its fields, on the bench and in the lead."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from desk import Desk
from graph import TOKEN, Graph, graph
from principals import OPERATOR, user
from sqlalchemy import Engine

from connectors.forms import linkedin
from connectors.kit import registry
from connectors.kit.connector import FETCHED
from connectors.kit.tools.samples import samples_of
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.parsed import Inquiry
from ingest.mapping.preview import BenchItem, bench, dry_run
from ingest.mapping.text import assign
from ingest.mapping.versions import publish, save_draft
from ingest.processing.affected import affected
from ingest.processing.process import drain
from ingest.processing.replay import Selection, replay
from ingest.sources.sources import add_source

QUESTION, BUDGET = "what_do_you_want_(e.g._a_kitchen)?", "Which budget?"


@pytest.fixture
def api() -> Iterator[Graph]:
    with graph() as made:
        yield made


@pytest.fixture
def desk(config: HubConfig, engine: Engine, api: Graph) -> Iterator[Desk]:
    made = Desk(replace(config, outbound_allow=("127.0.0.1",)), engine)
    settings = {"app_secret": "s", "page_token": TOKEN, "api_url": api.url}
    with engine.begin() as connection:
        made.form_source = add_source(connection, HUB, made.config, "meta", "Facebook", settings).id
    yield made
    made.close()


def lead(desk: Desk, api: Graph, lead_id: str, **answers: str) -> None:
    """A lead that was announced and fetched."""
    api.add(lead_id, **answers)
    value = {"leadgen_id": lead_id, "form_id": "12312312312", "ad_id": "77"}
    body = json.dumps({"object": "page", "entry": [{"changes": [{"field": "leadgen", "value": value}]}]}).encode()
    signature = hmac.new(b"s", body, hashlib.sha256).hexdigest()
    desk.post(desk.form_source, "form", body, {"x-hub-signature-256": f"sha256={signature}"})
    drain(None, desk.config, "form", 60)


def odd(desk: Desk, api: Graph, lead_id: str = "1") -> None:
    answers = {"email": f"anna{lead_id}@example.com", BUDGET: "from 900", QUESTION: "A kitchen with a window"}
    lead(desk, api, lead_id, **answers)


def of_lead(desk: Desk) -> BenchItem:
    items = bench(desk.engine, OPERATOR, desk.config, desk.form_source).items
    return next(item for item in items if item.understood.inquiries)


def put(desk: Desk, text: str) -> None:
    with desk.engine.begin() as connection:
        publish(connection, user(1), desk.form_source, save_draft(connection, user(1), desk.form_source, text))


def test_bench_shows_the_questions_when_a_lead_was_fetched(desk: Desk, api: Graph) -> None:
    odd(desk, api)
    shown = {one.name: one for one in of_lead(desk).arrived}
    assert (shown[BUDGET].value, shown[BUDGET].how, shown[BUDGET].source) == (
        "from 900",
        "kept",
        f"$.{BUDGET}",
    )
    assert (shown["email"].role, shown["email"].how) == ("email", "name")
    assert shown["ad_id"].value == "77"


def test_notice_shows_nothing_that_could_be_mapped_when_it_stands_on_the_bench(desk: Desk, api: Graph) -> None:
    odd(desk, api)
    items = bench(desk.engine, OPERATOR, desk.config, desk.form_source, text="fields:\n  company: {from: [$.object]}\n").items
    notice = next(item for item in items if not item.understood.inquiries)
    assert notice.understood == notice.draft
    assert (notice.understood.ignored, notice.differs) == ("pointer", [])


def test_question_becomes_what_a_person_says_when_he_clicks_on_it(desk: Desk, api: Graph) -> None:
    odd(desk, api)
    text = ""
    for name, role in ((QUESTION, "message"), (BUDGET, "title")):
        source = next(one.source for one in of_lead(desk).arrived if one.name == name)
        text = assign(text, source, role, {}).text
    tried = dry_run(desk.engine, OPERATOR, desk.config, desk.form_source, text)
    assert (tried.events, tried.changed, tried.leads) == (2, 1, 0), "the notice beside it is as it was"
    [differs] = [item.differs for item in tried.items]
    assert {"message", "title", "fields"} == set(differs)
    put(desk, text)
    odd(desk, api, "2")
    new = desk.rows("SELECT * FROM lead ORDER BY id")[-1]
    assert (new["title"], new["form_id"]) == ("from 900", "12312312312")
    assert QUESTION not in new["fields"]
    assert new["fields"]["leadgen_id"] == "2"
    assert desk.one("SELECT reason->>'mapping' FROM inbound_event WHERE method = 'FETCH' ORDER BY id DESC LIMIT 1") == "1"


def test_earlier_leads_get_what_was_missed_once_when_a_mapping_is_published(desk: Desk, api: Graph) -> None:
    lead(desk, api, "1", full_name="Anna Ivanova", call_me_here="+7 912 345-67-05, after six please")
    assert desk.rows("SELECT 1 AS x FROM identifier WHERE kind = 'phone'") == []
    put(desk, 'fields:\n  phone: {from: ["$.call_me_here"]}\n')
    uids = affected(desk.engine, desk.config, desk.form_source)
    assert len(uids) == 1, "the lead and not its notice"
    asked = len(api.asked)
    replay(desk.engine, user(1), desk.config, Selection(uids=tuple(uids)), False)
    drain(None, desk.config, "form", 60)
    assert desk.one("SELECT value FROM identifier WHERE kind = 'phone'") == "+79123456705"
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert len(api.asked) == asked, "what was fetched is read again, and nobody is asked"
    assert affected(desk.engine, desk.config, desk.form_source) == []


def test_test_lead_stays_a_test_when_a_mapping_says_other_things(desk: Desk, api: Graph) -> None:
    put(desk, "fields:\n  company: {from: [$.company_name]}\ntest_if: []\n")
    lead(desk, api, "8", full_name="<test lead: dummy data for full_name>", email="test@example.com")
    assert desk.one("SELECT outcome FROM inbound_event WHERE method = 'FETCH'") == "test"


def test_lead_is_left_out_when_the_mapping_skips_it(desk: Desk, api: Graph) -> None:
    put(desk, 'skip_if:\n  - {path: "$.kind", eq: "job", code: "job"}\n')
    lead(desk, api, "9", kind="job", email="anna@example.com")
    event = desk.rows("SELECT outcome, reason FROM inbound_event WHERE method = 'FETCH'")[0]
    assert (event["outcome"], event["reason"]["code"]) == ("ignored", "job")


def test_question_of_linkedin_is_mapped_by_its_words() -> None:
    connector = registry.get("linkedin")
    folder = Path(linkedin.__file__).parent
    [sample] = [one for one in samples_of(connector, folder) if one.folder.name == "lead__from_notice"]
    assert sample.request.method == FETCHED
    assert connector.map is not None
    [plain] = connector.parse(sample.request, sample.config)
    [mapped] = connector.map(sample.request, sample.config, {"fields": {"title": {"from": ["$.Which colours?"]}}})
    assert isinstance(plain, Inquiry)
    assert isinstance(mapped, Inquiry)
    assert "Which colours?" in plain.fields
    assert "Red" in mapped.title
    assert (mapped.form_id, mapped.form_name, mapped.submitted_at) == (
        plain.form_id,
        plain.form_name,
        plain.submitted_at,
    )


def test_bench_shows_what_a_mapping_reads_when_a_connector_joins_parts_first(desk: Desk, engine: Engine) -> None:
    """Gravity Forms sends a name as 1.3 and 1.6; its mapping sees first_name and last_name, and so does who clicks."""
    with engine.begin() as connection:
        desk.form_source = add_source(connection, HUB, desk.config, "gravity", "Site", {}).id
    body = {"form_id": "5", "1.2": "", "1.3": "Anna", "1.4": "", "1.6": "Ivanova", "1.8": "", "3": "anna@example.com", "7": "x"}
    desk.post(desk.form_source, "form", json.dumps(body).encode(), {"content-type": "application/json"})
    desk.drain("form")
    shown = {one.source: (one.value, one.role) for one in of_lead(desk).arrived}
    assert shown["$.first_name"] == ("Anna", "name")
    assert "$.1.3" not in shown
