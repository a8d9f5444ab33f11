"""First names with their short forms and foreign spellings. Many to many: Саша is Александр and Александра.

A table of our own, for the names that are met in Russia and its neighbours; a name that is not here still compares by
its spelling.
"""

from __future__ import annotations

from functools import lru_cache
from types import MappingProxyType
from typing import Literal

from crm_core.identity.spelling import fold

Gender = Literal["m", "f", ""]

# One name a line: the full form, then everything that people use for it.
_MEN = """
Александр Саша Саня Шура Сашка Санёк Шурик Сан Алекс Alexander Alexandre Alex Олександр Аляксандр Sasha Sander
Алексей Лёша Алёша Лёха Алекс Alex Олексій Alexis Алексий
Альберт Алик Берт
Анатолий Толя Толик Анатолій
Андрей Андрюша Андрейка Дрон Андрій Andreas
Антон Тоша Антоха Антоша Anthony Антоний
Аркадий Аркаша
Арсений Сеня Арсюша
Арсен Арсенчик
Артём Тёма Артемий Тема Тёмыч
Артур Arthur
Аслан
Ахмед Ахмад Ahmet
Богдан Бодя Дан
Борис Боря Борька
Вадим Вадик Вадя
Валентин Валя Валик Valentine
Валерий Валера Валерик Лера
Василий Вася Васёк Васька Basil Василь
Вениамин Веня Benjamin
Виктор Витя Витёк Victor Віктор
Виталий Виталик Виталя Віталій
Владимир Вова Володя Вовка Вовчик Влад Володимир Vlad
Владислав Влад Владик Слава Владя
Всеволод Сева
Вячеслав Слава Славик Славян
Геннадий Гена Генка Гендос
Георгий Гоша Жора Гога George Гера
Герман Гера Herman
Глеб Глебушка
Гордей Гордейка
Григорий Гриша Gregory Григорій Greg
Данил Даня Данила Даниил Данилка Daniel Dan Даниэль Данило
Демид Дёма Демьян
Денис Ден Дениска Dennis Dionis
Дмитрий Дима Митя Димон Димка Димочка Митяй Дмитро Dimitri Dimitry
Евгений Женя Жека Женёк Eugene Євген Gene
Егор Егорка Гоша Гора
Ефим Фима
Захар Захарка Zachary
Иван Ваня Ванька Ванёк John Jon Іван
Игнат Игнатий Игнаша
Игорь Игорёк Гарик Гоша Ігор
Ильдар
Илья Илюша Илюха Elijah Ілля
Ильяс
Иосиф Ося Joseph Йосиф
Камиль
Карен
Кирилл Кирюша Кирюха Cyril Кирило
Константин Костя Костик Constantine Kostya Костян
Лев Лёва Leo Лёвушка
Леонид Лёня Леня Лёнчик Леонід
Макар Макарка
Максим Макс Max Максимка Maxim
Максимилиан Макс Maximilian
Марат Маратик
Марк Маркуша Marc Mark
Мартин Martin
Матвей Мотя Matthew Матвій
Мирон Мироша
Михаил Миша Мишаня Михей Michael Mike Michail Михайло Мишка Mikael
Мурат Мурад
Мухаммед Мухаммад Магомед Мага Mohammed Muhammad Мохаммед
Назар Назарка
Никита Ник Никитос
Николай Коля Колян Коляша Nicholas Nick Микола
Олег Олежка Олежек
Павел Паша Пашка Паха Павлик Пал Paul Павло
Пётр Петя Peter Петро Петруха
Платон
Прохор Проша
Равиль
Рамиль
Расул
Ренат Ринат
Роберт Роб Robert Bob
Родион Родя
Роман Рома Ромка Ромчик
Ростислав Ростик Слава
Руслан Рус Русик
Рустам Рустем
Савелий Сава Сева Савва
Салават
Самвел
Семён Сеня Сёма Simon
Сергей Серёжа Серёга Серж Serge Сергій Сережа Серега
Станислав Стас Слава Стасик
Степан Стёпа Stephen Steven Stefan
Тагир
Тарас
Тигран
Тимофей Тима Тимоха Timothy Tim
Тимур Тима Тимурик
Фарид
Фёдор Федя Theodore Feodor Федька
Филипп Филя Phil Philip
Эдуард Эдик Edward Эд
Эльдар
Эмиль
Эрик Eric
Юлиан
Юрий Юра Юрка Юрец George Юрій
Яков Яша Jacob
Ян Яник Jan
Ярослав Ярик Слава Яра
Абдулла Абдул
Азамат
Айдар
Алишер Шер
Арман
Бахтияр Бахтиёр
Бекзат
Давид Дэвид David Дато Додик
Джамшид Jamshid
Ерлан
Жандос
Заур
Ислам
Камал
Нурлан
Отабек
Рашид
Саид
Санжар
Тимурлан
Улугбек
Фархад
Шамиль
Шухрат
Вильям William Bill Will
Адам Adam
Азиз
Айбек
Акмал
Алан Alan
Альфред Alfred
Амир
Анвар
Арам
Аристарх
Армен
Арнольд Arnold
Аскар
Афанасий Афоня
Ашот
Бобур
Вагиф
Ваган
Вахтанг
Гавриил Гаврила Гаврик Gabriel
Геворг
Герасим Гераська
Гурам
Гурген
Гусейн Хусейн Hussein
Дамир
Данияр
Даурен
Джалол Жалол
Дильшод
Евдоким
Елисей Елисейка
Емельян Емеля
Ерболат
Ержан
Зелимхан
Зиновий
Зураб
Ибрагим Ибрахим Ibrahim
Ильгиз
Ильнур
Илларион
Иннокентий Кеша
Исаак Isaac
Искандер
Казбек
Канат
Карл Karl
Клим
Климент
Корней
Кристиан Christian
Кузьма Кузя
Лаврентий
Лазарь
Левон
Лука Luke
Лукьян
Мансур
Марсель Marcel
Мирослав
Мстислав
Наиль
Нарек
Нариман
Нестор
Никифор
Нодир
Олжас
Орхан
Оскар Oscar
Остап
Радик
Радмир
Раиль
Рамазан
Рамзан
Рафаэль Рафик Raphael
Рафаил Рафик
Рашад
Ришат
Рубен Ruben
Рудольф Rudolf
Самуил Самуэль Samuel
Сардор
Святослав Слава Свят
Севастьян Сева
Себастьян Sebastian
Серафим
Султан
Сурен
Сухроб
Талгат
Темур
Тенгиз
Терентий
Тихон Тиша
Трофим
Умар Omar
Фаррух
Федот
Феликс Felix
Фируз
Хасан Hassan Гасан
Хуршид
Чингиз
Шерзод
Шохрух
Эдгар Edgar
Эльнур
Эрнест Ernest
Юлий
Юсуф Юсуп Yusuf
Якуб
Джеймс James Jim
Томас Thomas Tom
Фома Thomas
"""

