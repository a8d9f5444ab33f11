"""Who may read the home: its owner alone, also where an earlier version left it open; nobody else's directory is closed."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from leadhub.home import close_to_others, is_only_ours, make_home, open_for_server, open_to_others


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """As the first versions left it."""
    place = tmp_path / "home"
    for folder in ("files/ab", "valkey/appendonlydir", "log", "postgres/data", "postgres-18/bin"):
        (place / folder).mkdir(parents=True, mode=0o755)
    for name in ("files/ab/cd", "valkey/appendonlydir/a.aof", "children.json", "running.json", "log/web.log", "leadhub.lock"):
        (place / name).write_text("x")
        (place / name).chmod(0o644)
    (place / "postgres-18/bin/postgres").touch(mode=0o755)
    (place / "postgres").chmod(0o700)
    return place


def mode(place: Path) -> int:
    return stat.S_IMODE(place.stat().st_mode)


def test_open_home_is_closed_at_the_next_start(home: Path) -> None:
    assert home / "valkey/appendonlydir/a.aof" in open_to_others(home)
    make_home(home)
    assert [place for place in open_to_others(home) if (home / "postgres") not in place.parents] == []
    assert (mode(home), mode(home / "files/ab/cd"), mode(home / "valkey/appendonlydir")) == (0o700, 0o600, 0o700)
    assert mode(home / "postgres-18/bin/postgres") == 0o755


def test_new_home_is_private_from_the_beginning(tmp_path: Path) -> None:
    make_home(tmp_path / "var" / "hub")
    assert (mode(tmp_path / "var/hub"), mode(tmp_path / "var/hub/log")) == (0o700, 0o700)


def test_directory_that_others_use_stays_open_and_only_what_is_ours_is_closed(home: Path) -> None:
    (home / "website").mkdir()
    home.chmod(0o755)
    close_to_others(home)
    assert (mode(home), is_only_ours(home)) == (0o755, False)
    assert (mode(home / "running.json"), mode(home / "files")) == (0o600, 0o700)


def test_shared_temporary_directory_is_never_closed(home: Path) -> None:
    home.chmod(0o1777)
    close_to_others(home)
    assert mode(home) == 0o1777


def test_links_are_not_followed(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("somebody else's")
    elsewhere.chmod(0o644)
    (home / "log" / "link").symlink_to(elsewhere)
    make_home(home)
    assert mode(elsewhere) == 0o644


def test_user_who_runs_postgres_passes_and_sees_nothing(home: Path) -> None:
    make_home(home)
    open_for_server(home)
    assert mode(home) == 0o711
    assert home not in open_to_others(home)
