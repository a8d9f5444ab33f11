"""What a mail says: text, people, keys, machines. And that nothing, however broken, comes out as an exception."""

from __future__ import annotations

import gc
import tracemalloc
from datetime import UTC, datetime
from typing import Any

import mail_samples
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.kit import Request
from connectors.mail.imap import CONNECTOR, ImapConfig
from connectors.mail.imap import limits as bounds
from crm_core.parsed import Message

CONFIG = ImapConfig(host="imap.example.com", user="sales@example.com", password="x", region="RU")
AT = datetime(2026, 11, 20, 7, 0, 30, tzinfo=UTC)


def read(raw: bytes | str, config: ImapConfig = CONFIG, **headers: str) -> Message:
    """Parses; `headers` as x_imap_internaldate="…"."""
    body = raw.encode() if isinstance(raw, str) else raw
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    found = CONNECTOR.parse(Request("IMAP", "INBOX", "uid=1&uidvalidity=2", named, body, AT), config)
    assert len(found) == 1
    assert isinstance(found[0], Message)
    return found[0]


def mail(
    head: str = "",
    text: str = "Hello",
    *,
    sender: str = "Ann <ann@example.org>",
    date: str = mail_samples.DATE,
    mid: str = "a@example.org",
) -> str:
    lines = [f"From: {sender}", "To: sales@example.com"]
    lines += [f"Date: {date}"] if date else []
    lines += [f"Message-ID: <{mid}>"] if mid else []
    lines += [head.strip()] if head else []
    return "\r\n".join(lines) + "\r\n\r\n" + text


@pytest.mark.parametrize("made", list(mail_samples.matrix()), ids=lambda made: made.name)
def test_every_charset_and_structure_is_read(made: mail_samples.Made) -> None:
    message = read(made.raw)
    assert message.subject == made.expected["subject"]
    assert message.sender is not None
    assert message.sender.name == made.expected["sender_name"]
    assert made.expected["text"] in message.text
    assert message.text.count(made.expected["text"]) == 1, "one of two alternatives, not both"
    assert not message.warnings


@pytest.mark.parametrize("name", list(mail_samples.bombs()))
def test_bomb_becomes_a_message(name: str) -> None:
    raw = mail_samples.bombs()[name]
    gc.collect()
    tracemalloc.start()
    message = read(raw)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert "call me back" in message.text
    assert message.subject.startswith("bomb")
    assert peak < 12 * len(raw) + 20_000_000, "memory stays in proportion to the mail"
    assert len(message.to) <= bounds.ADDRESSES


def test_hundred_thousand_lines_under_thirty_boundaries_are_read_as_lines() -> None:
    opening = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (n, n) for n in range(25))
    message = read(b"Subject: deep\r\n" + opening + b"\r\n" + b"a\r\n" * 500_000)
    assert "too_many_lines" in message.warnings
    assert message.subject == "deep"


@given(st.binary(max_size=2_000))
@settings(max_examples=150, deadline=None)
def test_any_bytes_become_a_message(raw: bytes) -> None:
    message = read(raw)
    assert message.dedup_key
    assert "\x00" not in message.text + message.subject


_TOKENS = [
    b"Content-Type: multipart/mixed; boundary=b\r\n", b"--b\r\n", b"--b--\r\n", b"\r\n", b"Content-Type: message/rfc822\r\n",
    b"Content-Type: text/html; charset=koi8-r\r\n", b"Content-Transfer-Encoding: base64\r\n", b"0J/RgNC40LLQtdGC\r\n",
    b"From: =?utf-8?b?0J?= <a@example.org>\r\n", b"Subject: =?koi8-r?q?=F0?= =?x?y?z?=\r\n", b"<p>\xcf\xf0\xe8\r\n", b"\xff\xfe\r\n",
    b"Content-Type: multipart/alternative; boundary=c\r\n", b"--c\r\n", b"Date: 45 Foo 99999 99:99\r\n", b"begin 644 x\r\n",
    b"Content-Disposition: attachment; filename*0*=utf-8''%D0; filename*1=x\r\n", b"Content-Type: message/delivery-status\r\n",
    b"Content-Type: multipart/digest; boundary=b\r\n", b"Content-Transfer-Encoding: x-uuencode\r\n", b"Content-Type: \r\n",
]  # fmt: skip


