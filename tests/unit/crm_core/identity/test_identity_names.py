"""Names: what agrees, what conflicts, what says nothing. The number in an id groups rows."""

from __future__ import annotations

import pytest

from crm_core.identity.names import clean_name, compare, compare_names, first_name_key
from crm_core.identity.spelling import fold

#: One person a line: the Russian spelling, then how passports, banks and people write it in Latin letters.
SPELLINGS = """
Алексей Aleksey Alexey Alexei Aleksei Aleksej
Александр Aleksandr Alexandr Alexander Aleksander Alexandre
Екатерина Ekaterina Yekaterina Jekaterina Ekaterine
Евгений Evgeny Evgeniy Yevgeny Yevgeniy Evgenii Jevgenij
Дмитрий Dmitry Dmitriy Dmitri Dmitrii Dmitrij
Сергей Sergey Sergei Sergej
Андрей Andrey Andrei Andrej
Юлия Yulia Yuliya Julia Iuliia Iulia Julija
Юрий Yury Yuri Yuriy Iurii Jurij
Наталья Natalya Natalia Nataliya Nataliia Natalja
Пётр Petr Pyotr Piotr Pjotr
Фёдор Fedor Fyodor Fiodor Fjodor
Семён Semen Semyon Semion Semjon
Артём Artem Artyom Artiom
Алёна Alena Alyona Aliona
Михаил Mikhail Mihail
Григорий Grigory Grigoriy Grigori Grigorii Grigorij
Ксения Ksenia Kseniya Xenia Xeniya Kseniia
Жанна Zhanna Zhana
Надежда Nadezhda Nadejda
Любовь Lyubov Liubov Lubov Ljubov
Людмила Lyudmila Liudmila Ludmila Ljudmila
Татьяна Tatyana Tatiana Tatjana
Илья Ilya Ilia Ilja
Яков Yakov Iakov Jakov
Анна Anna Ana
Мария Maria Mariya Mariia Marija
Софья Sofya Sofia Sophia Sofja
Виктор Viktor Victor
Максим Maksim Maxim
Николай Nikolay Nikolai Nikolaj
Тимофей Timofey Timofei Timofej
Елена Elena Yelena Jelena
Елизавета Elizaveta Yelizaveta Jelizaveta
Ульяна Ulyana Uliana Uljana
Геннадий Gennady Gennadiy Gennadii Gennadi
Виталий Vitaly Vitaliy Vitali Vitalii
Анастасия Anastasia Anastasiya Anastasiia Anastasija
Валерий Valery Valeriy Valerii
Вячеслав Vyacheslav Viacheslav Vjacheslav
Щербаков Shcherbakov Scherbakov Sherbakov
Хабибуллин Khabibullin Habibulin Khabibulin
Жуков Zhukov Jukov
Васильев Vasilyev Vasiliev Vasilev
Соловьёв Solovyov Solovyev Soloviev Solovev
Цветков Tsvetkov Tzvetkov
Чехов Chekhov Chehov
Достоевский Dostoevsky Dostoyevsky Dostoevskiy Dostoevskij
Кузнецов Kuznetsov Kuznetzov
Хрущёв Khrushchev Khruschev Hrushchev
"""


def pairs() -> list[tuple[str, str]]:
    return [(ru, latin) for ru, *latins in map(str.split, SPELLINGS.strip().split("\n")) for latin in latins]


def test_spellings_fold_to_one_key_when_only_the_script_differs() -> None:
    missed = [(ru, latin) for ru, latin in pairs() if fold(ru) != fold(latin)]
    assert len(missed) <= 3, missed


def test_spellings_do_not_conflict_when_compared_as_names() -> None:
    first_names = [pair for pair in pairs() if not pair[0].endswith(("ов", "ев", "ёв", "ин", "ский"))]
    assert [pair for pair in first_names if compare(*pair) == "conflict"] == []


