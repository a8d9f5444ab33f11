"""Which countries a text names that was typed or chosen as one: a name in any language, an ISO code, a calling code, a flag.

Only for values of fields that ask for a country: Georgia, Jordan and Chad are people, states and brands anywhere else.
Names are those of CLDR (babel); a name that two countries share says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache, lru_cache

import phonenumbers
from babel import Locale
from babel.core import get_global

_FIRST_LANGUAGES = ("en", "ru")  # nine of ten; the rest cost a third of a second, once a process, when first needed
_LANGUAGES = [
    "af",
    "am",
    "ar",
    "az",
    "be",
    "bg",
    "bn",
    "bs",
    "ca",
    "cs",
    "cy",
    "da",
    "de",
    "el",
    "es",
    "et",
    "eu",
    "fa",
    "fi",
    "fil",
    "fr",
    "ga",
    "gl",
    "gu",
    "he",
    "hi",
    "hr",
    "hu",
    "hy",
    "id",
    "is",
    "it",
    "ja",
    "ka",
    "kk",
    "km",
    "kn",
    "ko",
    "ky",
    "lo",
    "lt",
    "lv",
    "mk",
    "ml",
    "mn",
    "mr",
    "ms",
    "my",
    "nb",
    "ne",
    "nl",
    "pa",
    "pl",
    "ps",
    "pt",
    "ro",
    "si",
    "sk",
    "sl",
    "sq",
    "sr",
    "sr_Latn",
    "sv",
    "sw",
    "ta",
    "te",
    "tg",
    "th",
    "tk",
    "tr",
    "uk",
    "ur",
    "uz",
    "uz_Cyrl",
    "vi",
    "zh",
    "zh_Hant",
]

#: What people write and CLDR does not.
_ALIASES = {
    "US": "usa us u.s.a. u.s. america unitedstatesofamerica thestates сша америка штаты соединённыештатыамерики eeuu estadosunidosdeamerica etatsunisdamerique abd 美国 미국",
    "GB": "uk u.k. greatbritain britain england scotland wales northernireland великобритания англия британия шотландия inglaterra angleterre großbritannien",
    "AE": "uae u.a.e. emirates оаэ эмираты объединённыеарабскиеэмираты dubai дубай emiratesarabesunis vae bae الامارات الإمارات",
    "RU": "рф россия russianfederation российскаяфедерация russia rossiya rossia rus росія ресей",
    "BY": "белоруссия беларусь belorussia byelorussia belarus", "KG": "киргизия кыргызстан kirghizia kirgizia kyrgyzrepublic",
    "MD": "молдавия молдова moldavia republicofmoldova", "TM": "туркмения туркменистан", "NL": "holland голландия нидерланды hollande thenetherlands",
    "CZ": "czechrepublic чехия чешскаяреспублика czechia českárepublika", "TR": "turkey турция türkiye turkiye",
    "KR": "southkorea republicofkorea южнаякорея корея korea s.korea", "KP": "northkorea севернаякорея кндр",
    "SA": "ksa saudi саудовскаяаравия saudiarabia السعودية", "VN": "vietnam вьетнам", "TW": "taiwan тайвань", "HK": "hongkong гонконг",
    "MO": "macau macao макао", "MK": "macedonia македония", "CI": "ivorycoast cotedivoire", "MM": "burma бирма", "CV": "capeverde",
    "CN": "prc кнр китай mainlandchina", "SZ": "swaziland", "TL": "easttimor", "LA": "laos лаос", "SY": "syria сирия",
    "IR": "islamicrepublicofiran", "BO": "plurinationalstateofbolivia", "VE": "bolivarianrepublicofvenezuela", "BN": "brunei",
    "TZ": "unitedrepublicoftanzania", "PS": "palestine палестина stateofpalestine", "XK": "kosovo косово", "IN": "bharat hindustan индия",
    "DE": "germany германия brd frg", "UZ": "узбекистан uzbekiston ozbekiston o'zbekiston", "KZ": "казахстан qazaqstan kazakstan",
    "TJ": "таджикистан tojikiston", "TH": "ประเทศไทย tailand", "IE": "éire republicofireland", "SK": "slovakrepublic", "AZ": "азербайджан", "AM": "армения", "GE": "грузия сакартвело",
}  # fmt: skip

#: Two states, whatever one language alone may mean by it.
_SHARED = frozenset(("congo", "kongo", "конго"))
_JOINTS = frozenset(("and", "и", "the", "&"))

_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]{2}")
_CALLING_CODE = re.compile(r"(?:\+|(?<!\d)00)\s?(\d{1,3})")
_BARE_CODE = re.compile(r"\s*\d{1,3}\s*")
_ISO = re.compile(r"(?<![^\W_])([A-Za-z]{2,3})(?![^\W_])")
_INSIDE = re.compile(r"[(\[](.*?)[)\]]")
_CHARS = 80  # no country's name is longer


@lru_cache(maxsize=2048)
def regions_in(text: str, *, bare_code: bool = False) -> tuple[str, ...]:
    """ISO 3166 codes of the countries that a text names, () for none. `bare_code`: digits alone are a calling code."""
    text = text.strip()
    if not text or len(text) > _CHARS:
        return ()
    found = [
        *_of_flags(text), *_of_calling_codes(text, bare_code=bare_code),
        *_of_words(_FLAG.sub(" ", _CALLING_CODE.sub(" ", text))),
    ]  # fmt: skip
    return tuple(dict.fromkeys(found))


def of_calling_code(code: str) -> str:
    """The main country of a calling code: "91" is IN, "7" RU, "1" US. "" if nobody has it."""
    region = phonenumbers.region_code_for_country_code(int(code)) if code else "ZZ"
    return "" if region in ("ZZ", "001") else region


@cache
def of_currency(code: str) -> str:
    """The only country of a currency (ISO 4217): NGN is NG. "" for EUR, USD and what else several use."""
    users = [
        country for country, rows in get_global("territory_currencies").items()
        if any(row[0] == code and row[2] is None and row[3] for row in rows)
    ]  # fmt: skip
    return users[0] if len(users) == 1 and users[0] in phonenumbers.SUPPORTED_REGIONS else ""


def _of_flags(text: str) -> Iterable[str]:
    for flag in _FLAG.findall(text):
        region = "".join(chr(ord(letter) - 0x1F1E6 + ord("A")) for letter in flag)
        if region in phonenumbers.SUPPORTED_REGIONS:
            yield region


def _of_calling_codes(text: str, *, bare_code: bool) -> Iterable[str]:
    codes = _CALLING_CODE.findall(text)
    if bare_code and _BARE_CODE.fullmatch(text):
        codes.append(text.strip().lstrip("0"))
    for digits in codes:
        # "+1876" of Jamaica is written like this too: the longest beginning that is a code.
        lengths = (digits[:length] for length in range(len(digits), 0, -1))
        yield from [region for code in lengths if (region := of_calling_code(code))][:1]


def _of_words(text: str) -> Iterable[str]:
    inside = [part.strip() for part in _INSIDE.findall(text)]
    outside = _INSIDE.sub(" ", text).strip(" -–—:|,/")
    for words in (text, outside, outside.partition(",")[0], *inside):
        if region := _of_name(words) or _of_iso(words):
            return [region]
    # "PK Pakistan", "RU|+7", "RU-MOS"
    return [region for code in _ISO.findall(outside) if code.isupper() and (region := _of_iso(code))][:1]


def _of_iso(text: str) -> str:
    code = text.strip().upper()
    if not code.isascii() or not code.isalpha() or len(code) not in (2, 3):
        return ""
    if code in phonenumbers.SUPPORTED_REGIONS:
        return code
    known = get_global("territory_aliases").get(code, ())  # IND, DEU, UK
    return known[0] if len(known) == 1 and known[0] in phonenumbers.SUPPORTED_REGIONS else ""


def _of_name(text: str) -> str:
    folded = _folded(text)
    if len(folded) < 2 or folded in _SHARED:
        return ""
    return _names(first=True).get(folded) or _names(first=False).get(folded, "")


@cache
def _names(*, first: bool) -> dict[str, str]:
    """Folded names and their countries; those that two countries share are left out."""
    names: dict[str, set[str]] = {}
    for language in _FIRST_LANGUAGES if first else _LANGUAGES:
        for region, name in Locale.parse(language).territories.items():
            if region in phonenumbers.SUPPORTED_REGIONS:
                names.setdefault(_folded(name), set()).add(region)
    known = {name: next(iter(regions)) for name, regions in names.items() if len(regions) == 1}
    if first:
        known |= {_folded(alias): region for region, aliases in _ALIASES.items() for alias in aliases.split()}
    return known


def _folded(text: str) -> str:
    words = (word for word in text.casefold().split() if word not in _JOINTS)
    return "".join(char for char in unicodedata.normalize("NFKD", "".join(words)) if char.isalnum())
