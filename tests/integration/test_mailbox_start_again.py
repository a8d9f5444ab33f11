"""A mailbox whose settings could not be read because the database went away is tried again, not forgotten."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError

from connectors.mail.imap import ImapConfig
from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.mailbox import loop
from ingest.mailbox.limits import DEFAULT
from ingest.sources.sources import add_source


def test_mailbox_is_started_when_the_database_failed_at_the_first_look(
    config: HubConfig, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as connection:
        settings = {"host": "127.0.0.1", "user": "u", "password": "p"}
        source_id = add_source(connection, HUB, config, "imap", "Mail", settings).id
    load, failures = loop.load_source, [OperationalError("SELECT", {}, Exception())]

    def fails_once(*arguments: Any) -> Any:
        if failures:
            raise failures.pop()
        return load(*arguments)

    started: list[ImapConfig] = []
    monkeypatch.setattr(loop, "load_source", fails_once)
    monkeypatch.setattr(loop, "_watch", lambda _config, _id, found, *_: started.append(found))
    mailboxes: dict[int, Any] = {}
    with engine.connect() as connection:
        with pytest.raises(OperationalError):
            loop._adjust(connection, config, mailboxes, "test", lambda _: None, DEFAULT)
        loop._adjust(connection, config, mailboxes, "test", lambda _: None, DEFAULT)
    thread = mailboxes[source_id].thread
    assert thread is not None
    thread.join()
    assert len(started) == 1
