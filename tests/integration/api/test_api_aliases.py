"""Aliases over the API and the command line: added, listed, refused when taken, taken away."""

from __future__ import annotations

from api_world import World


def test_alias_is_added_listed_and_taken_away(world: World) -> None:
    source = world.ask("POST", "/sources", "ops", json={"connector": "generic_form", "name": "Moved"}).json["id"]
    path = f"/sources/{source}/aliases"
    made = world.ask("POST", path, "ops", json={"alias": "https://formspree.io/f/xyzabcde"})
    assert (made.status_code, [row["alias"] for row in made.json["items"]]) == (201, ["formspree:xyzabcde"])
    made = world.ask("POST", path, "ops", json={"alias": "hubspot:123/ABCD-ef01"})
    assert [row["alias"] for row in made.json["items"]] == ["formspree:xyzabcde", "hubspot:123/abcd-ef01"]
    assert [row["alias"] for row in world.get(path).json["items"]] == ["formspree:xyzabcde", "hubspot:123/abcd-ef01"]
    assert world.ask("DELETE", f"{path}?alias=hubspot:123/abcd-ef01", "ops").status_code == 204
    assert world.ask("DELETE", f"{path}?alias=hubspot:123/abcd-ef01", "ops").json["code"] == "alias_unknown"
    assert [row["alias"] for row in world.get(path).json["items"]] == ["formspree:xyzabcde"]
    deeds = world.rows(
        "SELECT action FROM audit_entry WHERE action LIKE 'source.alias%' AND subject = :of ORDER BY id", of=f"source:{source}"
    )
    assert [deed[0] for deed in deeds] == ["source.alias_add", "source.alias_add", "source.alias_remove"]


def test_alias_is_refused_in_words_when_it_is_taken_or_none(world: World) -> None:
    other = world.ask("POST", "/sources", "ops", json={"connector": "generic_form", "name": "Other"}).json["id"]
    assert world.ask("POST", f"/sources/{other}/aliases", "ops", json={"alias": "basin:0123456789ab"}).status_code == 201
    taken = world.ask("POST", f"/sources/{world.ids['source']}/aliases", "ops", json={"alias": "basin:0123456789ab"})
    assert (taken.status_code, taken.json["code"]) == (409, "alias_taken")
    assert taken.json["title"] == "It conflicts with what is there"
    assert "(Other)" in taken.json["detail"]
    for wrong in ("nobody:1", "", "formspree:", "a\x00b"):
        answer = world.ask("POST", f"/sources/{other}/aliases", "ops", json={"alias": wrong})
        assert answer.status_code == 422, wrong
    assert world.ask("POST", "/sources/999999/aliases", "ops", json={"alias": "basin:0123456789ab"}).status_code == 404
