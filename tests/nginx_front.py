"""The deployed nginx configuration on ports of a test's own, in front of a hub on this machine."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from free_ports import own_port

_ROOT = Path(__file__).parents[1]
_START_SECONDS = 20.0


@contextlib.contextmanager
def nginx_in_front_of(hub_port: int, home: Path) -> Iterator[int]:
    """The port on which nginx listens; nobody need listen where the hub should be."""
    port = own_port()
    told = (_ROOT / "deploy/nginx.conf").read_text()
    told = told.replace("web:8080", f"127.0.0.1:{hub_port}").replace("listen 80 ", f"listen 127.0.0.1:{port} ")
    told = told.replace("/var/run/nginx.pid", str(home / "nginx.pid"))
    for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"):
        told = told.replace("server_tokens off;", f"server_tokens off; {name}_temp_path {home}/{name};", 1)
    (home / "nginx.conf").write_text(told)
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    process = subprocess.Popen([nginx, "-p", str(home), "-c", str(home / "nginx.conf"), "-e", "/dev/stderr", "-g", "daemon off;"])
    try:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < deadline
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)
