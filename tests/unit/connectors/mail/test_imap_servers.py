"""The server of a mailbox is found by its address, and nobody is asked for it."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from connectors.mail.imap import ImapConfig
from connectors.mail.imap.servers import SERVERS, known_server, server_of


@pytest.mark.parametrize(
    "address, host",
    [
        ("sales@yandex.ru", "imap.yandex.ru"), ("Sales@Mail.RU", "imap.mail.ru"), ("a@inbox.ru", "imap.mail.ru"),
        ("a@gmail.com", "imap.gmail.com"), ("a@firm.example.com", "imap.firm.example.com"), ("a@окна.рф", "imap.окна.рф"),
    ],
)  # fmt: skip
def test_server_is_the_providers_or_by_convention(address: str, host: str) -> None:
    found = server_of(address)
    assert found is not None
    assert found.host == host
    assert ImapConfig.model_validate({"user": address, "password": "x"}).host == host


@pytest.mark.parametrize("address", ["sales", "", "@", "a@localhost", "a@b c.example", "a@evil.example/x", "a@b.example:25"])
def test_what_is_no_address_names_no_server(address: str) -> None:
    assert server_of(address) is None
    with pytest.raises(ValidationError):
        ImapConfig.model_validate({"user": address, "password": "x"})


def test_named_server_goes_before_the_address() -> None:
    assert (
        ImapConfig.model_validate({"user": "a@gmail.com", "password": "x", "host": "mail.example.com"}).host == "mail.example.com"
    )


def test_every_known_server_is_found_by_its_name_too() -> None:
    assert all(
        known_server(server.host) is server for server in SERVERS.values() if server.app_password or not server.takes_passwords
    )
