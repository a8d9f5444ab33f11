"""Names of colleagues in the cases of Russian. What cannot be inflected for certain is not: then a sentence without a case is chosen."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

from pytrovich.enums import Case as PetrovichCase
from pytrovich.enums import Gender, NamePart
from pytrovich.maker import PetrovichDeclinationMaker

from crm_core.identity.firstnames import full_names, gender_of
from crm_core.identity.spelling import fold

Case = Literal["gen", "ins"]

_CASES: Final = {"gen": PetrovichCase.GENITIVE, "ins": PetrovichCase.INSTRUMENTAL}
_CYRILLIC: Final = re.compile(r"[А-ЯЁ][а-яё]+(?:-[А-ЯЁ][а-яё]+)*")
_FATHERS: Final = {"m": re.compile(r".+(?:вич|ьич|[ие]ч)"), "f": re.compile(r".+(?:вна|ична|инична)")}
_GENDERS: Final = {"m": Gender.MALE, "f": Gender.FEMALE}


@lru_cache(maxsize=512)
def inflected(name: str, case: Case) -> str | None:
    """ "Ольга Соколова" → "Ольги Соколовой"; None unless every word is Cyrillic and a first name says whose gender it is: a lone
    surname, a company or a name in Latin stays as it is."""
    words = name.split()
    if not 1 <= len(words) <= 3 or not all(_CYRILLIC.fullmatch(word) for word in words):
        return None
    gender, first = next(((known, word) for word in words if (known := gender_of(full_names(fold(word))))), ("", ""))
    if not gender:
        return None
    maker = PetrovichDeclinationMaker()
    told = []
    for word in words:
        part = NamePart.FIRSTNAME if word == first else NamePart.LASTNAME
        if word != first and len(words) == 3 and _FATHERS[gender].fullmatch(word):
            part = NamePart.MIDDLENAME
        told.append(maker.make(part, _GENDERS[gender], _CASES[case], word))
    return " ".join(told)
