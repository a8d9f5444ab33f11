"""Settings: where a value comes from, what is refused and in which words, what is never shown."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from crm_core.base.errors import Misconfigured
from leadhub import running, settings
from leadhub.running import RunningHub


def read(home: Path, **variables: str) -> settings.Settings:
    return settings.read({"LEADHUB_HOME": str(home), **variables}, home)


def refusal(home: Path, **variables: str) -> str:
    with pytest.raises(Misconfigured) as caught:
        read(home, **variables)
    return caught.value.message


def test_defaults_hold_when_nothing_is_set(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert found.values["port"] == 8080
    assert found.embedded_database
    assert found.embedded_broker
    assert set(found.origins.values()) == {"default", "environment"}  # the home was given


def test_environment_wins_when_the_file_says_otherwise(tmp_path: Path) -> None:
    (tmp_path / "leadhub.toml").write_text('port = 9000\nlocale = "ru"\nlease_seconds = 7.5\n')
    found = read(tmp_path, LEADHUB_PORT="9001")
    assert (found.values["port"], found.values["locale"], found.values["lease_seconds"]) == (9001, "ru", 7.5)
    assert (found.origins["port"], found.origins["locale"]) == ("environment", "leadhub.toml")


def test_home_counts_from_the_directory_when_it_is_relative(tmp_path: Path) -> None:
    assert settings.read({"LEADHUB_HOME": "there"}, tmp_path).home == tmp_path / "there"


def test_unknown_names_are_refused_with_a_guess_when_one_is_near(tmp_path: Path) -> None:
    (tmp_path / "leadhub.toml").write_text('databse_url = "x"\nhome = "/"\n')
    said = refusal(tmp_path, LEADHUB_PROT="1", LEADHUB_TEST_BROKER="redis")
    assert "LEADHUB_PROT in the environment is no setting of Leadhub, did you mean LEADHUB_PORT?" in said
    assert "did you mean database_url?" in said
    assert "home in" in said
    assert "TEST" not in said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"), ("PORT", "65536"), ("PORT", "80a"), ("PORT", "٣"), ("WORKERS", "0"), ("TRUSTED_PROXIES", "-1"),
        ("LEASE_SECONDS", "nan"), ("LEASE_SECONDS", "1"), ("TIMEZONE", "Europe/Moskow"), ("TIMEZONE", "../etc/passwd"),
        ("LOCALE", "de"), ("REGION", "XX"), ("REGION", "ru"), ("PUBLIC_URL", "leads.example.com"),
        ("DATABASE_URL", "mysql://x"), ("DATABASE_URL", "sqlite:///x"), ("BROKER_URL", "localhost:6379"),
        ("HOST", "a b"), ("SECRET_KEY", "short"),
    ],
)  # fmt: skip
def test_impossible_value_is_refused_when_read(tmp_path: Path, name: str, value: str) -> None:
    said = refusal(tmp_path, **{f"LEADHUB_{name}": value})
    assert said.startswith(f"LEADHUB_{name} (environment) is ")
    if name in ("SECRET_KEY", "DATABASE_URL", "BROKER_URL"):
        assert value not in said  # a mistyped secret is still a secret


def test_all_faults_are_told_when_there_are_several(tmp_path: Path) -> None:
    said = refusal(tmp_path, LEADHUB_PORT="x", LEADHUB_LOCALE="xx")
    assert said.count("\n") == 1


@pytest.mark.parametrize("content", ["port = ", "\xff\xfe", "[port]\nx = 1"])
def test_file_is_refused_when_it_cannot_be_read(tmp_path: Path, content: str) -> None:
    (tmp_path / "leadhub.toml").write_bytes(content.encode("latin-1"))
    assert refusal(tmp_path)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_database_url_becomes_libpqs_when_written_otherwise(tmp_path: Path, scheme: str) -> None:
    assert read(tmp_path, LEADHUB_DATABASE_URL=f"{scheme}://h/x").values["database_url"] == "postgresql://h/x"


def test_secrets_are_starred_when_shown(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        LEADHUB_DATABASE_URL="postgresql://me:geheim@h/x?password=geheim",
        LEADHUB_BROKER_URL="redis://:geheim@h:6379/0",
        LEADHUB_SECRET_KEY="geheim" * 10,
    )
    rows = {row["name"]: row["value"] for row in settings.effective(found)}
    assert "geheim" not in str(rows)
    assert rows["LEADHUB_DATABASE_URL"] == "postgresql://me:********@h/x?password=********"
    assert len(rows) == len(settings.SETTINGS)


def test_secret_key_is_made_once_and_private_when_unset(tmp_path: Path) -> None:
    key = settings.secret_key(tmp_path)
    assert settings.secret_key(tmp_path) == key
    assert len(key) >= settings.MIN_SECRET_CHARACTERS
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600


def test_embedded_servers_are_unknown_when_no_hub_runs(tmp_path: Path) -> None:
    running.write(tmp_path, RunningHub(1, "127.0.0.1", 8081, "postgresql://x/y", "redis://x", prepared=True))
    (tmp_path / "leadhub.lock").touch()  # left behind by a hub that was killed
    with pytest.raises(Misconfigured, match="leadhub up"):
        settings.hub_config(read(tmp_path))


def test_addresses_are_those_of_the_running_hub_when_ports_moved(tmp_path: Path) -> None:
    with running.lock(tmp_path):
        running.write(tmp_path, RunningHub(1, "127.0.0.1", 8081, "postgresql://x/y", "redis://x", prepared=True))
        config = settings.hub_config(read(tmp_path, LEADHUB_BROKER_URL="redis://own"))
    assert config.base_url == "http://127.0.0.1:8081"
    assert (config.database_url, config.broker_url) == ("postgresql://x/y", "redis://own")


def test_home_is_refused_when_a_hub_has_it(tmp_path: Path) -> None:
    with running.lock(tmp_path), pytest.raises(Misconfigured, match="already running"):
        running.lock(tmp_path)
    running.lock(tmp_path).close()
