"""Open alerts on the page of queues: every kind with the facts that it is raised with, the grave before the many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from crm_core import access
from ingest.alerts.alerts import raise_alert
from ingest.quarantine.alerts import MOST_OPEN
from webhooks.console.shell.language import LOCALES, Language

if TYPE_CHECKING:
    from conftest import Hub

#: As the callers of `raise_alert` raise them.
KINDS: dict[str, dict[str, Any]] = {
    "token_expired": {"code": "token_expired", "said": "Session has expired."},
    "source_broken": {"code": "secret_unreadable", "said": "A key is missing."},
    "fetch_failed": {"code": "outbound_timeout", "said": "The other side did not answer in time."},
    "poll_failed": {"code": "outbound_timeout", "said": "The other side did not answer in time."},
    "burst": {"limit": 60, "since": "2026-11-22T01:00:00+00:00", "until": "2026-11-22T01:10:00+00:00"},
    "silence": {"hours": 30, "expected": 12.5, "since": "2026-11-21T01:00:00+00:00"},
    "contacts_missing": {"now_percent": 3, "usual_percent": 97, "of_last": 40},
    "new_field": {}, "field_gone": {}, "unheard_of": {"group": 1, "key": 2, "self": 3},
}  # fmt: skip


@pytest.mark.parametrize("locale", LOCALES)
def test_page_of_queues_opens_when_an_alert_of_any_kind_is_open(hub: Hub, locale: str) -> None:
    with hub.engine.begin() as connection:
        access.set_locale(connection, access.HUB, hub.user_ids["admin"], locale)
        for code, data in KINDS.items():
            raise_alert(connection, hub.source_id, code, "", data)
    answer = hub.signed_in("admin").get("/console/queues")
    assert answer.status_code == 200
    for code, data in KINDS.items():
        if code != "burst":  # its end is written as a time of the hub
            assert Language(locale).code("alert", code, **{"subject": "", **data}).strip() in answer.text


def test_token_that_expired_is_shown_first_when_a_form_has_hundreds_of_new_fields(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        raise_alert(connection, hub.source_id, "token_expired")
        for n in range(MOST_OPEN + 1):
            raise_alert(connection, hub.source_id, "new_field", f"field-{n}-")
    page = hub.signed_in("admin").get("/console/queues").text
    assert page.index("no longer accepts the hub’s key. Enter") < page.index(f"field-{MOST_OPEN}-")
    assert "2 more are not shown" in page
    assert "field-1-" not in page
