"""The embedded PostgreSQL: another major, leftovers of crashes, and who it runs as."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
from free_ports import own_port
from servers import end, private_postgres, wait_until

from crm_core.base.errors import Misconfigured
from leadhub.embedded import postgres, privilege
from leadhub.leftovers import start_time

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


def serve(cluster: postgres.Cluster, log: Path) -> subprocess.Popen[bytes]:
    postgres.prepare(cluster)
    with log.open("ab") as output:
        server = subprocess.Popen(postgres.command(cluster), stdout=output, stderr=output)
    wait_until(lambda: postgres.is_ready(cluster), server, log)
    return server


def test_other_major_is_refused_with_the_way_out_when_found(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "PG_VERSION").write_text("17\n")
    with pytest.raises(Misconfigured) as caught:
        postgres.require_our_major(data)
    assert "pg_dump" in caught.value.message
    assert "pg_upgrade" in caught.value.message
    assert [path.name for path in data.iterdir()] == ["PG_VERSION"]


def test_password_is_asked_for_when_connecting(tmp_path: Path) -> None:
    cluster = postgres.plan(tmp_path / "postgres", own_port())
    server = serve(cluster, tmp_path / "log")
    try:
        postgres.ensure_database(cluster.directory, postgres.admin_url(cluster.directory, cluster.port))
        url = postgres.database_url(cluster)
        with psycopg.connect(url) as connection:
            row = connection.execute("SELECT current_setting('is_superuser'), current_setting('fsync')").fetchone()
            assert row == ("off", "on")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(cluster.url(postgres.ROLE, postgres.DATABASE, "wrong"))
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(cluster.url(postgres.ADMIN, "postgres", "wrong"))
    finally:
        end(server, signal.SIGQUIT)


def test_data_is_there_when_started_after_kill_9(tmp_path: Path) -> None:
    cluster = postgres.plan(tmp_path / "postgres", own_port(), auth="trust")
    server = serve(cluster, tmp_path / "log")
    with psycopg.connect(cluster.url(postgres.ADMIN, "postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept ()")
    server.kill()
    server.wait()
    assert (cluster.data / "postmaster.pid").exists()
    server = serve(cluster, tmp_path / "log")
    try:
        with psycopg.connect(cluster.url(postgres.ADMIN, "postgres")) as connection:
            assert connection.execute("SELECT to_regclass('kept') IS NOT NULL").fetchone() == (True,)
    finally:
        end(server, signal.SIGQUIT)


def test_server_starts_again_when_a_killed_one_left_a_child_that_cannot_end(tmp_path: Path) -> None:
    cluster = postgres.plan(tmp_path / "postgres", own_port(), auth="trust")
    log = tmp_path / "log"
    server = serve(cluster, log)
    with psycopg.connect(cluster.url(postgres.ADMIN, "postgres")) as connection:
        stuck = connection.info.backend_pid
        os.kill(stuck, signal.SIGSTOP)  # as one that waits for a lock whose holder was killed
        server.kill()
        server.wait()
        server = serve(cluster, log)
    try:
        assert start_time(stuck) == 0
    finally:
        end(server, signal.SIGQUIT)


def test_pid_file_is_removed_when_its_number_belongs_to_a_stranger(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n")
    postgres.end_leftover_server(data)
    assert not (data / "postmaster.pid").exists()


def test_leftover_server_is_ended_when_the_next_one_starts(tmp_path: Path) -> None:
    with private_postgres(tmp_path / "postgres") as (cluster, server):
        postgres.end_leftover_server(cluster.data)
        assert server.wait(20) == 0
        assert not (cluster.data / "postmaster.pid").exists()


def test_interrupted_initdb_is_begun_again_when_nothing_was_kept(tmp_path: Path) -> None:
    directory = tmp_path / "postgres"
    (directory / "data" / "base").mkdir(parents=True)
    cluster = postgres.plan(directory, own_port(), auth="trust")
    postgres.prepare(cluster)
    assert (cluster.data / "PG_VERSION").read_text().strip() == postgres.MAJOR


def test_socket_is_left_out_when_its_path_is_too_long(tmp_path: Path) -> None:
    directory = tmp_path / ("long" * 30) / "postgres"
    cluster = postgres.plan(directory, own_port(), auth="trust")
    assert cluster.sockets is None
    end(serve(cluster, tmp_path / "log"), signal.SIGQUIT)


@as_root
def test_server_runs_in_a_home_that_only_root_may_enter_when_started_as_root(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with private_postgres(tmp_path / "postgres") as (cluster, server):
        assert cluster.identity.mode in ("namespace", "same")
        assert (cluster.data).stat().st_uid == os.geteuid()
        assert server.poll() is None


@as_root
def test_nobody_is_refused_with_words_when_the_home_is_closed_and_namespaces_are_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privilege, "_works", lambda _identity: False)
    tmp_path.chmod(0o700)
    with pytest.raises(Misconfigured, match="LEADHUB_HOME"):
        postgres.plan(tmp_path / "postgres", own_port())


@as_root
def test_nobody_runs_the_server_when_namespaces_are_off(monkeypatch: pytest.MonkeyPatch) -> None:
    import tempfile

    monkeypatch.setattr(privilege, "_works", lambda _identity: False)
    with tempfile.TemporaryDirectory(prefix="leadhub-nobody-") as name:
        Path(name).chmod(0o755)
        cluster = postgres.plan(Path(name) / "postgres", own_port(), auth="trust")
        assert cluster.identity.mode == "setuid"
        server = serve(cluster, Path(name) / "log")
        try:
            owner = pwd.getpwuid(cluster.data.stat().st_uid).pw_name
            assert owner == pwd.getpwuid(cluster.identity.uid).pw_name != "root"
            assert privilege.unprivileged_identity(cluster.directory) == cluster.identity  # on the next start too
        finally:
            end(server, signal.SIGQUIT)


def test_server_ends_when_its_parent_was_killed(tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys, time; from leadhub.embedded import privilege\n"
        "argv = privilege.wrapped(['/bin/sleep', '600'], privilege.same_identity(), signal.SIGKILL)\n"
        "print(subprocess.Popen(argv).pid, flush=True); time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=Path(__file__).parents[2])
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    until_it_sleeps = Path(f"/proc/{child}/cmdline")
    while b"/bin/sleep" not in until_it_sleeps.read_bytes().split(b"\0")[:1]:
        time.sleep(0.01)
    parent.kill()
    parent.wait()
    parent.stdout.close()
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # gone, even while its file was being read
        while until_it_sleeps.read_bytes():
            time.sleep(0.01)
