"""What holds for every text: nothing raises, keys have one shape, reading what is shown gives the key again."""

from __future__ import annotations

from typing import Literal

from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm_core.identity.emails import email_key, read_emails
from crm_core.identity.names import clean_name, compare_names, first_name_key
from crm_core.identity.numbering import E164
from crm_core.identity.phones import read_phones
from crm_core.identity.spelling import fold

PHONEISH = st.text(alphabet="0123456789+-() .,;/*#доб внutлext№ОЗOl@<>:=\n\u00a0\u202a８", max_size=60)
MAILISH = st.text(alphabet="abвгXя.+-_@ ,<>:%/иnрxru0", max_size=60)
NAMEISH = st.lists(
    st.sampled_from(
        [
            "Иван",
            "Ivan",
            "Саша",
            "Александра",
            "Петров",
            "Петрова",
            "Иванович",
            "Ивановна",
            "И.",
            "П.",
            "Ким",
            "оглы",
            "ООО",
            "тест",
            "Erin",
            "Мария",
            "Абрамович",
            "👍",
            "-",
        ]
    )
    | st.text(max_size=8),
    max_size=5,
).map(" ".join)
ANY = st.text(max_size=80)
KINDS: list[Literal["form", "ani", "text"]] = ["form", "ani", "text"]
REGIONS = ["RU", "KZ", "BY", "UA", "UZ", "US", "DE", "GB", "BR", "MX", "AR", "", "ZZ", "нет"]

# Fixed examples, so that a run is the same everywhere; the numbers keep the file under a few seconds.
PROFILE = settings(max_examples=150, deadline=None, derandomize=True)


@PROFILE
@given(
    text=PHONEISH | ANY,
    region=st.sampled_from(REGIONS),
    kind=st.sampled_from(KINDS),
    code=st.sampled_from(["", "495", "x"]),
)
@example(text="\ud800", region="RU", kind="form", code="")
@example(text="01000000", region="BY", kind="ani", code="")
@example(text="²³⁴", region="RU", kind="form", code="")
@example(text="+" + "9" * 5000, region="RU", kind="text", code="")
def test_phone_keys_have_one_shape_when_anything_is_written(
    text: str, region: str, kind: Literal["form", "ani", "text"], code: str
) -> None:
    keys = read_phones(text, region, kind=kind, area_code=code)
    assert all(E164.fullmatch(key.value) and E164.fullmatch(key.display) for key in keys)
    assert len({key.value for key in keys}) == len(keys) <= 10
    for key in keys:
        # What is merely possible counts only where an exchange says it.
        again = read_phones(key.display, region, kind="ani" if "possible" in key.flags else "form")
        assert [(k.value, k.strength) for k in again if not key.is_guess] == (
            [] if key.is_guess else [(key.value, key.strength)]
        ) or set(key.flags) & {"local", "vanity"}


@PROFILE
@given(digits=st.integers(9_000_000_000, 9_999_999_999))
def test_russian_spellings_make_one_key_when_digits_are_the_same(digits: int) -> None:
    d = str(digits)
    spellings = [
        f"+7{d}", f"8{d}", f"7{d}", d, f"+8{d}", f"8 ({d[:3]}) {d[3:6]}-{d[6:8]}-{d[8:]}", f"+7\u00a0{d[:3]}\u00a0{d[3:]}",
        f"tel:+7{d}", f"00 7 {d}", f"8{d} Иван",
    ]  # fmt: skip
    values = {tuple((key.value, key.strength) for key in read_phones(s, "RU", kind="form")) for s in spellings}
    assert len(values) == 1


@PROFILE
@given(text=MAILISH | ANY | st.emails())
@example(text="a@\ud800.ru")
@example(text="xn--@xn--a.ru")
@example(text="a@xn--80a1acny.xn--p1ai")
def test_email_keys_have_one_shape_when_anything_is_written(text: str) -> None:
    keys = read_emails(text)
    for key in keys:
        local, at, domain = key.value.rpartition("@")
        assert local
        assert at
        assert "." in domain
        assert domain.isascii()
        assert domain == domain.lower()
        if not key.is_guess:
            again = email_key(key.display)
            assert again is not None
            assert (again.value, again.strength, again.flags) == (key.value, key.strength, key.flags)
    assert len({key.value for key in keys}) == len(keys)


@PROFILE
@given(address=st.emails(), prefix=st.sampled_from(["", " ", "mailto:", "Ivan <"]))
@example(address="`@a.af", prefix="mailto:")
def test_key_of_a_key_is_the_key_when_read_again(address: str, prefix: str) -> None:
    key = email_key(prefix + address)
    if key is not None:
        again = email_key(key.value)
        assert again is not None
        assert again.value == key.value


@PROFILE
@given(a=NAMEISH | ANY, b=NAMEISH | ANY)
@example(a="\ud800", b="Иван")
@example(a="Иван оглы оглы", b="оглы оглы")
@example(a="Иван" * 5000, b="Иванович Иванович")
def test_comparison_is_symmetric_when_any_two_are_compared(a: str, b: str) -> None:
    assert compare_names(a, b) == compare_names(b, a)


@PROFILE
@given(name=NAMEISH | ANY)
@example(name="ß")
def test_name_never_conflicts_with_itself_when_cleaned(name: str) -> None:
    shown = clean_name(name)
    assert clean_name(shown) == shown
    assert compare_names(name, name).verdict != "conflict"
    assert compare_names(name, shown).verdict != "conflict"
    assert first_name_key(shown) == first_name_key(name)


@PROFILE
@given(words=st.permutations(["Иван", "Иванович", "Петров"]), other=st.permutations(["Ivan", "Petrov"]))
def test_order_of_words_does_not_matter_when_compared(words: list[str], other: list[str]) -> None:
    if words[0] != "Иванович":  # nobody begins with the patronymic
        assert compare_names(" ".join(words), " ".join(other)).verdict == "agree"


@PROFILE
@given(word=ANY)
def test_fold_is_ascii_and_stable_when_folded_again(word: str) -> None:
    folded = fold(word)
    assert folded.isalpha() or folded == ""
    assert fold(word.upper().lower()) == fold(word.lower())
