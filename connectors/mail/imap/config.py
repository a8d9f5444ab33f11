"""Settings of one mailbox. Only shapes are checked here; whether the server agrees is `ingest.mailbox.check`."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from connectors.kit import ConnectorConfig, Secret, sent_to
from connectors.mail.imap.servers import server_of

#: IANA port numbers of IMAP over TLS and of IMAP that begins in clear text.
_PORTS = {"tls": 993, "starttls": 143, "plain": 143}


def _words(value: Any) -> Any:
    """A list typed on a command line or into one form field: separated by commas, semicolons or white space."""
    if isinstance(value, str):
        return tuple(word for word in re.split(r"[,;\s]+", value) if word)
    return value


class ImapConfig(ConnectorConfig):
    host: str = Field(
        min_length=1, max_length=253, description="Name of the IMAP server; not given: that of the address, for example imap.example.com",
        json_schema_extra={"account": True},
    )  # fmt: skip
    port: int = Field(0, ge=0, le=65535, description="Port; 0: the usual one (993 with TLS, else 143)")
    user: str = Field(
        min_length=1, max_length=320, description="Name to sign in with, most often the address",
        json_schema_extra={"account": True},
    )  # fmt: skip
    password: Secret = Field(
        min_length=1,
        description="Password; with Gmail, Yandex and Mail.ru an app password made in their settings",
        json_schema_extra=sent_to("host", "port", "user", "security"),
    )
    security: Literal["tls", "starttls", "plain"] = Field(
        "tls",
        description="tls: encrypted from the start; starttls: encrypted before signing in; plain: not encrypted",
    )
    folder: str = Field("INBOX", min_length=1, max_length=500, description="Folder that is read")
    start: str = Field(
        "new",
        description="Which mail to bring in: new (what arrives from now on), all, or a date such as 2026-01-31",
    )
    own_addresses: Annotated[tuple[str, ...], BeforeValidator(_words)] = Field(
        (),
        description="Addresses of our own side; mail from them is never an inquiry. The user name is always one",
    )
    poll_seconds: float = Field(30.0, ge=0.05, le=3600, description="Pause between two looks into the folder")

    @field_validator("host", "user", "folder")
    @classmethod
    def _no_control_characters(cls, value: str) -> str:
        if any(ord(char) < 32 or ord(char) == 127 for char in value):
            raise ValueError("must not hold control characters")
        return value.strip()

    @field_validator("start")
    @classmethod
    def _start_is_known(cls, value: str) -> str:
        value = value.strip().lower()
        if value not in ("new", "all"):
            try:
                date.fromisoformat(value)
            except ValueError:
                raise ValueError("must be new, all, or a date such as 2026-01-31") from None
        return value

    @model_validator(mode="before")
    @classmethod
    def _as_it_was_written(cls, values: Any) -> Any:
        """Without spaces around the host, and without a setting of earlier versions, which sources still have stored: what
        may be reached in a private network is the operator's to say (LEADHUB_OUTBOUND_ALLOW). A server that is not named
        is that of the address (`servers`).
        """
        if not isinstance(values, dict):
            return values
        kept = {name: value for name, value in values.items() if name != "allow_private_host"}
        host = kept.get("host")
        if "host" not in kept and isinstance(kept.get("user"), str):
            found = server_of(kept["user"])
            host = found.host if found else None
        return kept | ({"host": host.strip()} if isinstance(host, str) else {})

    @property
    def actual_port(self) -> int:
        return self.port or _PORTS[self.security]

    @property
    def start_date(self) -> date | None:
        """The day to begin with, or None for new and all."""
        return None if self.start in ("new", "all") else date.fromisoformat(self.start)

    @property
    def ours(self) -> frozenset[str]:
        """Our own addresses in lower case, the user name among them when it is an address."""
        names = (*self.own_addresses, self.user)
        return frozenset(name.lower() for name in names if "@" in name)
