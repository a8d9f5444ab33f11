"""Passwords, keys and addresses on disk: whole or not at all, one for all who make it at once, its owner's alone."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crm_core.base.errors import Misconfigured
from leadhub import private_file
from leadhub.settings import secret_key


def test_earlier_content_stays_when_the_new_one_finds_no_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "valkey.password"
    private_file.write(place, "the first")
    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", _full)
        with pytest.raises(OSError, match="No space"):
            private_file.write(place, "the second")
        with pytest.raises(OSError, match="No space"):
            private_file.make_once(tmp_path / "other", "x")
    assert place.read_text() == "the first"
    assert [path.name for path in tmp_path.iterdir()] == ["valkey.password"]


def test_nothing_is_written_when_the_file_says_so_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "valkey.conf"
    private_file.write_if_other(place, "port 1")
    monkeypatch.setattr(os, "fsync", _full)
    private_file.write_if_other(place, "port 1")
    assert stat.S_IMODE(place.stat().st_mode) == 0o600


def test_all_get_the_same_when_many_make_it_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda n: private_file.make_once(tmp_path / "key", f"key {n}"), range(64)))
    assert len(found) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_start_is_refused_in_words_when_the_key_was_cut_off(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("")
    with pytest.raises(Misconfigured, match="backup"):
        secret_key(tmp_path)
    assert (tmp_path / "secret_key").read_text() == ""


def _full(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")
