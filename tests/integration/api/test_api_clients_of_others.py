"""A client who went to a colleague stays his: no state that the former manager may set brings the client back or shows him."""

from __future__ import annotations

from typing import Any

import pytest
from api_world import World
from factories.lead import make_lead
from factories.rows import insert

NOTE = "Boris: he wants 40 doors, discount agreed"


@pytest.fixture
def lost(world: World) -> dict[str, str]:
    """Anna's closed lead of Ivan; he came back and is Boris's by the decision of their head, with a later lead and a note."""
    world.rows("UPDATE lead SET state = 'closed', closed_at = now() WHERE id = :id", id=world.ids["lead"])
    with world.engine.begin() as connection:
        later = make_lead(connection, int(world.ids["source"]), int(world.ids["contact"]), int(world.ids["anna"]))
    moved = world.ask("POST", f"/leads/{later}/assign", "head", json={"owner": world.ids["boris"], "why": "Anna is busy"})
    assert moved.status_code == 200
    with world.engine.begin() as connection:
        insert(connection, "touch", contact_id=world.ids["contact"], lead_id=later, kind="comment", at="2026-11-21T10:00:00Z",
               text=NOTE, actor="user:2")  # fmt: skip
        insert(connection, "activity", kind="call", contact_id=world.ids["contact"], lead_id=later,
               owner_id=world.ids["boris"], due_at="2026-11-21T10:00:00Z", title=NOTE)  # fmt: skip
        insert(connection, "call", call_key="later", source_id=world.ids["source"], contact_id=world.ids["contact"],
               lead_id=later, facts="{}", phase="closed", direction="in", outcome="answered",
               started_at="2026-11-21T09:00:00Z", owner_id=world.ids["boris"], recording="/records/1")  # fmt: skip
    return {"old": world.ids["lead"], "later": str(later), "contact": world.ids["contact"]}


def change(world: World, lead_id: str, role: str = "manager", **changes: Any) -> Any:
    version = world.value("SELECT version FROM lead WHERE id = :id", id=lead_id)
    return world.ask("PATCH", f"/leads/{lead_id}", role, json={"version": version, **changes})


def close(world: World, lead_id: str) -> None:
    assert change(world, lead_id, "other_manager", state="lost", lost_reason="too dear").status_code == 200


def nothing_of_boris(world: World, lost: dict[str, str]) -> None:
    """Anna reads none of what Boris wrote, planned or said, by any list or card."""
    for path in ("/leads", "/contacts", "/calls", "/activities", f"/contacts/{lost['contact']}", f"/leads/{lost['old']}",
                 f"/leads/{lost['old']}/why", f"/contacts/{lost['contact']}/timeline",
                 f"/contacts/{lost['contact']}/timeline?lead={lost['old']}",
                 f"/contacts/{lost['contact']}/timeline?lead={lost['later']}"):  # fmt: skip
        told = world.get(path, "manager").get_data(as_text=True)
        assert [secret for secret in (NOTE, "/records/1") if secret in told] == [], path
    assert world.get(f"/leads/{lost['later']}", "manager").status_code == 404


@pytest.mark.parametrize("is_open", [True, False], ids=["while his lead is open", "after he closed his lead"])
def test_a_closed_lead_is_not_opened_again_when_the_client_went_to_a_colleague(
    world: World, lost: dict[str, str], is_open: bool
) -> None:
    if not is_open:
        close(world, lost["later"])
    for state in ("open", "won", "lost", "open"):
        answer = change(world, lost["old"], state=state)
        if state == "open":
            assert (answer.status_code, answer.json["code"]) == (409, "client_is_anothers")
            assert "Boris" in answer.json["detail"]
            assert "assign" in answer.json["detail"]
        nothing_of_boris(world, lost)
    assert world.get(f"/contacts/{lost['contact']}", "manager").status_code == 404
    assert world.get("/activities", "manager").json["items"][0]["id"] == world.ids["activity"]
    told = world.get(f"/leads/{lost['old']}", "manager").json["contact"]
    assert (told["name"], told["phones"], told["emails"]) == ("Ivan Petrov", [], []), "named, and not to be reached any more"
    assert world.get(f"/leads/{lost['old']}", "head").json["contact"]["phones"] == ["+79123456701"]


