"""The production shape: the compose file is sound, its commands start here too, nginx takes the configuration."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from free_ports import own_port

from leadhub.cli import COMMANDS, main
from leadhub.settings import SETTINGS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


@pytest.fixture(scope="module")
def ours(compose: dict[str, Any]) -> dict[str, Any]:
    """The services that run our image."""
    return {name: service for name, service in compose["services"].items() if "build" in service}


def test_roles_are_all_there_when_composed(ours: dict[str, Any]) -> None:
    assert set(ours) == {"migrate", "web", "worker", "beat", "mail"}


def test_commands_exist_and_start_when_run_natively(ours: dict[str, Any]) -> None:
    for name, service in ours.items():
        assert service["command"][0] in COMMANDS, name
        result = CliRunner().invoke(main, [*service["command"], "--help"])
        assert result.exit_code == 0, name


def test_entry_point_of_the_image_is_our_command() -> None:
    told = (ROOT / "Dockerfile").read_text()
    assert 'ENTRYPOINT ["leadhub"]' in told
    result = subprocess.run([sys.executable, "-m", "leadhub", "--version"], capture_output=True, text=True, check=True)
    assert "leadhub" in result.stdout
    copied = set(re.findall(r"^COPY (\w+) \1$", told, re.MULTILINE))
    assert copied == {"leadhub", "webhooks", "workers", "ingest", "connectors", "crm_core"}


def test_variables_are_settings_when_named(ours: dict[str, Any]) -> None:
    known = {setting.variable for setting in SETTINGS}
    image = set(re.findall(r"\b(LEADHUB_[A-Z_]+)=", (ROOT / "Dockerfile").read_text()))
    assert image <= known
    for service in ours.values():
        assert set(service["environment"]) <= known


def test_secrets_have_no_default_when_composed() -> None:
    told = (ROOT / "docker-compose.yml").read_text()
    for name in ("POSTGRES_PASSWORD", "VALKEY_PASSWORD", "LEADHUB_SECRET_KEY"):
        assert set(re.findall(rf"\$\{{{name}([^}}]*)\}}", told)) == {":?set it in .env"}


def test_dependencies_and_files_exist_when_referred_to(compose: dict[str, Any]) -> None:
    services, volumes = compose["services"], compose["volumes"]
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).exists() if source.startswith("./") else source in volumes, volume


def test_postgres_is_the_major_that_is_tested_when_composed(compose: dict[str, Any]) -> None:
    assert compose["services"]["postgres"]["image"] == "postgres:18"


def test_postgres_takes_every_option_when_composed(compose: dict[str, Any], tmp_path: Path) -> None:
    """The options that our own build knows are accepted by it; lz4 needs a build with that library."""
    from servers import private_postgres

    words = compose["services"]["postgres"]["command"].split()
    options = dict(word.split("=", 1) for word in words if "=" in word)
    assert options.pop("wal_compression") == "lz4"
    with private_postgres(tmp_path / "postgres", **options):
        pass


def test_nginx_takes_the_configuration_when_tested(tmp_path: Path) -> None:
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    told = (ROOT / "deploy/nginx.conf").read_text()
    told = told.replace("web:8080", f"127.0.0.1:{own_port()}").replace("listen 80 ", f"listen {own_port()} ")
    told = told.replace("/var/run/nginx.pid", str(tmp_path / "nginx.pid"))
    (tmp_path / "nginx.conf").write_text(told)
    result = subprocess.run(
        [nginx, "-t", "-q", "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf"), "-e", "/dev/stderr"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", ["prometheus.yml", "alerts.yml", "grafana.yml"])
def test_yaml_is_sound_when_parsed(name: str) -> None:
    assert yaml.safe_load((ROOT / "deploy" / name).read_text())


def test_alerts_use_metrics_that_exist_when_compared() -> None:
    rules = yaml.safe_load((ROOT / "deploy/alerts.yml").read_text())["groups"][0]["rules"]
    told = (ROOT / "webhooks/metrics.py").read_text()
    for rule in rules:
        for metric in re.findall(r"leadhub_[a-z_]+", rule["expr"]):
            assert metric in told, metric
