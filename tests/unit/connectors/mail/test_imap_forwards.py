"""Whose mail is forwarded: each program's way, in its language, and what is no forward."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connectors.kit import Request
from connectors.mail.imap import CONNECTOR, ImapConfig
from crm_core.parsed import Message

CONFIG = ImapConfig(host="imap.example.com", user="sales@hub.example", password="x", region="RU")
OLGA = "Olga Example <olga@client.example>"


def read(subject: str, text: str, head: str = "", sender: str = "boss@hub.example") -> Message:
    raw = (
        f"From: {sender}\r\nTo: sales@hub.example\r\nSubject: {subject}\r\nMIME-Version: 1.0\r\n"
        f"{head or 'Content-Type: text/plain; charset=utf-8'}\r\n\r\n{text}"
    )
    [found] = CONNECTOR.parse(
        Request("IMAP", "INBOX", "uid=1&uidvalidity=2", {}, raw.encode(), datetime(2026, 1, 15, tzinfo=UTC)), CONFIG
    )
    assert isinstance(found, Message)
    return found


FORWARDS = {
    "gmail_ru": ("Fwd: Дверь", f"Займись.\n\n---------- Forwarded message ---------\nОт: {OLGA}\nDate: ср, 27 окт. 2021 г. в 09:31\nSubject: Дверь\nTo: <sales@hub.example>\n\nСколько стоит дверь? +7 912 345-67-05"),
    "apple_ru": ("Fwd: Дверь", f"> Начало переадресованного сообщения:\n> \n> Отправитель: {OLGA}\n> Тема: Дверь\n> Дата: 26 октября 2021 г. в 14:25:08 GMT+3\n> Кому: sales@hub.example\n> \n> Сколько стоит дверь? +7 912 345-67-05"),
    "thunderbird_de": ("Fwd: Tür", f"-------- Weitergeleitete Nachricht --------\nBetreff: \tTür\nDatum: \tWed, 3 Nov 2021 15:51:30 +0100\nVon: \t{OLGA}\nAn: \tsales@hub.example\n\nWas kostet die Tür? +7 912 345-67-05"),
    "outlook_fr": ("TR: Porte", f"De : {OLGA}\nEnvoyé : mercredi 27 octobre 2021 15:14\nÀ : sales@hub.example\nObjet : Porte\n\nCombien ? +7 912 345-67-05"),
    "outlook_starred": ("FW: Door", "See below.\n\n*From:* Olga Example<mailto:olga@client.example> \n*Sent:* Wednesday, October 27, 2021 15:14\n*To:* sales@hub.example\n*Subject:* Door\n\nHow much? +7 912 345-67-05"),
    "outlook_2013": ("FW: Door", "From: Olga Example [mailto:olga@client.example]\nSent: 25 October 2021 11:17\nTo: sales@hub.example\nSubject: Door\n\nHow much? +7 912 345-67-05"),
    "no_prefix": ("Door", f"---------- Forwarded message ----------\nFrom: {OLGA}\nDate: July 19, 2022 at 3:36 PM\nTo: sales@hub.example\nSubject: Door\n\nHow much? +7 912 345-67-05"),
    "ja": ("Fwd: Door", f"---------- メッセージを転送 ---------\n送信元：{OLGA}\n日付：2022年9月19日月曜日 17:55:44 -0400\n件名：Door\n送信先：sales@hub.example\n\nHow much? +7 912 345-67-05"),
    "twice": ("Fwd: Fwd: Door", f"---------- Forwarded message ----------\nFrom: {OLGA}\nDate: July 19, 2022\nTo: sales@hub.example\nSubject: Door\n\nSee my friend. +7 912 345-67-05\n\n---------- Forwarded message ----------\nFrom: Pavel <pavel@example.net>\nDate: July 18, 2022\nTo: olga@client.example\nSubject: Door\n\nBuy it."),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(FORWARDS))
def test_first_sender_of_a_forward_is_found_with_name_and_number(kind: str) -> None:
    message = read(*FORWARDS[kind])
    assert (message.originals[0].email, message.originals[0].name) == ("olga@client.example", "Olga Example")
    assert message.original_phones == ("+79123456705",)


@pytest.mark.parametrize(
    "subject,text",
    [
        (
            "Fwd: Door",
            f"----- Forwarded Message ----- From: {OLGA}To: sales@hub.exampleSent: Tuesday, November 2, 2021\nHow much?",
        ),
        ("Fwd: Дверь", f"----- Пересылаемое сообщение ----- От: {OLGA}Кому: sales@hub.example\nСколько?"),
        ("FW: Door", 'On 28/10/2021 12:46, "Olga Example" <olga@client.example> wrote:\n\n    How much?'),
        ("Fwd: Porte", "Le 28/10/2021 12:46, « Olga Example » <olga@client.example> a écrit :\n\n    Combien ?"),
    ],
)
def test_forms_on_one_line_are_read(subject: str, text: str) -> None:
    assert [(one.email, one.name) for one in read(subject, text).originals] == [("olga@client.example", "Olga Example")]


def test_enclosed_mail_is_the_one_that_is_forwarded() -> None:
    inner = f"From: {OLGA}\r\nSubject: Door\r\n\r\nHow much?"
    text = f"--b\r\n\r\nTake this.\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--"
    assert [one.email for one in read("Door", text, "Content-Type: multipart/mixed; boundary=b").originals] == [
        "olga@client.example"
    ]


@pytest.mark.parametrize(
    "subject,text",
    [
        ("Re: Door", f"Agreed.\n\n-----Original Message-----\nFrom: {OLGA}\nSent: Monday\nTo: sales@hub.example\nSubject: Door\n\nHow much?"),
        ("Re: Door", f"Agreed.\n\nOn Mon, 1 Nov 2021 at 10:00, {OLGA} wrote:\n> How much?"),
        ("Transport", "From: Moscow\nTo: Tver\nWeight: 200 kg\nPlease tell me the price."),
        ("Fwd order", "Date: tomorrow\nSubject: a door\n"),
    ],
)  # fmt: skip
def test_what_is_answered_or_only_looks_so_is_no_forward(subject: str, text: str) -> None:
    assert read(subject, text).originals == ()


def test_own_mailbox_that_forwards_writes_an_inquiry() -> None:
    assert read(*FORWARDS["gmail_ru"], sender="sales@hub.example").automatic == ""
    assert read("Note", "Only a note.", sender="sales@hub.example").automatic == "own"


@pytest.mark.parametrize(
    "text", ["-" * 500_000, " " * 500_000, "On " * 200_000, "From: a\n" * 100_000, "> " * 300_000, "От: " * 100_000]
)
def test_hostile_text_is_no_forward(text: str) -> None:
    assert read("Fwd: x", text).originals == ()