def test_whoever_assigns_leads_may_open_it_and_its_manager_then_sees_his_own_lead_only(
    world: World, lost: dict[str, str]
) -> None:
    close(world, lost["later"])
    assert change(world, lost["old"], "head", state="open").status_code == 200
    assert world.get(f"/contacts/{lost['contact']}", "manager").status_code == 200
    nothing_of_boris(world, lost)
    seen = world.get(f"/contacts/{lost['contact']}/timeline", "manager").json["items"]
    assert {touch["lead"] for touch in seen} == {lost["old"]}
    all_of_it = world.get(f"/contacts/{lost['contact']}/timeline", "other_manager").json["items"]
    assert {touch["lead"] for touch in all_of_it} == {lost["old"], lost["later"]}, "the client is his, with all his history"


def test_calling_the_old_lead_spam_and_back_is_no_way_round(world: World) -> None:
    """Marked while it was open, so that taking the mark back would open it."""
    lead, contact = world.ids["lead"], world.ids["contact"]
    assert world.ask("POST", f"/leads/{lead}/spam", "manager", json={"why": "a joke"}).status_code == 200
    with world.engine.begin() as connection:
        later = str(make_lead(connection, int(world.ids["source"]), int(contact), int(world.ids["boris"])))
    world.rows("UPDATE contact SET owner_id = :boris WHERE id = :id", boris=world.ids["boris"], id=contact)
    close(world, later)
    answer = world.ask("POST", f"/leads/{lead}/not-spam", "manager", json={})
    assert (answer.status_code, answer.json["code"]) == (409, "client_is_anothers")
    assert world.value("SELECT state FROM lead WHERE id = :id", id=lead) == "closed"
    assert world.ask("POST", f"/leads/{lead}/not-spam", "head", json={}).status_code == 200


def test_one_who_covered_for_a_colleague_does_not_keep_the_client(world: World) -> None:
    """Boris works one lead of Anna's client and closes it: the client stays Anna's, and so does his next inquiry."""
    with world.engine.begin() as connection:
        world.rows("UPDATE lead SET state = 'won' WHERE id = :id", id=world.ids["lead"])
        cover = str(make_lead(connection, int(world.ids["source"]), int(world.ids["contact"]), int(world.ids["boris"])))
    seen = world.get(f"/contacts/{world.ids['contact']}/timeline", "other_manager").json["items"]
    assert {touch["lead"] for touch in seen} == {cover}
    assert world.get("/calls", "other_manager").json["items"][0]["id"] == world.ids["other_call"], "none of Anna's"
    close(world, cover)
    assert change(world, cover, "other_manager", state="open").json["code"] == "client_is_anothers"
    assert world.get(f"/contacts/{world.ids['contact']}", "other_manager").status_code == 404
    own = world.get(f"/contacts/{world.ids['contact']}/timeline?lead={cover}", "other_manager")
    assert {touch["lead"] for touch in own.json["items"]} == {cover}, "his own lead's history stays his to read"


def test_a_manager_opens_the_lead_of_his_own_client_again(world: World) -> None:
    assert change(world, world.ids["lead"], state="lost", lost_reason="too dear").status_code == 200
    assert change(world, world.ids["lead"], state="open").status_code == 200


@pytest.mark.parametrize("word", ["merged", "spam", "erased"])
@pytest.mark.parametrize("state", ["lost", "closed"])
def test_words_of_people_mean_nothing_to_the_code(world: World, word: str, state: str) -> None:
    told = change(world, world.ids["lead"], state=state, lost_reason=word).json
    assert (told["state"], told["lost_reason"], told["closed_code"], told["spam"]["marked"]) == (state, word, "", None)
    assert world.ids["lead"] not in {lead["id"] for lead in world.get("/leads?state=spam", "head").json["items"]}


def test_code_of_the_hub_is_shown_until_a_person_says_how_the_lead_stands(world: World) -> None:
    lead = world.ids["lead"]
    assert world.ask("POST", f"/leads/{lead}/spam", "manager", json={"why": "an offer"}).json["closed_code"] == "spam"
    told = world.get(f"/leads/{lead}", "manager").json
    assert (told["lost_reason"], told["closed_code"]) == ("spam", "spam")
    back = world.ask("POST", f"/leads/{lead}/not-spam", "manager", json={}).json
    assert (back["state"], back["lost_reason"], back["closed_code"]) == ("open", "", "")
    world.rows("UPDATE lead SET state = 'closed', closed_code = 'merged', closed_at = now() WHERE id = :id", id=lead)
    assert world.get(f"/leads/{lead}", "manager").json["lost_reason"] == "merged"
    assert change(world, lead, state="lost").json["code"] == "why_missing"
    told = change(world, lead, state="lost", lost_reason="too dear").json
    assert (told["lost_reason"], told["closed_code"]) == ("too dear", "")
