"""Consents, files, threads, messengers and doubles of inquiries: what the intake makes of them, on real rows."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from desk import Desk
from psycopg.rows import dict_row
from sqlalchemy import Engine

from crm_core.access import Principal
from crm_core.base.config import HubConfig
from crm_core.base.database import connect
from crm_core.contacts.queries import get_contact
from crm_core.contacts.reach import MessengerAccount
from crm_core.intake import EventResult, ParsedEvent, take_in
from crm_core.leads.queries import SpamView, get_lead
from crm_core.parsed import Attribution, Consent, IncomingFile, Inquiry

NOW = datetime(2026, 5, 20, 12, 0, tzinfo=UTC)
ADMIN = Principal("user", 1, "Admin", "admin", None)


class Intake:
    """Takes inquiries in, each in a transaction of its own, as if each had been an event of one source."""

    def __init__(self, config: HubConfig, engine: Engine) -> None:
        self.desk = Desk(config, engine)
        self.config = config
        self.number = 1000
        self.lock = threading.Lock()

    def item(self, *inquiries: Inquiry, seconds: float = 0, ip: str = "", **more: Any) -> ParsedEvent:
        with self.lock:
            self.number += 1
            number = self.number
        given = {"event_id": number, **more}
        return ParsedEvent(
            source_id=self.desk.form_source, source_name="Site", channel="form", parsed_items=inquiries, remote_ip=ip,
            received_at=NOW + timedelta(seconds=seconds), **given,
        )  # fmt: skip

    def take(self, *items: ParsedEvent) -> list[EventResult]:
        with connect(self.config.database_url, "worker") as connection:
            connection.row_factory = dict_row  # type: ignore[assignment]
            with connection.transaction(), connection.cursor() as cursor:
                return take_in(cursor, items, NOW)

    def one(self, inquiry: Inquiry, **more: Any) -> EventResult:
        return self.take(self.item(inquiry, **more))[0]


@pytest.fixture
def intake(config: HubConfig, engine: Engine) -> Iterator[Intake]:
    made = Intake(config, engine)
    yield made
    made.desk.close()


def test_consents_are_kept_by_purpose_with_the_hash_of_their_words(intake: Intake) -> None:
    words = "Я согласен на обработку персональных данных"
    taken = intake.one(
        Inquiry(
            phones=("+79001234567",),
            form_id="f1",
            attribution=Attribution(page_url="https://shop.example.com/p"),
            consents=(
                Consent("processing", True, text=words, text_url="https://shop.example.com/policy", field_name="agree"),
                Consent("marketing", False, field_name="news"),
            ),
        ),
        ip="198.51.100.7",
        user_agent="Mozilla/5.0",
    )
    rows = intake.desk.rows("SELECT * FROM consent ORDER BY purpose DESC")
    assert [(row["purpose"], row["given"], row["lead_id"]) for row in rows] == [
        ("processing", True, taken.lead_id), ("marketing", False, taken.lead_id),
    ]  # fmt: skip
    assert rows[0]["text_sha256"] == hashlib.sha256(words.encode()).hexdigest()
    assert (rows[0]["ip"], rows[0]["user_agent"], rows[0]["form_id"]) == ("198.51.100.7", "Mozilla/5.0", "f1")
    assert rows[0]["captured_at"] == NOW
    (text,) = intake.desk.rows("SELECT * FROM consent_text")
    assert (text["text"], text["sha256"]) == (words, rows[0]["text_sha256"])


def test_changed_words_are_a_new_version_and_the_old_one_cannot_be_altered(intake: Intake) -> None:
    for words in ("Версия 1", "Версия 2", "Версия 1"):
        intake.one(Inquiry(phones=("+79001234567",), message=words, consents=(Consent("processing", True, text=words),)))
    assert intake.desk.one("SELECT count(*) FROM consent") == 3
    assert intake.desk.one("SELECT count(*) FROM consent_text") == 2
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        intake.desk.rows("UPDATE consent_text SET text = 'other' RETURNING id")


def test_one_no_outweighs_a_yes_when_two_boxes_ask_for_the_same_purpose(intake: Intake) -> None:
    boxes = (Consent("marketing", True, field_name="sms"), Consent("marketing", False, field_name="mail"))
    intake.one(Inquiry(phones=("+79001234567",), consents=boxes))
    assert intake.desk.one("SELECT given FROM consent") is False


def test_files_become_attachments_with_the_reason_where_there_is_no_content(intake: Intake) -> None:
    files = (
        IncomingFile("plan.pdf", "application/pdf", 12, "ab" * 32, "file-1"),
        IncomingFile("huge.zip", "application/zip", 99_000_000, "", "file-2", note="too_large"),
        IncomingFile(name="a.pdf", field_name="file-3", url="https://files.example.com/a.pdf"),
    )
    taken = intake.one(Inquiry(phones=("+79001234567",), files=files))
    rows = intake.desk.rows("SELECT * FROM attachment ORDER BY n")
    assert [(row["name"], row["state"], row["note"]) for row in rows] == [
        ("plan.pdf", "stored", ""), ("huge.zip", "refused", "too_large"), ("a.pdf", "to_fetch", ""),
    ]  # fmt: skip
    assert {row["lead_id"] for row in rows} == {taken.lead_id}


def test_a_replay_rewrites_consents_and_keeps_a_file_that_was_fetched_meanwhile(intake: Intake) -> None:
    inquiry = Inquiry(
        phones=("+79001234567",),
        consents=(Consent("processing", True),),
        files=(IncomingFile(name="a.pdf", url="https://files.example.com/a.pdf"),),
    )
    item = intake.item(inquiry)
    intake.take(item)
    intake.desk.rows("UPDATE attachment SET state = 'stored', sha256 = 'cd', size = 5 RETURNING id")
    changed = replace(inquiry, consents=(Consent("marketing", True),), message="Теперь понятнее")
    (again,) = intake.take(replace(item, parsed_items=(changed,), replayed=True))
    assert again.outcome == "created"
    assert [row["purpose"] for row in intake.desk.rows("SELECT purpose FROM consent")] == ["marketing"]
    (file,) = intake.desk.rows("SELECT * FROM attachment")
    assert (file["state"], file["sha256"], file["size"]) == ("stored", "cd", 5)


def test_the_lead_shows_its_consents_files_and_first_touch(intake: Intake, engine: Engine) -> None:
    first = {"utm_source": "ya", "page_url": "https://shop.example.com/?utm_source=ya", "at": "2026-05-01T10:00:00Z"}
    taken = intake.one(
        Inquiry(
            phones=("+79001234567",),
            attribution=Attribution(utm={"utm_source": "vk"}, page_title="Кухни", first=first),
            consents=(Consent("processing", True),),
            files=(IncomingFile("plan.pdf", "application/pdf", 12, "ab" * 32),),
        ),
        spam=({"score": 2, "reasons": [{"code": "links", "points": 2}]},),
    )
    assert taken.lead_id is not None
    with engine.connect() as connection:
        lead = get_lead(connection, ADMIN, taken.lead_id)
    assert lead.attribution["first"] == first
    assert (lead.attribution["utm_source"], lead.attribution["page_title"]) == ("vk", "Кухни")
    assert [one.purpose for one in lead.consents] == ["processing"]
    assert [one.name for one in lead.files] == ["plan.pdf"]
    assert lead.spam == SpamView(2, [{"code": "links", "points": 2}], None)


def test_five_events_of_one_chat_are_one_lead_whatever_the_visitor_calls_himself(intake: Intake, engine: Engine) -> None:
    told = [
        Inquiry(name="Гость 17", thread="chat-1", message="Здравствуйте"),
        Inquiry(thread="chat-1", message="Сколько стоит?"),
        Inquiry(name="Иван", thread="chat-1", phones=("+79001234567",)),
        Inquiry(name="Иван", thread="chat-1", emails=("ivan@example.com",)),
        Inquiry(thread="chat-1", message="Спасибо"),
    ]
    outcomes = [intake.one(inquiry, seconds=n).outcome for n, inquiry in enumerate(told)]
    assert outcomes == ["created", "attached", "attached", "attached", "attached"]
    assert intake.desk.one("SELECT count(*) FROM lead") == 1
    contact_id = intake.desk.one("SELECT contact_id FROM lead")
    with engine.connect() as connection:
        card = get_contact(connection, ADMIN, contact_id)
    assert (card.phones, card.emails) == (("+79001234567",), ("ivan@example.com",))
    assert "thread" not in {one.kind for one in card.identifiers}


def test_a_chat_joins_the_client_whose_phone_is_given_in_it(intake: Intake) -> None:
    known = intake.one(Inquiry(name="Иван Петров", phones=("+79001234567",)))
    intake.one(Inquiry(thread="chat-2", message="Здравствуйте"), seconds=5)
    joined = intake.one(Inquiry(name="Иван", thread="chat-2", phones=("+79001234567",)), seconds=9)
    assert intake.desk.one("SELECT count(DISTINCT root_id) FROM contact") == 1
    assert joined.contact_id == known.contact_id


def test_the_same_chat_id_of_two_sources_is_two_people(intake: Intake) -> None:
    intake.one(Inquiry(thread="7", message="Раз"))
    other = replace(intake.item(Inquiry(thread="7", message="Два")), source_id=intake.desk.call_source)
    intake.take(other)
    assert intake.desk.one("SELECT count(*) FROM contact") == 2


def test_a_messenger_id_joins_a_person_over_sources(intake: Intake) -> None:
    intake.one(Inquiry(name="Иван", messengers={"telegram_id": "501", "telegram": "@Ivan_P"}))
    intake.one(Inquiry(name="Иван", messengers={"telegram": "https://t.me/ivan_p?start=x"}, message="Ещё вопрос"))
    assert intake.desk.one("SELECT count(*) FROM contact") == 1
    kinds = {row["kind"]: row["value"] for row in intake.desk.rows("SELECT kind, value FROM identifier")}
    assert kinds == {"telegram_id": "501", "telegram": "ivan_p"}


def test_a_way_to_reach_somebody_is_shown_even_when_it_is_no_number_and_no_address(intake: Intake, engine: Engine) -> None:
    taken = intake.one(Inquiry(name="Иван", phones=("555705",), emails=("a@b",), messengers={"telegram": "@Ivan_P"}))
    with engine.connect() as connection:
        lead = get_lead(connection, ADMIN, taken.lead_id or 0)
    assert lead.contact.messengers == (MessengerAccount("telegram", "@ivan_p"),)
    assert lead.fields == {"phone": "555705", "email": "a@b"}


def test_ten_concurrent_equal_posts_without_a_key_are_one_lead(intake: Intake) -> None:
    items = [intake.item(Inquiry(name="Иван", message="Хочу кухню"), ip="198.51.100.7") for _ in range(10)]
    threads = [threading.Thread(target=intake.take, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert intake.desk.one("SELECT count(*) FROM lead") == 1
    assert intake.desk.one("SELECT count(*) FROM touch") == 10
    assert intake.desk.one("SELECT count(*) FROM touch WHERE double_of IS NOT NULL") == 9


def test_a_double_click_in_one_batch_is_one_lead(intake: Intake) -> None:
    inquiry = Inquiry(message="Перезвоните", fields={"когда": "утром"})
    taken = intake.take(intake.item(inquiry), intake.item(inquiry, seconds=0.08))
    assert [one.outcome for one in taken] == ["created", "attached"]
    assert taken[1].reason["double"]["rule"] == "double_submission"
    assert taken[0].lead_id == taken[1].lead_id


def test_equal_words_are_two_leads_when_the_window_is_over_or_they_come_from_elsewhere(intake: Intake) -> None:
    inquiry = Inquiry(message="Сколько стоит?")
    intake.one(inquiry, ip="198.51.100.7")
    assert intake.one(inquiry, seconds=601, ip="198.51.100.7").outcome == "created"
    assert intake.one(inquiry, seconds=20, ip="198.51.100.8").outcome == "created"


def test_a_corrected_address_belongs_to_the_same_contact_with_both_values(intake: Intake, engine: Engine) -> None:
    wrong = Inquiry(name="Иван Петров", emails=("ivan.petrov@gmial.com",), message="Хочу кухню")
    right = replace(wrong, emails=("ivan.petrov@gmail.com",))
    first = intake.one(wrong, ip="198.51.100.7")
    second = intake.one(right, seconds=30, ip="198.51.100.7")
    assert (second.outcome, second.contact_id) == ("attached", first.contact_id)
    assert second.reason["double"]["rule"] == "corrected_submission"
    with engine.connect() as connection:
        card = get_contact(connection, ADMIN, first.contact_id or 0)
    assert set(card.emails) == {"ivan.petrov@gmial.com", "ivan.petrov@gmail.com"}


def test_a_correction_to_the_address_of_a_known_client_is_his(intake: Intake) -> None:
    known = intake.one(Inquiry(name="Иван Петров", emails=("ivan.petrov@example.com",)))
    wrong = Inquiry(name="Иван Петров", emails=("ivan.petrof@example.com",), message="Хочу кухню")
    intake.one(wrong, seconds=10, ip="198.51.100.7")
    right = intake.one(replace(wrong, emails=("ivan.petrov@example.com",)), seconds=40, ip="198.51.100.7")
    assert right.contact_id == known.contact_id


def test_two_colleagues_behind_one_address_stay_two_when_their_mails_differ(intake: Intake) -> None:
    intake.one(Inquiry(name="Иван", emails=("ivan@example.com",), message="Хочу кухню"), ip="198.51.100.7")
    other = Inquiry(name="Иван", emails=("boris@example.com",), message="Хочу кухню")
    assert intake.one(other, seconds=5, ip="198.51.100.7").outcome == "created"


def test_an_inquiry_that_waited_in_the_browser_is_dated_back(intake: Intake) -> None:
    queued = Inquiry(phones=("+79001234567",), submitted_at=NOW - timedelta(days=3))
    taken = intake.one(queued)
    assert intake.desk.one("SELECT at FROM touch") == NOW - timedelta(days=3)
    assert intake.desk.one("SELECT received_at FROM lead WHERE id = %s", taken.lead_id) == NOW


def test_a_time_that_cannot_be_is_not_believed(intake: Intake) -> None:
    for told in (NOW + timedelta(days=1), NOW - timedelta(days=400)):
        intake.one(Inquiry(message=told.isoformat(), submitted_at=told))
    assert {row["at"] for row in intake.desk.rows("SELECT at FROM touch")} == {NOW}
