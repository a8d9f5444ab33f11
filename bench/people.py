"""Invented people and what they send: forms, calls and mails whose true person is known. The same seed, the same traffic.

Russian and English names in many spellings (short forms, transliteration, initials, slips of the finger, another surname after
a wedding), families with one phone, receptions and info@ of companies, 8-800 numbers, withheld callers, junk.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

# Common names, each with short forms; written for this file.
_MEN = {
    "Александр": "Саша Шура Саня", "Алексей": "Лёша Алёша", "Андрей": "Андрюша", "Антон": "Тоша", "Артём": "Тёма",
    "Борис": "Боря", "Вадим": "Вадик", "Василий": "Вася", "Виктор": "Витя", "Владимир": "Вова Володя", "Вячеслав": "Слава",
    "Геннадий": "Гена", "Григорий": "Гриша", "Даниил": "Даня", "Денис": "Дениска", "Дмитрий": "Дима Митя", "Евгений": "Женя",
    "Егор": "Егорка", "Иван": "Ваня", "Игорь": "Игорёк", "Ильдар": "", "Илья": "Илюша", "Кирилл": "Кирюша",
    "Константин": "Костя", "Леонид": "Лёня", "Максим": "Макс", "Марат": "", "Михаил": "Миша", "Никита": "", "Николай": "Коля",
    "Олег": "", "Павел": "Паша", "Пётр": "Петя", "Ринат": "", "Роман": "Рома", "Руслан": "", "Сергей": "Серёжа", "Станислав": "Стас",
    "Тимур": "", "Фёдор": "Федя", "Юрий": "Юра", "Ярослав": "Ярик",
}  # fmt: skip
_WOMEN = {
    "Александра": "Саша", "Алина": "Аля", "Алла": "", "Анастасия": "Настя", "Анна": "Аня", "Валентина": "Валя", "Валерия": "Лера",
    "Вера": "", "Виктория": "Вика", "Галина": "Галя", "Гульнара": "", "Дарья": "Даша", "Диана": "", "Евгения": "Женя",
    "Екатерина": "Катя", "Елена": "Лена", "Елизавета": "Лиза", "Жанна": "", "Зоя": "", "Инна": "", "Ирина": "Ира", "Кира": "",
    "Кристина": "", "Ксения": "Ксюша", "Лариса": "Лара", "Лидия": "Лида", "Любовь": "Люба", "Людмила": "Люда Мила", "Маргарита": "Рита",
    "Марина": "", "Мария": "Маша", "Надежда": "Надя", "Наталья": "Наташа", "Оксана": "", "Ольга": "Оля", "Полина": "", "Светлана": "Света",
    "София": "Соня", "Татьяна": "Таня", "Ульяна": "", "Юлия": "Юля", "Яна": "",
}  # fmt: skip
_FATHERS = (
    "Александр",
    "Алексей",
    "Андрей",
    "Виктор",
    "Владимир",
    "Иван",
    "Николай",
    "Павел",
    "Пётр",
    "Сергей",
    "Юрий",
    "Михаил",
)
_PATRONYMICS = {
    "Александр": "Александрович", "Алексей": "Алексеевич", "Андрей": "Андреевич", "Виктор": "Викторович",
    "Владимир": "Владимирович", "Иван": "Иванович", "Николай": "Николаевич", "Павел": "Павлович", "Пётр": "Петрович",
    "Сергей": "Сергеевич", "Юрий": "Юрьевич", "Михаил": "Михайлович",
}  # fmt: skip
_SURNAMES = [
    "Иванов",
    "Петров",
    "Сидоров",
    "Кузнецов",
    "Соколов",
    "Попов",
    "Лебедев",
    "Козлов",
    "Новиков",
    "Морозов",
    "Волков",
    "Соловьёв",
    "Васильев",
    "Зайцев",
    "Павлов",
    "Семёнов",
    "Голубев",
    "Виноградов",
    "Богданов",
    "Воробьёв",
    "Фёдоров",
    "Михайлов",
    "Беляев",
    "Тарасов",
    "Белов",
    "Комаров",
    "Орлов",
    "Киселёв",
    "Макаров",
    "Андреев",
    "Ковалёв",
    "Ильин",
    "Гусев",
    "Титов",
    "Кузьмин",
    "Кудрявцев",
    "Баранов",
    "Куликов",
    "Алексеев",
    "Степанов",
    "Яковлев",
    "Сорокин",
    "Сергеев",
    "Романов",
    "Захаров",
    "Борисов",
    "Королёв",
    "Герасимов",
    "Пономарёв",
    "Григорьев",
    "Лазарев",
    "Медведев",
    "Ершов",
    "Никитин",
    "Соболев",
    "Рябов",
    "Поляков",
    "Цветков",
    "Данилов",
    "Жуков",
    "Фролов",
    "Журавлёв",
    "Николаев",
    "Крылов",
    "Максимов",
    "Сидоренко",
    "Осипов",
    "Белоусов",
    "Федотов",
    "Дорофеев",
    "Егоров",
    "Матвеев",
    "Бобров",
    "Дмитриев",
    "Калинин",
    "Анисимов",
    "Петухов",
    "Антонов",
    "Тимофеев",
    "Никифоров",
    "Веселов",
    "Филиппов",
    "Марков",
    "Большаков",
    "Суханов",
    "Миронов",
    "Ширяев",
    "Александров",
    "Коновалов",
    "Шестаков",
    "Казаков",
    "Ефимов",
    "Денисов",
    "Громов",
    "Фомин",
    "Давыдов",
    "Мельников",
    "Щербаков",
    "Блинов",
    "Колесников",
    "Карпов",
    "Афанасьев",
    "Власов",
    "Маслов",
    "Исаков",
    "Тихонов",
    "Аксёнов",
    "Гаврилов",
    "Родионов",
    "Котов",
    "Горбунов",
    "Кудряшов",
    "Быков",
    "Зуев",
    "Третьяков",
    "Савельев",
    "Панов",
    "Рыбаков",
    "Суворов",
    "Абрамов",
    "Воронов",
    "Мухин",
    "Архипов",
    "Трофимов",
    "Мартынов",
    "Емельянов",
    "Хабибуллин",
    "Гарифуллин",
    "Юсупов",
    "Ахметов",
    "Закиров",
    "Хайруллин",
    "Шевченко",
    "Бондаренко",
    "Ткаченко",
    "Кравчук",
    "Гончаренко",
    "Чернов",
    "Цой",
    "Ким",
]
_BRITONS = {
    "Joseph": "Joe", "Elizabeth": "Liz Betty", "William": "Bill Will", "Robert": "Bob Rob", "Richard": "Dick Rick", "Thomas": "Tom",
    "Andrew": "Andy", "Rebecca": "Becky", "Katherine": "Kate Kathy", "Margaret": "Maggie Peggy", "Michael": "Mike", "James": "Jim",
    "Christopher": "Chris", "Jennifer": "Jenny", "Patricia": "Pat Trish", "Edward": "Ed Ted", "Samuel": "Sam", "Daniel": "Dan",
    "Victoria": "Vicky", "Nicholas": "Nick", "Anthony": "Tony", "Deborah": "Debbie", "Susan": "Sue", "Timothy": "Tim", "George": "",
    "Henry": "Harry", "Laura": "", "Helen": "", "Peter": "Pete", "Martha": "",
}  # fmt: skip
_BRITISH = [
    "Smith",
    "Jones",
    "Taylor",
    "Brown",
    "Williams",
    "Wilson",
    "Johnson",
    "Davies",
    "Robinson",
    "Wright",
    "Thompson",
    "Evans",
    "Walker",
    "White",
    "Roberts",
    "Green",
    "Hall",
    "Wood",
    "Jackson",
    "Clarke",
    "Patel",
    "Harrison",
    "Turner",
    "Ward",
    "Cooper",
    "Morris",
    "Baker",
    "Allen",
    "Parker",
    "Bennett",
    "Carter",
    "Fletcher",
    "Hughes",
    "Marshall",
    "Osborne",
    "Whitfield",
    "Ashdown",
    "Penrose",
    "Quigley",
    "Ravenscroft",
    "Sheldon",
    "Thornbury",
    "Underhill",
    "Wexford",
    "Yardley",
    "Blackwood",
    "Crompton",
    "Dunmore",
    "Eastman",
]

_SCHEMES = (
    dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
             ["a", "b", "v", "g", "d", "e", "e", "zh", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "_", "y", "_", "e", "iu", "ia"], strict=True)),
    dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
             ["a", "b", "v", "g", "d", "e", "yo", "zh", "z", "i", "y", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "h", "ts", "ch", "sh", "sch", "_", "y", "_", "e", "yu", "ya"], strict=True)),
    dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
             ["a", "b", "v", "g", "d", "e", "e", "j", "z", "i", "i", "k", "l", "m", "n", "o", "p", "r", "s", "t", "u", "f", "h", "c", "ch", "sh", "sch", "_", "y", "_", "e", "ju", "ja"], strict=True)),
)  # fmt: skip
_LOOK_ALIKE = str.maketrans("АВЕКМНОРСТХасеорху", "ABEKMHOPCTXaceopxy")
_JUNK_NAMES = ("Клиент", "Тест", "аааа", "нет", "-", "Покупатель")
_FREE_MAIL = ("mail.ru", "yandex.ru", "gmail.com", "bk.ru", "inbox.ru", "rambler.ru")
_JUNK_PHONES = ("+79999999999", "+79000000000", "+71111111111")
_JUNK_EMAILS = ("test@test.ru", "a@a.ru", "asd@asd.ru")


@dataclass(slots=True)
class Company:
    reception: str
    mailbox: str
    domain: str


@dataclass(slots=True)
class Human:
    number: int
    is_russian: bool
    is_woman: bool
    first: str
    short: tuple[str, ...]
    patronymic: str
    last: str
    mobiles: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    company: Company | None = None
    family_phone: str = ""
    married_name: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """One inquiry. `person` is the truth, -1 where there is nobody to be known. Phones and mails as written."""

    person: int
    channel: str  # form | call | mail
    name: str  # "" where none was given
    has_name: bool  # one by which a person is known: not empty and no junk
    phone: str
    email: str
    keys: frozenset[str]  # what it names exactly, in one spelling; what everybody types is none


def population(seed: int, people: int) -> list[Human]:
    """`people` humans, every fourth English, two in five employed, one in sixteen in a family with a phone."""
    dice = random.Random(seed)
    companies = [
        Company(f"+7495{dice.randrange(2_000_000, 9_999_999)}", f"info@firma{seed}-{n}.ru", f"firma{seed}-{n}.ru")
        for n in range(max(1, people // 20))
    ]
    humans = [_human(dice, number, companies) for number in range(people)]
    for number in range(0, people - 3, 50):  # three of one surname with one phone beside their own
        family = humans[number : number + 3]
        shared = _mobile(dice)
        for one in family:
            one.family_phone = shared
            if one.is_russian and family[0].is_russian:
                one.last = _of_gender(family[0].last, one.is_woman) if not family[0].is_woman else one.last
    return humans


def _human(dice: random.Random, number: int, companies: list[Company]) -> Human:
    is_russian, is_woman = dice.random() < 0.75, dice.random() < 0.5
    if is_russian:
        first, short = dice.choice(list((_WOMEN if is_woman else _MEN).items()))
        patronymic = _PATRONYMICS[dice.choice(_FATHERS)]
        if is_woman:
            patronymic = patronymic.removesuffix("ич") + "на"
        last = _of_gender(dice.choice(_SURNAMES), is_woman)
    else:
        first, short = dice.choice(list(_BRITONS.items()))
        patronymic, last = "", dice.choice(_BRITISH)
    made = Human(number, is_russian, is_woman, first, tuple(short.split()), patronymic, last)
    made.mobiles = [_mobile(dice) for _ in range(1 + (dice.random() < 0.3))]
    login = f"{transliterated(first, 0)}.{transliterated(last, 0)}{number}".lower()
    made.emails = [f"{login}{'' if n == 0 else n}@{dice.choice(_FREE_MAIL)}" for n in range(dice.choice((0, 1, 1, 1, 2)))]
    if dice.random() < 0.4:
        made.company = dice.choice(companies)
    if is_russian and is_woman and dice.random() < 0.06:
        made.married_name = _of_gender(dice.choice(_SURNAMES), is_woman=True)
    return made


def _mobile(dice: random.Random) -> str:
    while True:
        rest = f"{dice.randrange(10**7):07d}"
        if len(set(rest)) > 3:
            return f"+79{dice.choice(('03', '12', '16', '25', '50', '63', '85'))}{rest}"


def _of_gender(last: str, is_woman: bool) -> str:
    return last + "а" if is_woman and last.endswith(("ов", "ев", "ёв", "ин")) else last


def traffic(seed: int, humans: list[Human], each: int = 4) -> Iterator[Sent]:
    """About `each` inquiries a head, in random order, with a twentieth of callers that nobody can know."""
    dice = random.Random(seed * 7919 + 1)
    turns = [human for human in humans for _ in range(dice.randint(1, 2 * each - 1))]
    dice.shuffle(turns)
    met: set[int] = set()
    for human in turns:
        if dice.random() < 0.02:
            yield Sent(-1, "call", "", False, "" if dice.random() < 0.5 else "+78005553535", "", frozenset())
        yield _sent(dice, human, is_later=human.number in met)
        met.add(human.number)


def _sent(dice: random.Random, human: Human, *, is_later: bool) -> Sent:
    channel = dice.choices(("form", "call", "mail"), (6, 3, 1))[0]
    if channel == "mail" and not human.emails:
        channel = "form"
    phone, email = "", ""
    if channel in ("form", "call"):
        phone = _phone_of(dice, human, is_call=channel == "call")
    if channel == "mail":
        email = dice.choice(human.emails)
    elif channel == "form":
        if human.emails and dice.random() < 0.55:
            email = dice.choice(human.emails)
        elif human.company and dice.random() < 0.08:
            email = human.company.mailbox
        if dice.random() < 0.015:
            phone = dice.choice(_JUNK_PHONES)
        if dice.random() < 0.015:
            email = dice.choice(_JUNK_EMAILS)
        if email and phone and dice.random() < 0.35:
            phone = ""
    keys = frozenset(one for one in (phone, email) if one and one not in _JUNK_PHONES and one not in _JUNK_EMAILS)
    name = "" if channel == "call" else _name_of(dice, human, is_later=is_later, is_mail=channel == "mail")
    has_name = bool(name) and name not in _JUNK_NAMES
    return Sent(human.number, channel, name, has_name, _written(dice, phone, channel), email, keys)


def _phone_of(dice: random.Random, human: Human, *, is_call: bool) -> str:
    if human.company and dice.random() < (0.25 if is_call else 0.15):
        return human.company.reception
    if human.family_phone and dice.random() < 0.4:
        return human.family_phone
    return human.mobiles[0] if dice.random() < 0.8 else dice.choice(human.mobiles)


def _written(dice: random.Random, phone: str, channel: str) -> str:
    """A phone as people type it; an exchange writes digits."""
    if not phone or channel == "call":
        return phone
    a, b, c, d = phone[2:5], phone[5:8], phone[8:10], phone[10:12]
    forms = (phone, f"8{phone[2:]}", f"8 ({a}) {b}-{c}-{d}", f"+7 {a} {b} {c} {d}", phone[1:], f"+8 {a} {b}-{c}-{d}")
    return dice.choices(forms, (4, 3, 4, 3, 2, 0.3))[0]


def _name_of(dice: random.Random, human: Human, *, is_later: bool, is_mail: bool) -> str:
    if not is_mail and dice.random() < 0.05:
        return dice.choice(("", *_JUNK_NAMES))
    last = human.married_name if human.married_name and is_later and dice.random() < 0.5 else human.last
    first = human.first
    if human.short and dice.random() < 0.2:
        first = dice.choice(human.short)
    shape = dice.choices(("first_last", "last_first", "first", "full", "initials", "last_initials"), (10, 3, 5, 3, 0.6, 0.6))[0]
    if shape == "full" and human.patronymic:
        name = f"{last} {human.first} {human.patronymic}" if dice.random() < 0.6 else f"{human.first} {human.patronymic}"
    elif shape in ("initials", "last_initials"):
        dots = f"{human.first[0]}." + (f"{human.patronymic[0]}." if human.patronymic else "")
        name = f"{dots} {last}" if shape == "initials" else f"{last} {dots}"
    else:
        name = {"last_first": f"{last} {first}", "first": first}.get(shape, f"{first} {last}")
    if human.is_russian and dice.random() < 0.12:
        name = transliterated(name, dice.randrange(len(_SCHEMES)))
    elif dice.random() < 0.06 and len(name) > 6:
        name = _slip(dice, name)
    elif human.is_russian and dice.random() < 0.01:
        name = name[0].translate(_LOOK_ALIKE) + name[1:]
    if dice.random() < 0.1:
        name = name.lower() if dice.random() < 0.7 else name.upper()
    return name


def _slip(dice: random.Random, name: str) -> str:
    """One letter left out, doubled or changed with its neighbour, inside a word."""
    place = dice.randrange(1, len(name) - 2)
    kind = dice.randrange(3)
    if kind == 0:
        return name[:place] + name[place + 1 :]
    if kind == 1:
        return name[:place] + name[place] + name[place:]
    return name[:place] + name[place + 1] + name[place] + name[place + 2 :]


def transliterated(text: str, scheme: int) -> str:
    """In Latin letters, as passports (0), people (1) or the web (2) write it."""
    table = _SCHEMES[scheme]
    written = ""
    for char in text:
        latin = table.get(char.lower(), char).replace("_", "")
        written += latin.capitalize() if char.isupper() else latin
    return written
