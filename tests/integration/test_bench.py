"""What the benchmark holds the product against does what it says, and says so when it cannot be had."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from bench import run
from bench.baselines import p20
from bench.load import body
from bench.peers import node_red
from bench.table import show, skipped


def test_p20_makes_a_lead_and_an_outbox_row_of_every_person_once(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA p20")
        url = f"{database_url}?options=-csearch_path%3Dp20"
    with psycopg.connect(url, autocommit=True) as connection:
        p20.fill(connection, (body(n // 10 * 10 if n % 10 == 9 else n) for n in range(200)))
        events, _ = p20.drain(url)
        assert events == 200
        found = connection.execute(
            "SELECT (SELECT count(*) FROM lead), (SELECT count(*) FROM outbox), (SELECT count(DISTINCT owner_id) FROM lead),"
            " (SELECT count(*) FROM event WHERE done_at IS NULL)"
        ).fetchone()
    assert found == (180, 180, 3, 0)


def test_node_red_is_skipped_in_words_when_npm_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.prefix", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(node_red.Missing) as missing:
        node_red.installed()
    line = skipped("beside node-red", str(missing.value))
    assert line.met is None
    assert "skipped: npm is missing" in show([line])


def test_peers_are_measured_only_when_they_are_asked_for() -> None:
    everything = list(run.MEASUREMENTS)
    assert run.wanted(None, peers=True) == everything
    assert run.wanted(None, peers=False) == [name for name in everything if name not in ("peers", "race")]
    assert run.wanted(["peers"], peers=False) == ["peers"]
