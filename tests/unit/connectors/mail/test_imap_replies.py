"""What is new in a reply: each program's way to announce what is not, in its language; and what must stay whole."""

from __future__ import annotations

import pytest

from connectors.mail.imap.reply import own_words

OWN = "Да, подходит.\n\nС уважением, Анна"
ATTRIBUTIONS = (
    "ср, 30 апр. 2025 г. в 15:19, Отдел продаж <sales@hub.example>:",
    '30.04.2025, 15:19, "Отдел продаж" <sales@hub.example>:',
    "30 апр. 2025 г., в 15:19, Отдел продаж <sales@hub.example> написал(а):",
    "30.04.2025 15:19, Отдел продаж пишет:",
    "Вы писали 30 апреля 2025 г., 15:19:21:",
    "понедельник, 6 октября 2014 г. пользователь Отдел продаж написал:",
    "On Wed, Apr 30, 2025 at 3:19 PM Sales <sales@hub.example> wrote:",
    "On Wed, Apr 30, 2025 at 3:19 PM Sales Department of the Hub\n<sales@hub.example> wrote:",
    "Am 30.04.2025 um 15:19 schrieb Vertrieb:",
    "Le mer. 30 avr. 2025 à 15:19, Ventes <sales@hub.example> a écrit :",
    "El mié, 30 abr 2025 a las 15:19, Ventas (<sales@hub.example>) escribió:",
    "Il giorno mer 30 apr 2025 alle ore 15:19 Vendite <sales@hub.example> ha scritto:",
    "Em qua., 30 de abr. de 2025 às 15:19, Vendas <sales@hub.example> escreveu:",
    "Op wo 30 apr 2025 om 15:19 schreef Verkoop <sales@hub.example>:",
    "śr., 30 kwi 2025 o 15:19 Sprzedaż <sales@hub.example> napisał(a):",
    "Den ons 30 apr. 2025 kl 15:19 skrev Sälj <sales@hub.example>:",
    "st 30. 4. 2025 v 15:19 odesílatel Prodej <sales@hub.example> napsal:",
    "ср, 30 квіт. 2025 р. о 15:19 Продаж <sales@hub.example> пише:",
)


@pytest.mark.parametrize("line", ATTRIBUTIONS)
def test_history_below_its_announcement_is_cut(line: str) -> None:
    assert own_words(f"{OWN}\n\n{line}\n\n> Добрый день!\n> Подходит ли вам дверь?\n").text == OWN


@pytest.mark.parametrize(
    "block",
    [
        "От: Отдел продаж <sales@hub.example>\nОтправлено: 30 апреля 2025 г. 15:19\nКому: Анна\nТема: Дверь",
        "-----Original Message-----\nFrom: Sales [mailto:sales@hub.example]\nSent: Wednesday, April 30, 2025\nTo: Anna\nSubject: Door",
        "________________________________\nVon: Vertrieb <sales@hub.example>\nGesendet: Mittwoch, 30. April 2025\nAn: Anna\nBetreff: Tür",
        "-------- Исходное сообщение --------\nСпасибо за заказ.",
        "---------- Forwarded message ---------\nFrom: Sales <sales@hub.example>\nDate: Wed\nSubject: Door\nTo: Anna",
    ],
)
def test_history_below_a_header_block_is_cut(block: str) -> None:
    assert own_words(f"{OWN}\n\n{block}\n\nДобрый день!\nПодходит ли вам дверь?\n").text == OWN


@pytest.mark.parametrize(
    "line",
    [
        "Отправлено с iPhone",
        "Sent from my iPhone",
        "Get Outlook for iOS",
        "Von meinem iPhone gesendet",
        "--\nАнна\n+7 495 123-45-67",
    ],
)
def test_lines_of_a_device_and_a_delimited_signature_are_cut(line: str) -> None:
    assert own_words(f"Да, подходит.\n\n{line}\n").text == "Да, подходит."


def test_answers_between_quotations_keep_them() -> None:
    text = "On Wed, Apr 30, 2025 at 3:19 PM Sales <sales@hub.example> wrote:\n> Oak or pine?\n\nOak.\n\n> When?\n\nMonday.\n\n> Thank you\n"
    assert own_words(text).text == "> Oak or pine?\n\nOak.\n\n> When?\n\nMonday."


@pytest.mark.parametrize(
    "text",
    [
        OWN,
        "From: Moscow\nTo: Tver\nWeight: 200 kg\n\nHow much?",
        "I figured it out, I wrote one of my own:\n\nhttps://site.example/guide\n\nTell me.",
        "Meeting on 30.04.2025 at 15:19, then we decide.\nCall me.",
        "Список:\n- дверь\n- окно\n\n---\nИтого: 2",
        "> only a quotation",
        "",
    ],
)
def test_what_carries_no_history_stays_whole(text: str) -> None:
    assert own_words(text).text == text


@pytest.mark.parametrize(
    "text",
    ["-" * 1_000_000, " " * 1_000_000, "On \n" * 200_000, "> \n" * 300_000, "From: a\n" * 100_000, "On Mon 10:00 " * 80_000],
)
def test_hostile_text_comes_to_an_end(text: str) -> None:
    assert len(own_words(text).text) <= len(text)
