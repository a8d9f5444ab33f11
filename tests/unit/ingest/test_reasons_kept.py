"""What a reason keeps of the one before it."""

from __future__ import annotations

from typing import Any

import pytest

from ingest.processing.reasons import with_earlier

BORN = {"code": "first_inquiry", "mapping": 1, "match": {"rule": "nobody_known"}}


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        (BORN, {"code": "replayed", "mapping": 2},
         {"code": "replayed", "mapping": 2, "match": {"rule": "nobody_known"}, "first": "first_inquiry"}),
        ({**BORN, "first": "open_lead", "code": "replayed"}, {"code": "a_search"},
         {"code": "a_search", "match": {"rule": "nobody_known"}, "first": "open_lead"}),
        ({"code": "dismissed", "by": "user:1", "why": "no"}, {"code": "replayed"}, {"code": "replayed"}),
        ({}, {"code": "replayed"}, {"code": "replayed"}),
        (BORN, {"code": "first_inquiry", "match": {"rule": "other"}}, {"code": "first_inquiry", "match": {"rule": "other"}}),
    ],
)  # fmt: skip
def test_reason_when_the_event_went_through_again(before: Any, after: Any, kept: Any) -> None:
    assert with_earlier(before, after) == kept
