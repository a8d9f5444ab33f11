"""The words by which forms ask for a country, a calling code, a currency, a language. Tables only."""

from __future__ import annotations

from connectors.kit.forms import vocabulary


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Whole names after case, separators and digits are gone; also single words of a longer name (billing_country).
COUNTRY = _words(
    "country countryname countries страна страны kraj państwo panstwo land länder pays país pais paese nazione stato ülke ülkeniz ulke ulkeniz"
    " mamlakat мамлакат davlat давлат država drzava държава држава земља země zeme stát krajina ország orszag țară țara tara"
    " χώρα країна краіна ел елі мамлекет өлкө ölkə ölkəniz olke ქვეყანა երկիր देश ประเทศ 国 国家 國家 国名 国籍地 국가 나라 מדינה ארץ البلد الدولة بلد دولة"
    " کشور negara quốcgia quocgia quốc maa valsts šalis salis riik улс кишвар ýurt yurt bansa nchi strana strani ulkenizi countryregion"
)
#: Beside a word for a phone or a country they ask for the calling code.
CODE = _words("code codes dial dialcode calling prefix iso iso2 iso3 код kod kodu kodi código codigo indicatif vorwahl prefijo prefisso kierunkowy ddi idd")
ISO = _words("iso iso2 iso3")
#: Whole names that ask for a calling code, whatever stands beside them.
CODES = _words(
    "countrycode countryiso countryisocode dialcode dialingcode callingcode phonecode phoneprefix phonecountry phonecountrycode"
    " telcode telcountry telprefix mobilecode mobileprefix codcountry ddi indicatif vorwahl länderkod landesvorwahl ländervorwahl"
    " кодстраны телефонныйкод кодтелефона kodstrany kodkraju kierunkowy prefijo prefisso ülkekodu ulkekodu codigopais códigopaís"
    " codepays landcode landkode landskod countrycallingcode countrydialcode intlcode internationalcode iddcode phoneiso"
)
PHONE = vocabulary.WHOLE["phone"] | _words("phone tel telephone mobile phones number телефон телефона telefon telefono celular")
CURRENCY = _words("currency currencycode валюта кодвалюты currencyid waluta währung waehrung devise moneda moeda valuta parabirimi isocurrency")
LOCALE = _words("locale lang language lng userlanguage browserlanguage sitelanguage язык sprache langue idioma język userlang browserlang culture")
#: Countries that are asked for another reason than where somebody is.
NOT_OF_THE_PERSON = _words(
    "birth origin destination travel visit tour trip shipping nationality citizenship гражданства рождения назначения поездки"
    " отдыха тура target visa product brand manufacturer производитель производства"
)
#: A parcel, a sender and a friend may be abroad: of several countries theirs say least.
OF_ANOTHER = _words("shipping delivery recipient доставки получателя company work")

#: National domains that are not their country's code.
DOMAINS = {"uk": "GB", "рф": "RU", "xn--p1ai": "RU", "укр": "UA", "xn--j1amh": "UA", "бел": "BY", "xn--90ais": "BY", "қаз": "KZ", "xn--80ao21a": "KZ"}
#: National domains that are sold, or given, to everybody.
DOMAINS_OF_ALL = _words("io ai co me tv cc fm gg ws to la ly am sh st im nu vc su eu id ac ml ga cf tk gq pw bz ag sc mu vg bid app dev")
