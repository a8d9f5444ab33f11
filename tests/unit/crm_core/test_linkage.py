"""Records of one person are found among many: a floor for the quality, on people of our own making."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[3]))

from bench.linkage import f1, people
from crm_core.merging.linkage import CLOSE, EXACT, MISSING, Column, explain, score
from crm_core.merging.suggesting import COLUMNS, blocks, near_emails, record_of


def test_pairs_of_one_person_are_found_among_three_thousand_contacts() -> None:
    made, true = people(3_000, seed=5)
    records = [record_of(*one) for one in made]
    found, weights = score(COLUMNS, records, blocks, 0.0)
    assert f1({(pair.one, pair.other) for pair in found}, true) >= 0.9
    sure = {(pair.one, pair.other) for pair in found if pair.bits >= 10}
    assert len(sure & true) >= 0.99 * len(sure), "who is called probably the same is"
    assert weights.skipped_blocks == 0


def test_the_bits_of_the_fields_add_up_to_the_pairs() -> None:
    made, _ = people(500, seed=3)
    records = [record_of(*one) for one in made]
    found, weights = score(COLUMNS, records, blocks, 0.0)
    for pair in found[:50]:
        rows = explain(COLUMNS, records, weights, pair)
        assert abs(sum(row["bits"] for row in rows) - pair.bits) < 0.1 * len(rows)
        assert {row["field"] for row in rows[1:]} == {
            column.name for column, level in zip(COLUMNS, pair.levels, strict=True) if level != MISSING
        }


def test_a_rare_value_says_more_than_a_common_one() -> None:
    columns = (Column("name", "text", by_frequency=True), Column("town", "text"))
    records = [("ivan", f"t{n % 7}") for n in range(60)] + [("tryphon", "omsk"), ("tryphon", "omsk"), ("ivan", "omsk")]
    found, _ = score(columns, records, lambda record: [("name", record[0]), ("town", record[1])], -100.0)
    rare = next(pair for pair in found if records[pair.one] == records[pair.other] == ("tryphon", "omsk"))
    common = next(pair for pair in found if records[pair.one] == records[pair.other] == ("ivan", "t1"))
    assert rare.levels == common.levels == (EXACT, EXACT)
    assert rare.bits > common.bits + 3


def test_first_name_and_surname_may_be_swapped() -> None:
    records = [record_of("Ким Чен", "", ("+79210000001",), ()), record_of("Чен Ким", "", ("+79210000001",), ())]
    swapped = [("kim", "chen", "", "", (), ()), ("chen", "kim", "", "", (), ())]
    found, _ = score(COLUMNS, [*records, *swapped], blocks, -1000.0)
    pair = next(pair for pair in found if (pair.one, pair.other) == (2, 3))
    assert pair.levels[:2] == (CLOSE, CLOSE)


def test_two_registers_are_compared_with_each_other_only() -> None:
    made, _ = people(200, seed=9, doubled=0.5)
    records = [record_of(*one) for one in made]
    side = [n % 2 for n in range(len(records))]
    found, _ = score(COLUMNS, records, blocks, 0.0, between=side)
    assert found
    assert all(side[pair.one] != side[pair.other] for pair in found)


def test_untold_aliases_are_near_and_other_mailboxes_are_not() -> None:  # identity cases 34, 35, 39, 40
    assert near_emails("ivan.petrov@yandex.ru") & near_emails("ivan-petrov@yandex.ru")
    assert near_emails("ivan+1@mail.ru") & near_emails("ivan@mail.ru")
    assert near_emails("iv\u0430n@mail.ru") & near_emails("ivan@mail.ru"), "a Cyrillic letter among Latin ones"
    assert near_emails("ivan@gmail.con") & near_emails("ivan@gmail.com")
    assert not near_emails("ivan@mail.ru") & near_emails("ivan@bk.ru")
