"""Mail servers for the integration tests: one Dovecot a process, and a user of one's own for each test. And patience."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import dovecot
import pytest

from ingest.screening import rates


@pytest.fixture(scope="session")
def mail_server() -> Iterator[dovecot.Dovecot]:
    server = dovecot.start()
    yield server
    server.stop()


@pytest.fixture
def mail_user() -> str:
    """A mailbox that nobody has used; Dovecot makes it at the first sign-in."""
    return f"sales-{uuid4().hex[:10]}@example.com"


@pytest.fixture(autouse=True)
def patient_with_the_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts fail open after half a second, and a machine full of tests can be as slow as that."""
    monkeypatch.setattr(rates, "_WAIT_SECONDS", 5.0)
