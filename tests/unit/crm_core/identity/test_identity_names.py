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


def test_spellings_agree_when_any_reading_of_the_latin_letters_does() -> None:
    assert [pair for pair in pairs() if compare(*pair) != "agree"] == []


@pytest.mark.parametrize(
    "one, two, verdict",
    [
        pytest.param("Алексей Иванов", "Aleksey Ivanov", "agree", id="47-two-scripts"),
        pytest.param("Саша", "Александра Ким", "agree", id="48-short-form"),
        pytest.param("Саша", "Мария", "conflict", id="48-other-name"),
        pytest.param("Иванов Иван Иванович", "Иван Иванов", "agree", id="49-order"),
        pytest.param("Иванов Иван Иванович", "И. И. Иванов", "agree", id="49-initials"),
        pytest.param("Иван Иванов", "И. И. Иванов", "agree", id="49-unknown-patronymic"),
        pytest.param("Иван Иванов", "П. И. Иванов", "conflict", id="49-the-first-initial-is-the-first-names"),
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
        pytest.param("Иван Москва", "Иван Петров", "agree", id="51-town-is-no-surname"),
        pytest.param("Иван кухня", "Олег Петров", "conflict", id="51-wish-is-no-surname"),
        pytest.param("мама", "Мария", "unknown", id="51-kin"),
        pytest.param("Alex", "Алексей", "agree", id="14x-alex"),
        pytest.param("Катрин", "Екатерина", "agree", id="14x-katrin"),
        pytest.param("Гульшат", "Гуля", "agree", id="14x-gulya"),
        pytest.param("Гулбахор", "Гуля", "unknown", id="14x-perhaps-a-short-form"),
        pytest.param("Зульфия Каримова", "Гульшат Каримова", "conflict", id="14x-unknown-first-names"),
    ],
)
def test_names_compare_when_written_like_this(one: str, two: str, verdict: str) -> None:
    assert compare_names(one, two).verdict == verdict, compare_names(one, two)
    assert compare_names(two, one) == compare_names(one, two)


def verdicts(table: str) -> list[tuple[str, str, str]]:
    """`one | two | verdict` a line."""
    return [tuple(map(str.strip, line.split("|"))) for line in table.strip().split("\n")]  # type: ignore[misc]


INITIALS = """
Никитин С.А.            | Сергей                   | unknown
Никитин С.А.            | Сергей Никитин           | agree
Никитин С. А.           | Иван                     | conflict
С.А. Никитин            | Сергей Андреевич         | unknown
С.А. Никитин            | Сергей Борисович Никитин | conflict
Никитин СА              | Сергей Никитин           | agree
Никитин С               | Сергей                   | unknown
Никитина О.В.           | Ольга                    | unknown
Никитина О.В.           | Вера                     | conflict
Родионев В.Е.           | Ильдар                   | conflict
Родионев В.Е.           | Виктор                   | unknown
Родионев В.Е.           | Родионев И.Е.            | conflict
Иванов И.И.             | Иванов И.П.              | conflict
Иванов И.И.             | Иванов И.                | agree
Ким И.И.                | Иван                     | unknown
Ким И.И.                | Сергей                   | conflict
А. Шварц                | Шварц Анна               | agree
А. Шварц                | Шварц Борис              | conflict
Шварц А.                | Борис Шварц              | conflict
Smith J.                | John Smith               | agree
Smith J.                | Mary Smith               | conflict
Zakharov Yu. R.         | Юрий Русланович Захаров  | agree
Zakharov Yu. R.         | Иван Захаров             | conflict
Yakovleva Ya.           | Яна                      | unknown
И. Петрова              | Яна Петрова              | conflict
Ю. Петрова              | Ульяна Петрова           | conflict
Я. Петрова              | Яна Петрова              | agree
Соколова B. Л.          | Виктория Соколова        | agree
Анна П.                 | Анна Петрова             | agree
Анна П.                 | Анна Смирнова            | unknown
Сергей А. Никитин       | Сергей Андреевич Никитин | agree
Сергей А. Никитин       | Сергей Борисович Никитин | conflict
Дж. Петров              | Пётр Петров              | conflict
Д. Каримов              | Джамшид Каримов          | agree
"""


@pytest.mark.parametrize("one, two, verdict", verdicts(INITIALS))
def test_initials_stand_for_first_name_and_patronymic_in_their_order(one: str, two: str, verdict: str) -> None:
    assert compare_names(one, two).verdict == verdict, compare_names(one, two)
    assert compare_names(two, one) == compare_names(one, two)


SINGLE_WORDS = """
Родионов                | Иван                     | unknown
Родионов                | Иван Родионов            | agree
Никитин                 | Сергей                   | unknown
Никитина                | Анна Никитина            | agree
Никитина                | Сергей Никитин           | unknown
Кузьмин                 | Эльвира Кузьмина         | unknown
Шварц                   | Сергей                   | unknown
Шварц                   | Иван Петров              | unknown
Шварц                   | Иван Шварц               | agree
Ким                     | Анна                     | unknown
Wei                     | Анна                     | unknown
Wei                     | Zhang Wei                | agree
Гулбахор                | Олег                     | unknown
Гулбахор                | Шахзода                  | unknown
Петрова                 | Иван                     | conflict
გიორგი                  | ნინო                     | unknown
გიორგი მაისურაძე        | Иван Петров              | unknown
Иванна                  | Иван                     | unknown
Петров                  | Сидоров                  | conflict
"""


