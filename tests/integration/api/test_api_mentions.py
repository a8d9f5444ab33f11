"""Messages to colleagues by the API: left, listed to whom they concern, read once."""

from __future__ import annotations

from api_world import World


def _leave(world: World, role: str, to: str, lead: str = "lead", text: str = "They asked for you") -> str:
    answer = world.ask("POST", "/mentions", role, json={"lead": world.ids[lead], "to": world.ids[to], "text": text})
    assert answer.status_code == 201, answer.text
    return str(answer.json["id"])


def _listed(world: World, role: str, **query: str) -> list[str]:
    answer = world.ask("GET", "/mentions", role, query_string=query)
    assert answer.status_code == 200
    return [one["id"] for one in answer.json["items"]]


def test_message_waits_for_the_colleague_until_they_say_that_they_read_it(world: World) -> None:
    left = _leave(world, "manager", "boris")
    assert _listed(world, "other_manager", to=world.ids["boris"], state="unread") == [left, world.ids["mention"]]
    answer = world.ask("POST", f"/mentions/{left}/read", "other_manager")
    assert answer.json["read_at"] is not None
    again = world.ask("POST", f"/mentions/{left}/read", "other_manager")
    assert again.json["read_at"] == answer.json["read_at"]
    assert _listed(world, "other_manager", to=world.ids["boris"], state="unread") == [world.ids["mention"]]
    assert _listed(world, "manager", lead=world.ids["lead"], state="read") == [left]


def test_colleague_sees_the_words_and_nothing_of_a_client_who_is_not_theirs(world: World) -> None:
    left = _leave(world, "manager", "boris", text="Please ring the one with the roof")
    answer = world.ask("GET", "/mentions", "other_manager")
    [one] = [item for item in answer.json["items"] if item["id"] == left]
    assert (one["text"], one["lead"], one["contact"], one["to"]["name"]) == (
        "Please ring the one with the roof", world.ids["lead"], None, "Boris",
    )  # fmt: skip
    assert "Ivan" not in answer.text
    assert world.ask("GET", f"/leads/{world.ids['lead']}", "other_manager").status_code == 404
    mine = world.ask("GET", "/mentions", "manager").json["items"]
    assert [item["contact"]["name"] for item in mine if item["id"] == left] == ["Ivan Petrov"]


def test_message_between_others_about_others_is_shown_to_nobody_else(world: World) -> None:
    _leave(world, "head", "anna", lead="other_lead")
    world.rows("UPDATE lead SET owner_id = NULL WHERE id = :id", id=world.ids["lead"])
    assert _listed(world, "stray_manager") == []
    assert world.ids["mention"] not in _listed(world, "manager")
    assert len(_listed(world, "readonly")) == 3


def test_message_stands_in_the_history_of_the_lead(world: World) -> None:
    _leave(world, "manager", "boris", text="Wants Boris")
    history = world.ask("GET", f"/contacts/{world.ids['contact']}/timeline", "manager").json["items"]
    assert [(one["kind"], one["text"]) for one in history[:1]] == [("comment", "Wants Boris")]


def test_list_is_paged_without_repeating(world: World) -> None:
    for n in range(3):
        _leave(world, "manager", "boris", text=f"{n}")
    seen, cursor = [], None
    for _ in range(5):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        answer = world.ask("GET", "/mentions", "head", query_string=query).json
        seen += [one["id"] for one in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 5