_WOMEN = """
Александра Саша Саня Шура Сашенька Alexandra Аля Sasha Олександра
Алина Аля Алинка Лина
Алиса Alice Алиска
Алла Аллочка
Алёна Алёнка Лена Олена
Альбина Аля
Альфия
Анастасия Настя Настюша Стася Ася Anastasia Nastya Анастасія
Ангелина Геля Лина Ангелиночка
Анжела Анжелика Лика Angela Angelica
Анна Аня Анюта Нюра Анечка Ann Anne Нюша Анка Ганна
Антонина Тоня
Арина Ариша Орина
Валентина Валя Валюша Тина
Валерия Лера Валера Лерочка
Варвара Варя Барбара Barbara
Василиса Вася Васёна
Вера Верочка Верунчик
Вероника Ника Никуся Veronica
Виктория Вика Викуля Victoria Вікторія Tori
Виолетта Виола Летта
Галина Галя Галочка Галка
Гульнара Гуля Гульнар Гульнора
Гузель Гуля
Дарья Даша Дашенька Dasha Daria Дашка Дашуля
Дарина Даша Дара
Диана Дианка Diana
Дина Диночка
Ева Eve Евочка
Евгения Женя Женечка Eugenia Eugenie
Екатерина Катя Катюша Катерина Catherine Katherine Kate Ekaterine Катька Catharina Kathy Катрин
Елена Лена Леночка Алёна Helen Helena Ellen Ленка Олена
Елизавета Лиза Elizabeth Лизавета Lisa Elisabeth Лизонька
Жанна Jeanne Jane Жанночка
Зарина Зара
Зинаида Зина
Злата
Зоя Zoe
Зульфия Зуля
Инга
Инесса Неся
Инна Иннуся
Ирина Ира Ириша Ирочка Irene Ирка Iren
Карина Кара
Кира Кирочка
Клавдия Клава
Кристина Кристя Christina Christine Крис Kris
Ксения Ксюша Оксана Аксинья Ксеня
Лариса Лара Лариска
Лейла Ляйла
Лидия Лида Lydia
Лилия Лиля Lily Лили
Любовь Люба Любаша Lubov
Людмила Люда Люся Мила Ludmila Людочка
Майя Маюша
Маргарита Рита Марго Margaret Margarita
Марина Мариша Маринка
Мария Маша Маруся Мари Mary Marie Машенька Марья Марія
Мадина
Милана Мила Лана
Милена Мила
Надежда Надя Надюша Nadia Надія
Наталья Наташа Наталия Ната Наташка Natalie Nataly Наталія Natasha
Нина Ниночка
Оксана Ксюша Ксана Окса
Олеся Леся
Ольга Оля Олечка Olga Оленька Olya Лёля
Полина Поля Паулина Paulina Полинка
Раиса Рая
Регина Регинка
Римма Рима
Розалия Роза Rose
Роксана Roxana Roxanne
Сабина
Светлана Света Светик Светочка Светка Лана Світлана
Снежана Снежка
София Соня Софья Sophia Sophie
Таисия Тася Тая
Тамара Тома
Татьяна Таня Танюша Tanya Тетяна Танечка
Ульяна Уля Julianna
Фаина Фая
Фатима Фатя
Эвелина Эва Evelyn
Элина Эля Лина
Элеонора Нора Эля Eleonora
Эльвира Эля Эльвирка
Эмма Emma
Юлия Юля Юленька Julia Yulia Юлька Julie Юлія
Юлиана Юля
Яна Яночка Янка Jana
Ярослава Яра Слава
Айгуль
Айжан
Алсу
Амина
Асель
Венера
Гульмира Гуля
Динара Дина
Жанара
Замира
Ильмира
Камила
Лола
Мавлюда
Малика
Нигора
Резеда
Сауле
Феруза
Шахноза
Агата Agatha
Агния
Ада
Аделина Адель Аделя Adele
Аида
Айгерим
Айнур
Алевтина Аля Тина
Альмира
Амалия
Анаит
Анфиса
Ариадна
Асмик
Белла Bella
Богдана Дана
Гаянэ Гаяне
Гоар
Гульжан Гуля
Гульназ Гуля
Гульшат Гуля
Дана
Дилара Диляра
Дильноза
Доминика
Евдокия Дуня
Есения Еся
Залина
Зарема
Земфира
Зухра
Изабелла Белла Isabella
Индира
Камола
Капитолина
Карине
Клара Clara
Лаззат
Лаура Laura
Лейсан Ляйсан
Лиана
Лия Leah
Луиза Louise
Магдалена
Марианна Marianne
Марта Martha
Матрёна Мотя
Мелания Melania
Мирослава
Моника Monica
Наира
Наргиза
Нарине
Нелли Неля Нелля Nelly
Нилуфар
Нино
Нонна
Нурия
Пелагея Поля
Прасковья
Рената Renata
Рузанна
Руслана
Саида
Самира
Сара Sarah
Севара
Серафима Сима
Стелла Stella
Сусанна Сюзанна Susanna
Тамила
Умида
Фарида
Фрида
Халида
Шахло
Элла Ella
Эльза Elsa
Эльмира Эля
Эрика Erica
Ядвига
Ясмина Жасмин Jasmine
"""


