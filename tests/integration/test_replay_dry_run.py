"""A dry run is asked for most where something is broken, so what is broken must not stop it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.intake import order
from crm_core.intake.take import take
from ingest.processing.replay import Selection, replay


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


def test_dry_run_names_the_event_that_still_fails_and_shows_the_others(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = desk.form(name="Иван", phone="+79213334455"), desk.form(name="Пётр", message="breaks")
    desk.rows("UPDATE inbound_event SET state = 'needs_attention' RETURNING id")

    def breaks(takes, batch, step, now):  # type: ignore[no-untyped-def]
        if step.parsed_item.message == "breaks":
            raise KeyError
        return take(takes, batch, step, now)

    monkeypatch.setattr(order, "take", breaks)
    report = replay(desk.engine, HUB, desk.config, Selection(uids=(good, bad)), dry_run=True)
    assert report.after == {"created": 1, "needs_attention": 1}
    assert [change["event"] for change in report.changes] == [good]
    assert desk.one("SELECT count(*) FROM lead") == 0
