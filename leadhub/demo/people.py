"""Invented people for the demo: names from a list, numbers by arithmetic, addresses under example domains."""

from __future__ import annotations

import random
from dataclasses import dataclass

_FIRST = ("Анна", "Борис", "Вера", "Глеб", "Дарья", "Егор", "Жанна", "Захар", "Инна", "Кирилл", "Лидия", "Матвей", "Нина", "Олег",
          "Полина", "Роман", "София", "Тимур", "Ульяна", "Фёдор")  # fmt: skip
_LAST = ("Абрамов", "Белов", "Власов", "Громов", "Дроздов", "Ершов", "Жилин", "Зорин", "Ильин", "Котов", "Лукин", "Маслов")
_LATIN = str.maketrans(
    {"а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
     "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
     "х": "h", "ц": "c", "ч": "ch", "ш": "sh", "щ": "sch", "ь": "", "ъ": "", "ы": "y", "э": "e", "ю": "yu", "я": "ya"}
)  # fmt: skip
_WANTS = (
    "Хочу входную дверь, когда можно приехать на замер?", "Сколько стоит кухня три метра?", "Перезвоните, пожалуйста.",
    "Нужен договор на обслуживание офиса.", "Есть ли доставка в область?", "Could you send me your price list?",
    "Интересует рассрочка на полгода.", "Подскажите сроки изготовления.",
)  # fmt: skip
_SOURCES = ("yandex", "google", "vk", "telegram", "avito")


@dataclass(frozen=True, slots=True)
class Somebody:
    name: str
    phone: str  # E.164
    email: str
    wants: str
    source: str

    def phone_as_typed(self, dice: random.Random) -> str:
        d = self.phone[2:]
        return dice.choice(
            (self.phone, f"8 ({d[:3]}) {d[3:6]}-{d[6:8]}-{d[8:]}", f"8{d}", f"+7 {d[:3]} {d[3:6]} {d[6:8]} {d[8:]}")
        )

    def name_as_typed(self, dice: random.Random) -> str:
        return dice.choice((self.name, self.name.split()[0], self.name.lower().translate(_LATIN).title()))


def somebody(number: int, dice: random.Random) -> Somebody:
    """The same number gives the same person; different numbers never share a phone or an address."""
    first = _FIRST[number % len(_FIRST)]
    woman = first[-1] in "ая"
    last = _LAST[number // len(_FIRST) % len(_LAST)] + ("а" if woman else "")
    login = f"{first}.{last}".lower().translate(_LATIN) + str(number)
    return Somebody(
        f"{first} {last}", f"+7921{2_000_000 + number * 7_919 % 7_000_000:07d}", f"{login}@example.com",
        dice.choice(_WANTS), dice.choice(_SOURCES),
    )  # fmt: skip
