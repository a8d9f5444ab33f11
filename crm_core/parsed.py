"""What a connector may say about an event, in the hub's own terms: an inquiry, a call event, a message, or nothing.

Plain frozen values: the same bytes always give the same value, so a replay after years reads what was meant.
Phones and e-mails are kept as they were written; canonical keys are made by `crm_core.identity`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from crm_core.base.frozen import frozen
from crm_core.identity.national import CountryHint

JSON = Any  # None | bool | int | float | str | list | dict, already free of NUL and lone surrogates


@frozen
class Attribution:
    """Marks of origin. Every value is text as received, at most 512 characters; empty means unknown."""

    utm: Mapping[str, str] = field(default_factory=dict)  # keys utm_source, utm_medium, …
    click_ids: Mapping[str, str] = field(default_factory=dict)  # gclid, yclid, fbclid, …
    client_ids: Mapping[str, str] = field(default_factory=dict)  # ga, ym_uid, roistat_visit, …
    page_url: str = ""
    referrer: str = ""
    page_title: str = ""
    # The first visit as the page remembered it: utm, click_ids, page_url, referrer, at (RFC 3339). Empty: not known.
    first: Mapping[str, JSON] = field(default_factory=dict)


@frozen
class Consent:
    """What a person agreed to, or declined, for one purpose. A purpose that the form does not name has no record."""

    purpose: str  # processing | marketing | transfer
    given: bool
    text: str = ""  # the words beside the box, where they were sent
    text_id: str = ""  # the version's own id, where the form names it
    text_url: str = ""
    text_sha256: str = ""  # of the text as it was rendered, where the page says it; else the hub's own of `text`
    method: Literal["checkbox", "implied"] = "checkbox"
    field_name: str = ""  # under which it was sent


@frozen
class IncomingFile:
    """A file that came with an inquiry, or the address where it lies. Exactly one of `data`, `url` and `note` says how."""

    name: str = ""
    type: str = ""  # as declared; never believed
    size: int = 0  # bytes, 0 while unknown
    sha256: str = ""
    field_name: str = ""
    data: bytes | None = field(default=None, repr=False)
    url: str = ""  # to be fetched, behind the guard against our own network
    note: str = ""  # why there is no content: too_large | too_many | unreadable


@frozen
class Inquiry:
    """Somebody wants something. Nothing here is required: an inquiry without a name or a phone is still an inquiry."""

    name: str = ""
    phones: tuple[str, ...] = ()  # as written
    emails: tuple[str, ...] = ()  # as written
    company: str = ""
    message: str = ""  # the person's own words; first comment of the lead
    title: str = ""  # a headline if the provider has one, else the hub makes it
    form_id: str = ""
    form_name: str = ""
    line: str = ""  # product line or pipeline; "" is the default line
    submitted_at: datetime | None = None  # aware; None means when it was received
    is_test: bool = False  # the provider's own test mark, never guessed from a name
    fields: Mapping[str, JSON] = field(default_factory=dict)  # everything that was sent and not mapped
    attribution: Attribution = field(default_factory=Attribution)
    country_hints: Mapping[str, tuple[CountryHint, ...]] = field(default_factory=dict)  # by the phone as written
    warnings: tuple[str, ...] = ()  # codes, e.g. "truncated_value"
    # The provider's id of the conversation: all inquiries of one thread of a source are of one contact, with or without a phone.
    thread: str = ""
    # Messenger → the person's id there: "telegram_id" and the like where the provider says it, "telegram" where he typed it.
    messengers: Mapping[str, str] = field(default_factory=dict)
    consents: tuple[Consent, ...] = ()
    files: tuple[IncomingFile, ...] = ()
    # What protects a form against robots, as it came: honeypot ("name=value" if filled), time_token, altcha, script.
    antispam_fields: Mapping[str, str] = field(default_factory=dict)


CallKind = Literal["ringing", "answered", "leg_ended", "call_ended", "recording_ready", "transferred", "observed"]
Direction = Literal["in", "out", "internal", "unknown"]
CallOutcome = Literal[
    "answered", "missed", "abandoned_in_ivr", "after_hours", "busy", "rejected", "blocked", "voicemail",
    "failed", "out_answered", "out_no_answer", "internal", "lost",
]  # fmt: skip


@frozen
class CallEvent:
    """One thing that a telephone exchange said about one call. Reduced by `crm_core.calls.rules`, in any order."""

    call_key: str  # the provider's id of the whole call, constant over its legs
    event_id: str  # the provider's id of this event, else identity fields joined; never arrival time
    kind: CallKind
    direction: Direction = "unknown"
    remote: str = ""  # the outside party as written; "" or "anonymous" when hidden
    our_number: str = ""  # the number that was called (DID) or shown
    extension: str = ""  # the employee's extension, if this event names one
    leg_key: str = ""  # "" means the call as a whole
    parent_key: str = ""  # call_key of the call that this one continues (transfer)
    is_final: bool = False  # the provider's own last word on the whole call
    human: bool | None = None  # True: an employee's leg; False: IVR, queue, voicemail; None: not said
    occurred_at: datetime | None = None  # aware; None means when it was received
    seq: int | None = None  # comparable only within (call_key, leg_key)
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    talk_seconds: float | None = None
    ring_seconds: float | None = None
    outcome_hint: CallOutcome | None = None  # what the provider itself calls the result, in our words
    cause: str = ""  # the provider's own code, kept for people
    queue: str = ""
    recording: str = ""  # URL or provider's id of the recording
    fields: Mapping[str, JSON] = field(default_factory=dict)


@frozen
class MailAddress:
    email: str  # as written, without the display name
    name: str = ""


@frozen
class Visitor:
    """Whoever a form in a mail names. Phones and e-mails as written."""

    name: str = ""
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    message: str = ""


@frozen
class Message:
    """One mail, parsed within the guards of the mail connector. `dedup_key` makes two deliveries one message."""

    dedup_key: str
    message_id: str = ""  # normalised, without <>
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()  # the last 32
    sender: MailAddress | None = None
    reply_to: MailAddress | None = None
    to: tuple[MailAddress, ...] = ()
    cc: tuple[MailAddress, ...] = ()
    subject: str = ""
    text: str = ""  # full text, made from HTML where there is no plain part
    own_text: str = ""  # of a reply: what is new in it; "" where that is all of it
    sent_at: datetime | None = None  # the Date header, aware; may be nonsense
    delivered_to: tuple[str, ...] = ()
    automatic: str = ""  # "" | "bounce" | "feedback" | "receipt" | "auto_reply" | "own", with evidence in fields
    attachments: tuple[Mapping[str, JSON], ...] = ()  # {"name","type","size","sha256"}
    phones: tuple[str, ...] = ()  # E.164, found in the sender's own words with a label, prefix or separators
    fields: Mapping[str, JSON] = field(default_factory=dict)  # interesting headers
    warnings: tuple[str, ...] = ()
    robot: str = ""  # the header that says a program wrote this, as a site's form does
    visitor: Visitor | None = None  # whoever the form in the text names
    originals: tuple[MailAddress, ...] = ()  # who wrote what this one passes on, the outermost first
    original_phones: tuple[str, ...] = ()  # found in the words that are passed on


@frozen
class Ignored:
    """Understood, and not an inquiry: a provider's ping, an unsupported event. `code` is machine-readable."""

    code: str
    detail: str = ""


@frozen
class Pointer:
    """The provider says only that something exists; the hub fetches it and puts it through the same door as an event of
    its own. `key` becomes that event's provider key, so that told twice or found by a back-fill it is still one."""

    key: str
    ref: Mapping[str, str] = field(default_factory=dict)  # what the connector needs to ask for it


ParsedItem = Inquiry | CallEvent | Message | Ignored | Pointer
