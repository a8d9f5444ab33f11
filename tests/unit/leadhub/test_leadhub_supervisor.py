"""The supervisor with small programs in the place of servers: restart, back-off, order of the end, logs."""

from __future__ import annotations

import errno
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from leadhub import leftovers
from leadhub.supervisor import ChildLog, Program, Supervisor

_STAYS = "import time\nprint('up', flush=True)\ntime.sleep(600)"
_DEAF = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('up', flush=True)\ntime.sleep(600)"
_FAMILY = (
    "import subprocess, sys, time\nprint(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid,"
    " flush=True)\ntime.sleep(600)"
)


def program(name: str, code: str, **more: float) -> Program:
    return Program(name, [sys.executable, "-c", code], stop_seconds=more.get("stop_seconds", 5.0))


def _has_ended(process: psutil.Process) -> bool:
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # between the two questions
        return True


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    built = Supervisor(tmp_path, said.append)
    yield built
    for child in built.children.values():
        child.kill_group(signal.SIGKILL)
    built.stop(list(built.children))


def test_child_is_started_again_with_growing_pauses_when_it_ends(supervisor: Supervisor, said: list[str]) -> None:
    child = supervisor.add(program("flaky", "import sys; print('oh', flush=True); sys.exit(3)"))
    assert supervisor.run_until(lambda: child.starts >= 3, 30)
    told = [line for line in said if "with status 3" in line]
    assert [line.rpartition(" in ")[2] for line in told[:2]] == ["0.2 s.", "0.4 s."]
    assert "oh" in child.last_lines


def test_child_is_started_again_when_it_was_killed(supervisor: Supervisor, said: list[str]) -> None:
    child = supervisor.add(program("calm", _STAYS))
    assert supervisor.run_until(lambda: child.last_lines == ["up"], 30)
    assert child.process is not None
    child.process.kill()
    assert supervisor.run_until(lambda: child.starts == 2 and child.last_lines == ["up", "up"], 30)
    assert any("by signal 9" in line for line in said)


def test_grandchildren_end_when_their_parent_died(supervisor: Supervisor) -> None:
    child = supervisor.add(program("family", _FAMILY))
    assert supervisor.run_until(lambda: bool(child.last_lines), 30)
    grandchild = psutil.Process(int(child.last_lines[0]))
    assert child.process is not None
    child.process.kill()
    assert supervisor.run_until(lambda: child.starts == 2, 30)
    assert supervisor.run_until(lambda: _has_ended(grandchild), 30)


def test_stages_end_one_after_the_other_and_the_deaf_are_killed_when_stopped(supervisor: Supervisor) -> None:
    first = supervisor.add(program("deaf", _DEAF, stop_seconds=0.3))
    second = supervisor.add(program("calm", _STAYS))
    assert supervisor.run_until(lambda: bool(first.last_lines and second.last_lines), 30)
    assert first.process is not None
    assert second.process is not None
    deaf, calm = first.process, second.process
    supervisor.stop(["deaf"])
    assert deaf.returncode == -signal.SIGKILL
    assert calm.poll() is None
    supervisor.stop(["calm"])
    assert calm.returncode == -signal.SIGTERM


