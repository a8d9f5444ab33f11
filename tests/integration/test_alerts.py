"""Alerts: one open for a source, code and subject, counted while it lasts, closed by a person or by itself."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from principals import OPERATOR, user
from psycopg.rows import dict_row
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from crm_core.base.errors import NotFound
from crm_core.base.values import Named
from ingest.alerts.alerts import AlertCount, end_alert, open_counts, raise_alert
from ingest.monitoring.health import health_report
from ingest.quarantine.alerts import AlertView, list_alerts, open_alerts, resolve_alert
from ingest.sources.sources import add_source


@pytest.fixture
def source_id(engine: Engine, config: HubConfig) -> int:
    with engine.begin() as connection:
        return add_source(connection, HUB, config, "generic_form", "Site", {}).id


def shown(engine: Engine, **wanted: Any) -> Sequence[AlertView]:
    with engine.begin() as connection:
        return list_alerts(connection, **wanted).items


def test_alert_when_raised_from_cursor_connection_and_engine(engine: Engine, config: HubConfig, source_id: int) -> None:
    with psycopg.connect(config.database_url, autocommit=True) as plain:
        assert raise_alert(plain, source_id, "silence", data={"limit": 60}) == 1
    with psycopg.connect(config.database_url, row_factory=dict_row) as keyed, keyed.cursor() as cursor:
        assert raise_alert(cursor, source_id, "silence", data={"seen": 61}) == 2
    with engine.begin() as connection:
        assert raise_alert(connection, source_id, "silence") == 3
    (alert,) = shown(engine)
    assert (alert.code, alert.raised, alert.data) == ("silence", 3, {"limit": 60, "seen": 61})
    assert alert.source == Named(source_id, "Site")


def test_alert_when_subjects_differ(engine: Engine, source_id: int) -> None:
    with engine.begin() as connection:
        raise_alert(connection, source_id, "new_field", "city")
        raise_alert(connection, source_id, "new_field", "budget\x00")
        assert [alert.subject for alert in open_alerts(connection, source_id)] == ["budget", "city"]
        assert open_counts(connection) == [AlertCount("new_field", Named(source_id, "Site"), 2)]


def test_alert_when_many_raise_it_at_once(config: HubConfig, engine: Engine, source_id: int) -> None:
    def once(_: int) -> None:
        with psycopg.connect(config.database_url, autocommit=True) as connection:
            raise_alert(connection, source_id, "silence", "form 1")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(once, range(24)))
    (alert,) = shown(engine)
    assert alert.raised == 24


def test_alert_when_resolved_and_raised_again(engine: Engine, source_id: int) -> None:
    with engine.begin() as connection:
        raise_alert(connection, source_id, "burst")
        alert_id = open_alerts(connection)[0].id
        first = resolve_alert(connection, user(1), alert_id)
        assert resolve_alert(connection, user(2), alert_id) == first
        assert first.resolved_by == "user:1"
        raise_alert(connection, source_id, "burst")
        assert [alert.raised for alert in open_alerts(connection)] == [1]
    assert len(shown(engine, state=None)) == 2
    assert [alert.id for alert in shown(engine, state="resolved")] == [alert_id]


def test_alert_when_it_has_passed(engine: Engine, source_id: int) -> None:
    with engine.begin() as connection:
        raise_alert(connection, source_id, "token_expired", "page 1")
        raise_alert(connection, source_id, "token_expired", "page 2")
        assert end_alert(connection, source_id, "token_expired", "page 1") == 1
        assert end_alert(connection, source_id, "token_expired") == 1
        assert end_alert(connection, source_id, "token_expired") == 0
        assert open_alerts(connection) == []


def test_resolve_when_there_is_no_such_alert(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(NotFound):
        resolve_alert(connection, OPERATOR, 999)


def test_health_when_a_source_is_broken_or_only_silent(engine: Engine, config: HubConfig, source_id: int) -> None:
    with engine.begin() as connection:
        raise_alert(connection, source_id, "silence")
        report = health_report(connection, config, datetime.now(UTC))
        assert "Source Site: silence (1 open alerts)." in report.notes
        assert [finding for finding in report.findings if finding.code == "source_alert"] == []
        raise_alert(connection, source_id, "token_expired")
        (finding,) = [one for one in health_report(connection, config, datetime.now(UTC)).findings if one.code == "source_alert"]
    assert finding.facts == {"name": "Site", "alert": "token_expired", "count": 1}
