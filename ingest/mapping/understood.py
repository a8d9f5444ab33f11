"""What a source makes of an event, as people are shown it, and in what two such readings differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from crm_core.intake import ParsedEvent
from crm_core.parsed import Ignored, Inquiry, Pointer
from ingest.journal.claim import Failure
from ingest.processing.replay import read_rows
from ingest.sources.settings import LoadedSource

#: What two readings are compared by.
COMPARED = ("name", "phones", "emails", "company", "message", "title", "form", "messengers", "is_test", "fields", "page_url")


@dataclass(frozen=True, slots=True)
class UnderstoodConsent:
    purpose: str
    given: bool
    field: str


@dataclass(frozen=True, slots=True)
class Understood:
    """An inquiry as it was understood; phones and e-mails as they were written."""

    name: str
    phones: Sequence[str]
    emails: Sequence[str]
    company: str
    message: str
    title: str
    form: str
    line: str
    is_test: bool
    messengers: Mapping[str, str]
    fields: Mapping[str, Any]  # what nobody understood, kept
    page_url: str
    referrer: str
    marks: Mapping[str, str]
    consents: Sequence[UnderstoodConsent]
    files: Sequence[str]
    warnings: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReadingProblem:
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Reading:
    inquiries: Sequence[Understood]
    ignored: str | None  # code of why it is no inquiry
    problem: ReadingProblem | None  # why it cannot be read


def read_event(source: LoadedSource, row: Mapping[str, Any]) -> Reading:
    """`row`: an event with its body, as `ingest.processing.replay.event_rows` gives it."""
    [result] = read_rows([row], lambda _: source, ())  # whose an address is decides nothing that is shown
    if isinstance(result, Failure):
        return Reading((), None, ReadingProblem(result.code, result.message))
    assert isinstance(result, ParsedEvent)
    ignored = next((one.code for one in result.parsed_items if isinstance(one, Ignored)), None)
    ignored = ignored or next(("pointer" for one in result.parsed_items if isinstance(one, Pointer)), None)
    inquiries = [_understood(one) for one in result.parsed_items if isinstance(one, Inquiry)]
    return Reading(inquiries, None if inquiries else ignored, None)


def difference(one: Reading, other: Reading) -> list[str]:
    """The names of what differs between two readings of an event."""
    if (one.problem or one.ignored) != (other.problem or other.ignored):
        return ["outcome"]
    if len(one.inquiries) != len(other.inquiries):
        return ["inquiries"]
    pairs = list(zip(one.inquiries, other.inquiries, strict=True))
    return [name for name in COMPARED if any(getattr(a, name) != getattr(b, name) for a, b in pairs)]


def with_rules(source: LoadedSource, rules: Mapping[str, Any]) -> LoadedSource:
    """The source as if this were its published mapping; {}: as if it had none."""
    return replace(source, mapping=rules or None, mapping_version=0)


def _understood(inquiry: Inquiry) -> Understood:
    marks = inquiry.attribution
    return Understood(
        name=inquiry.name,
        phones=inquiry.phones,
        emails=inquiry.emails,
        company=inquiry.company,
        message=inquiry.message,
        title=inquiry.title,
        form=inquiry.form_name or inquiry.form_id,
        line=inquiry.line,
        is_test=inquiry.is_test,
        messengers=dict(inquiry.messengers),
        fields=dict(inquiry.fields),
        page_url=marks.page_url,
        referrer=marks.referrer,
        marks={**marks.utm, **marks.click_ids, **marks.client_ids},
        consents=[UnderstoodConsent(one.purpose, one.given, one.field_name) for one in inquiry.consents],
        files=[one.name or one.url for one in inquiry.files],
        warnings=inquiry.warnings,
    )
