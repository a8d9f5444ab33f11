"""Who is this? Every row of the table, with names that agree, are unknown, or conflict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crm_core.contacts.rules import MOST_IDENTIFIERS, REISSUED_AFTER, Candidate, Hit, Verdict, match, within_limits
from crm_core.identity.names import compare_names

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def hit(value: str, *candidates: Candidate, strength: str = "strong", kind: str = "phone", flags: tuple[str, ...] = ()) -> Hit:
    return Hit(kind, value, strength, flags, candidates)


def one(contact: str, name: str = "", order: int = 1, exclusive: bool = True, **more: object) -> Candidate:
    return Candidate(contact, order, name, exclusive, **more)  # type: ignore[arg-type]


def matched(hits: list[Hit], name: str = "", company: str = "") -> Verdict:
    return match(hits, name, company, NOW, compare_names)


def decide(hits: list[Hit], name: str = "") -> tuple[str, str, object]:
    verdict = matched(hits, name)
    return verdict.action, verdict.rule, verdict.contact


def test_new_contact_when_nothing_is_known() -> None:
    assert decide([]) == ("new", "no_known_identifier", None)
    assert decide([hit("1")]) == ("new", "no_known_identifier", None)


def test_attach_when_the_strong_identifier_has_one_contact_and_names_do_not_conflict() -> None:
    assert decide([hit("1", one("A", "Ivan"))], "Ivan") == ("attach", "strong_identifier", "A")
    assert decide([hit("1", one("A", "Ivan"))]) == ("attach", "strong_identifier", "A")
    assert decide([hit("1", one("A"))], "Ivan") == ("attach", "strong_identifier", "A")


def test_new_contact_sharing_the_identifier_when_the_name_conflicts() -> None:
    verdict = matched([hit("1", one("A", "Ivan", last_seen_at=NOW))], "Maria")
    assert (verdict.action, verdict.rule, verdict.shares_with, verdict.suggest) == (
        "new", "shared_identifier_other_name", "A", ("A",),
    )  # fmt: skip


def test_new_contact_and_old_link_retired_when_the_number_was_given_to_another() -> None:
    seen = NOW - REISSUED_AFTER - timedelta(days=1)
    verdict = matched([hit("1", one("A", "Ivan", last_seen_at=seen))], "Maria")
    assert (verdict.action, verdict.rule, verdict.retire) == ("new", "identifier_was_reissued", (("phone", "1"),))
    assert verdict.shares_with is None


def test_number_is_nobody_elses_when_one_of_its_users_was_heard_of_lately() -> None:
    old, fresh = NOW - REISSUED_AFTER - timedelta(days=1), NOW - timedelta(days=3)
    users = (one("A", "Ivan", last_seen_at=old), one("B", "Olga", 2, exclusive=False, last_seen_at=fresh))
    assert matched([hit("1", *users)], "Maria").rule == "shared_identifier_other_name"


def test_silence_that_counts_is_the_hubs_own() -> None:
    seen = NOW - timedelta(days=40)
    hits = [hit("1", one("A", "Ivan", last_seen_at=seen))]
    assert matched(hits, "Maria").rule == "shared_identifier_other_name"
    verdict = match(hits, "Maria", "", NOW, compare_names, reissued_after=timedelta(days=30))
    assert verdict.rule == "identifier_was_reissued"


def test_number_that_was_given_to_a_known_person_leaves_who_had_it() -> None:
    seen = NOW - REISSUED_AFTER - timedelta(days=1)
    verdict = matched([hit("1", one("A", "Ivan", last_seen_at=seen)), hit("m", one("B", "Maria"), kind="email")], "Maria")
    assert (verdict.action, verdict.contact, verdict.retire) == ("attach", "B", (("phone", "1"),))


def test_contact_of_its_own_when_the_known_one_got_too_many_numbers_within_a_year() -> None:
    known = matched([hit("m", one("A", "Ivan"), kind="email")], "Ivan")
    assert within_limits(known, (MOST_IDENTIFIERS, 1), (0, 0)) is known  # brings none
    assert within_limits(known, (MOST_IDENTIFIERS - 1, 1), (1, 0)) is known
    verdict = within_limits(known, (MOST_IDENTIFIERS, 1), (1, 0))
    assert (verdict.action, verdict.rule, verdict.shares_with, verdict.suggest) == ("new", "too_many_in_a_year", "A", ("A",))
    assert within_limits(known, (1, MOST_IDENTIFIERS), (0, 1)).action == "new"


def test_the_agreeing_user_is_chosen_when_several_share_an_identifier() -> None:
    users = (one("A", "Ivan", 1), one("B", "Maria", 2, exclusive=False))
    assert decide([hit("1", *users)], "Maria")[2] == "B"
    assert decide([hit("1", *users)])[2] == "A"  # a nameless caller is whoever has it alone


def test_merge_into_the_older_when_identifiers_meet_and_names_agree_or_are_unknown() -> None:
    verdict = matched([hit("1", one("young", "Ivan", 9)), hit("e", one("old", "", 3), kind="email")], "Ivan")
    assert (verdict.action, verdict.contact, verdict.losers) == ("merge", "old", ("young",))


def test_no_merge_when_the_two_names_conflict_with_each_other() -> None:
    hits = [hit("1", one("A", "Ivan", 1)), hit("e", one("B", "Maria", 2), kind="email")]
    verdict = matched(hits, "")
    assert (verdict.action, verdict.rule, verdict.contact, verdict.suggest) == ("attach", "names_disagree", "A", ("B",))


def test_attach_to_the_agreeing_one_when_another_identifier_belongs_to_somebody_else() -> None:
    hits = [hit("1", one("A", "Ivan", 1)), hit("e", one("B", "Maria", 2), kind="email")]
    verdict = matched(hits, "Maria")
    assert (verdict.action, verdict.contact, verdict.suggest) == ("attach", "B", ("A",))


def test_no_merge_when_the_result_would_have_too_many_identifiers() -> None:
    hits = [
        hit("1", one("A", "Ivan", 1, phones=MOST_IDENTIFIERS)),
        hit("e", one("B", "Ivan", 2, phones=1, emails=1), kind="email"),
    ]
    assert decide(hits, "Ivan")[:2] == ("attach", "too_many_identifiers")


RECEPTION = (one("A", "Ivan Sokolov", exclusive=False), one("B", "Maria Orlova", 2, exclusive=False))


def test_weak_and_shared_identifiers_join_a_full_name_and_only_that() -> None:
    for strength in ("weak", "shared"):
        reception = hit("1", *RECEPTION, strength=strength)
        assert decide([reception], "Орлова Маша") == ("attach", "weak_identifier_and_name", "B")
        assert decide([reception], "Pavel Orlov")[0] == "new"
        assert matched([reception], "Maria").suggest == ("B",)
        assert decide([reception], "Maria")[0] == "new"


def test_first_name_joins_on_a_weak_identifier_beside_the_same_company() -> None:
    reception = hit("1", one("A", "Maria Orlova", exclusive=False, company="Romashka"), strength="weak")
    assert matched([reception], "Maria", "ROMASHKA").rule == "weak_identifier_name_and_company"
    assert matched([reception], "Maria", "Lilia").action == "new"


def test_nameless_touches_belong_to_the_number_when_several_people_use_it() -> None:
    for strength in ("weak", "shared"):
        verdict = matched([hit("1", *RECEPTION, strength=strength)])
        assert (verdict.action, verdict.rule, verdict.of_number) == ("new", "nameless_on_shared_identifier", ("phone", "1"))
        known = hit("1", *RECEPTION, one("N", "", 3, exclusive=False, is_number=True), strength=strength)
        assert decide([known]) == ("attach", "nameless_on_shared_identifier", "N")
        assert decide([known], "Pavel Orlov")[0] == "new"  # a number gets no name


def test_weak_identifier_joins_its_only_user_when_a_name_is_missing() -> None:
    assert decide([hit("1", one("A", "", exclusive=False), strength="weak")]) == ("attach", "only_user_of_weak_identifier", "A")
    named = hit("1", one("A", "Ivan Sokolov", exclusive=False), strength="weak")
    assert decide([named]) == ("attach", "only_user_of_weak_identifier", "A")
    nameless = hit("1", one("A", "", exclusive=False), strength="weak")
    assert decide([nameless], "Ivan Sokolov") == ("attach", "only_user_of_weak_identifier", "A")


def test_names_that_nothing_speaks_for_join_nobody_where_others_gave_other_names() -> None:
    mobile = one("A", "Zhang Wei")
    assert decide([hit("1", mobile)], "Анна")[0] == "new"
    assert decide([hit("1", one("A", "Анна"))], "Zhang Wei")[0] == "new"
    unknown = Hit("phone", "1", "strong", (), (one("A", "Сокол"),), other_first_names=True)
    assert matched([unknown], "Олег").rule == "shared_identifier_other_name"
    assert decide([hit("1", one("A", "Сокол"))], "Олег")[0] == "attach"


def test_father_and_son_are_two_people_on_one_number() -> None:
    father = hit("1", one("A", "Иванов Пётр Сергеевич"))
    assert decide([father], "Иванов Пётр Петрович")[0] == "new"
    landline = hit("1", one("A", "Иванов Пётр Сергеевич", exclusive=False), strength="weak")
    assert decide([landline], "Иванов Пётр Петрович")[0] == "new"


def test_two_strong_identifiers_weigh_more_than_a_letter() -> None:
    both = [hit("1", one("A", "Павел Матвеев")), hit("e", one("A", "Павел Матвеев"), kind="email")]
    assert decide(both, "Пвел Матвеев") == ("attach", "two_identifiers_and_near_name", "A")
    assert decide(both[:1], "Пвел Матвеев")[0] == "new"
    assert decide(both, "Ольга Матвеева")[0] == "new"


def test_nothing_is_merged_by_a_name_that_agrees_with_nobody() -> None:
    hits = [hit("1", one("A", "Анна", 1)), hit("e", one("B", "", 2), kind="email")]
    assert decide(hits, "Сокол")[:2] == ("attach", "names_disagree")


def test_toll_free_number_never_joins_when_names_are_missing() -> None:
    toll_free = hit("1", one("A", "", exclusive=False), strength="weak", flags=("toll_free",))
    assert decide([toll_free])[0] == "new"


def test_blocked_identifiers_say_nothing_when_they_hit() -> None:
    assert decide([hit("1", one("A", "Ivan Sokolov"), strength="blocked")], "Ivan Sokolov")[0] == "new"


def test_every_candidate_is_in_the_evidence_when_several_were_looked_at() -> None:
    hits = [hit("1", one("A", "Ivan")), hit("e", one("B", "Maria"), kind="email")]
    evidence = matched(hits, "Ivan").evidence
    assert [(row["contact"], row["name"]) for row in evidence] == [("A", "agree"), ("B", "conflict")]


def test_number_whose_country_is_a_guess_joins_only_those_of_one_full_name() -> None:
    def guessed(name: str, *users: Candidate) -> str:
        return decide([hit("1", *users, strength="weak", flags=("country_page", "country_unsure"))], name)[0]

    assert guessed("", one("A")) == "new"
    assert guessed("Ivan", one("A", "Ivan")) == "new"
    assert guessed("", one("A", "Ivan Sokolov")) == "new"
    assert guessed("Ivan Sokolov", one("A", "Ivan Sokolov")) == "attach"
    assert guessed("Ivan Sokolov", one("A", "Maria Orlova"), one("B", "Ivan Sokolov", 2)) == "attach"


def test_what_the_sources_country_would_have_read_is_only_suggested() -> None:
    other = hit("2", one("A", "Ivan Sokolov"), strength="weak", flags=("other_country",))
    verdict = matched([other], "Ivan Sokolov")
    assert (verdict.action, verdict.suggest) == ("new", ("A",))
