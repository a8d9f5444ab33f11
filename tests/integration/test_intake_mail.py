"""Mails become leads and touches: replies, strangers, second deliveries, robots."""

from __future__ import annotations

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
import robot_mails
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.processing.replay import Selection, replay
from ingest.sources.sources import add_source

IVAN, MARIA = "Иван Петров <ivan@example.com>", "Мария <maria@example.org>"
_IMAP = {"host": "imap.example.com", "user": "sales@hub.example", "password": "x"}


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


@pytest.fixture
def mailbox(desk: Desk) -> int:
    with desk.engine.begin() as connection:
        return add_source(connection, HUB, desk.config, "imap", "Sales", _IMAP).id


def mail(sender: str, subject: str, text: str, message_id: str, **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "sales@hub.example", subject
    message["Message-ID"], message["Date"] = f"<{message_id}>", "Thu, 15 Jan 2026 10:00:00 +0300"
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    message.set_content(text)
    return message.as_bytes()


def test_new_mail_becomes_a_lead_with_its_text_as_first_comment(desk: Desk, mailbox: int) -> None:
    uid = desk.post(mailbox, "mail", mail(IVAN, "Нужна дверь", "Здравствуйте!\nСколько стоит?", "m1@example.com"))
    desk.drain()
    (lead,) = desk.rows("SELECT * FROM lead")
    assert (lead["title"], lead["channel"]) == ("Нужна дверь", "mail")
    assert lead["message"].strip() == "Здравствуйте!\nСколько стоит?"
    (touch,) = desk.rows("SELECT * FROM touch")
    assert (touch["kind"], touch["text"].strip()) == ("mail", lead["message"].strip())
    assert desk.one("SELECT name FROM contact") == "Иван Петров"
    assert desk.event(uid)["outcome"] == "created"


def test_reply_of_a_participant_becomes_a_touch(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", mail(IVAN, "Дверь", "Сколько?", "m1@example.com"))
    desk.drain()
    reply = desk.post(mailbox, "mail", mail(IVAN, "Re: Дверь", "Жду", "m2@example.com", In_Reply_To="<m1@example.com>"))
    desk.drain()
    assert desk.one("SELECT touches FROM lead") == 2
    assert desk.event(reply)["outcome"] == "attached"
    assert desk.event(reply)["reason"]["thread"]["rule"] == "reply_of_a_participant"


def test_stranger_who_claims_a_thread_gets_a_lead_of_his_own(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", mail(IVAN, "Дверь", "Сколько?", "m1@example.com"))
    desk.drain()
    forged = desk.post(
        mailbox, "mail", mail(MARIA, "Re: Дверь", "Пришлите договор", "f1@example.org", References="<m1@example.com>")
    )
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 2
    assert desk.event(forged)["outcome"] == "created"
    assert desk.event(forged)["reason"]["thread"]["rule"] == "claims_to_continue_but_sender_is_a_stranger"


def test_colleague_in_cc_continues_the_thread_without_becoming_the_client(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", mail(IVAN, "Дверь", "Сколько?", "m1@example.com", Cc="olga@example.com"))
    desk.drain()
    desk.post(
        mailbox, "mail", mail("Ольга <olga@example.com>", "Re: Дверь", "И окно", "m2@example.com", In_Reply_To="<m1@example.com>")
    )
    desk.drain()
    assert desk.one("SELECT touches FROM lead") == 2
    assert desk.one("SELECT name FROM contact") == "Иван Петров"
    assert desk.one("SELECT count(*) FROM contact_identifier") == 1


@pytest.mark.parametrize("together", [True, False])
def test_same_mail_through_two_mailboxes_is_one_message(desk: Desk, mailbox: int, together: bool) -> None:
    with desk.engine.begin() as connection:
        other = add_source(connection, HUB, desk.config, "imap", "Info", {**_IMAP, "user": "info@hub.example"}).id
    raw = mail(IVAN, "Дверь", "Сколько?", "m1@example.com")
    desk.post(mailbox, "mail", raw)
    if not together:
        desk.drain()
    second = desk.post(other, "mail", raw.replace(b"\n\n", b"\nX-Footer: other\n\n", 1))
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert desk.one("SELECT touches FROM lead") == 1
    assert desk.one("SELECT count(*) FROM mail_message") == 1
    assert desk.one("SELECT count(*) FROM mail_delivery") == 2
    assert desk.event(second)["outcome"] == "attached"
    assert desk.event(second)["reason"]["code"] == "second_delivery_of_a_known_message"


def test_same_message_id_with_another_date_is_another_mail(desk: Desk, mailbox: int) -> None:
    raw = mail(IVAN, "Заявка", "Первая", "same@example.com")
    desk.post(mailbox, "mail", raw)
    desk.post(mailbox, "mail", raw.replace(b"10:00:00", b"11:00:00"))
    desk.drain()
    assert desk.one("SELECT count(*) FROM mail_message") == 2
    assert desk.one("SELECT touches FROM lead") == 2


def test_automatic_mail_makes_no_lead_and_is_in_the_ledger(desk: Desk, mailbox: int) -> None:
    uid = desk.post(mailbox, "mail", mail(IVAN, "Автоответ", "Я в отпуске", "a1@example.com", Auto_Submitted="auto-replied"))
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 0
    assert desk.event(uid)["outcome"] == "auto"


def test_robots_mail_belongs_to_the_person_in_reply_to(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", mail("Site <noreply@site.example>", "Форма", "Заявка", "r1@site.example", Reply_To=IVAN))
    desk.drain()
    assert desk.one("SELECT value FROM identifier") == "ivan@example.com"


def test_mail_form_and_call_of_one_person_are_one_lead(desk: Desk, mailbox: int) -> None:
    desk.form(name="Иван Петров", phone="+79213334455", email="ivan@example.com")
    desk.post(mailbox, "mail", mail(IVAN, "Дверь", "Сколько?", "m1@example.com"))
    desk.call("hangup", "c1", "+79213334455", cause="cancel")
    desk.drain()
    assert desk.one("SELECT count(*) FROM contact") == 1
    assert desk.one("SELECT touches FROM lead") == 3


def test_mail_without_sender_still_becomes_a_lead(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", b"Subject: hello\r\n\r\nno sender at all\r\n")
    desk.drain()
    assert desk.one("SELECT title FROM lead") == "hello"


def test_replayed_mails_change_nothing(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", mail(IVAN, "Дверь", "Сколько?", "m1@example.com"))
    desk.post(mailbox, "mail", mail(IVAN, "Re: Дверь", "Жду", "m2@example.com", In_Reply_To="<m1@example.com>"))
    desk.post(mailbox, "mail", mail(IVAN, "Отпуск", "нет", "a1@example.com", Auto_Submitted="auto-replied"))
    desk.drain()
    tables = ("inbound_event", "lead", "touch", "mail_message", "mail_delivery", "contact")

    def state() -> object:
        counts = [desk.one(f"SELECT count(*) FROM {table}") for table in tables]
        return counts, desk.rows("SELECT uid, outcome, lead_id FROM inbound_event ORDER BY id")

    before = state()
    assert replay(desk.engine, HUB, desk.config, Selection(state="done"), True).changes == []
    replay(desk.engine, HUB, desk.config, Selection(state="done"), False)
    desk.drain()
    assert state() == before


def test_colleagues_mail_makes_no_contact_when_the_address_is_ours(desk: Desk) -> None:  # identity case 43
    with desk.engine.begin() as connection:
        ours = add_source(connection, HUB, desk.config, "imap", "Sales", {**_IMAP, "own_addresses": "boss@hub.example"}).id
    uid = desk.post(ours, "mail", mail("Boss <boss@hub.example>", "Fwd: Дверь", "От: ivan@example.com", "b1@hub.example"))
    desk.drain()
    assert desk.one("SELECT count(*) FROM contact") == 0
    assert (desk.event(uid)["outcome"], desk.event(uid)["reason"]["code"]) == ("auto", "own")


VISITORS = ("Olga Example <olga@example.com>", "Pavel Example <pavel@example.com>", "Rita Example <rita@example.com>")


@pytest.mark.parametrize(
    "sender",
    ["Site <sales@hub.example>", "Site <SALES@hub.example>", "Site <info@hub.example>", "WordPress <wordpress@example.org>",
     "noreply@example.org"],
)  # fmt: skip
def test_each_visitor_is_a_contact_when_our_own_mailbox_or_a_robot_writes_for_them(desk: Desk, mailbox: int, sender: str) -> None:
    """The site sends its form's mail under the address of the mailbox itself; who wants something stands in Reply-To."""
    with desk.engine.begin() as connection:
        add_source(connection, HUB, desk.config, "imap", "Info", {**_IMAP, "user": "info@hub.example", "folder": "Info"})
    for n, visitor in enumerate(VISITORS):
        desk.post(mailbox, "mail", mail(sender, "Форма", "Сколько?", f"v{n}@example.com", Reply_To=visitor))
        if n == 0:
            desk.drain()
    desk.drain()
    assert desk.rows("SELECT name FROM contact ORDER BY id") == [{"name": v.partition(" <")[0]} for v in VISITORS]
    assert desk.one("SELECT count(*) FROM lead") == 3
    emails = {row["value"] for row in desk.rows("SELECT value FROM identifier WHERE kind = 'email'")}
    assert emails == {"olga@example.com", "pavel@example.com", "rita@example.com"}


def test_visitors_of_a_robot_that_names_nobody_are_not_one_person(desk: Desk, mailbox: int) -> None:
    for n in range(2):
        desk.post(mailbox, "mail", mail("Site <noreply@example.org>", f"Форма {n}", f"Вопрос {n}", f"r{n}@example.org"))
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 2
    assert desk.one("SELECT count(*) FROM identifier WHERE kind = 'email'") == 0


def test_our_mailbox_in_a_form_identifies_nobody(desk: Desk, mailbox: int) -> None:
    for n in range(2):
        desk.form(name=f"Visitor {'AB'[n]}", email="sales@hub.example", message=f"Question {n}")
    desk.drain()
    assert desk.one("SELECT count(*) FROM contact") == 2
    assert desk.one("SELECT count(*) FROM identifier") == 0


@pytest.mark.parametrize("at_once", [True, False], ids=["in_one_batch", "one_after_the_other"])
@pytest.mark.parametrize("kind", list(robot_mails.ROBOTS))
def test_two_visitors_are_two_contacts_whatever_program_writes_for_them(
    desk: Desk, mailbox: int, kind: str, at_once: bool
) -> None:
    visitors, robot = (robot_mails.OLGA, robot_mails.PAVEL), robot_mails.ROBOTS[kind]
    for number, visitor in enumerate(visitors):
        desk.post(mailbox, "mail", robot_mails.mail(kind, visitor, number))
        if not at_once:
            desk.drain()
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 2
    contacts = desk.rows("SELECT id, name FROM contact ORDER BY id")
    assert len(contacts) == 2
    found = {(row["contact_id"], row["kind"], row["value"]) for row in desk.rows(
        "SELECT l.contact_id, i.kind, i.value FROM contact_identifier l JOIN identifier i ON i.id = l.identifier_id"
    )}  # fmt: skip
    wanted = set()
    for contact, visitor in zip(contacts, visitors, strict=True):
        if robot.says("name") and kind != "avito":
            assert contact["name"] == visitor.name
        wanted |= {(contact["id"], "phone", visitor.number)} if robot.says("phone") else set()
        wanted |= {(contact["id"], "email", visitor.email)} if robot.says("email") else set()
        if kind == "zillow":  # the portal's own address for this client
            wanted.add((contact["id"], "email", f"{visitor.email.replace('@', '-')}@convo.zillow.com"))
    assert found == wanted, "the program's, the site's and our own addresses and numbers are nobody's"


def test_person_who_writes_labels_stays_the_client(desk: Desk, mailbox: int) -> None:
    """A signature, a template filled in by hand: nobody stands between this person and us."""
    signature = "Need a door.\n\nBest regards,\nIvan\nTel: +7 912 345-67-05\nEmail: office@firm.example"
    desk.post(mailbox, "mail", mail(IVAN, "Door", signature, "p1@example.com"))
    desk.post(mailbox, "mail", mail(MARIA, "Дверь", "Имя: Мария\nТелефон: +7 912 345-67-06\nСообщение: жду", "p2@example.org"))
    desk.drain()
    emails = {row["value"] for row in desk.rows("SELECT value FROM identifier WHERE kind = 'email'")}
    assert {"ivan@example.com", "maria@example.org"} <= emails
    assert desk.one("SELECT count(*) FROM contact") == 2


def test_colleague_who_answers_stays_in_the_thread(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", mail(IVAN, "Дверь", "Сколько?", "m1@example.com", Cc="boss@hub.example"))
    desk.drain()
    desk.post(
        mailbox, "mail", mail("Boss <boss@hub.example>", "Re: Дверь", "Тысяча", "m2@hub.example", In_Reply_To="<m1@example.com>")
    )
    desk.drain()
    assert desk.one("SELECT count(*) FROM lead") == 1
    assert desk.rows("SELECT value FROM identifier") == [{"value": "ivan@example.com"}]


def test_dry_run_knows_our_other_mailboxes(desk: Desk, mailbox: int) -> None:
    with desk.engine.begin() as connection:
        add_source(connection, HUB, desk.config, "imap", "Info", {**_IMAP, "user": "info@hub.example", "folder": "Info"})
    uids = [
        desk.post(mailbox, "mail", mail("Site <info@hub.example>", "Форма", "Сколько?", f"d{n}@example.com", Reply_To=who))
        for n, who in enumerate(VISITORS)
    ]
    desk.drain()
    assert replay(desk.engine, HUB, desk.config, Selection(uids=tuple(uids)), True).changes == []


_FORWARDED = "Займись.\nМой номер +7 912 345-67-09\n\n---------- Forwarded message ---------\nОт: Olga Example <olga@example.com>\nDate: ср, 14 янв. 2026 г. в 09:31\nSubject: Дверь\nTo: <info@hub.example>\n\nСколько стоит? +7 912 345-67-05"  # fmt: skip


@pytest.mark.parametrize("colleague", ["Boss <boss@hub.example>", "Sales <sales@hub.example>", "Boss <boss.private@gmail.com>"])
def test_colleagues_forward_is_the_clients_inquiry(desk: Desk, colleague: str) -> None:
    with desk.engine.begin() as connection:
        settings = {**_IMAP, "own_addresses": "bossprivate@gmail.com"}
        ours = add_source(connection, HUB, desk.config, "imap", "Sales", settings).id
    desk.post(ours, "mail", mail(colleague, "Fwd: Дверь", _FORWARDED, "f1@hub.example"))
    other = _FORWARDED.replace("Olga", "Pavel").replace("olga", "pavel").replace("67-05", "67-06")
    desk.post(ours, "mail", mail(colleague, "Fwd: Окно", other, "f2@hub.example"))
    desk.drain()
    assert desk.rows("SELECT name FROM contact ORDER BY id") == [{"name": "Olga Example"}, {"name": "Pavel Example"}]
    values = {row["value"] for row in desk.rows("SELECT value FROM identifier")}
    assert values == {"olga@example.com", "+79123456705", "pavel@example.com", "+79123456706"}
    assert desk.one("SELECT count(*) FROM lead") == 2


def test_client_who_forwards_stays_the_client(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", mail(MARIA, "Fwd: Дверь", _FORWARDED, "f1@example.org"))
    desk.drain()
    assert "maria@example.org" in {row["value"] for row in desk.rows("SELECT value FROM identifier")}
    assert "olga@example.com" not in {row["value"] for row in desk.rows("SELECT value FROM identifier")}


def test_form_that_a_colleague_forwards_is_its_visitors(desk: Desk, mailbox: int) -> None:
    text = "---------- Forwarded message ---------\nFrom: Tilda <noreply@tilda.ws>\nDate: Wed, 14 Jan 2026\nSubject: Form\nTo: <boss@hub.example>\n\nName: Olga Example\nPhone: +7 912 345-67-05\nEmail: olga@example.com\n"  # fmt: skip
    desk.post(mailbox, "mail", mail("Boss <boss@hub.example>", "Fwd: Form", text, "f3@hub.example"))
    desk.drain()
    assert {row["value"] for row in desk.rows("SELECT value FROM identifier")} == {"olga@example.com", "+79123456705"}


def test_answer_shows_what_is_new_and_keeps_the_whole(desk: Desk, mailbox: int) -> None:
    desk.post(mailbox, "mail", mail(IVAN, "Дверь", "Сколько?", "m1@example.com"))
    answer = "Беру.\n\nср, 30 апр. 2025 г. в 15:19, Sales <sales@hub.example>:\n> Тысяча\n"
    uid = desk.post(mailbox, "mail", mail(IVAN, "Re: Дверь", answer, "m2@example.com", In_Reply_To="<m1@example.com>"))
    strange = desk.post(mailbox, "mail", mail(MARIA, "Re: Окно", answer, "m3@example.org", In_Reply_To="<unknown@example.org>"))
    desk.drain()
    told = {row["event_id"]: row for row in desk.rows("SELECT event_id, text, data FROM touch WHERE kind = 'mail'")}
    first = told[desk.event(uid)["id"]]
    assert first["text"] == "Беру."
    assert first["data"]["whole_text"].strip() == answer.strip()
    assert told[desk.event(strange)["id"]]["text"].strip() == answer.strip(), "a first mail is shown whole"
    replay(desk.engine, HUB, desk.config, Selection(uids=(uid,)), False)
    desk.drain()
    assert desk.one(f"SELECT text FROM touch WHERE event_id = {desk.event(uid)['id']}") == "Беру."
