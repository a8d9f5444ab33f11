"""The one pattern that Russia's mobiles are asked by says what the library says with all of its own."""

from __future__ import annotations

import phonenumbers
import pytest

from crm_core.identity.numbering import kind_of, region_of


@pytest.mark.parametrize("hundred", range(90, 100))
def test_one_pattern_says_what_the_library_says(hundred: int) -> None:
    # Every code of three digits, and under each of them the ends of what its plan tells apart.
    for national in (
        f"{hundred}{digit}{rest}"
        for digit in range(10)
        for rest in ("0000000", "0000005", "0005123", "1234567", "5001999", "9999999")
    ):
        number = phonenumbers.PhoneNumber(country_code=7, national_number=int(national))
        kind = phonenumbers.number_type(number)
        assert kind_of("+7" + national) == kind
        assert region_of("+7" + national) == (phonenumbers.region_code_for_number(number) or "")
