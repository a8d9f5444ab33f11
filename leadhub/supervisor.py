"""Keeps child processes alive: starts them, restarts the one that died, ends all of them in order. Knows no Leadhub.

No disk that is full, read-only or broken ends it: what it cannot write is counted, whom it cannot start it tries again.
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

from crm_core.base.errors import HubError

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


class ChildLog(RotatingFileHandler):
    """A child's lines on disk. Those that the disk does not take are counted, and the count is written once it does."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=_LOG_BYTES, backupCount=_LOG_FILES, encoding="utf-8", delay=True)
        self.lost_lines = 0
        self._has_failed = False

    def write_line(self, name: str, line: str) -> None:
        if self.lost_lines:
            lost, self.lost_lines = self.lost_lines, 0
            self._emit_line(name, f"({lost} lines are missing here: the disk did not take them.)", lost)
        self._emit_line(name, line, 1)

    def _emit_line(self, name: str, line: str, counts: int) -> None:
        self._has_failed = False
        self.emit(logging.LogRecord(name, logging.INFO, "", 0, "%s", (line,), None))
        if self._has_failed:
            self.lost_lines += counts

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name in the base class
        """Where the base class would write a traceback for each line to our terminal."""
        del record
        self._has_failed = True

    def close(self) -> None:
        with contextlib.suppress(OSError):  # what was still to be written is lost, nothing else
            super().close()


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
        self._log = ChildLog(log)
        self.last_lines: list[str] = []

    def start(self) -> None:
        self.starts += 1
        self.started_at = time.monotonic()
        if self.program.before:
            self.program.before()
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
            self._log.write_line(self.program.name, line)
            self.note(line)
            yield line

    def note(self, line: str) -> None:
        """Remembers a line as one of its last words."""
        self.last_lines = [*self.last_lines[-19:], line]

    def close(self) -> None:
        self._log.close()


class Supervisor:
    """`say` gets one finished line for people; `echo` also shows every line of every child, with its name."""

    def __init__(self, logs: Path, say: Callable[[str], None], *, echo: bool = False) -> None:
        self._logs, self._tell, self._echo = logs, say, echo
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

    def _say(self, line: str) -> None:
        with contextlib.suppress(OSError):  # our own output may go to the same full disk, or to a reader that has gone
            self._tell(line)

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

    def run(self, on_change: Callable[[], None], on_turn: Callable[[], None] = lambda: None) -> None:
        """Serves until a stop is asked for. `on_change` is called after every restart, `on_turn` every second or so."""
        while not self.stopping:
            if self.turn(1.0):
                on_change()
            on_turn()

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
                changed |= self._restart(child)
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

    def _restart(self, child: Child) -> bool:
        """False if it could not even be started: no room for its files, no memory, no process to be had."""
        try:
            self._start(child)
        except (OSError, HubError) as error:
            child.note(str(error))
            child.died()
            wait = max(0.0, child.start_after - time.monotonic())
            self._say(f"{child.program.name} cannot be started ({error}); trying again in {wait:.1f} s.")
            return False
        self._say(f"{child.program.name} was started again (start {child.starts}).")
        return True

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
