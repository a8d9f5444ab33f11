"""A proxy in front that nobody told the hub of: noticed from the journal, with the setting to write."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from desk import Desk
from door_client import call, open_door
from sqlalchemy import Engine

from crm_core.base.config import HubConfig
from ingest.journal.accept import RawEvent, insert_events
from ingest.monitoring.health import health_report
from ingest.monitoring.proxies import UnknownProxy, hops_needed, unknown_proxy
from leadhub.doctor import examine

FORWARDED = {"x-forwarded-for": "203.0.113.7"}


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


def post(desk: Desk, ip: str, headers: dict[str, str], source: int | None = None) -> None:
    raw_event = RawEvent(source or desk.form_source, "form", b"name=Ivan", headers=headers, remote_ip=ip)
    insert_events(desk.door, [raw_event])


def noticed(desk: Desk, trusted: int = 0, later: timedelta = timedelta(0)) -> UnknownProxy | None:
    with desk.engine.connect() as connection:
        return unknown_proxy(connection, trusted, datetime.now(UTC) + later)


def test_proxy_when_posts_come_from_inside_and_name_somebody_outside_is_noticed(desk: Desk) -> None:
    post(desk, "172.18.0.2", FORWARDED)
    post(desk, "172.18.0.3", FORWARDED)
    assert noticed(desk) == UnknownProxy("172.18.0.3", 1, 2)
    assert noticed(desk, trusted=1) is None
    assert noticed(desk, later=timedelta(days=8)) is None


@pytest.mark.parametrize(
    "ip, headers",
    [
        ("172.18.0.2", {}),
        ("198.51.100.1", FORWARDED),  # a visitor may write what he likes
        ("192.168.1.20", {"x-forwarded-for": "192.168.1.20"}),  # a colleague
        ("127.0.0.1", {"x-forwarded-for": "unknown, 10.0.0.1"}),
        ("", FORWARDED),
    ],
)
def test_nothing_when_there_is_nothing_to_tell(desk: Desk, ip: str, headers: dict[str, str]) -> None:
    post(desk, ip, headers)
    assert noticed(desk) is None


def test_proxy_when_the_newest_post_shows_a_visitor_is_no_more_told_of(desk: Desk) -> None:
    post(desk, "172.18.0.2", FORWARDED)
    post(desk, "203.0.113.7", FORWARDED)
    assert noticed(desk) is None


def test_proxy_when_a_colleague_posts_after_it_is_still_noticed(desk: Desk) -> None:
    post(desk, "172.18.0.2", FORWARDED)
    post(desk, "192.168.1.20", {"x-forwarded-for": "192.168.1.20"})
    assert noticed(desk) == UnknownProxy("172.18.0.2", 1, 1)


def test_second_proxy_when_only_one_is_counted_is_noticed(desk: Desk) -> None:
    post(desk, "10.0.0.5", {"x-forwarded-for": "203.0.113.7, 10.0.0.5"})
    assert noticed(desk, trusted=1) == UnknownProxy("10.0.0.5", 2, 1)
    assert noticed(desk, trusted=2) is None


def test_proxy_when_it_says_who_only_by_another_header_is_told_so(desk: Desk) -> None:
    post(desk, "172.18.0.2", {"x-real-ip": "203.0.113.7"})
    found = noticed(desk, trusted=1)
    assert found is not None
    assert (found.code, "X-Forwarded-For" in found.words) == ("proxy_says_nothing", True)


@pytest.mark.parametrize(
    "chain, other, needed",
    [
        ("203.0.113.7", "", 1),
        ("203.0.113.7:4711", "", 1),
        ("[2001:db8::1]:4711", "", 1),
        ("198.51.100.9, 203.0.113.7, 10.1.1.1", "", 2),
        ("203.0.113.7, ::1, fd00::1", "", 3),
        (", ".join(["203.0.113.7"] + ["10.0.0.1"] * 20), "", None),
        ("", 'for="[2001:db8::1]";proto=https', 0),
        ("", "for=203.0.113.7, for=10.0.0.1", 0),
        ("10.0.0.1", "unknown", None),
        ("nonsense, ,", "", None),
    ],
)
def test_hops_when_a_chain_is_read(chain: str, other: str, needed: int | None) -> None:
    assert hops_needed(chain, other) == needed


def test_proxy_when_it_stands_before_the_real_door_is_noticed(desk: Desk) -> None:
    for trusted, expected in ((0, 1), (1, None)):
        with open_door(replace(desk.config, trusted_proxies=trusted)) as door:
            path = f"/in/{door.add().token}"
            heard = call(door.entrance, "POST", path, b"name=Ivan", {"X-Forwarded-For": "203.0.113.7"}, remote="172.18.0.2")
            assert heard.status == 200
        found = noticed(desk, trusted)
        assert (found.needed if found else None) == expected


def test_finding_when_a_proxy_is_unknown_stands_in_health_and_doctor(desk: Desk) -> None:
    post(desk, "172.18.0.2", FORWARDED)
    with desk.engine.connect() as connection:
        report = health_report(connection, desk.config, datetime.now(UTC))
    (hint,) = report.hints
    assert (hint.code, hint.facts["peer"], hint.facts["needed"]) == ("proxy_unknown", "172.18.0.2", 1)
    assert "LEADHUB_TRUSTED_PROXIES=1" in " ".join(report.notes)
    (told,) = (one for one in examine(desk.config) if one.name == "proxy")
    assert (told.state, "LEADHUB_TRUSTED_PROXIES=1" in told.message) == ("hint", True)
    assert [one for one in examine(replace(desk.config, trusted_proxies=1)) if one.name == "proxy"] == []
