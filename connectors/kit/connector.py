"""The declaration of a connector and the two values at its edges. No base class: a connector is functions in a record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from phonenumbers import SUPPORTED_REGIONS
from pydantic import BaseModel, ConfigDict, Field, field_validator

from connectors.kit.replaces import Replaces
from crm_core.base.frozen import frozen
from crm_core.parsed import ParsedItem, Pointer

Channel = Literal["form", "call", "mail"]

#: A configuration value that is encrypted at rest and masked wherever it is shown.
Secret = Annotated[str, Field(json_schema_extra={"secret": True})]


def sent_to(*settings: str) -> dict[str, Any]:
    """For `Field(json_schema_extra=…)` of a secret: the settings that say where it is sent, by which name and how safely.

    When one of them changes, the secret has to be entered again, so that it never follows to another server. None: it is
    only compared or signed with, and never leaves the hub. A connector that connects declares this of every secret.
    """
    return {"secret": True, "sent_to": list(settings)}


#: Method of an event that the hub fetched itself (`Fetch`). The door takes no such method, so no sender can use it, and
#: nobody signed it: it is not verified.
FETCHED = "FETCH"


@cache
def _timezones() -> frozenset[str]:
    """Reading them walks through a directory; each check of a source's settings would."""
    return frozenset(available_timezones())


