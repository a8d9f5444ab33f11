"""The files of the numbering plan, and the look-up in their ranges. Case 94."""

from __future__ import annotations

import random

import pytest

from crm_core.numbering.queries import RegionRanges
from crm_core.numbering.rules import Range, joined, read_registry, region_name

NEW = """АВС/ DEF;От;До;Емкость;Оператор;Регион;Территория ГАР;ИНН
912;0000000;0019999;20000;ПАО "МТС";Пермский край;Пермский край;7740000076
912;2000000;2999999;1000000;ПАО "МТС";г. Екатеринбург|Свердловская обл.;Свердловская область;7740000076
916;0000000;9999999;10000000;ПАО "МТС";г. Москва и Московская область;г. Москва|Московская область;7740000076
"""
OLD = "343;2000000;2009999;10000;ООО «Связь»;Свердловская обл.\r\n 343;2010000;2019999;10000;ООО «Связь; и сыновья»;г. Екатеринбург * Свердловская обл.\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251"])
def test_registry_is_read_in_either_encoding(encoding: str) -> None:
    found = read_registry(NEW.encode(encoding))
    assert found.ranges[1] == Range(9122000000, 9122999999, "Свердловская область", 'ПАО "МТС"')
    assert ([one.region for one in found.ranges], found.skipped) == (
        ["Пермский край", "Свердловская область", "Москва и Московская область"],
        (),
    )
    assert found.blocks == {"9"}


def test_registry_is_read_without_a_heading_and_with_fewer_columns() -> None:
    found = read_registry(OLD.encode("cp1251"))
    assert [(one.first, one.last) for one in found.ranges] == [(3432000000, 3432009999)]
    assert found.skipped == ("line 2",)  # a semicolon in a name without quotes shifts its columns


@pytest.mark.parametrize(
    "line",
    ["912;5;3;1;X;Y", "91;0000000;0000009;10;X;Y", "712;0000000;0000009;10;X;Y", "912;a;0000009;10;X;Y", "912;0000000;00000099;10;X;Y",
     "912;0000000;0000009;10;X;", "912;0000000;0000009", "²²²;0000000;0000009;10;X;Y", "912;-1;0000009;10;X;Y"],
)  # fmt: skip
def test_line_is_skipped_and_named_when_it_is_no_range(line: str) -> None:
    found = read_registry(f"{NEW}{line}\n".encode())
    assert (len(found.ranges), found.skipped) == (3, ("line 5",))


def test_overlap_is_named_and_the_earlier_range_stays() -> None:
    found = read_registry(
        (NEW + '912;2500000;3500000;1;X;Тюменская обл.\n912;2000000;2999999;1000000;ПАО "МТС";Свердловская область\n').encode()
    )
    assert (len(found.ranges), found.skipped) == (3, ("9122500000–9123500000 overlaps",))


@pytest.mark.parametrize("data", [b"", b"\xff\xfe\x00", b"name,phone\nIvan,1\n", b";;;;;;\n" * 5, b'"' * 1000])
def test_other_files_hold_no_ranges(data: bytes) -> None:
    assert read_registry(data).ranges == ()


@pytest.mark.parametrize(
    "written, name",
    [
        ("г. Екатеринбург|Свердловская обл.", "Свердловская область"), ("Свердловская область", "Свердловская область"), ("г. Москва", "Москва"),
        ("г.о. Улан-Удэ|Республика Бурятия", "Республика Бурятия"), ("Респ. Татарстан", "Республика Татарстан"),
        ("г. Москва * Московская область", "Москва и Московская область"), ("Российская Федерация", "Российская Федерация"), ("", ""),
        ("Ханты-Мансийский  Автономный округ - Югра", "Ханты-Мансийский Автономный округ - Югра"),
    ],
)  # fmt: skip
def test_region_has_one_spelling(written: str, name: str) -> None:
    assert region_name(written) == name


def ranges_of(*lines: str) -> RegionRanges:
    return RegionRanges([(one.first, one.last, one.region) for one in joined(read_registry(line.encode()) for line in lines)])


@pytest.mark.parametrize(
    "number, region",
    [
        ("+79122000000", "Свердловская область"), ("+79122999999", "Свердловская область"), ("+79121999999", None), ("+79123000000", None),
        ("+79120000000", "Пермский край"), ("+79119999999", None), ("+79169999999", "Москва и Московская область"), ("+79170000000", None),
        ("+375291234567", None), ("+1912200000", None), ("+7912200000", None), ("", None), ("+7912200000x", None), ("+7٩١٢٢٠٠٠٠٠٠", None),
    ],
)  # fmt: skip
def test_number_has_the_region_of_its_range_whoever_serves_it_now(number: str, region: str | None) -> None:  # case 94
    assert ranges_of(NEW).region_of(number) == region


def test_look_up_says_what_a_walk_through_the_ranges_says() -> None:
    rng = random.Random(94)
    edges = sorted(rng.sample(range(10_000_000), 400))
    rows = [(9120000000 + a, 9120000000 + b, f"region {a % 7}") for a, b in zip(edges[::2], edges[1::2], strict=True)]
    found = RegionRanges(rows)
    asked = [9120000000 + rng.randrange(10_000_000) for _ in range(2000)] + [edge for row in rows for edge in row[:2]]
    for number in asked:
        walked = next((region for first, last, region in rows if first <= number <= last), None)
        assert found.region_of(f"+7{number}") == walked


def test_neighbours_of_one_region_are_one_range() -> None:
    found = RegionRanges(
        [
            (9120000000, 9120000009, "A"),
            (9120000010, 9120000019, "A"),
            (9120000020, 9120000029, "B"),
            (9120000031, 9120000039, "B"),
        ]
    )
    assert len(found) == 3
    assert [found.region_of(f"+7912000{end}") for end in ("0009", "0010", "0019", "0020", "0030", "0031")] == [
        "A",
        "A",
        "A",
        "B",
        None,
        "B",
    ]


def test_nothing_is_known_when_nothing_was_imported() -> None:
    assert RegionRanges([]).region_of("+79122000000") is None
