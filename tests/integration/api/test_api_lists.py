"""Lists: filters, pages that neither repeat nor skip, and answers that fit their description."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from api_world import World
from factories.contact import make_contact
from factories.lead import make_lead
from factories.rows import insert
from sqlalchemy import text


def _ids(world: World, path: str) -> list[str]:
    return [row["id"] for row in world.get(path).json["items"]]


def _add_leads(world: World, count: int, at: str = "2026-11-21T08:00:00Z") -> list[str]:
    made = []
    with world.engine.begin() as connection:
        for number in range(count):
            contact = make_contact(connection, f"Person {number} {at}", None)
            made.append(str(make_lead(connection, int(world.ids["source"]), contact, None, received_at=at)))
    return made


def test_pages_neither_repeat_nor_skip_when_leads_arrive_meanwhile(world: World) -> None:
    expected = {*_add_leads(world, 7), world.ids["lead"], world.ids["other_lead"]}  # seven in the same instant
    seen: list[str] = []
    path = "/leads?limit=2"
    while True:
        page = world.get(path).json
        seen += [row["id"] for row in page["items"]]
        if page["next"] is None:
            break
        _add_leads(world, 1, "2026-11-21T09:00:00Z")  # newer than every page that is still to come
        path = f"/leads?limit=2&cursor={page['next']}"
    assert len(seen) == len(set(seen))
    assert set(seen) == expected


def test_a_page_that_is_exactly_full_is_the_last_one(still_world: World) -> None:
    page = still_world.get("/leads?limit=2").json
    assert len(page["items"]) == 2
    assert page["next"] is None


@pytest.mark.parametrize("query, expected", [
    ("phone=8 (912) 345-67-01", ["lead"]), ("phone=%2B79123456701", ["lead"]), ("phone=nonsense", []),
    ("email=IVAN@EXAMPLE.COM", ["lead"]), ("email=nobody@example.com", []), ("email=nonsense", []),
    ("q=petrov", ["lead"]), ("q=ROOF", ["lead"]), ("q=call", ["lead"]), ("q=345-67-02", ["other_lead"]),
    ("q=%25", []), ("q=_", []), ("q=%20", ["other_lead", "lead"]), ("q=%5C", []),
    ("owner={anna}", ["lead"]), ("owner=none", []), ("state=open", ["other_lead", "lead"]), ("state=won", []),
    ("stage=new", ["other_lead", "lead"]), ("channel=call", []), ("source={source}", ["other_lead", "lead"]),
    ("since=2026-11-20T10:00:00Z", ["other_lead", "lead"]), ("until=2026-11-20T10:00:00Z", []),
    ("since=2026-11-20T12:59:59%2B03:00&until=2026-11-20T13:00:01+03:00", ["other_lead", "lead"]),
])  # fmt: skip
def test_leads_are_narrowed_by_every_filter(still_world: World, query: str, expected: list[str]) -> None:
    assert _ids(still_world, "/leads?" + query.format(**still_world.ids)) == [still_world.ids[name] for name in expected]


def test_a_lead_is_shown_as_the_contract_says(world: World) -> None:
    with world.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE lead SET form_id = 'f1', form_name = 'Order', fields = '{\"roof\": [\"red\"]}', attribution ="
                ' \'{"utm_source": "ads", "click_ids": {"gclid": "1"}, "page_url": "https://example.com/"}\''
                " WHERE id = :id"
            ),
            {"id": world.ids["lead"]},
        )
    lead = world.get(f"/leads/{world.ids['lead']}").json
    assert lead["contact"] == {
        "id": world.ids["contact"], "name": "Ivan Petrov", "phones": ["+79123456701"], "emails": ["Ivan@example.com"],
        "messengers": [], "company": "",
    }  # fmt: skip
    assert lead["form"] == {"id": "f1", "name": "Order"}
    assert lead["owner"] == {"id": world.ids["anna"], "name": "Anna"}
    assert lead["source"] == {"id": world.ids["source"], "name": "Site"}
    assert lead["received_at"] == "2026-11-20T10:00:00Z"
    assert lead["fields"] == {"roof": ["red"]}
    assert lead["attribution"] == {
        "utm_source": "ads", "click_ids": {"gclid": "1"}, "client_ids": {}, "page_url": "https://example.com/",
        "referrer": "",
    }  # fmt: skip
    assert lead["spam"] == {"score": 0, "reasons": [], "marked": None}
    assert (lead["state"], lead["stage"], lead["touches"], lead["repeat_of"], lead["version"]) == ("open", "new", 1, None, 1)


def test_a_merged_contact_answers_as_its_root(world: World) -> None:
    root, merged = world.ids["contact"], world.ids["other_contact"]
    world.rows("UPDATE contact SET root_id = :root WHERE id = :id", root=root, id=merged)
    card = world.get(f"/contacts/{merged}").json
    assert card["id"] == root
    assert card["merged"] == [merged]
    assert card["phones"] == ["+79123456701", "+79123456702"]
    assert card["emails"] == ["Ivan@example.com", "olga@example.org"]
    assert {lead["id"] for lead in card["leads"]} == {world.ids["lead"], world.ids["other_lead"]}
    assert {row["lead"] for row in world.get(f"/contacts/{merged}/timeline").json["items"]} == {
        world.ids["lead"], world.ids["other_lead"],
    }  # fmt: skip
    assert world.get(f"/leads/{world.ids['other_lead']}").json["contact"]["id"] == root
    assert len(world.get("/contacts").json["items"]) == 1
    assert _ids(world, f"/leads?contact={merged}&phone=89123456702") == [world.ids["other_lead"], world.ids["lead"]]


def test_a_retired_identifier_is_no_way_to_reach_anybody(world: World) -> None:
    world.rows("UPDATE contact_identifier SET retired_at = now() WHERE contact_id = :id", id=world.ids["contact"])
    card = world.get(f"/contacts/{world.ids['contact']}").json
    assert (card["phones"], card["emails"]) == ([], [])
    assert len(card["identifiers"]) == 2
    assert _ids(world, "/leads?phone=89123456701") == []


def test_the_timeline_shows_forms_calls_and_mails_of_a_contact_newest_first(world: World) -> None:
    with world.engine.begin() as connection:
        contact, lead = int(world.ids["contact"]), int(world.ids["lead"])
        insert(connection, "touch", contact_id=contact, kind="call", at="2026-11-20T11:00:00Z", call_id=int(world.ids["call"]))
        mail = insert(connection, "mail_message", dedup_key="m", subject="Roof", sender="ivan@example.com", event_id=1)
        insert(connection, "touch", contact_id=contact, lead_id=lead, kind="mail", at="2026-11-20T12:00:00Z",
               message_id=mail, text="Is it red?")  # fmt: skip
    items = world.get(f"/contacts/{world.ids['contact']}/timeline").json["items"]
    assert [item["kind"] for item in items] == ["mail", "call", "form"]
    assert items[0]["mail"] == {"id": str(mail), "subject": "Roof", "from": "ivan@example.com"}
    assert items[0]["text"] == "Is it red?"
    assert items[1]["call"]["outcome"] == "missed"
    assert items[2]["event"] == world.ids["event"]
    first = world.get(f"/contacts/{world.ids['contact']}/timeline?limit=1").json
    rest = world.get(f"/contacts/{world.ids['contact']}/timeline?cursor={first['next']}").json
    assert [item["kind"] for item in rest["items"]] == ["call", "form"]
    of_lead = world.get(f"/contacts/{world.ids['contact']}/timeline?lead={lead}").json["items"]
    assert [item["kind"] for item in of_lead] == ["mail", "form"]


def test_why_tells_events_assignments_and_merges(world: World) -> None:
    with world.engine.begin() as connection:
        merge = insert(
            connection, "merge_event", winner_id=int(world.ids["contact"]), loser_id=int(world.ids["other_contact"]),
            actor="auto", evidence='{"phone": true}', moved="{}",
        )  # fmt: skip
    told = world.get(f"/leads/{world.ids['lead']}/why").json
    assert told["lead"] == world.ids["lead"]
    assert [(event["id"], event["reason"]) for event in told["events"]] == [(world.ids["event"], {"code": "first_inquiry"})]
    assert [(row["kind"], row["owner"]["name"], row["trace"]["code"]) for row in told["assignments"]] == [
        ("pool", "Anna", "largest_deficit")
    ]
    assert [row["id"] for row in told["merges"]] == [world.ids["merge"], str(merge)]


def test_events_are_narrowed_by_state_outcome_and_source(still_world: World) -> None:
    assert _ids(still_world, "/events?state=needs_attention") == [still_world.ids["broken_event"]]
    assert still_world.ids["event"] in _ids(still_world, f"/events?outcome=created&source={still_world.ids['source']}")
    assert _ids(still_world, f"/events?lead={still_world.ids['lead']}") == [still_world.ids["event"]]
    assert _ids(still_world, "/events?channel=mail") == []
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert _ids(still_world, f"/events?since={tomorrow}") == []


def test_pools_show_the_live_deficit(world: World) -> None:
    world.rows("UPDATE pool_member SET entitled = 2.5, assigned = 1 WHERE owner_id = :id", id=world.ids["boris"])
    pool = world.get(f"/pools/{world.ids['pool']}").json
    assert [(m["owner"]["name"], m["deficit"]) for m in pool["members"]] == [("Boris", 1.5), ("Anna", 0.0)]


def test_the_ledger_balances_and_sums_up(still_world: World) -> None:
    [row] = still_world.get("/ledger").json["items"]
    assert (row["received"], row["created"], row["spam"], row["needs_attention"], row["balanced"]) == (4, 2, 1, 1, True)
    assert row["source"] == {"id": still_world.ids["source"], "name": "Site"}
    [total] = still_world.get("/ledger?by=").json["items"]
    assert (total["source"], total["day"], total["received"]) == (None, None, 4)
    assert still_world.get("/ledger?from=2025-01-01&to=2025-01-02").json["items"] == []


def test_queues_count_what_needs_attention(still_world: World) -> None:
    assert still_world.get("/queues").json["needs_attention"] == 1
