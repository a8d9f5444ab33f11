"""What a mail server said reaches a person as text: no Python's way of writing bytes, no control characters, bounded."""

from __future__ import annotations

import imaplib

import pytest
from imapclient.exceptions import LoginError

from connectors.mail.imap import ImapConfig
from ingest.mailbox.failures import as_plain, explain

SETTINGS = ImapConfig(host="imap.example.com", user="sales@example.com", password="hunter2-secret")


@pytest.mark.parametrize(
    "raised, said",
    [
        ("b'[AUTHENTICATIONFAILED] Invalid credentials'", "[AUTHENTICATIONFAILED] Invalid credentials"),
        ('b"it\'s wrong"', "it's wrong"),
        (
            "LOGIN command error: BAD [b'\\xd0\\x9f\\xd0\\xb0\\xd1\\x80\\xd0\\xbe\\xd0\\xbb\\xd1\\x8c']",
            "LOGIN command error: BAD Пароль",
        ),
        ("b'a\\r\\nb\\x1b[31m'", "a b [31m"),
        ("no bytes at all", "no bytes at all"),
        ("b'is cut off", "is cut off"),
        ("b'is cut off in an escape\\", "is cut off in an escape"),
        ("the lab's own server", "the lab's own server"),
    ],
)
def test_bytes_are_read_out(raised: str, said: str) -> None:
    assert as_plain(raised) == said


def test_words_are_bounded_and_hostile_lines_cost_no_time() -> None:
    assert len(as_plain("x" * 1_000_000)) == 200
    assert len(as_plain("b'" * 500_000)) <= 200
    assert len(as_plain("b'\\" * 300_000)) <= 200


@pytest.mark.parametrize("error", [LoginError, imaplib.IMAP4.error])
def test_failure_quotes_the_server_and_never_the_password(error: type[Exception]) -> None:
    failure = explain(error("b'[AUTHENTICATIONFAILED] LOGIN sales hunter2-secret refused'"), SETTINGS)
    assert failure.code == "auth_failed"
    assert failure.said == "[AUTHENTICATIONFAILED] LOGIN sales … refused"
    assert "hunter2" not in failure.message
    assert "b'" not in failure.message


def test_way_to_the_server_is_not_quoted_as_the_servers_words() -> None:
    assert explain(ConnectionRefusedError(111, "Connection refused"), SETTINGS).said == ""
