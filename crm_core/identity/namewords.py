"""Words that stand in a name field beside a name and are none: titles, kin, trades, towns, what a visitor wants."""

from __future__ import annotations

from collections.abc import Iterable

from crm_core.identity.spelling import fold

_WORDS = """
менеджер manager директор director бухгалтер секретарь клиент покупатель заказчик господин госпожа гражданин гражданка мистер миссис мисс доктор mr mrs
ms dr miss sir тел телефон phone mobile whatsapp вотсап ватсап viber вайбер telegram телеграм авито avito циан юла сайт сайта
жена муж мама папа мать отец сын дочь дочка брат сестра бабушка дедушка тётя тетя дядя тёща теща зять невестка сноха свекровь
внук внучка сосед соседка друг подруга ребёнок мужа жены мамы папы wife husband mother father son daughter brother sister
мастер прораб водитель курьер риелтор риэлтор агент юрист адвокат врач админ администратор повар строитель электрик сантехник снабжение
снабженец закупки закупщик отдел продаж офис приёмная приемная ресепшн охрана склад доставка ремонт окна двери потолки кухня мебель
квартира дом дача участок машина авто шины запчасти маникюр массаж
хочу купить продать заявка заявку обратный обратная звонок звонка звонки консультация консультацию интересует интересуется нужна нужен нужно нужны цена цену цены
стоимость запись записаться прием приём заказ заказа заказать вопрос вопросы перезвоните перезвонить позвоните позвонить расчёт расчет замер
доставку пожалуйста здравствуйте добрый спасибо срочно нет не на для по от из без за или при как что это мне меня вас ваш
lead новый новая новое постоянный старый бывший request call back callback please hello order question from the
москва москвы питер спб санкт-петербург петербург екатеринбург казань новосибирск омск самара уфа красноярск пермь воронеж волгоград
краснодар тюмень тольятти ижевск барнаул ульяновск иркутск хабаровск ярославль владивосток махачкала томск оренбург кемерово
рязань астрахань пенза липецк тула чебоксары калининград брянск курск иваново сочи сургут ставрополь белгород тверь
химки мытищи подольск балашиха люберцы одинцово минск киев харьков одесса алматы астана ташкент бишкек баку ереван тбилиси
moscow россия украина беларусь казахстан russia
"""
#: What is written where no name is: a text of nothing else is no name and is not shown as one.
_NOBODY = """
нет не имя имени имён фио фамилия указано указан указана указали представился представилась назвался назвалась назвал назвала лид лида
новый новая новое неизвестный неизвестная неизвестно неизвестного абонент абонента контакт контакта без скрытый скрыт номер номера аноним анонимный
анонимно тест тестовый тестовая тестовое тестов тестова тестович тестовый проверка проверки проверочный связи связь заявка заявки заявку заказ
обратный звонок сайт сайта с со из на клиент клиента клиентка гость посетитель пользователь покупатель заказчик человек кто то никто хз частное физическое лицо
name names firstname lastname surname first last full your my test testov tester testing null none undefined nan unknown anonymous anonym noname no nobody
guest user client customer visitor contact lead new the from site web website form order request call callback caller asd asdasd asdf qwe qwerty йцу йцукен фыв фыва
авито avito циан юла
"""
_TOWNS = ("sk", "grad")  # Зеленоград, Норильск; surnames end in -ский
_FOLDED_NOBODY = frozenset(map(fold, _NOBODY.split()))
_FOLDED = frozenset(map(fold, _WORDS.split()))


def is_beside_a_name(folded: str) -> bool:
    """True of a folded word that is no part of anybody's name."""
    return folded in _FOLDED or (len(folded) > 5 and folded.endswith(_TOWNS))


def names_nobody(words: Iterable[str]) -> bool:
    """True if all of these words, as they were written, are what people write where no name is (`Нет имени`, `Новый лид`)."""
    empty = True
    for word in words:
        if len(word) > 1 and fold(word) not in _FOLDED_NOBODY:
            return False
        empty = False
    return not empty
