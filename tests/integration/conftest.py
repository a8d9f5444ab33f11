"""Mail servers for the integration tests: one Dovecot a process, and a user of one's own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import dovecot
import pytest


@pytest.fixture(scope="session")
def mail_server() -> Iterator[dovecot.Dovecot]:
    server = dovecot.start()
    yield server
    server.stop()


@pytest.fixture
def mail_user() -> str:
    """A mailbox that nobody has used; Dovecot makes it at the first sign-in."""
    return f"sales-{uuid4().hex[:10]}@example.com"