@pytest.mark.parametrize("one, two, verdict", verdicts(SINGLE_WORDS))
def test_single_word_decides_nothing_when_no_table_knows_it(one: str, two: str, verdict: str) -> None:
    assert compare_names(one, two).verdict == verdict, compare_names(one, two)
    assert compare_names(two, one) == compare_names(one, two)


STRANGERS = """
Zhang Wei               | Анна
Zhang Wei               | Олег
Zhang Wei               | Олег Петров
Zhang Wei               | Zhang Li
Zhang Wei               | Nguyen Minh
zhang wei               | Wang Li
Жанна                   | Яна
Жанна Петрова           | Яна Петрова
Кирилл                  | Кира
Вероника                | Вера
Инесса                  | Инна
Дарья                   | Дарина
Юля                     | Ульяна
Юля                     | Уля
Наталья Петрова         | Марина Петрова
Марина                  | Мария
Зульфия Каримова        | Гульшат Каримова
Иван Петрович Сидоров   | Пётр Иванович Сидоров
Иван Иванович Сидоров   | Иван Петрович Сидоров
Иван Иванович           | Иван Петрович
Сидоров И. И.           | Сидоров И. П.
Сидоров И. И.           | Сидоров Иван Петрович
Александр Иванов        | Александра Иванова
Саша Иванов             | Саша Иванова
John Smith              | Mary Smith
John Smith              | John Brown
Mrs. Smith              | John Smith
Иванов                  | Иванова
Кузнецова О.В.          | Кузнецов О.В.
Оксана                  | Ксения
Ева                     | Эвелина
Стас                    | Анастасия
Гена                    | Евгений
Ильнар Хабибуллин       | Ильнур Хабибуллин
Рамис                   | Рамиз
Саид                    | Саида
Вова                    | Владислав
გიორგი მაისურაძე        | ნინო ბერიძე
Daniel Smith            | Jennifer Smith
Margaret Harris         | Michale Harris
Victoria Carter         | William Carter
Олег Ким                | Олег Петров
Эльвира                 | Валерий
"""


@pytest.mark.parametrize("one, two", [tuple(map(str.strip, line.split("|"))) for line in STRANGERS.strip().split("\n")])
def test_strangers_conflict_when_their_names_do(one: str, two: str) -> None:
    assert compare_names(one, two).verdict == "conflict", compare_names(one, two)
    assert compare_names(two, one) == compare_names(one, two)


SAME = """
Cергей                  | Сергей
Сeргей Hикитин          | Сергей Никитин
Kонстантин              | Костя
Oлeг                    | Олег
Ivаn Pеtrov             | Иван Петров
Kuznecov                | Кузнецов
Kuznetcov Ivan          | Иван Кузнецов
Kuznetsov Ivan          | Kuznecov Ivan
Jukov                   | Жуков
Jakov Kuznecov          | Яков Кузнецов
Jenya                   | Евгений
Xasan                   | Хасан
Baxtiyor Karimov        | Бахтиёр Каримов
Jamshid Xolmatov        | Джамшид Холматов
Joe Smith               | Joseph Smith
Smith Joe               | Joseph Smith
Liz Taylor              | Elizabeth Taylor
Becky Brown             | Rebecca Brown
Andy Turner             | Andrew Turner
Andrew Turner           | Андрей Turner
Пал Палыч               | Павел Павлович
Сан Саныч               | Александр Александрович
Иван Сергеич            | Иван Сергеевич
Сергей Иваныч           | Сергей Иванович
Иван Николаич           | Иван Николаевич
Олена Іванівна          | Елена Ивановна
Рустамов Али Вали ўғли  | Али Рустамов
Анна Петрова-Водкина    | Петрова Анна
Анна-Мария              | Анна
Тётя Света              | Светлана
Анна запись на маникюр  | Анна Петрова
Митя                    | Дмитрий
Себастьян Петров        | Петров
Герман Алексей Иванович | Алексей Герман
ИванПетров              | Иван Петров
Иван Петров 1985 г.р.   | Иван Сергеевич Петров
Сергей Орлов ООО «Лён»  | Сергей Орлов
Mr. Smith               | John Smith
Ihor                    | Игорь
Hryhorii                | Григорий
Siarhei                 | Сергей
Uladzimir               | Владимир
Катюха                  | Екатерина
Толян                   | Анатолий
Tschaikowsky P.         | Пётр Чайковский
Smirnoff Ivan           | Иван Смирнов
Smirnoffa               | Анна Смирнова
Герман                  | Алексей Герман
Ceргей Пeтpoв           | Петров Сергей
Tony Stark              | Anthony Stark
Айнур Каримова          | Айнур
Айнур Каримов           | Айнур
"""