def test_output_is_logged_by_line_when_it_comes_in_pieces_and_is_no_text(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "import os, time\nos.write(1, b'ab'); time.sleep(.05); os.write(1, b'c\\xff\\nd\\n'); time.sleep(600)"
    child = supervisor.add(program("pieces", code))
    assert supervisor.run_until(lambda: len(child.last_lines) == 2, 30)
    assert (tmp_path / "pieces.log").read_text(encoding="utf-8") == "abc\ufffd\nd\n"


def test_memory_stays_bounded_when_a_line_never_ends(supervisor: Supervisor) -> None:
    child = supervisor.add(program("endless", "import sys\nwhile True: sys.stdout.write('x' * 65536)"))
    assert supervisor.run_until(lambda: len(child.last_lines) >= 20, 30)
    assert max(map(len, child.last_lines)) <= 3 * 65_536


def test_loop_does_not_spin_when_a_child_closed_its_output_and_lives(supervisor: Supervisor) -> None:
    child = supervisor.add(program("mute", "import os, time\nos.close(1); os.close(2); time.sleep(600)"))
    supervisor.run_until(lambda: False, 0.5)
    assert child.process is not None
    assert child.process.poll() is None
    assert not [key for key in supervisor._selector.get_map().values() if key.data is child]


def test_child_that_cannot_be_started_is_tried_again_when_there_is_room(supervisor: Supervisor, said: list[str]) -> None:
    full = True

    def prepare() -> None:
        if full:
            raise OSError(errno.ENOSPC, "No space left on device")

    child = supervisor.add(Program("calm", [sys.executable, "-c", _STAYS]))
    child.program = Program("calm", [sys.executable, "-c", _STAYS], before=prepare)
    assert supervisor.run_until(lambda: child.last_lines == ["up"], 30)
    assert child.process is not None
    child.process.kill()
    assert supervisor.run_until(lambda: child.starts >= 4, 30)
    assert child.process is None
    tried = [line for line in said if "No space left" in line]
    assert [line.rpartition(" in ")[2] for line in tried[:2]] == ["0.4 s.", "0.8 s."]
    full = False
    assert supervisor.run_until(lambda: child.process is not None and child.last_lines[-1] == "up", 30)


def test_lines_are_counted_when_the_disk_does_not_take_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    place = tmp_path / "child.log"
    place.symlink_to("/dev/full")
    log = ChildLog(place)
    for number in range(3):
        log.write_line("child", f"line {number}")
    log.close()
    assert log.lost_lines == 3
    place.unlink()
    log.write_line("child", "room again")
    log.close()
    told = place.read_text().splitlines()
    assert [line for line in told if "room again" in line or "3 lines are missing" in line] == told[-2:]
    assert capsys.readouterr().err == ""


def test_hub_stays_when_its_own_output_has_no_room(tmp_path: Path) -> None:
    def full(_line: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    built = Supervisor(tmp_path, full, echo=True)
    child = built.add(program("flaky", "print('oh', flush=True)"))
    assert built.run_until(lambda: child.starts >= 2, 30)
    built.stop(["flaky"])


def test_nothing_is_thrown_when_what_is_remembered_cannot_be_written(supervisor: Supervisor, tmp_path: Path) -> None:
    supervisor.add(program("calm", _STAYS))
    leftovers.write(tmp_path / "nowhere", supervisor)
    leftovers.forget(tmp_path / "nowhere")


def test_leftovers_are_ended_when_an_earlier_hub_was_killed(
    supervisor: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "_PATIENCE_SECONDS", 0.1)
    child = supervisor.add(program("calm", _STAYS))
    assert supervisor.run_until(lambda: bool(child.last_lines), 30)
    leftovers.write(tmp_path, supervisor)
    leftovers.end(tmp_path)
    assert child.process is not None
    assert child.process.wait(20) == -signal.SIGKILL
    assert not (tmp_path / "children.json").exists()


def test_stranger_lives_when_he_got_the_number_of_a_leftover(supervisor: Supervisor, tmp_path: Path) -> None:
    child = supervisor.add(program("calm", _STAYS))
    assert child.process is not None
    started = leftovers.start_time(child.process.pid)
    (tmp_path / "children.json").write_text(f"[[{child.process.pid}, {started - 1}]]")
    leftovers.end(tmp_path)
    assert child.process.poll() is None


def test_log_is_private_when_it_is_of_people(tmp_path: Path) -> None:
    from leadhub.home import make_home

    make_home(tmp_path / "home")
    assert stat.S_IMODE((tmp_path / "home" / "log").stat().st_mode) == 0o700
