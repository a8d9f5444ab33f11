"""Forms of the world that nobody mapped: the share of fields that is understood, and no body read worse than before."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.kit.tools import heuristics

FOLDER = Path(__file__).parents[1] / "heuristics"
BODIES = heuristics.bodies_of(FOLDER)


@pytest.mark.parametrize("body", BODIES, ids=[f"{body.group}-{body.id}" for body in BODIES])
def test_body_is_read_as_well_as_recorded_when_nobody_mapped_it(body: heuristics.Body) -> None:
    assert heuristics.result_of(body).wrong == body.missed, "better than recorded? then shorten its `missed`"


def test_share_is_enough_when_all_bodies_are_read() -> None:
    assert len(BODIES) >= 48
    assert len({(body.group, body.id) for body in BODIES}) == len(BODIES)
    assert heuristics.share([heuristics.result_of(body) for body in BODIES]) >= heuristics.LEAST_SHARE