@pytest.mark.parametrize("one, two", [tuple(map(str.strip, line.split("|"))) for line in SAME.strip().split("\n")])
def test_one_person_agrees_when_written_in_two_ways(one: str, two: str) -> None:
    assert compare_names(one, two).verdict == "agree", compare_names(one, two)
    assert compare_names(two, one) == compare_names(one, two)


@pytest.mark.parametrize(
    "one, two", [("Joe", "Joseph"), ("Joe", "Joseph Smith"), ("Liz Taylor", "Elizabeth"), ("Bobby", "Rob Brown")]
)
def test_english_short_form_decides_nothing_when_a_surname_is_missing(one: str, two: str) -> None:
    assert compare_names(one, two).verdict == "unknown", compare_names(one, two)


@pytest.mark.parametrize(
    "one, two", [("Joe Smith", "Joseph Brown"), ("Joe Smith", "Mary Smith"), ("Andreev Ivan", "Andrew Ivanov")]
)
def test_english_short_form_conflicts_when_the_surname_does(one: str, two: str) -> None:
    assert compare_names(one, two).verdict == "conflict", compare_names(one, two)


@pytest.mark.parametrize(
    "text",
    [
        "Заявка с сайта",
        "Обратный звонок",
        "Нет имени",
        "Имя не указано",
        "Новый лид",
        "Тест Тестович",
        "test testov",
        "null null",
        "Гость 17",
        "Неизвестный абонент",
        "Проверка связи",
        "FirstName LastName",
        "не представился",
        "Иван, Мария",
        "Хочу купить окна",
        "Запись на приём",
        "Анна и Сергей",
        "Иван/Мария",
        "Tест",
        "Новосибирск",
    ],
)
def test_nothing_is_known_when_the_text_names_nobody(text: str) -> None:
    assert (compare_names(text, "Иван Петров").verdict, compare_names(text, "Мария").why) == ("unknown", "no_name")


@pytest.mark.parametrize(
    "one, two, verdict, full",
    [
        ("Иван Петров", "Петров Иван", "agree", True), ("Иван Петрович", "Иван Петрович", "agree", True),
        ("Анна Ивановна Петрова", "Анна Ивановна Смирнова", "agree", True), ("Zhang Wei", "Wei Zhang", "agree", True),
        ("Иван", "Иван Петров", "agree", False), ("Иван", "Иван", "agree", False), ("Петров", "Иван Петров", "agree", False),
        ("Петров И.И.", "Иван Петров", "agree", False), ("Петров И.И.", "Петров И.И.", "agree", False), ("Wei", "Zhang Wei", "agree", False),
        ("Иван Петров", "Иван Сидоров", "conflict", False), ("Анна Петрова", "Анна Смирнова", "unknown", False),
    ],
)  # fmt: skip
def test_agreement_is_full_when_it_rests_on_first_name_and_surname(one: str, two: str, verdict: str, full: bool) -> None:
    found = compare_names(one, two)
    assert (found.verdict, found.full) == (verdict, full), found


@pytest.mark.parametrize(
    "one, two, near",
    [
        ("Пванов Иван", "Иванов Иван", True), ("Орлв Иван", "Орлов Иван", True), ("Кузнецоы Иван", "Кузнецов Иван", True), ("Ивна", "Иван", True),
        ("Лра Пак", "Лара Пак", True), ("Jaes Johnson", "James Johnson", True), ("Иван Иванович Орлов", "Иван Икванович Орлов", True),
        ("Миша Ерров", "Михаил Ершов", True), ("Марина Петрова", "Мария Петрова", False), ("Иван Петров", "Иван Сидоров", False),
        ("Орлов Иван", "Орлова Иван", False), ("Александр", "Александра", False), ("Иванов Валентин", "Иванов Валентина", False),
        ("Иван", "Олег", False), ("Тест", "Иван", False), ("Иван", "Иван", False), ("Анна Орлова", "Олег Орлов", False),
    ],
)  # fmt: skip
def test_names_are_near_when_one_slip_of_the_keyboard_apart(one: str, two: str, near: bool) -> None:
    found = compare_names(one, two)
    assert found.near is near, found
    assert compare_names(two, one).near is near


@pytest.mark.parametrize(
    "name, key",
    [
        ("Лёша", "aleksei"), ("Aleksey Ivanov", "aleksei"), ("Иванов Алексей Петрович", "aleksei"), ("Тест", None),
        ("", None), ("Петров", None), ("Зульфия", "zulfia"), ("ООО Ромашка", None), ("Юлия", fold("Julia")),
        ("Никитин", None), ("Никитин С.А.", None), ("Шварц", None), ("Wei", None), ("Cергей", "sergei"), ("Хочу купить", None),
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
        ("ivan@example.com", ""), ("李明", "李明"), ("Нет имени", ""), ("Новый Лид", ""), ("клиент с сайта", ""), ("Test Person", "Test Person"), ("Имя", ""), ("Анна 🌸 Петрова", "Анна Петрова"),
    ],
)  # fmt: skip
def test_name_is_cleaned_when_written_like_this(text: str, shown: str) -> None:
    assert clean_name(text) == shown