class ConnectorConfig(BaseModel):
    """Settings of one source. Becomes the console's form, the documentation's table and the tests' configuration."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    region: str = Field("", description="Country of numbers written without a country code (ISO 3166); empty: the hub's")
    timezone: str = Field("", description="Zone of times that name none (IANA); empty: the hub's")
    lost_days: int | None = Field(
        None, ge=0, le=3650, description="Days in which an inquiry after a lost lead is linked to it; empty: the hub's"
    )
    reopen_days: int | None = Field(
        None, ge=0, le=3650, description="Days in which an inquiry after a lost lead opens it again; 0: never; empty: the hub's"
    )
    asleep_days: int | None = Field(
        None, ge=1, le=3650, description="Days of silence after which an open lead counts as reactivated; empty: the hub's"
    )
    together_minutes: int | None = Field(
        None, ge=0, le=1440, description="Minutes in which a call, a form and a mail are one occasion; empty: the hub's"
    )
    reissued_days: int | None = Field(
        None, ge=30, le=3650,
        description="Days of silence after which a number under another name counts as given to somebody else; empty: the hub's",
    )  # fmt: skip

    @field_validator("region")
    @classmethod
    def _known_region(cls, value: str) -> str:
        if value and value not in SUPPORTED_REGIONS:
            raise ValueError("names no country; two capital letters such as RU or DE are wanted (ISO 3166)")
        return value

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        if value and value not in _timezones():
            raise ValueError("names no time zone; a name such as Europe/Moscow is wanted (IANA)")
        return value


@frozen
class Request:
    """One thing received, verbatim. For a mail `body` is the raw message and `headers` say where it was found."""

    method: str
    path: str  # what follows the token, without the leading slash, e.g. "events/summary"
    query: str  # raw query string without "?"
    headers: Mapping[str, str]  # names in lower case; cookies and authorisation are masked in the journal
    body: bytes
    received_at: datetime  # aware UTC
    remote_ip: str = ""
    #: What was found out about this request and will be asked again, under a name of its own. No part of the value. Never
    #: the request itself: bodies would then wait for the garbage collector.
    noted: dict[str, Any] = field(default_factory=dict, init=False, compare=False, repr=False)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")

    @property
    def is_fetched(self) -> bool:
        """The hub got this body itself, from where a `Pointer` or a back-fill led."""
        return self.method == FETCHED


@dataclass(frozen=True, slots=True)
class Reply:
    """What a provider expects to hear, sent after the commit."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Detect:
    """How a provider's post is known at an address that serves any form. Cheap: it is asked at the door for every post.

    One of `signs` must hold; a sign holds if all its parts do. `header:NAME` (lower case) and `query:NAME` are there;
    `field:NAME` stands in the body as the name of a form's or of JSON's field; `body:TEXT` is the body as a whole; any other
    part is a byte sequence in the body's first 8 or last 2 KiB (`detect`).
    """

    signs: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One HTTP request that the hub is to make for a connector."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class FetchAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """One page of a back-fill: bodies of events with their provider keys, and where to go on (None: the end)."""

    bodies: tuple[tuple[str, bytes], ...]
    next: str | None = None  # a place, as `Fetch.lists` gives


@dataclass(frozen=True, slots=True)
class Fetch:
    """How the hub gets what a `Pointer` points at. Pure: it says what to ask and reads the answer, others connect.

    `read` gives the body of the event that goes through the door under the pointer's key. Both readers raise Transient
    (later again), SourceBroken (a token has expired: tell somebody, keep trying) or Malformed.

    A back-fill goes from place to place. A place is a text that names a list and how far one is in it: it is stored, so it
    holds no key, and what it needs of the settings is put in when it is asked for (`page`). Where a place is not known any
    more (Malformed), its list begins again.
    """

    ask: Callable[[Pointer, ConnectorConfig], FetchRequest]
    read: Callable[[Pointer, FetchAnswer, ConnectorConfig], bytes]
    lists: Callable[[ConnectorConfig, datetime], Sequence[str]] | None = None  # back-fill: where to begin, since then
    page: Callable[[str, ConnectorConfig], FetchRequest] | None = None
    read_list: Callable[[FetchAnswer, ConnectorConfig], FetchedPage] | None = None


@dataclass(frozen=True, slots=True)
class Connector:
    """One provider. All functions are pure and raise only the errors of `crm_core.base.errors`.

    `parse` gives one arrival or several in the order in which they are to be processed; an empty sequence is a mistake
    (say `Ignored`). `config` is always an instance of `config_model` with region and timezone already filled in.
    """

    name: str  # the folder's name, the CONNECTOR of `leadhub source add`
    channel: Channel
    title: str
    parse: Callable[[Request, ConnectorConfig], Sequence[ParsedItem]]
    config_model: type[ConnectorConfig] = ConnectorConfig
    verify: Callable[[Request, ConnectorConfig], None] | None = None  # raises NotAuthentic; None: the token is the key
    verify_at_door: bool = False  # only where the provider shows the refusal to an administrator
    provider_key: Callable[[Request, ConnectorConfig], str | None] | None = None  # cheap, never raises; None: no key
    handshake: Callable[[Request, ConnectorConfig], Reply | None] | None = None  # GET/POST that is no event; None: not one
    reply: Callable[[Request, ConnectorConfig], Reply | None] | None = (
        None  # None, or a None from it: the contract's default answer
    )
    # True: a GET with a query is an arrival (some senders know no POST). A function: only if it says so.
    get_is_event: bool | Callable[[Request, ConnectorConfig], bool] = False
    # Reads under a source's own mapping, whose sections go before the connector's; None: it takes none.
    map: Callable[[Request, ConnectorConfig, Mapping[str, Any]], Sequence[ParsedItem]] | None = None
    # The request as its mapping sees it, where that is not the request as it came; raises what `parse` raises.
    as_form: Callable[[Request], Request] | None = None
    rules: Mapping[str, Any] | None = None  # a preset's own mapping, to be shown and to begin from
    detect: Detect | None = None  # None: only where somebody chose it
    replaces: Replaces | None = None  # addresses of the service itself that the hub answers at: a site moves by its host name
    # Another connector that will read this request, or ""; told on the event. None: it reads everything itself.
    reads_as: Callable[[Request], str] | None = None
    sender: Literal["browser", "server"] = "server"  # browser: each post comes from the visitor himself
    fetch: Fetch | None = None
    pulls: bool = False  # True: the hub fetches (IMAP); the source has no address
    experimental: bool = False  # True: written from documents, not yet seen live
    docs: str = ""  # text of the folder's README.md
    guide_file: Path | None = None  # the folder's guide.yaml: what the console says to whoever connects a source
