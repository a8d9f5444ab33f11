"""Companies: tax and register numbers with their checksums, the name without its legal form, the domain. Pure, offline.

INN, OGRN and the domain are keys; a name alone only suggests, and one INN with two KPP is one company and two branches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from crm_core.identity.company_domains import company_domain
from crm_core.identity.identifiers import Key
from crm_core.identity.spelling import fold, one_script

__all__ = ["Company", "company_domain", "company_name_key", "compare_companies", "inn", "kpp", "ogrn", "read_company"]

_TEXT_CHARS = 20_000

_INN_10 = (2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_11 = (7, 2, 4, 10, 3, 5, 9, 4, 6, 8)
_INN_12 = (3, *_INN_11)

_LABELLED = re.compile(
    r"\b(инн|кпп|огрнип|огрн|inn|kpp|ogrnip|ogrn)\b(?:\s*[/,]\s*(кпп|kpp))?[\s:№#=.–—-]{0,6}(?:(?:организации|компании)\s*:?\s*)?"
    r"(\d[\dA-Zа-я]{8,14})(?:\s*[/,]\s*(\d{4}[\dA-Z]{2}\d{3})\b)?",
    re.IGNORECASE,
)

_FORMS = frozenset(
    fold(word)
    for word in """
    ооо оао ао пао зао нао ип чп тоо уп чуп чтуп чпуп одо сооо иооо руп гуп муп фгуп фгбу фгау фгбоу фгаоу гбоу мбоу мбдоу мкоу гбу гбуз
    мбуз маоу мау мбу гау гку мку ано нко ано тсж снт тсн спк кфх кх пк жск пкф нпо нпп нпф птк тд гк тпк фоп пп тов тзов прат пат дп
    ват аппс жшс мчж мжк оао хк филиал представительство
    llc ltd limited inc incorporated corp corporation company gmbh ag kg ohg ug sa sas sarl srl spa bv nv oy ab aps plc llp lp pty
    ooo zao oao pao too jsc pjsc cjsc ojsc spzoo eood ood ou sia uab sro doo kft zrt nyrt bvba kk pte
    """.split()  # noqa: SIM905 (words read best as words)
)
_LONG_FORMS = re.compile(
    r"\b(?:общество\s+с\s+(?:ограниченной|дополнительной)\s+ответственностью|(?:публичное|непубличное|открытое|закрытое)?\s*акционерное\s+общество"
    r"|индивидуальный\s+предприниматель|товарищество\s+с\s+ограниченной\s+ответственностью|группа\s+компаний|торговый\s+дом"
    r"|производственн(?:ый\s+кооператив|ая\s+компания)|частное\s+(?:производственное\s+)?унитарное\s+предприятие|limited\s+liability\s+company"
    r"|sp\.?\s*z\.?\s*o\.?\s*o\.?|joint[\s-]stock\s+company)(?!\w)",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"\b(?:[^\W\d_]\.){2,6}(?![^\W\d_])|\b[^\W\d_](?:\.[^\W\d_]){1,5}\b")
_WORD = re.compile(r"[^\W\d_]+|\d+")


def inn(text: str) -> str:
    """The tax number in a field: 10 digits of a company or 12 of a person with right checksums, else ""."""
    digits = _digits(text)
    if len(digits) not in (10, 12) or len(set(digits)) == 1 or digits.startswith("00"):
        return ""
    if len(digits) == 10:
        return digits if _control(digits, _INN_10) == digits[9] else ""
    good = _control(digits, _INN_11) == digits[10] and _control(digits, _INN_12) == digits[11]
    return digits if good else ""


def ogrn(text: str) -> str:
    """The register number: 13 digits of a company (OGRN) or 15 of a sole trader (OGRNIP) with a right checksum, else ""."""
    digits = _digits(text)
    if len(digits) not in (13, 15) or len(set(digits)) == 1 or digits[3:5] == "00":
        return ""
    if digits[0] not in ("15" if len(digits) == 13 else "3"):
        return ""  # 2, 4 and 6 to 9 begin the numbers of later entries (GRN), which name nobody
    body, divisor = int(digits[:-1]), len(digits) - 2  # 11 for thirteen digits, 13 for fifteen
    return digits if str(body % divisor % 10) == digits[-1] else ""


def kpp(text: str) -> str:
    """The number of a branch at a tax office (nine characters, no checksum), else ""."""
    code = re.sub(r"[\s-]", "", text).upper()
    if re.fullmatch(r"\d{4}[\dA-Z]{2}\d{3}", code, re.ASCII) is None or code.startswith("00") or len(set(code)) == 1:
        return ""
    return code


def _digits(text: str) -> str:
    compact = re.sub(r"[\s-]", "", text)
    return compact if compact.isascii() and compact.isdecimal() else ""


def _control(digits: str, weights: tuple[int, ...]) -> str:
    return str(sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=False)) % 11 % 10)


@lru_cache(maxsize=2048)
def company_name_key(name: str) -> str:
    """The name in one Latin skeleton without quotes and legal forms at either end; "" if nothing else is in it.

    ООО «Ромашка», Ромашка, ООО and ROMASHKA LLC are one.
    """
    text = _LONG_FORMS.sub(" ", one_script(name[:240]))
    text = _DOTTED.sub(_form_without_dots, text)
    words = [folded for word in _WORD.findall(text) if (folded := fold(word) or word)]
    kept = list(words)
    while len(kept) > 1 and kept[0] in _FORMS:
        kept.pop(0)
    while len(kept) > 1 and kept[-1] in _FORMS:
        kept.pop()
    return "" if all(word in _FORMS for word in kept) else " ".join(kept)


def _form_without_dots(match: re.Match[str]) -> str:
    """O.O.O. is a form; И.И. are initials."""
    joined = match[0].replace(".", "")
    return joined if fold(joined) in _FORMS else match[0].replace(".", " ")


@dataclass(frozen=True, slots=True)
class Company:
    """What an inquiry says about the company that it comes from; "" for what it does not say."""

    inn: str = ""
    kpp: str = ""
    ogrn: str = ""
    domain: str = ""
    name: str = ""  # as it was written
    name_key: str = ""

    @property
    def keys(self) -> tuple[Key, ...]:
        """What identifies the company, the strongest first. Its domain is weak: a holding has one for many companies."""
        return tuple(
            Key(kind, value, "weak" if kind == "domain" else "strong", value)
            for kind, value in (("inn", self.inn), ("ogrn", self.ogrn), ("domain", self.domain))
            if value
        )


def read_company(name: str = "", *, numbers: Iterable[str] = (), text: str = "", emails: Iterable[str] = ()) -> Company:
    """The company of an inquiry. `numbers` are fields that are meant for an INN, KPP or OGRN; in `text`, and in the name, only what
    is labelled counts. Of several addresses the first that is of a company gives the domain."""
    found = {"inn": "", "kpp": "", "ogrn": ""}
    for written in numbers:
        for part in re.split(r"[/,;]", written):
            for kind, reader in (("inn", inn), ("ogrn", ogrn), ("kpp", kpp)):
                if value := reader(part):
                    found[kind] = found[kind] or value
                    break
    for prose in (name, text):
        for label, second, value, behind in _LABELLED.findall(prose[:_TEXT_CHARS]):
            _take(found, label, value)
            if behind and (second or "инн" in label.casefold() or "inn" in label.casefold()):
                _take(found, "кпп", behind)
    bare = _LABELLED.sub(" ", name).strip(" ,;")
    domain = next((one for address in emails if (one := company_domain(address))), "")
    return Company(found["inn"], found["kpp"], found["ogrn"], domain, bare, company_name_key(bare))


def _take(found: dict[str, str], label: str, value: str) -> None:
    kind = {"и": "inn", "i": "inn", "к": "kpp", "k": "kpp"}.get(label[0].casefold(), "ogrn")
    reader = {"inn": inn, "kpp": kpp, "ogrn": ogrn}[kind]
    found[kind] = found[kind] or reader(value)


CompanyVerdict = Literal["same", "branch", "similar", "unknown", "other"]


def compare_companies(one: Company, two: Company) -> CompanyVerdict:
    """Symmetric. Numbers decide, then the domain; an equal name is `similar`, which may suggest and never join."""
    if one.inn and two.inn:
        if one.inn != two.inn:
            return "other"
        return "branch" if one.kpp and two.kpp and one.kpp != two.kpp else "same"
    if one.ogrn and two.ogrn:
        return "same" if one.ogrn == two.ogrn else "other"
    if one.domain and one.domain == two.domain:
        return "same"
    return "similar" if one.name_key and one.name_key == two.name_key else "unknown"
