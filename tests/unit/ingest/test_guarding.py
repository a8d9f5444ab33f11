"""Tokens of rendering and puzzles hold for one source and one moment, and for nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import altcha
import pytest

from crm_core.base.config import HubConfig
from ingest.screening import challenge

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
HUB = HubConfig(Path("/nowhere"), "", "", secret_key="only-for-tests-" + "0" * 32)
OTHER = HubConfig(Path("/nowhere"), "", "", secret_key="another-secret-" + "0" * 32)


@pytest.mark.parametrize("seconds", [0, 0.5, 3, 86_400 * 3])
def test_age_is_told_when_the_token_is_genuine(seconds: float) -> None:
    token = challenge.issue(HUB, 7, NOW)
    assert challenge.check(HUB, 7, token, NOW + timedelta(seconds=seconds)) == pytest.approx(seconds, abs=0.001)


def test_token_says_nothing_when_it_is_not_this_sources_own() -> None:
    token = challenge.issue(HUB, 7, NOW)
    moment, _, signature = token.partition(".")
    earlier = f"{int(moment, 16) - 60_000:011x}.{signature}"
    for config, source_id, given in (
        (HUB, 8, token), (OTHER, 7, token), (HUB, 7, earlier), (HUB, 7, ""), (HUB, 7, "x.y"), (HUB, 7, token + "0"),
        (HUB, 7, token.upper()), (HUB, 7, "ключ.ключ"), (HUB, 7, f"{moment}.{'é' * 32}"), (HUB, 7, token + "\n"),
    ):  # fmt: skip
        assert challenge.check(config, source_id, given, NOW) is None


def test_token_from_the_future_is_forgiven_when_only_two_clocks_differ() -> None:
    token = challenge.issue(HUB, 7, NOW)
    assert challenge.check(HUB, 7, token, NOW - timedelta(seconds=2)) == 0
    assert challenge.check(HUB, 7, token, NOW - timedelta(minutes=2)) is None


def test_puzzle_is_this_sources_own_when_it_is_solved() -> None:
    made = altcha.Challenge.from_dict(challenge.challenge(HUB, 7, datetime.now(UTC)))
    solution = altcha.solve_challenge(made)
    assert solution is not None
    payload = altcha.Payload(made, solution).to_base64()
    secret, key_secret = challenge.altcha_secrets(HUB, 7)
    assert altcha.verify_solution(payload, secret, hmac_key_secret=key_secret).verified
    for config, source_id in ((HUB, 8), (OTHER, 7)):
        secret, key_secret = challenge.altcha_secrets(config, source_id)
        assert altcha.verify_solution(payload, secret, hmac_key_secret=key_secret).invalid_signature


def test_puzzle_ends_when_its_hour_is_over() -> None:
    made = challenge.challenge(HUB, 7, datetime.now(UTC) - timedelta(hours=2))
    payload = altcha.Payload(altcha.Challenge.from_dict(made), altcha.Solution(1, "00")).to_base64()
    assert altcha.verify_solution(payload, *challenge.altcha_secrets(HUB, 7)[:1]).expired
