"""The page snippet as it is served, and the signed times that its forms ask for."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import altcha
import pytest
from door_client import Door, Heard, call, open_door, stand_in

from connectors.kit.forms.config import FormConfig
from crm_core.base.config import HubConfig
from ingest.screening import challenge
from webhooks.entrance import snippet as scripts
from webhooks.entrance import snippet_file
from webhooks.entrance.challenge import Guard
from webhooks.entrance.snippet_file import SOURCE, snippet

App = Callable[[dict[str, Any], Any], Iterable[bytes]]


def get(path: str, method: str = "GET", **headers: str) -> Heard:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return call(scripts.serve, method, path, headers=named)


@pytest.mark.parametrize("path", ["/js/leadhub.js", f"/js/{snippet().name}"])
def test_script_is_served_to_any_site_with_its_hash(path: str) -> None:
    heard = get(path, Origin="https://shop.example.com")
    assert (heard.status, heard.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
    assert heard.headers["access-control-allow-origin"] == "*"  # one answer for all, so that caches may keep it
    assert heard.headers["cross-origin-resource-policy"] == "cross-origin"
    digest = base64.b64encode(hashlib.sha384(heard.body).digest()).decode()
    assert snippet().integrity == f"sha384-{digest}"
    compressed = get(path, Accept_Encoding="gzip, deflate, br")
    assert compressed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(compressed.body) == heard.body
    assert len(compressed.body) <= 4096
    assert get(path, Accept_Encoding="gzip;q=0, identity").body == heard.body
    assert get(path, If_None_Match=f'W/"x", {heard.headers["etag"]}').status == 304
    assert get(path, "HEAD").body == b""


def test_script_may_be_kept_for_ever_only_under_its_own_name() -> None:
    assert "immutable" in get(f"/js/{snippet().name}").headers["cache-control"]
    assert "immutable" not in get("/js/leadhub.js").headers["cache-control"]


def test_script_needs_nothing_that_a_strict_policy_forbids() -> None:
    told = snippet().body.decode()
    for forbidden in ("eval(", "new Function", "innerHTML", "document.write", ".style", 'setTimeout("', ".onclick"):
        assert forbidden not in told
    assert "//" not in told.replace("https://", "").replace('"//"', "")  # no comment is carried to every visitor
    assert len(told) < SOURCE.stat().st_size


@pytest.mark.parametrize("path", ["/js/", "/js/other.js", "/js/../snippet.py", "/js/leadhub-0000000000.js", "/js/leadhub-x.js"])
def test_nothing_else_is_served(path: str) -> None:
    assert get(path).status == 404
    assert get("/js/leadhub.js", "POST").status == 405


def test_earlier_version_is_served_when_it_was_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "leadhub-0123456789.js").write_bytes(b"old();")
    monkeypatch.setattr(scripts, "SOURCE", tmp_path / "leadhub.js")
    heard = get("/js/leadhub-0123456789.js")
    scripts._earlier.cache_clear()
    assert (heard.status, heard.body) == (200, b"old();")
    assert "immutable" in heard.headers["cache-control"]


@pytest.fixture
def door(config: HubConfig) -> Iterator[Door]:
    with open_door(config) as opened:
        yield opened


def asked(door: Door, path: str, method: str = "GET", **headers: str) -> Heard:
    return call(Guard(door.config, door.entrance._directory), method, path, headers=headers)


def test_time_is_signed_for_the_source_that_is_asked(door: Door) -> None:
    source, other = door.add(), door.add()
    heard = asked(door, f"/c/{source.token}", Origin="https://shop.example.com")
    assert (heard.status, heard.headers["cache-control"]) == (200, "no-store")
    assert heard.headers["access-control-allow-origin"] == "https://shop.example.com"
    told = heard.json()
    assert set(told) == {"t"}  # no puzzle is made for who wants none
    now = datetime.now(UTC)
    assert challenge.check(door.config, source.id, told["t"], now) is not None
    assert challenge.check(door.config, other.id, told["t"], now) is None
    assert door.rows() == []


@pytest.mark.parametrize("wanted", ["optional", "expected"])
def test_puzzle_comes_along_when_the_source_wants_one(door: Door, monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    stand_in(monkeypatch, config_model=FormConfig)
    source = door.add("probe", {"altcha": wanted})
    told = asked(door, f"/c/{source.token}").json()
    made = altcha.Challenge.from_dict(told)  # what the widget reads
    solution = altcha.solve_challenge(made)
    assert solution is not None
    secret, key_secret = challenge.altcha_secrets(door.config, source.id)
    payload = altcha.Payload(made, solution).to_base64()
    assert altcha.verify_solution(payload, secret, hmac_key_secret=key_secret).verified
    assert "t" in told


def test_guard_refuses_with_cors_what_the_door_refuses(door: Door) -> None:
    for path, method, status in (("/c/nobody", "GET", 404), ("/c/", "GET", 404), (f"/c/{door.add().token}", "POST", 405)):
        heard = asked(door, path, method, Origin="null")
        assert (heard.status, heard.headers["access-control-allow-origin"]) == (status, "null")
    assert asked(door, f"/c/{door.add().token}", "OPTIONS").status == 204


def test_guard_says_come_back_when_the_database_is_away(config: HubConfig) -> None:
    from dataclasses import replace

    with open_door(config) as door:
        token = door.add().token
    with open_door(replace(config, database_url="postgresql://nobody@127.0.0.1:1/none")) as away:
        heard = asked(away, f"/c/{token}", Origin="https://example.com")
    assert (heard.status, heard.headers["access-control-allow-origin"]) == (503, "https://example.com")
    assert "retry-after" in heard.headers


def test_no_name_that_is_shortened_is_a_members_name() -> None:
    lines = (line for line in SOURCE.read_text("utf-8").splitlines() if not line.strip().startswith("//"))
    plain = snippet_file._LITERAL.sub("0", "\n".join(lines))
    for name in snippet_file._OWN:
        assert re.search(rf"\b{name}\b", plain), f"{name} is nowhere"
        assert not re.search(rf"\b{name}:|[(=] ?\{{[\w, ]*\b{name} ?[,}}]", plain), f"{name} is a member"
