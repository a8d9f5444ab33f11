"""Who is this? Every row of the table, with names that agree, are unknown, or conflict."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from crm_core.contacts.rules import MOST_IDENTIFIERS, REISSUED_AFTER, Candidate, Hit, match

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def compare(a: str, b: str) -> str:
    if not a or not b:
        return "unknown"
    return "agree" if a == b else "conflict"


def hit(value: str, *candidates: Candidate, strength: str = "strong", kind: str = "phone", flags: tuple[str, ...] = ()) -> Hit:
    return Hit(kind, value, strength, flags, candidates)


def one(contact: str, name: str = "", order: int = 1, exclusive: bool = True, **more: object) -> Candidate:
    return Candidate(contact, order, name, exclusive, **more)  # type: ignore[arg-type]


def decide(hits: list[Hit], name: str = "") -> tuple[str, str, object]:
    verdict = match(hits, name, NOW, compare)  # type: ignore[arg-type]
    return verdict.action, verdict.rule, verdict.contact


def test_new_contact_when_nothing_is_known() -> None:
    assert decide([]) == ("new", "no_known_identifier", None)
    assert decide([hit("1")]) == ("new", "no_known_identifier", None)


def test_attach_when_the_strong_identifier_has_one_contact_and_names_do_not_conflict() -> None:
    assert decide([hit("1", one("A", "Ivan"))], "Ivan") == ("attach", "strong_identifier", "A")
    assert decide([hit("1", one("A", "Ivan"))]) == ("attach", "strong_identifier", "A")
    assert decide([hit("1", one("A"))], "Ivan") == ("attach", "strong_identifier", "A")


def test_new_contact_sharing_the_identifier_when_the_name_conflicts() -> None:
    verdict = match([hit("1", one("A", "Ivan", last_seen_at=NOW))], "Maria", NOW, compare)  # type: ignore[arg-type]
    assert (verdict.action, verdict.rule, verdict.shares_with, verdict.suggest) == (
        "new", "shared_identifier_other_name", "A", ("A",),
    )  # fmt: skip


def test_new_contact_and_old_link_retired_when_the_number_was_given_to_another() -> None:
    seen = NOW - REISSUED_AFTER - timedelta(days=1)
    verdict = match([hit("1", one("A", "Ivan", last_seen_at=seen))], "Maria", NOW, compare)  # type: ignore[arg-type]
    assert (verdict.action, verdict.rule, verdict.retire) == ("new", "identifier_was_reissued", (("phone", "1"),))
    assert verdict.shares_with is None


def test_the_agreeing_user_is_chosen_when_several_share_an_identifier() -> None:
    users = (one("A", "Ivan", 1), one("B", "Maria", 2, exclusive=False))
    assert decide([hit("1", *users)], "Maria")[2] == "B"
    assert decide([hit("1", *users)])[2] == "A"  # a nameless caller is whoever has it alone


def test_merge_into_the_older_when_identifiers_meet_and_names_agree_or_are_unknown() -> None:
    verdict = match(
        [hit("1", one("young", "Ivan", 9)), hit("e", one("old", "", 3), kind="email")], "Ivan", NOW, compare,  # type: ignore[arg-type]
    )  # fmt: skip
    assert (verdict.action, verdict.contact, verdict.losers) == ("merge", "old", ("young",))


def test_no_merge_when_the_two_names_conflict_with_each_other() -> None:
    hits = [hit("1", one("A", "Ivan", 1)), hit("e", one("B", "Maria", 2), kind="email")]
    verdict = match(hits, "", NOW, compare)  # type: ignore[arg-type]
    assert (verdict.action, verdict.rule, verdict.contact, verdict.suggest) == ("attach", "names_disagree", "A", ("B",))


def test_attach_to_the_agreeing_one_when_another_identifier_belongs_to_somebody_else() -> None:
    hits = [hit("1", one("A", "Ivan", 1)), hit("e", one("B", "Maria", 2), kind="email")]
    verdict = match(hits, "Maria", NOW, compare)  # type: ignore[arg-type]
    assert (verdict.action, verdict.contact, verdict.suggest) == ("attach", "B", ("A",))


def test_no_merge_when_the_result_would_have_too_many_identifiers() -> None:
    hits = [
        hit("1", one("A", "Ivan", 1, phones=MOST_IDENTIFIERS)),
        hit("e", one("B", "Ivan", 2, phones=1, emails=1), kind="email"),
    ]
    assert decide(hits, "Ivan")[:2] == ("attach", "too_many_identifiers")


def test_weak_identifier_joins_when_the_name_agrees_and_only_then() -> None:
    reception = hit("1", one("A", "Ivan", exclusive=False), one("B", "Maria", 2, exclusive=False), strength="weak")
    assert decide([reception], "Maria") == ("attach", "weak_identifier_and_name", "B")
    assert decide([reception], "Pavel")[0] == "new"
    assert decide([reception])[0] == "new"


def test_weak_identifier_joins_its_only_user_when_a_name_is_missing() -> None:
    landline = hit("1", one("A", "", exclusive=False), strength="weak")
    assert decide([landline]) == ("attach", "only_user_of_weak_identifier", "A")


def test_toll_free_number_never_joins_when_names_are_missing() -> None:
    toll_free = hit("1", one("A", "", exclusive=False), strength="weak", flags=("toll_free",))
    assert decide([toll_free])[0] == "new"


def test_shared_and_blocked_identifiers_say_nothing_when_they_hit() -> None:
    for strength in ("shared", "blocked"):
        assert decide([hit("1", one("A", "Ivan"), strength=strength)], "Ivan")[0] == "new"


def test_every_candidate_is_in_the_evidence_when_several_were_looked_at() -> None:
    hits = [hit("1", one("A", "Ivan")), hit("e", one("B", "Maria"), kind="email")]
    evidence = match(hits, "Ivan", NOW, compare).evidence  # type: ignore[arg-type]
    assert [(row["contact"], row["name"]) for row in evidence] == [("A", "agree"), ("B", "conflict")]


def test_number_whose_country_is_a_guess_joins_only_those_of_one_full_name() -> None:
    def guessed(name: str, *users: Candidate) -> str:
        return decide([hit("1", *users, strength="weak", flags=("country_page", "country_unsure"))], name)[0]

    assert guessed("", one("A")) == "new"
    assert guessed("Ivan", one("A", "Ivan")) == "new"
    assert guessed("", one("A", "Ivan Example")) == "new"
    assert guessed("Ivan Example", one("A", "Ivan Example")) == "attach"
    assert guessed("Ivan Example", one("A", "Maria Example"), one("B", "Ivan Example", 2)) == "attach"


def test_what_the_sources_country_would_have_read_is_only_suggested() -> None:
    other = hit("2", one("A", "Ivan Example"), strength="weak", flags=("other_country",))
    verdict = match([other], "Ivan Example", NOW, compare)  # type: ignore[arg-type]
    assert (verdict.action, verdict.suggest) == ("new", ("A",))
