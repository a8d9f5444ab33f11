"""One number against the numbering plans of the world: E.164 and class. Only libphonenumber's offline metadata.

A number that cannot be brought to `+` and 7 to 15 digits is refused, whatever the library says of it.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType, ValidationResult

from crm_core.identity.identifiers import Strength
from crm_core.identity.placeholders import is_placeholder, is_run

E164 = re.compile(r"\+[1-9][0-9]{6,14}", re.ASCII)

_STRONG = frozenset({PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE, PhoneNumberType.PERSONAL_NUMBER})
_FLAG_OF_TYPE = {
    PhoneNumberType.FIXED_LINE: "landline",
    PhoneNumberType.TOLL_FREE: "toll_free",
    PhoneNumberType.PREMIUM_RATE: "premium",
    PhoneNumberType.SHARED_COST: "shared_cost",
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PAGER: "pager",
    PhoneNumberType.UAN: "company_number",
    PhoneNumberType.VOICEMAIL: "voicemail",
}
#: Countries of the former plan of the USSR where people still dial a leading 8 before the national number.
_EX_USSR = frozenset({"UA", "UZ", "BY", "KG", "TJ", "TM", "MD", "GE", "AM", "AZ", "LT", "LV", "EE"})


def _parse(text: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None


def _number(e164: str) -> PhoneNumber | None:
    # Parsing costs 18 µs; +7 has no leading zeros and ten digits, so its value can be built directly.
    if e164.startswith("+7") and len(e164) == 12 and e164[2] != "0":
        return PhoneNumber(country_code=7, national_number=int(e164[2:]))
    return _parse(e164, None)


@cache
def _mobile_of_russia() -> re.Pattern[str]:
    # The library asks twelve patterns one after the other; of what begins with 9 only this one ever fits (a test compares).
    metadata = phonenumbers.PhoneMetadata.metadata_for_region("RU")
    assert metadata is not None
    assert metadata.mobile is not None
    assert isinstance(metadata.mobile.national_number_pattern, str)
    return re.compile(metadata.mobile.national_number_pattern)


# Each reading of a number asks several times, and each time costs 30 µs.
@lru_cache(maxsize=4096)
def kind_of(e164: str) -> int:
    """The PhoneNumberType of a number in E.164; UNKNOWN also of what is none."""
    if e164.startswith("+79") and len(e164) == 12:
        return PhoneNumberType.MOBILE if _mobile_of_russia().fullmatch(e164[2:]) else PhoneNumberType.UNKNOWN
    number = _number(e164)
    return PhoneNumberType.UNKNOWN if number is None else phonenumbers.number_type(number)


# Exchanges send several events for one caller within seconds; 4096 entries cover minutes of them in about 1 MB.
@lru_cache(maxsize=4096)
def classify(e164: str) -> tuple[Strength, tuple[str, ...]] | None:
    """Strength and flags of a number in E.164; None if no plan allows this length or code.

    Possible but unknown numbers are weak: plans grow before the metadata does (libphonenumber's FAQ).
    """
    if E164.fullmatch(e164) is None:
        return None
    if is_placeholder(e164):
        return "blocked", ("junk",)
    if not _is_written_so(e164):
        return None
    kind = kind_of(e164)
    if is_run(e164):
        # A valid one joins people of one name and nobody else: the same example stands in a thousand manuals.
        return ("blocked", ("junk",)) if kind == PhoneNumberType.UNKNOWN else ("weak", ("run",))
    if kind in _STRONG:
        return "strong", ()
    if kind != PhoneNumberType.UNKNOWN:
        return "weak", (_FLAG_OF_TYPE[kind],)
    number = _number(e164)
    if number is None or phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        return None  # also IS_POSSIBLE_LOCAL_ONLY: `123-45-67` would become the number +71234567 of nobody
    if e164[1] == "7" and (e164[2] in "012" or len(e164) != 12):
        return None  # no such codes and lengths in the plan of +7: 8 029 is Belarus, read with the wrong region
    return "weak", ("possible",)


def is_valid(e164: str) -> bool:
    """True if the plan knows the number (placeholders of a valid shape included)."""
    return E164.fullmatch(e164) is not None and kind_of(e164) != PhoneNumberType.UNKNOWN and _is_written_so(e164)


def _is_written_so(e164: str) -> bool:
    """False for +4407911…: the parser drops a trunk prefix, and two spellings of one number would be two people."""
    if e164.startswith("+7"):
        return True
    number = _number(e164)
    return number is not None and phonenumbers.format_number(number, PhoneNumberFormat.E164) == e164


@lru_cache(maxsize=4096)
def without_trunk(e164: str) -> str:
    """+44 (0)7911 … without the 0 that is dialled only inside of the country; Italy's belongs to the number.

    The number as it is where neither reading is one that its plan knows.
    """
    if is_valid(e164):
        return e164
    number = _parse(e164, None)
    if number is None:
        return e164
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    if is_valid(written):
        return written
    code = f"+{number.country_code}"
    national = e164.removeprefix(code)
    for trunk in ("0", "80", "8"):  # also where the plan itself has no such prefix any more
        if national.startswith(trunk) and is_valid(shorter := code + national.removeprefix(trunk)):
            return shorter
    return e164


def region_of(e164: str) -> str:
    """ISO 3166 region of a number, "" if unknown. Never conclude Russia from `+7`: Kazakhstan shares it."""
    if e164.startswith("+79") and len(e164) == 12 and kind_of(e164) == PhoneNumberType.MOBILE:
        return "RU"
    number = _number(e164) if E164.fullmatch(e164) else None
    return (phonenumbers.region_code_for_number(number) or "") if number is not None else ""


def _is_strong(e164: str) -> bool:
    return kind_of(e164) in _STRONG


def _national(digits: str, region: str) -> str:
    number = _parse(digits, region)
    if number is None:
        return ""
    written = phonenumbers.format_number(number, PhoneNumberFormat.E164)
    return written if E164.fullmatch(written) else ""


def canonical(e164: str) -> str:
    """Old and new spellings of one subscriber as one value. Messengers still send the old ones.

    Mexico dropped the 1 after +52 in 2019, Brazil's mobiles took a ninth digit by 2016, Argentina's mobiles carry a 9
    only when called from abroad.
    """
    if e164.startswith("+521") and len(e164) == 14:
        return "+52" + e164[4:]
    if e164.startswith("+54") and e164[3:4] != "9" and len(e164) == 13:
        return "+549" + e164[3:]
    if e164.startswith("+55") and len(e164) == 13 and e164[5] in "6789":
        return e164[:5] + "9" + e164[5:]
    return e164


def e164_of_digits(digits: str, plus: bool, region: str) -> tuple[str, bool]:
    """The most plausible E.164 of bare digits and whether they had to be repaired; ("", False) if there is none.

    `plus` says that a + was written in front. The order of attempts is the one that read every sample right
    (docs/identity.md).
    """
    n = len(digits)
    if not 5 <= n <= 18:
        return "", False
    if plus:
        return _international(digits)
    seven = region in ("RU", "KZ")
    if n == 11 and digits[0] in "78" and seven and not digits.startswith("810"):
        return "+7" + digits[1:], False
    if n == 10 and seven:
        return "+7" + digits, False
    if digits.startswith("810") and n >= 12 and (seven or region in _EX_USSR):
        return without_trunk("+" + digits[3:]), False  # 8-10 is the way out of the country
    if digits.startswith("00") and n >= 9:
        found, repaired = _international(digits.lstrip("0"))
        return (found, repaired) if is_valid(canonical(found)) else (_dialled_abroad(digits) or found, repaired)
    return _bare(digits, region)


def _international(digits: str) -> tuple[str, bool]:
    direct = "+" + digits
    if digits.startswith("00"):
        return _international(digits.lstrip("0"))[0], True
    if len(digits) == 12 and digits.startswith("78"):
        return "+7" + digits[2:], True  # +7 8 916 …: the trunk prefix was typed after the mask's +7
    if len(digits) == 11 and digits[0] == "8" and not is_valid(direct) and is_valid("+7" + digits[1:]):
        return "+7" + digits[1:], True  # +8 916 …: the commonest Russian slip
    return (without_trunk(direct), False) if E164.fullmatch(direct) else ("", False)


def _bare(digits: str, region: str) -> tuple[str, bool]:
    direct = without_trunk("+" + digits) if 10 <= len(digits) <= 15 and digits[0] != "0" else ""
    code = str(phonenumbers.country_code_for_region(region))
    if direct and digits.startswith(code) and is_valid(direct):
        return direct, False  # exchanges write +7 916 … as 7916…
    national = _national(digits, region)
    known = bool(national) and is_valid(national)
    abroad = bool(direct) and is_valid(canonical(direct))
    # Both readings can be valid: 7916… is Moscow's mobile and a landline of Germany. A mobile at home wins, then the
    # country code, because people write their own landlines with the leading zero.
    if known and (not abroad or len(digits) < 11 or _is_strong(national)):
        return national, False
    if abroad:
        return direct, False
    if digits[0] == "8" and region in _EX_USSR:
        stripped = _national(digits[1:], region)
        if stripped and is_valid(stripped):
            return stripped, False
    if digits[0] in "78" and len(digits) == 11 and is_valid("+7" + digits[1:]):
        return "+7" + digits[1:], False  # written the Russian way to a hub elsewhere
    return (national, False) if known else (_dialled_abroad(digits) or national, False)


def _dialled_abroad(digits: str) -> str:
    """What stands behind the way out of some other country: 011 of North America, 0011 of Australia, 010 of Japan."""
    for prefix in ("0011", "011", "010"):
        if digits.startswith(prefix) and is_valid(found := without_trunk("+" + digits.removeprefix(prefix))):
            return found
    return ""
