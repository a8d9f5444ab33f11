"""Files of an inquiry that is read anew keep their rows by what they are."""

from __future__ import annotations

from typing import Any

import pytest

from crm_core.forms.file_pairs import refile


def known(n: int, sha: str = "", url: str = "", name: str = "a.png", state: str = "") -> dict[str, Any]:
    return {"n": n, **read(sha, url, name, state or ("stored" if sha else "failed"))}


def read(sha: str = "", url: str = "", name: str = "a.png", state: str = "") -> dict[str, Any]:
    state = state or ("to_fetch" if url else "stored" if sha else "refused")
    return {"sha256": sha, "url": url, "name": name, "field": "file", "state": state}


@pytest.mark.parametrize(
    ("before", "now", "numbers", "gone"),
    [
        ([known(0, "aa"), known(1, "bb")], [read("aa"), read("bb")], [0, 1], []),  # nothing changed
        ([known(0, "aa"), known(1, "bb")], [read("bb")], [1], []),  # what is here stays, read or not
        ([known(0, "aa")], [read("cc"), read("aa")], [1, 0], []),  # one before it
        ([known(0, "aa", "https://a"), known(1, "bb", "https://b")], [read(url="https://b"), read(url="https://c"), read(url="https://a")],
         [1, 2, 0], []),  # fetched ones stay fetched in whatever order
        ([known(0, "", "https://wrong")], [read(url="https://right")], [1], [0]),  # nothing of it is here
        ([known(0)], [read("aa")], [0], []),  # the disk was full then
        ([known(0, "aa")], [read()], [], []),  # the disk is full now
        ([known(0, "aa")], [read("aa", state="refused")], [], []),  # so too where the hash is known
        ([known(0, "aa", state="refused")], [read("aa")], [0], []),
        ([known(0, "aa"), known(1, "aa")], [read("aa"), read("aa")], [0, 1], []),  # the same file twice
        ([known(0, "", name="notes")], [], [], [0]),
    ],
)  # fmt: skip
def test_rows_of_files_when_the_inquiry_is_read_anew(before: Any, now: Any, numbers: list[int], gone: list[int]) -> None:
    written, left = refile(before, now)
    assert [file["n"] for file in written] == numbers
    assert left == gone
