"""Which letters a language is written with, and the 8-bit character sets that its pages used before UTF-8. Tables only.

Letters are the lower-case ones beyond ASCII, of what people write in a form: the alphabet of CLDR's main exemplar characters,
with the foreign letters that are usual in names. Sets stand in the order of how common they are on the language's pages.
"""

from __future__ import annotations

from typing import Final, NamedTuple


class Language(NamedTuple):
    charsets: tuple[str, ...]  # Python's names
    letters: frozenset[str]  # empty: no alphabet tells it apart, as with Han characters


def _language(charsets: str, letters: str = "") -> Language:
    return Language(tuple(charsets.split()), frozenset(letters))


_RUSSIAN: Final = "абвгдеёжзийклмнопрстуфхцчшщъыьэюя"

LANGUAGES: Final = {
    "ru": _language("cp1251 koi8-r cp866 mac_cyrillic iso8859-5", _RUSSIAN),
    "uk": _language("cp1251 koi8-u cp1125 mac_cyrillic iso8859-5", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя"),
    "be": _language("cp1251 koi8-u cp866 iso8859-5", "абвгдеёжзійклмнопрстуўфхцчшыьэюя"),
    "bg": _language("cp1251 iso8859-5 cp866", "абвгдежзийклмнопрстуфхцчшщъьюя"),
    "mk": _language("cp1251 iso8859-5", "абвгѓдежзѕијклљмнњопрстќуфхцчџш"),
    "sr": _language("cp1251 cp1250 iso8859-5", "абвгдђежзијклљмнњопрстћуфхцчџшčćđšž"),
    "kk": _language("cp1251", _RUSSIAN),  # the letters of Kazakh itself are in no old set
    "de": _language("cp1252", "äöüßéèàêç"),
    "fr": _language("cp1252", "àâæçéèêëîïôœùûüÿ"),
    "es": _language("cp1252", "áéíóúüñçïºª¿¡"),
    "ca": _language("cp1252", "àçéèíïóòúüñ·"),
    "pt": _language("cp1252", "áâãàçéêíóôõúüºª"),
    "it": _language("cp1252", "àèéìíîòóùú"),
    "sv": _language("cp1252", "åäöéüà"),
    "da": _language("cp1252", "æøåéöäü"),
    "nb": _language("cp1252", "æøåéòóôäö"),
    "is": _language("cp1252", "áðéíóúýþæö"),
    "fi": _language("cp1252", "åäöéšž"),
    "nl": _language("cp1252", "áäéëíïóöúüèàçê"),
    "pl": _language("cp1250 iso8859-2", "ąćęłńóśźżéü"),
    "cs": _language("cp1250 iso8859-2", "áčďéěíňóřšťúůýžöü"),
    "sk": _language("cp1250 iso8859-2", "áäčďéíĺľňóôŕšťúýž"),
    "hu": _language("cp1250 iso8859-2", "áéíóöőúüű"),
    "ro": _language("cp1250 iso8859-2 iso8859-16", "ăâîşţșț"),
    "hr": _language("cp1250 iso8859-2", "čćđšž"),
    "sl": _language("cp1250 iso8859-2", "čšžćđ"),
    "tr": _language("cp1254 iso8859-9", "âçğıiöşüîû\u0307"),
    "az": _language("cp1254 iso8859-9", "çğıöşü\u0307"),
    "el": _language("cp1253 iso8859-7", "αάβγδεέζηήθιίϊΐκλμνξοόπρσςτυύϋΰφχψωώ"),
    "he": _language("cp1255 iso8859-8", "אבגדהוזחטיךכלםמןנסעףפץצקרשת"),
    "ar": _language("cp1256 iso8859-6", "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىيپچژگـ"),
    "fa": _language("cp1256", "ءآأؤئابپتثجچحخدذرزژسشصضطظعغفقکكگلمنوهیي"),
    "lt": _language("cp1257 iso8859-13", "ąčęėįšųūž"),
    "lv": _language("cp1257 iso8859-13", "āčēģīķļņšūž"),
    "et": _language("cp1257 iso8859-13 cp1252", "õäöüšž"),
    "vi": _language("cp1258", ""),
    "th": _language("cp874", "".join(chr(code) for code in range(0x0E01, 0x0E5C))),
    "zh": _language("gb18030"),
    "zh-tw": _language("big5"),
    "ja": _language("cp932 euc_jp"),
    "ko": _language("cp949"),
}

#: Languages of a country's pages, the most likely first, by ISO 3166. A country that is missing gives no hint.
OF_REGION: Final = {
    "RU": "ru", "BY": "ru be", "KZ": "ru", "KG": "ru", "TJ": "ru", "UZ": "ru", "MD": "ro ru", "UA": "uk ru", "BG": "bg",
    "MK": "mk", "RS": "sr", "ME": "sr", "BA": "hr sr", "DE": "de", "AT": "de", "CH": "de fr it", "LI": "de", "LU": "fr de",
    "FR": "fr", "BE": "nl fr", "MC": "fr", "CA": "fr", "ES": "es ca", "AD": "ca es", "MX": "es", "AR": "es", "CL": "es",
    "CO": "es", "PE": "es", "VE": "es", "EC": "es", "UY": "es", "PY": "es", "BO": "es", "CR": "es", "PA": "es", "DO": "es",
    "GT": "es", "CU": "es", "PT": "pt", "BR": "pt", "AO": "pt", "IT": "it", "SM": "it", "SE": "sv", "DK": "da", "NO": "nb",
    "IS": "is", "FI": "fi sv", "NL": "nl", "PL": "pl", "CZ": "cs", "SK": "sk", "HU": "hu", "RO": "ro", "HR": "hr", "SI": "sl",
    "TR": "tr", "AZ": "az ru", "CY": "el tr", "GR": "el", "IL": "he ar", "SA": "ar", "AE": "ar", "EG": "ar", "JO": "ar",
    "LB": "ar", "KW": "ar", "QA": "ar", "BH": "ar", "OM": "ar", "IQ": "ar", "SY": "ar", "YE": "ar", "LY": "ar", "TN": "ar",
    "DZ": "ar", "MA": "ar", "SD": "ar", "IR": "fa", "LT": "lt", "LV": "lv", "EE": "et", "VN": "vi", "TH": "th", "CN": "zh",
    "SG": "zh", "TW": "zh-tw", "HK": "zh-tw", "MO": "zh-tw", "JP": "ja", "KR": "ko",
}  # fmt: skip

#: Languages by what a browser calls them, where that is not the key above.
CALLED: Final = {"no": "nb", "nn": "nb", "iw": "he", "zh-hk": "zh-tw", "zh-hant": "zh-tw", "zh-mo": "zh-tw"}

#: The top-level domain that Firefox's guesser takes for a language; it knows domains only.
DOMAINS: Final = {
    "uk": "ua", "be": "by", "kk": "kz", "sr": "rs", "ca": "es", "sv": "se", "da": "dk", "nb": "no", "cs": "cz", "sl": "si",
    "el": "gr", "he": "il", "ar": "sa", "fa": "ir", "et": "ee", "vi": "vn", "zh": "cn", "zh-tw": "tw", "ja": "jp", "ko": "kr",
}  # fmt: skip
