"""`leadhub up` as a process of its own, with a client for its door and its commands."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, LiteralString
from urllib.parse import urlencode, urlsplit

import psutil
import psycopg
from free_ports import own_port

_PATIENCE_SECONDS = 60.0


class Up:
    """Its output lies beside its home, so that a full disk takes that neither."""

    def __init__(self, place: Path, *, starts: bool = True, **settings: str) -> None:
        self.home = place / "home"
        self.port = own_port()
        self.acknowledged: set[str] = set()  # keys
        clean = {name: value for name, value in os.environ.items() if not name.startswith("LEADHUB_")}
        self.environment = {
            **clean, "LEADHUB_HOME": str(self.home), "LEADHUB_PORT": str(self.port), "LEADHUB_WORKERS": "1",
            "LEADHUB_LEASE_SECONDS": "5", "PYTHONUNBUFFERED": "1", **settings,
        }  # fmt: skip
        self.output = place / "up.log"
        self.process: subprocess.Popen[bytes] | None = None
        if starts:
            self.start()

    def start(self) -> None:
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "leadhub", "up"],
                env=self.environment, stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip

    def stop(self) -> int:
        """Its exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(30)

    def end(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(20)

    def said(self) -> str:
        return self.output.read_text(errors="replace")

    def until(self, true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not true():
            assert self.process is not None
            assert self.process.poll() is None, f"it ended while it was waited for: {what}\n{self.said()}"
            assert time.monotonic() < deadline, f"waited in vain: {what}\n{self.said()}"
            time.sleep(0.1)

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()
        except OSError:
            return 0, {}, b""
        finally:
            connection.close()

    def ready(self) -> tuple[int, Any]:
        status, _, body = self.ask("GET", "/readyz")
        return status, json.loads(body) if body else None

    def post_file(self, number: int) -> tuple[int, dict[str, str], bytes]:
        body = (
            f'--e\r\nContent-Disposition: form-data; name="email"\r\n\r\nfile{number}@example.com\r\n--e\r\n'
            'Content-Disposition: form-data; name="f"; filename="a.png"\r\n\r\n\x89PNG\r\n\x1a\n\r\n--e--\r\n'
        )
        return self.ask("POST", self.form, body.encode("latin-1"), {"Content-Type": "multipart/form-data; boundary=e"})

    def rows(self, query: LiteralString) -> list[tuple[Any, ...]]:
        with psycopg.connect(json.loads((self.home / "running.json").read_text())["database_url"]) as connection:
            return connection.execute(query).fetchall()

    def post(self, number: int, **headers: str) -> tuple[int, dict[str, str], bytes]:
        body = urlencode({"name": f"Person {number}", "email": f"person{number}@example.com", "message": "x" * 4000})
        heard = self.ask(
            "POST", self.form, body.encode(),
            {"Content-Type": "application/x-www-form-urlencoded", "Idempotency-Key": f"k{number}", **headers},
        )  # fmt: skip
        if heard[0] == 200:
            self.acknowledged.add(f"k{number}")
        return heard

    @property
    def form(self) -> str:
        return urlsplit(next(line.strip() for line in self.said().splitlines() if "/in/" in line)).path

    def command(self, *arguments: str) -> dict[str, Any]:
        result = subprocess.run(
            [sys.executable, "-m", "leadhub", *arguments, "--json"],
            env=self.environment, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        answer: dict[str, Any] = json.loads(result.stdout)
        return answer

    def kill(self, words: str) -> None:
        """One of its children, at once."""
        assert self.process is not None
        for process in psutil.Process(self.process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if words in " ".join(process.cmdline()):
                    process.kill()