def _rows(table: str) -> list[list[str]]:
    return [[fold(form) for form in line.split()] for line in table.split("\n") if line]


@lru_cache(maxsize=1)
def _tables() -> tuple[MappingProxyType[str, tuple[str, ...]], frozenset[str], frozenset[str]]:
    """Form → full names it may stand for, in the order of the table; then the full names of men and of women."""
    forms: dict[str, list[str]] = {}
    men, women = _rows(_MEN), _rows(_WOMEN)
    full = {row[0] for row in men + women}
    for row in men + women:
        for form in row:
            # A form that is a full name of its own (Оксана under Ксения) means itself first.
            names = forms.setdefault(form, [form] if form in full else [])
            if row[0] not in names:
                names.append(row[0])
    return (
        MappingProxyType({form: tuple(names) for form, names in forms.items()}),
        frozenset(row[0] for row in men),
        frozenset(row[0] for row in women),
    )


def full_names(folded: str) -> tuple[str, ...]:
    """Full names, folded, that a folded form may stand for; empty if the table does not know it."""
    return _tables()[0].get(folded, ())


def gender_of(names: tuple[str, ...]) -> Gender:
    """Gender that all of these full names share, "" if they are mixed or unknown."""
    _, men, women = _tables()
    if names and all(name in men and name not in women for name in names):
        return "m"
    return "f" if names and all(name in women and name not in men for name in names) else ""


@lru_cache(maxsize=1)
def _stems() -> frozenset[str]:
    men = _tables()[1]
    shortened = {name[:-cut] for name in men for cut in (1, 2) if len(name) - cut >= 3 and name[-1] in "aei"}
    return men | shortened | {"pavl", "lv", "il", "kuzm", "luk", "fom", "foma", "petr", "iur"}


def is_name_stem(stem: str) -> bool:
    """True if a patronymic can be made of it: ivan, serg(ei), dmitr(i), pavl."""
    return stem in _stems()
