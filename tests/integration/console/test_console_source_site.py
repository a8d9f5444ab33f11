"""What a website is given on its source's page: the script line with its hash, and the ids of the service it comes from."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import pytest

from crm_core.access import HUB
from ingest.sources.aliases import add_alias
from ingest.sources.sources import add_source
from webhooks.entrance.snippet_file import snippet

if TYPE_CHECKING:
    from conftest import Hub


@pytest.mark.parametrize("locale, heading", [("en", "Moving here from another service"), ("ru", "Переезд с другого сервиса")])
def test_script_line_is_ready_to_paste(hub: Hub, locale: str, heading: str) -> None:
    admin = hub.signed_in("admin")
    admin.post("/console/language", locale=locale, next="/console/")
    page = html.unescape(html.unescape(admin.get(f"/console/sources/{hub.source_id}").text))
    assert heading in page
    assert f'<script src="{hub.config.base_url}/js/{snippet().name}"' in page
    assert f'integrity="{snippet().integrity}"' in page
    assert f'crossorigin defer data-leadhub="{hub.url}"' in page
    assert f'<form data-leadhub method="post" action="{hub.url}">' in page


def test_alias_is_added_shown_with_its_new_address_and_removed(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    where = f"/console/sources/{hub.source_id}"
    answer = admin.post(f"{where}/aliases", alias="https://formspree.io/f/xyzabcde")
    assert answer.status_code == 303
    page = admin.get(answer.headers["Location"].partition("#")[0]).text
    assert "The old id leads here now." in page
    assert "formspree:xyzabcde" in page
    assert f"{hub.config.base_url}/f/xyzabcde" in page
    assert admin.post(f"{where}/aliases/remove", alias="formspree:xyzabcde").status_code == 303
    assert f"{hub.config.base_url}/f/xyzabcde" not in admin.get(where).text


def test_alias_is_refused_in_words(hub: Hub) -> None:
    admin = hub.signed_in("admin")
    answer = admin.post(f"/console/sources/{hub.source_id}/aliases", alias="nonsense")
    assert answer.status_code == 422
    assert "service:id" in answer.text


@pytest.mark.parametrize(
    ("locale", "title", "said"),
    [
        ("en", "This cannot be done", "belongs to the source"),
        ("ru", "Так сделать нельзя", "принадлежит источнику «Landing page»"),
    ],
)
def test_alias_that_is_taken_names_its_holder_and_blames_nobody(hub: Hub, locale: str, title: str, said: str) -> None:
    with hub.engine.begin() as connection:
        other = add_source(connection, HUB, hub.config, "generic_form", "Landing page", {})
        add_alias(connection, HUB, hub.config, other.id, "formspree:xyzabcde")
    admin = hub.signed_in("admin")
    admin.post("/console/language", locale=locale)
    answer = admin.post(f"/console/sources/{hub.source_id}/aliases", alias="formspree:xyzabcde")
    assert answer.status_code == 409
    page = html.unescape(answer.text)
    assert title in page
    assert f"formspree:xyzabcde {said}" in page
    assert "faster" not in page
    wrong = html.unescape(admin.post(f"/console/sources/{hub.source_id}/aliases", alias="nonsense").text)
    assert ("сервис:id" if locale == "ru" else "service:id") in wrong
    assert "formspree:xyzabcde" in wrong


@pytest.mark.parametrize("role", ["head", "readonly"])
def test_nobody_sees_the_line_who_may_not_see_the_address(hub: Hub, role: str) -> None:
    page = hub.signed_in(role).get(f"/console/sources/{hub.source_id}").text
    assert hub.url not in html.unescape(page)
    assert "page-snippet" not in page
