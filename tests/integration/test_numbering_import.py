"""Importing the numbering plan: what a file replaces, what it leaves, and when somebody who looks numbers up notices."""

from __future__ import annotations

import json
from pathlib import Path
from threading import Barrier, Thread

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import Forbidden, Invalid
from crm_core.numbering import queries
from crm_core.numbering.commands import import_ranges
from crm_core.numbering.queries import load_ranges, numbering_state, region_of_number
from leadhub.cli import main
from leadhub.operator import operator

HEADING = "АВС/ DEF;От;До;Емкость;Оператор;Регион\n"
MOBILES = HEADING + "912;2000000;2999999;1000000;МТС;г. Екатеринбург|Свердловская обл.\n"
MOVED = HEADING + "912;2000000;2999999;1000000;Другой;Тюменская обл.\n"
LANDLINES = HEADING + "343;2000000;2999999;1000000;Связь;Свердловская обл.\n"


def imported(engine: Engine, **files: str) -> object:
    with engine.begin() as connection:
        return import_ranges(connection, operator(), {name: data.encode("cp1251") for name, data in files.items()})


def region(engine: Engine, number: str) -> str | None:
    with engine.connect() as connection:
        return load_ranges(connection, recheck_after=0).region_of(number)


def test_file_replaces_its_own_codes_and_leaves_the_others(engine: Engine) -> None:
    assert region(engine, "+79122345678") is None
    imported(engine, mobiles=MOBILES, landlines=LANDLINES)
    assert (region(engine, "+79122345678"), region(engine, "+73432345678")) == ("Свердловская область", "Свердловская область")
    imported(engine, mobiles=MOVED)
    assert (region(engine, "+79122345678"), region(engine, "+73432345678")) == ("Тюменская область", "Свердловская область")
    with engine.connect() as connection:
        assert [(one.block, one.ranges) for one in numbering_state(connection).blocks] == [("3", 1), ("9", 1)]


def test_same_file_again_leaves_the_same_ranges(engine: Engine) -> None:
    imported(engine, mobiles=MOBILES)
    imported(engine, mobiles=MOBILES)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM numbering_range")) == 1


def test_import_is_noticed_when_the_minute_is_over_and_not_asked_for_before(engine: Engine) -> None:
    with engine.connect() as connection:
        assert load_ranges(connection, recheck_after=0).region_of("+79122345678") is None
        imported(engine, mobiles=MOBILES)
        assert region_of_number(connection, "+79122345678") is None  # looked at less than a minute ago
        assert load_ranges(connection, recheck_after=0).region_of("+79122345678") == "Свердловская область"
        assert region_of_number(connection, "+79122345678") == "Свердловская область"


def test_all_pages_are_read(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "_PAGE", 3)
    imported(engine, mobiles=HEADING + "".join(f"912;{n:07d};{n + 4:07d};5;X;Область {n} обл.\n" for n in range(0, 100, 10)))
    with engine.connect() as connection:
        assert len(load_ranges(connection, recheck_after=0)) == 10


def test_cursor_of_a_batch_can_ask(engine: Engine) -> None:
    imported(engine, mobiles=MOBILES)
    with engine.connect() as connection, connection.connection.cursor() as cursor:
        assert load_ranges(cursor, recheck_after=0).region_of("+79122345678") == "Свердловская область"  # type: ignore[arg-type]


@pytest.mark.parametrize("data", ["", HEADING, "name;phone\nIvan;1\n", MOBILES + "912;9;1;1;X;Y\n" * 20])
def test_nothing_changes_when_a_file_is_of_another_kind(engine: Engine, data: str) -> None:
    imported(engine, mobiles=MOBILES)
    with pytest.raises(Invalid, match="no file of the numbering plan"):
        imported(engine, landlines=LANDLINES, other=data)
    assert (region(engine, "+79122345678"), region(engine, "+73432345678")) == ("Свердловская область", None)


def test_manager_may_not_import(engine: Engine) -> None:
    with engine.begin() as connection, pytest.raises(Forbidden):
        import_ranges(connection, Principal("user", 1, "anna", "manager", 1), {"mobiles": MOBILES.encode()})


def test_two_imports_at_once_leave_one_of_them_whole(engine: Engine) -> None:
    start = Barrier(2)
    failed: list[BaseException] = []

    def one(data: str) -> None:
        start.wait(10)
        try:
            imported(engine, mobiles=data)
        except BaseException as error:  # noqa: BLE001 (shown below)
            failed.append(error)

    threads = [Thread(target=one, args=(data,)) for data in (MOBILES, MOVED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failed == []
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM numbering_range")) == 1
        assert connection.scalar(text("SELECT count(*) FROM numbering_import")) == 2


def test_command_line_imports_shows_and_looks_up(engine: Engine, config: HubConfig, tmp_path: Path) -> None:
    file = tmp_path / "DEF-9xx.csv"
    file.write_text(MOBILES, "cp1251")
    environment = {"LEADHUB_HOME": str(config.home), "LEADHUB_DATABASE_URL": config.database_url, "LEADHUB_BROKER_URL": config.broker_url,
                   "LEADHUB_SECRET_KEY": config.secret_key}  # fmt: skip

    def run(*arguments: str) -> dict[str, object]:
        result = CliRunner().invoke(main, ["numbering", *arguments, "--json"], env=environment)
        return dict(json.loads(result.stdout)) | {"status": result.exit_code}

    assert run("import", str(file))["ranges"] == 1
    assert run("status")["items"] == [{"codes": "9xx", "ranges": 1, "regions": 1}]
    assert run("look-up", "8 912 234-56-78") == {"number": "+79122345678", "region": "Свердловская область", "status": 0}
    assert run("look-up", "8 999 234-56-78")["region"] is None
    assert run("import", str(tmp_path / "none.csv"))["status"] == 2
    assert engine.connect() is not None
