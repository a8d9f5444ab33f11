"""Times, raw bytes and form fields as people see them."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from connectors.kit import registry
from ingest.journal.queries import RawEvent
from webhooks.console.events.raw_view import hex_dump, shown_raw, visible
from webhooks.console.shell import clock
from webhooks.console.shell.language import Language
from webhooks.console.sources.setting_errors import why_wrong
from webhooks.console.sources.setup_form import changed_settings, fields_of, given_settings

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
MOSCOW = ZoneInfo("Europe/Moscow")
EN, RU = Language("en"), Language("ru")


@pytest.mark.parametrize(
    "at, english, russian",
    [
        (datetime(2026, 11, 21, 11, 59, 30, tzinfo=UTC), "just now", "только что"),
        (datetime(2026, 11, 21, 11, 48, tzinfo=UTC), "12 min ago", "12 мин назад"),
        (datetime(2026, 11, 21, 12, 14, tzinfo=UTC), "in 14 min", "через 14 мин"),
        (datetime(2026, 11, 21, 6, 5, tzinfo=UTC), "09:05", "09:05"),
        (datetime(2026, 11, 20, 20, 59, tzinfo=UTC), "yesterday 23:59", "вчера 23:59"),
        (datetime(2026, 11, 20, 21, 1, tzinfo=UTC), "00:01", "00:01"),  # today already, in Moscow
        (datetime(2026, 11, 22, 9, 0, tzinfo=UTC), "tomorrow 12:00", "завтра 12:00"),
        (datetime(2026, 3, 1, 9, 0, tzinfo=UTC), "1 Mar, 12:00", "1 мар, 12:00"),
        (datetime(2025, 5, 9, 9, 0, tzinfo=UTC), "9 May 2025", "9 мая 2025"),
    ],
)
def test_moment_is_told_by_its_distance(at: datetime, english: str, russian: str) -> None:
    assert clock.relative(at, NOW, MOSCOW, EN) == english
    assert clock.relative(at, NOW, MOSCOW, RU) == russian


def test_exact_moment_names_the_hubs_zone() -> None:
    assert clock.exact(NOW, MOSCOW, RU) == "суббота, 21 ноября 2026, 15:00:00 (Europe/Moscow)"


def _raw(body: bytes, headers: dict[str, str] | None = None) -> RawEvent:
    return RawEvent("u", "POST", "events/x", "a=1", headers or {}, body, NOW)


def test_text_is_shown_as_text() -> None:
    shown = shown_raw(_raw("имя=Анна\r\n".encode()))
    assert (shown["kind"], shown["text"], shown["cut"]) == ("text", "имя=Анна\n", False)
    assert shown["request_line"] == "POST /events/x?a=1"


@pytest.mark.parametrize("body", [b"\x00abc", b"\xff\xfe", "имя".encode("cp1251")])
def test_other_bytes_are_shown_as_hex(body: bytes) -> None:
    assert shown_raw(_raw(body))["kind"] == "binary"


def test_long_text_is_cut_between_characters() -> None:
    shown = shown_raw(_raw(("a" + "я" * 40_000).encode()))
    assert (shown["kind"], shown["cut"], shown["text"][-1]) == ("text", True, "я")


def test_hex_dump_has_offset_bytes_and_letters() -> None:
    assert hex_dump(b"<b>\x00") == f"00000000  {'3c 62 3e 00':<48} <b>."


def test_characters_that_turn_the_writing_are_made_visible() -> None:
    assert visible("gpj.\u202eexe\x07") == "gpj.⟨U+202E⟩exe⟨U+0007⟩"


def test_connectors_settings_become_a_form() -> None:
    fields = {
        field.name: field for field in fields_of(registry.get("imap"), RU, {"host": "imap.example.com"}, {"user": "is required"})
    }
    assert fields["host"].value == "imap.example.com"
    assert (fields["password"].input, fields["password"].value) == ("password", "")
    assert fields["security"].choices == (("tls", "tls"), ("starttls", "starttls"), ("plain", "plain"))
    assert fields["user"].wrong == "Это нужно заполнить."
    assert fields["region"].extra


def test_typed_secret_is_never_sent_back() -> None:
    fields = {field.name: field for field in fields_of(registry.get("imap"), EN, {"password": "hunter2"}, {})}
    assert fields["password"].value == ""


def test_settings_at_their_default_are_not_stored() -> None:
    posted = {"host": " imap.example.com ", "folder": "INBOX", "port": "0", "user": "a", "password": "b", "start": "all"}
    assert given_settings(registry.get("imap"), posted) == {
        "host": "imap.example.com", "user": "a", "password": "b", "start": "all",
    }  # fmt: skip


def test_form_of_a_source_asks_for_no_secret_again() -> None:
    fields = {field.name: field for field in fields_of(registry.get("imap"), EN, {}, {}, exists=True)}
    assert (fields["password"].required, fields["password"].hint) == (False, "Unchanged unless typed")
    assert fields["host"].required


def test_only_what_was_typed_otherwise_is_changed() -> None:
    now = {"host": "a.example.com", "port": 1993, "own_addresses": ["x@example.com"], "password": "p"}
    same = {"host": "a.example.com", "port": "1993", "own_addresses": "x@example.com", "password": ""}
    assert changed_settings(registry.get("imap"), same, now) == {}
    typed = {"host": "b.example.com", "port": "", "own_addresses": "", "password": "q"}
    assert changed_settings(registry.get("imap"), typed, now) == {
        "host": "b.example.com", "port": 0, "own_addresses": [], "password": "q",
    }  # fmt: skip
    ticked = {"secret": "p", "unanswered_without_extension": True}
    assert changed_settings(registry.get("zadarma"), {"unanswered_without_extension": "true"}, ticked) == {}
    assert changed_settings(registry.get("zadarma"), {}, ticked) == {"unanswered_without_extension": False}


@pytest.mark.parametrize(
    "said, told",
    [
        ("is required", "Это нужно заполнить."),
        ("input should be less than or equal to 65535", "Не больше 65535."),
        ("input should be 'tls', 'starttls' or 'plain'", "Одно из: 'tls', 'starttls' or 'plain'."),
        ("value error, something of a third party", "something of a third party"),
    ],
)
def test_refusals_are_told_in_the_readers_language(said: str, told: str) -> None:
    assert why_wrong(RU, "port", said) == told