@pytest.mark.parametrize(
    "one, two, verdict",
    [
        pytest.param("Алексей Иванов", "Aleksey Ivanov", "agree", id="47-two-scripts"),
        pytest.param("Саша", "Александра Ким", "agree", id="48-short-form"),
        pytest.param("Саша", "Мария", "conflict", id="48-other-name"),
        pytest.param("Иванов Иван Иванович", "Иван Иванов", "agree", id="49-order"),
        pytest.param("Иванов Иван Иванович", "И. И. Иванов", "agree", id="49-initials"),
        pytest.param("Иван Иванов", "И. И. Иванов", "agree", id="49-unknown-patronymic"),
        pytest.param("Иван Иванов", "П. И. Иванов", "agree", id="49-initials-in-any-order"),
        pytest.param("Иван Иванов", "П. А. Иванов", "conflict", id="49-other-initials"),
        pytest.param("А. Иванов", "П. Иванов", "conflict", id="49-initials-of-two"),
        pytest.param("Иван Иванов", "Мария Иванова", "conflict", id="50-husband-and-wife"),
        pytest.param("Тест", "Иван", "unknown", id="51-test"),
        pytest.param("аааа", "Иван", "unknown", id="51-one-letter"),
        pytest.param("Клиент", "Иван", "unknown", id="51-client"),
        pytest.param("WIRELESS CALLER", "Иван", "unknown", id="51-caller-name-of-a-carrier"),
        pytest.param("8 916 123-45-67", "Иван", "unknown", id="51-phone"),
        pytest.param("ivan@example.com", "Пётр", "unknown", id="51-mail"),
        pytest.param("ООО Ромашка", "Иван", "unknown", id="51-company"),
        pytest.param("", "Иван", "unknown", id="51-empty"),
        pytest.param("Наталья", "Наталия", "agree", id="52-natalya"),
        pytest.param("Наталья", "Natalia", "agree", id="52-natalia"),
        pytest.param("Иван Петров", "Пётр Иванов", "conflict", id="52-swapped"),
        pytest.param("Анна Ивановна Петрова", "Анна Ивановна Смирнова", "agree", id="53-married"),
        pytest.param("Анна Петрова", "Анна Смирнова", "unknown", id="53-perhaps-married"),
        pytest.param("Иван Петров", "Иван Сидоров", "conflict", id="53-men-keep-their-name"),
        pytest.param("Иван Иванович Петров", "Иван Петрович Петров", "conflict", id="14x-patronymic"),
        pytest.param("Сергей Сергеевич", "Сергей Дмитриевич", "conflict", id="14x-patronymic-without-surname"),
        pytest.param("Роман Абрамович", "Абрамович Роман Аркадьевич", "agree", id="14x-surname-like-a-patronymic"),
        pytest.param("Мамедов Гусейн Али оглы", "Гусейн Мамедов", "agree", id="14x-ogly"),
        pytest.param("Дмитртй", "Дмитрий", "agree", id="14x-slip-of-the-keyboard"),
        pytest.param("Марина", "Мария", "conflict", id="14x-one-letter-apart-and-two-names"),
        pytest.param("Женя", "Евгения", "agree", id="14x-zhenya-f"),
        pytest.param("Женя", "Евгений", "agree", id="14x-zhenya-m"),
        pytest.param("Женя Петров", "Евгения Петрова", "conflict", id="14x-gender-by-surname"),
        pytest.param("Александр", "Александра", "conflict", id="14x-gender-by-first-name"),
        pytest.param("Слава", "Вячеслав", "agree", id="14x-slava-1"),
        pytest.param("Слава", "Ярослав", "agree", id="14x-slava-2"),
        pytest.param("Слава", "Станислав", "agree", id="14x-slava-3"),
        pytest.param("Валя", "Валентин", "agree", id="14x-valya-m"),
        pytest.param("Валя", "Валентина", "agree", id="14x-valya-f"),
        pytest.param("Alexander Petrov", "Александр Петров", "agree", id="14x-alexander"),
        pytest.param("Ким Чен", "Чен Ким", "agree", id="14x-unknown-words-any-order"),
        pytest.param("Иван", "Петров", "unknown", id="14x-first-against-last"),
        pytest.param("ИВАН 👍", "иван", "agree", id="14x-case-and-emoji"),
        pytest.param("ИП Иванов Иван", "Иван Иванов", "agree", id="51-sole-trader"),
        pytest.param("Менеджер Иван", "Иван Петров", "agree", id="51-title"),
        pytest.param("Иван Москва", "Иван Петров", "unknown", id="51-town-for-a-surname"),
        pytest.param("мама", "Мария", "unknown", id="51-kin"),
        pytest.param("Alex", "Алексей", "agree", id="14x-alex"),
        pytest.param("Катрин", "Екатерина", "agree", id="14x-katrin"),
        pytest.param("Гульшат", "Гуля", "unknown", id="14x-perhaps-a-short-form"),
        pytest.param("Зульфия Каримова", "Гульшат Каримова", "conflict", id="14x-unknown-first-names"),
    ],
)
def test_names_compare_when_written_like_this(one: str, two: str, verdict: str) -> None:
    assert compare_names(one, two).verdict == verdict, compare_names(one, two)
    assert compare_names(two, one) == compare_names(one, two)


@pytest.mark.parametrize(
    "name, key",
    [
        ("Лёша", "aleksei"), ("Aleksey Ivanov", "aleksei"), ("Иванов Алексей Петрович", "aleksei"), ("Тест", None),
        ("", None), ("Петров", None), ("Зульфия", "zulfia"), ("ООО Ромашка", None), ("Юлия", fold("Julia")),
    ],
)  # fmt: skip
def test_first_name_key_is_the_full_name_when_known(name: str, key: str | None) -> None:
    assert first_name_key(name) == key


@pytest.mark.parametrize(
    "text, shown",
    [
        ("ИВАНОВ ИВАН", "Иванов Иван"), ("иван", "Иван"), ("анна-мария", "Анна-Мария"), ("Иван 👍", "Иван"),
        ("https://example.com/", ""), ("+7 916 123-45-67", ""), ("Иван 89161234567", "Иван"), ("-", ""), (".", ""),
        ("test", ""), ("asd", ""), ("Тест 2", ""), ("Ж", ""), ("ааа", ""), ("ООО РОМАШКА", "ООО Ромашка"), ("  Иван   Петров ", "Иван Петров"),
        ("van der Berg", "van der Berg"), ("McDonald", "McDonald"), ("O'HARA", "O'Hara"), ("Иван\x00\u202e", "Иван"),
        ("ivan@example.com", ""), ("李明", "李明"), ("Имя", ""), ("Анна 🌸 Петрова", "Анна Петрова"),
    ],
)  # fmt: skip
def test_name_is_cleaned_when_written_like_this(text: str, shown: str) -> None:
    assert clean_name(text) == shown
