"""Addresses of other services: what a connector may declare, what is refused with its line, and what the pages say of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from werkzeug.routing import Map

from connectors.kit import OldPath, Replaces, registry
from connectors.kit.preset.file import read
from connectors.kit.replaces import HUB_PATHS, ReplacedAddresses, WrongReplacement
from connectors.kit.tools import dropins as page
from crm_core.base.config import HubConfig
from crm_core.base.errors import Misconfigured
from webhooks.app import create_app

ROOT = Path(__file__).parents[4]


def declared(*paths: str, **more: Any) -> Replaces:
    return Replaces(tuple(OldPath(path) for path in paths), **{"id": "[a-z0-9]{2,40}", "example": "ab12", **more})


def test_eight_services_bring_their_addresses_in_their_folders() -> None:
    assert tuple(registry.replaced().services) == (
        "formspree", "formsubmit", "web3forms", "basin", "getform", "hubspot", "roistat", "calltouch",
    )  # fmt: skip
    assert sorted(registry.replaced().prefixes) == [
        "/ajax/", "/api/proxy/1.0/leads/add", "/calls-service/RestAPI/requests/", "/f/", "/submissions/v3/integration/", "/submit",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "section, said",
    [
        ("  paths: [{path: '/f/{id}'}]\n  example: ab12\n", "line 4: replaces: 'id' is a required property"),
        (
            "  paths:\n    - {path: '/x/{id}'}\n    - {path: 'f/{id}'}\n  id: a+\n  example: aa\n",
            "line 6: replaces.paths.1.path: ",
        ),
        ("  paths: [{path: '/x/{id}', speed: 9}]\n  id: a+\n  example: aa\n", "line 4: replaces.paths.0: 'speed' is not known"),
        ("  paths: [{path: '/x/{id}'}]\n  id: a+\n  example: b\n", "line 6: replaces.example: The example b is not"),
        ("  paths: [{path: '/x/{id}'}]\n  id: 'a('\n  example: b\n", "line 5: replaces.id: This is no regular expression"),
        ("  paths: [{path: '/x/{id}'}]\n  id: '(a)\\1'\n  example: b\n", "line 5: replaces.id: This is no regular expression"),
        ("  paths: [{path: '/x/{id}-{form}'}]\n  id: a+\n  example: aa\n", "line 4: replaces.paths.0: In /x/{id}-{form} each"),
        ("  paths: [{path: '/x/send'}]\n  id: a+\n  example: aa\n", "line 4: replaces.paths.0: /x/send holds no id"),
        (
            "  paths: [{path: '/x/{id}'}]\n  key_field: key\n  id: a+\n  example: aa\n",
            "line 4: replaces.paths.0: /x/{id} holds an id",
        ),
        ("  paths: [{path: '/{id}'}]\n  id: a+\n  example: aa\n", "line 4: replaces.paths.0: /{id} would take every address"),
        ("  paths: [{path: '/console/{id}'}]\n  id: a+\n  example: aa\n", "would take /console away from the hub"),
        ("  paths: [{path: /c}]\n  key_field: key\n  id: a+\n  example: aa\n", "away from the hub"),
        (
            "  paths: [{path: '/x/{id}'}]\n  aliases: ['{form}']\n  id: a+\n  example: aa\n",
            "line 5: replaces.aliases.0: {form} names",
        ),
    ],
)
def test_mistake_is_told_with_its_line(tmp_path: Path, section: str, said: str) -> None:
    file = tmp_path / "preset.yaml"
    file.write_text(f"title: x\nchannel: form\nreplaces:\n{section}")
    with pytest.raises(Misconfigured) as caught:
        read(file)
    assert said in str(caught.value)


def test_declaration_in_python_is_checked_as_one_in_yaml_is() -> None:
    with pytest.raises(WrongReplacement, match="would take /in/ away"):
        declared("/in/{id}")


def test_lower_rank_is_asked_first_when_services_share_a_path() -> None:
    second = declared("/x/{id}")
    first = Replaces((OldPath("/{mail}"), OldPath("/x/{id}[.json]", rank=1)), id="a+", example="a")
    found = ReplacedAddresses({"second": second, "first": first}).match("/x/ab12")
    assert [(one.service, one.json) for one in found] == [("first", False), ("second", False)]


def test_end_in_brackets_asks_for_json_and_one_within_does_not() -> None:
    table = ReplacedAddresses({"acme": declared("/x/[secure/]send/{id}[.json]")})
    seen = {path: [(one.values["id"], one.json) for one in table.match(path)] for path in (
        "/x/send/ab", "/x/secure/send/ab/", "/x/send/ab.json", "/x/send/ab/c", "/y/send/ab",
    )}  # fmt: skip
    assert list(seen.values()) == [[("ab", False)], [("ab", False)], [("ab", True)], [], []]


def test_no_connector_takes_an_address_of_the_hub(config: HubConfig) -> None:
    """The switch asks for them first: what one of them covered, Flask would never see."""
    urls: Map = create_app(config).url_map
    own = [str(rule).partition("<")[0] for rule in urls.iter_rules()]
    assert own
    assert [one for one in own if one.startswith(registry.replaced().prefixes)] == []
    assert [one for one in own if one != "/" and not one.startswith(HUB_PATHS)] == []


def test_nginx_lets_every_declared_address_through() -> None:
    [allowed] = re.findall(r"location ~ (\^/\(in/.*?) \{\n", (ROOT / "deploy" / "nginx.conf").read_text())
    services = registry.replaced().services
    paths = [one.path_of(one.example) for one in services.values()] + ["/info@example.com", "/ajax/a1b2c3"]
    assert [path for path in paths if not re.match(allowed, path)] == []


def test_table_of_the_page_is_what_the_connectors_declare() -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page()
    assert page.table().count("\n") == len(registry.replaced().services) + 2


def test_no_code_outside_the_folders_names_a_service_of_a_drop_in() -> None:
    for file in ("webhooks/entrance/dropins.py", "ingest/sources/aliases.py", "connectors/kit/replaces.py", "webhooks/wsgi.py"):
        text = (ROOT / file).read_text().casefold()
        assert [name for name in registry.replaced().services if name in text] == [], file