@given(st.lists(st.sampled_from(_TOKENS), max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_shuffling_of_mime_becomes_the_same_message_twice(parts: list[bytes]) -> None:
    raw = b"".join(parts)
    assert read(raw) == read(raw)
    assert not {"structure_unreadable", "unreadable"} & set(read(raw).warnings)


def test_empty_mail_becomes_a_message() -> None:
    message = read(b"")
    assert (message.sender, message.subject, message.text) == (None, "", "")
    assert message.dedup_key.startswith("raw:")


# -- text


def test_html_becomes_lines_cells_and_targets() -> None:
    html = (
        "<html><head><title>no</title></head><body><div style='display:none'>preview</div><p>First<br>second</p><table>"
        "<tr><td>Phone</td><td>+7 912 345-67-01</td></tr></table><ul><li>one</li></ul><script>no()</script>"
        "<a href='https://example.org/x'></a> <a href='tel:+79123456702'>call</a></body></html>"
    )
    message = read(mail("Content-Type: text/html; charset=utf-8", html))
    assert message.text.splitlines() == [
        "First", "second", "", "Phone\t+7 912 345-67-01", "", "- one", "", "https://example.org/x call (+79123456702)",
    ]  # fmt: skip
    assert message.fields["text_from"] == "html"


def test_meta_charset_is_used_when_the_mail_names_none() -> None:
    html = "<html><meta charset='windows-1251'><p>Нужна цена</p></html>".encode("cp1251")
    assert read(mail("Content-Type: text/html", "").encode() + html).text == "Нужна цена"


def test_wrongly_declared_charset_is_seen_through() -> None:
    for actual, declared in (
        ("cp1251", "iso-8859-1"),
        ("koi8-r", "us-ascii"),
        ("cp1251", "utf-8"),
        ("utf-8", "iso-8859-1"),
        ("koi8-r", "cp1251"),
    ):
        raw = mail(f"Content-Type: text/plain; charset={declared}", "").encode() + "Пришлите прайс на трубы".encode(actual)
        assert read(raw).text == "Пришлите прайс на трубы", (actual, declared)


def test_attachments_are_listed_with_safe_names_and_digests() -> None:
    parts = (
        'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\nSee files\r\n--b\r\nContent-Type: application/pdf; '
        "name=x.pdf\r\nContent-Disposition: attachment; filename*=UTF-8''..%2F%D0%A1%D1%87%D1%91%D1%82.pdf\r\n"
        "Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; "
        'filename="=?utf-8?b?0L/RgNCw0LnRgS50eHQ=?="\r\n\r\nprice\r\n--b--\r\n'
    )
    raw = f"From: a@example.org\r\n{parts}"
    message = read(raw)
    assert message.text == "See files"
    assert [(one["name"], one["type"], one["size"]) for one in message.attachments] == [
        ("Счёт.pdf", "application/pdf", 5), ("прайс.txt", "text/plain", 5),
    ]  # fmt: skip
    assert message.attachments[0]["sha256"] == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"


def test_attached_mail_gives_its_text_to_a_forward_without_words() -> None:
    inner = "From: Client <client@example.org>\r\nSubject: Pumps\r\n\r\nI need pumps"
    raw = f'From: a@example.org\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n'
    message = read(raw)
    assert "I need pumps" in message.text
    assert "client@example.org" in message.text
    assert message.attachments[0]["type"] == "message/rfc822"


# -- people and keys


@pytest.mark.parametrize(
    "written,email,name",
    [
        ("Ann Lee <ann@example.org>", "ann@example.org", "Ann Lee"),
        ("ann@example.org (Ann Lee)", "ann@example.org", "Ann Lee"),
        ('"Lee, Ann" <ann@example.org>', "ann@example.org", "Lee, Ann"),
        (
            "=?utf-8?b?0JjQstCw0L0=?= =?utf-8?b?INCf0LXRgtGA0L7Qsg==?= <ivan@example.org>",
            "ivan@example.org",
            "Иван Петров",
        ),
        ('"=?koi8-r?Q?=E9=D7=C1=CE?=" <ivan@example.org>', "ivan@example.org", "Иван"),
        ("ann@example.org", "ann@example.org", ""),
        ("<ann@example.org>", "ann@example.org", ""),
        ('"ann@example.org" <ann@example.org>', "ann@example.org", ""),
        ("Group: ann@example.org;", "ann@example.org", ""),
        ("Ann Lee", "", "Ann Lee"),
        ("alice@example.org <mallory@example.net>", "mallory@example.net", "alice@example.org"),
        ("<a@good.example@evil.example>", "", "a@good.example@evil.example"),
    ],
)
def test_sender_is_read_as_people_write_it(written: str, email: str, name: str) -> None:
    sender = read(mail(sender=written)).sender
    assert sender is not None
    assert (sender.email, sender.name) == (email, name)


def test_sender_whose_name_shows_another_address_is_marked() -> None:
    assert "name_shows_another_address" in read(mail(sender='"boss@example.com" <mallory@example.net>')).warnings
    assert "name_shows_another_address" not in read(mail(sender='"ann@example.org" <ann@example.org>')).warnings


def test_raw_eight_bit_headers_are_read() -> None:
    raw = "From: Иван <ivan@example.org>\r\nSubject: Запрос цены\r\n\r\nтекст".encode("cp1251")
    message = read(raw)
    assert (message.subject, message.sender and message.sender.name, message.text) == (
        "Запрос цены",
        "Иван",
        "текст",
    )


def test_split_multibyte_words_are_joined_before_decoding() -> None:
    subject = "=?utf-8?b?0J/RgNC40LLQtQ==?=\r\n =?utf-8?b?0YI=?= and =?UTF-8?Q?=D0?= =?utf-8?Q?=B0?="
    assert read(mail(f"Subject: {subject}")).subject == "Привет and а"


def test_references_are_the_last_thirty_two_and_ids_are_bare() -> None:
    ids = " ".join(f"<r{n}@example.org>" for n in range(120))
    message = read(mail(f"References: {ids}\r\nIn-Reply-To: <x@example.org>,<y@example.org> (Ann's message of Monday)"))
    assert message.references == tuple(f"r{n}@example.org" for n in range(88, 120))
    assert message.in_reply_to == ("x@example.org", "y@example.org")
    assert message.message_id == "a@example.org"


def test_two_copies_through_two_mailboxes_have_one_key() -> None:
    first = mail("Subject: Hi\r\nReceived: from a\r\nDelivered-To: sales@example.com", "Hello")
    second = mail(
        "Subject: [EXTERNAL] Hi\r\nReceived: from b\r\nDelivered-To: info@example.com",
        "Hello\r\n-- \r\nlist footer",
    )
    assert read(first).dedup_key == read(second).dedup_key
    assert read(first).dedup_key.startswith("mid:")
    assert read(second).delivered_to == ("info@example.com",)


def test_one_message_id_on_two_mails_makes_two_keys() -> None:
    assert read(mail()).dedup_key != read(mail(date="Fri, 20 Nov 2026 10:00:01 +0300")).dedup_key
    assert read(mail()).dedup_key != read(mail(sender="bob@example.org")).dedup_key
    assert read(mail()).dedup_key == read(mail(date="Fri, 20 Nov 2026 07:00:00 +0000")).dedup_key


def test_mail_without_message_id_is_known_again_by_its_content() -> None:
    first, again = mail("Received: a", mid=""), mail("Received: b", mid="")
    assert read(first).dedup_key == read(again).dedup_key
    assert read(first).dedup_key.startswith("hdr:")
    assert read(first).dedup_key != read(mail(text="Other", mid="")).dedup_key


def test_mail_without_id_and_date_is_known_again_within_a_minute() -> None:
    first = mail("Received: a\r\nX-Spam: 1", mid="", date="")
    again = mail("Received: b\r\nX-Spam: 2", mid="", date="")
    when = "2026-11-20T10:00:10+03:00"
    assert read(first, x_imap_internaldate=when).dedup_key == read(again, x_imap_internaldate=when).dedup_key
    assert read(first, x_imap_internaldate=when).dedup_key.startswith("raw:")
    assert (
        read(first, x_imap_internaldate=when).dedup_key != read(first, x_imap_internaldate="2026-11-20T10:02:00+03:00").dedup_key
    )


@pytest.mark.parametrize(
    "date,expected",
    [
        ("Fri, 20 Nov 2026 09:00:00 +0300", datetime(2026, 11, 20, 6, 0, tzinfo=UTC)),
        ("Tue, 19 Jan 2038 03:14:07 +0000", datetime(2026, 11, 21, 7, 0, tzinfo=UTC)),
        ("Thu, 1 Jan 1970 00:00:00 +0000", datetime(2026, 11, 19, 7, 0, tzinfo=UTC)),
        ("the day before yesterday", None),
        ("Fri, 32 Nov 99999 10:00:00", None),
        ("", None),
    ],
)
def test_date_is_believed_a_day_around_the_servers_own(date: str, expected: datetime | None) -> None:
    assert read(mail(date=date), x_imap_internaldate="2026-11-20T10:00:00+03:00").sent_at == expected


# -- machines


@pytest.mark.parametrize(
    "head,sender,kind",
    [
        (
            "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
            "mailer-daemon@example.org",
            "bounce",
        ),
        ("X-Failed-Recipients: a@example.org", "mailer-daemon@example.org", "bounce"),
        ("Return-Path: <>", "MAILER-DAEMON@example.org", "bounce"),
        ("Return-Path: <>", "ann@example.org", ""),
        ("Auto-Submitted: auto-replied (vacation)", "ann@example.org", "auto_reply"),
        ("Auto-Submitted: auto-generated", "wordpress@site.example", ""),
        ("Auto-Submitted: no", "ann@example.org", ""),
        ("X-Autoreply: yes", "ann@example.org", "auto_reply"),
        ("Precedence: auto_reply", "ann@example.org", "auto_reply"),
        ("Precedence: bulk", "ann@example.org", ""),
        ("X-Auto-Response-Suppress: All", "ann@example.org", ""),
        (
            "Subject: =?utf-8?b?0JDQstGC0L7QvtGC0LLQtdGCOiDQsiDQvtGC0L/Rg9GB0LrQtQ==?=\r\nIn-Reply-To: <a@example.com>",
            "ann@example.org",
            "auto_reply",
        ),
        ("Subject: Out of office\r\nX-Auto-Response-Suppress: All", "ann@example.org", "auto_reply"),
        ("Subject: Automatic reply: Prices\r\nReturn-Path: <>", "ann@example.org", "auto_reply"),
        ("Subject: Automatic reply: Prices", "ann@example.org", ""),
        ("Subject: Out of office: need a quote for relocation", "ann@example.org", ""),
        ("Subject: Undelivered order 455", "ann@example.org", ""),
        ("Subject: Warning: delivery failure of order 455", "postmaster@example.org", ""),
        ("Subject: Undelivered Mail Returned to Sender", "Mail Delivery System <post_master@example.org>", ""),
        ("Auto-Submitted: auto-notified", "forms@site.example", ""),
        ("Subject: Out of office furniture, we need more", "ann@example.org", ""),
        ("", "sales@example.com", "own"),
        ("Reply-To: visitor@example.org", "sales@example.com", ""),
    ],
)
def test_machines_are_known_by_their_headers(head: str, sender: str, kind: str) -> None:
    message = read(mail(head, sender=sender))
    assert message.automatic == kind
    assert bool(message.fields.get("automatic_evidence")) == bool(kind)


@pytest.mark.parametrize(
    "head,sender,text,kind",
    [
        (
            "Subject: Undelivered",
            "Mail Delivery System <post_master@example.org>",
            "550 5.1.1 <a@example.com>: user unknown",
            "bounce",
        ),
        (
            "Subject: failure notice",
            "MAILER-DAEMON@example.org",
            "Giving up on 192.0.2.1.\n--- Below this line is a copy of the message.",
            "bounce",
        ),
        (
            "Subject: x\r\nReturn-Path: <>",
            "noreply@example.org",
            "550 no such user\n\nReceived: from a\nMessage-ID: <b@example.com>",
            "bounce",
        ),
        ("Subject: mail", "no-reply@sns.example", '{"notificationType":"Bounce","bounce":{}}', "bounce"),
        ("Subject: FW: spam", "fbl@example.org", "Feedback-Type: abuse\nUser-Agent: X/1\n", "feedback"),
        (
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
            "ann@example.org",
            "--b--",
            "receipt",
        ),
        ("Content-Type: multipart/report; report-type=feedback-report; boundary=b", "fbl@example.org", "--b--", "feedback"),
        (
            "Subject: Fwd: Undelivered Mail",
            "ann@example.org",
            "What is this?\n550 5.1.1 user unknown\nFinal-Recipient: rfc822; b@example.com",
            "",
        ),
        ("Subject: Returned mail", "postmaster@example.org", "We want to order a new mail server.", ""),
        ("Auto-Submitted: auto-replied", "site@forms.example", "Name: Olga\nPhone: +7 912 345-67-05\nMessage: call me", ""),
    ],
)
def test_notices_are_known_by_evidence_that_agrees_and_people_are_not_lost(head: str, sender: str, text: str, kind: str) -> None:
    message = read(mail(head, text.replace("\n", "\r\n"), sender=sender))
    assert message.automatic == kind
    assert bool(message.fields.get("automatic_evidence")) == bool(kind)


def test_bounce_that_a_person_encloses_is_an_inquiry() -> None:
    inner = mail(
        "Content-Type: multipart/report; report-type=delivery-status; boundary=c",
        "--c\r\nContent-Type: message/delivery-status\r\n\r\nAction: failed\r\n--c--",
    )
    raw = mail(
        "Content-Type: multipart/mixed; boundary=b",
        f"--b\r\n\r\nWhy does this come back?\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--",
    )
    assert read(raw).automatic == ""


@pytest.mark.parametrize(
    "text", ["-" * 1_000_000, "a" * 1_000_000, " " * 1_000_000, "5.1.1 " * 200_000, "On " * 300_000, "From: a\r\n" * 100_000]
)
def test_hostile_text_costs_no_time(text: str) -> None:
    assert read(mail("Subject: Undelivered", text, sender="mailer-daemon@example.org")).automatic in ("", "bounce")


def test_fetch_remarks_become_warnings() -> None:
    assert "oversize" in read(mail(), x_imap_oversize="99").warnings
    assert "body_not_fetched" in read(mail(), x_imap_quarantined="timeout").warnings


# -- numbers


@pytest.mark.parametrize(
    "text,found",
    [
        ("Звоните 8 (912) 345-67-01", ["+79123456701"]),
        ("+7-912-345-67-01 доб. 12", ["+79123456701;ext=12"]),
        ("тел 9123456701", ["+79123456701"]),
        ("89123456701", ["+79123456701"]),
        ("+49 30 901820", ["+4930901820"]),
        ("9123456701", []),
        ("ИНН 9123456701", []),
        ("ИНН: 7707083893, р/с 40702810900000005555", []),
        ("Заказ № 89123456701", []),
        ("номер карты 4276 8000 1234 5678", []),
        ("8 912 345-67-01 и +7 (912) 345 67 01", ["+79123456701"]),
        (
            "Мой +7 912 345-67-01\r\n\r\n20.11.2026 10:00, Sales <sales@example.com>:\r\n> +7 912 345-67-02",
            ["+79123456701"],
        ),
        ("Мой +7 912 345-67-01\r\n\r\nOn Fri, Ann wrote:\r\n> call +7 912 345-67-02", ["+79123456701"]),
    ],
)
def test_phones_are_found_in_the_senders_own_words(text: str, found: list[str]) -> None:
    assert list(read(mail("Content-Type: text/plain; charset=utf-8", text)).phones) == found


# -- settings


def test_settings_are_read_from_a_command_line() -> None:
    config = ImapConfig.model_validate(
        {
            "host": " imap.example.com ",
            "port": "1143",
            "user": "sales@example.com",
            "password": "x",
            "own_addresses": "A@example.com, b@example.com",
        }
    )
    assert (config.host, config.actual_port, config.start) == ("imap.example.com", 1143, "new")
    assert config.ours == {"a@example.com", "b@example.com", "sales@example.com"}
    assert ImapConfig(host="h", user="u", password="p").actual_port == 993
    assert ImapConfig(host="h", user="u", password="p", security="starttls").actual_port == 143


@pytest.mark.parametrize(
    "wrong", [{"start": "yesterday"}, {"port": 70_000}, {"security": "ssl"}, {"host": "a\r\nb"}, {"host": ""}]
)
def test_settings_that_cannot_be_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        ImapConfig.model_validate({"host": "h", "user": "u", "password": "p", **wrong})


@pytest.mark.parametrize(
    "unit",
    ["<div>", "<b id={}><p>", "<b id={}><select></b></select><p>", "<table><tr><td>", "<a><p>", "<"],
)
def test_html_that_is_slow_to_build_a_tree_of_keeps_its_words(unit: str) -> None:
    html = "<style>p {}</style><p>call&nbsp;me</p>" + "".join(unit.format(n) for n in range(50_000)) + "<p>back</p>"
    words = read(mail("Content-Type: text/html; charset=utf-8", html)).text.split()
    assert words[:2] == ["call", "me"]
    assert words[-1].endswith("back")
