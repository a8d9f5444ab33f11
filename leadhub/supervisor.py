"""Keeps child processes alive: starts them, restarts the one that died, ends all of them in order. Knows no Leadhub.

One thread and one loop: a child's life is tied to the thread that started it (PR_SET_PDEATHSIG).
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from logging.handlers import RotatingFileHandler
from pathlib import Path

BACKOFF_FIRST_SECONDS = 0.2
BACKOFF_MAX_SECONDS = 15.0
STEADY_SECONDS = 30.0  # who ran this long and dies starts from the first back-off again
_LOG_BYTES, _LOG_FILES = 10_000_000, 5
_READ_BYTES = 65_536
_GRACE_AFTER_KILL_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Program:
    """One child. `before` runs before each start, for instance to clear what the last one left."""

    name: str
    argv: Sequence[str]
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 5.0  # then the whole process group is killed
    environment: Mapping[str, str] = field(default_factory=dict)
    before: Callable[[], None] | None = None


class Child:
    """A program's current process, its log, and when it may be started again."""

    def __init__(self, program: Program, log: Path) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self.started_at = 0.0
        self.start_after = 0.0
        self._backoff = BACKOFF_FIRST_SECONDS
        self._rest = b""
        self._log = RotatingFileHandler(log, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8", delay=True)
        self.last_lines: list[str] = []

    def start(self) -> None:
        if self.program.before:
            self.program.before()
        self.starts += 1
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.program.argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, **self.program.environment},
            start_new_session=True,  # Ctrl-C is for us: we end the children in their order
        )

    def died(self) -> None:
        """Notes the end of the process and when to try again."""
        now = time.monotonic()
        if now - self.started_at > STEADY_SECONDS:
            self._backoff = BACKOFF_FIRST_SECONDS
        self.start_after = now + self._backoff
        self._backoff = min(self._backoff * 2, BACKOFF_MAX_SECONDS)
        self.process = None

    def kill_group(self, how: signal.Signals) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, how)

    def lines(self, data: bytes) -> Iterator[str]:
        """Complete lines out of what was read; they are also logged and the last ones remembered."""
        *whole, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > _READ_BYTES:  # a child that never ends its line must not fill our memory
            whole, self._rest = [*whole, self._rest], b""
        for raw in whole:
            line = raw.decode("utf-8", "replace").rstrip("\r")
            self._log.emit(logging.LogRecord(self.program.name, logging.INFO, "", 0, "%s", (line,), None))
            self.last_lines = [*self.last_lines[-19:], line]
            yield line

    def close(self) -> None:
        self._log.close()


class Supervisor:
    """`say` gets one finished line for people; `echo` also shows every line of every child, with its name."""

    def __init__(self, logs: Path, say: Callable[[str], None], *, echo: bool = False) -> None:
        self._logs, self._say, self._echo = logs, say, echo
        self.children: dict[str, Child] = {}
        self.stopping = False
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)

    def take_signals(self) -> None:
        """Ctrl-C, SIGTERM and SIGHUP (the terminal closed) stop everything; the death of a child wakes the loop."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._stop_asked)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def _stop_asked(self, *_: object) -> None:
        self.stopping = True

    def add(self, program: Program) -> Child:
        child = Child(program, self._logs / f"{program.name}.log")
        self.children[program.name] = child
        self._start(child)
        return child

    def run_until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Serves until `done`, a stop is asked for, or the time is over; True when done."""
        deadline = time.monotonic() + seconds
        while not self.stopping and time.monotonic() < deadline:
            if done():
                return True
            self.turn(0.02)
        return False

    def run(self, on_change: Callable[[], None]) -> None:
        """Serves until a stop is asked for. `on_change` is called after every restart."""
        while not self.stopping:
            if self.turn(1.0):
                on_change()

    def turn(self, seconds: float) -> bool:
        """One round: output, deaths, restarts. True when a child was started again."""
        waits = [child.start_after - time.monotonic() for child in self.children.values() if child.process is None]
        for key, _ in self._selector.select(max(0.0, min([seconds, *waits]))):
            self._readable(key)
        changed = False
        for child in self.children.values():
            if child.process is not None and child.process.poll() is not None:
                self._bury(child)
            elif child.process is None and not self.stopping and time.monotonic() >= child.start_after:
                self._start(child)
                self._say(f"{child.program.name} was started again (start {child.starts}).")
                changed = True
        return changed

    def stop(self, *stages: Sequence[str]) -> None:
        """Ends the named children stage by stage, all of one stage at once, and kills whoever takes too long."""
        self.stopping = True
        for stage in stages:
            children = [self.children[name] for name in stage if name in self.children]
            for child in children:
                if child.process is not None:
                    child.process.send_signal(child.program.stop_signal)
            started = time.monotonic()
            while alive := [child for child in children if child.process is not None]:
                for child in alive:
                    if time.monotonic() - started > child.program.stop_seconds:
                        child.kill_group(signal.SIGKILL)
                self.turn(0.05)
                if time.monotonic() - started > max(c.program.stop_seconds for c in alive) + _GRACE_AFTER_KILL_SECONDS:
                    break
            for child in children:
                child.close()

    def _start(self, child: Child) -> None:
        child.start()
        if child.process is None or child.process.stdout is None:
            raise AssertionError
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _bury(self, child: Child) -> None:
        process = child.process
        if process is None or process.stdout is None:
            raise AssertionError
        self._drain(child, process.stdout.fileno())
        child.kill_group(signal.SIGKILL)  # what it left behind of its own children
        with contextlib.suppress(KeyError):
            self._selector.unregister(process.stdout)
        process.stdout.close()
        status = process.returncode
        child.died()
        if not self.stopping:
            how = f"by signal {-status}" if status < 0 else f"with status {status}"
            wait = max(0.0, child.start_after - time.monotonic())
            self._say(f"{child.program.name} ended {how}; starting it again in {wait:.1f} s.")

    def _readable(self, key: selectors.SelectorKey) -> None:
        if key.data is None:
            with contextlib.suppress(BlockingIOError):
                os.read(self._wake_read, 4096)
            return
        child: Child = key.data
        if self._drain(child, key.fd):
            self._selector.unregister(key.fileobj)  # it closed its output; should it live on, it does so silently

    def _drain(self, child: Child, descriptor: int) -> bool:
        """Reads what there is. True at the end of the output."""
        with contextlib.suppress(BlockingIOError):
            while data := os.read(descriptor, _READ_BYTES):
                for line in child.lines(data):
                    if self._echo:
                        self._say(f"{child.program.name:<8} | {line}")
            return True
        return False
