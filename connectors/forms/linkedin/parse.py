"""Notices name responses and say nothing of them; a response that was fetched is read by its form's own questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from connectors.forms.linkedin.rest import key_of
from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import decode, jsontext
from connectors.kit.forms.fields import text_of
from connectors.kit.forms.read_form import Draft, read
from connectors.kit.preset import fetched
from connectors.kit.times import read_time
from crm_core.base.errors import Malformed
from crm_core.parsed import Ignored, Inquiry, ParsedItem, Pointer


def parse(request: Request, config: ConnectorConfig) -> Sequence[ParsedItem]:
    if request.is_fetched:
        return [_lead(_whole(request.body), config)]
    data = decode(request).data
    if not isinstance(data, dict):
        raise Malformed("no_object", "The notice is no JSON object.")
    if data.get("type") != "LEAD_ACTION":
        return [Ignored("unsupported_type", text_of(data.get("type"))[:100])]
    urn = text_of(data.get("leadGenFormResponse"))
    response_id = urn.rpartition(":")[2]
    if not response_id:
        raise Malformed("no_response", "The notice does not name a response.", path="$.leadGenFormResponse")
    action = text_of(data.get("leadAction"))
    if action == "DELETED":
        # Nobody is erased because a post says so: a person looks, erases the contact, and dismisses this event.
        raise Malformed(
            "erasure_asked",
            "LinkedIn says that this person has withdrawn the response. Look for the lead by its LinkedIn response "
            f"({response_id[:80]}), erase the person if nothing else keeps the data, then dismiss this event.",
            path="$.leadAction",
        )
    if action != "CREATED":
        return [Ignored("unsupported_action", action[:100])]
    ref = {
        "id": response_id,
        "urn": urn,
        "form": text_of(data.get("leadGenForm")),
        "lead_type": text_of(data.get("leadType")),
        "occurred_at": text_of(data.get("occurredAt")),
    }
    return [Pointer(key_of(response_id), {name: value for name, value in ref.items() if value})]


def _whole(body: bytes) -> dict[str, Any]:
    """A form's questions are many and deep: the limits of one inquiry are for what is picked out of them."""
    try:
        return _mapping(jsontext.loads(body.decode("utf-8", "replace")))
    except ValueError:
        raise Malformed("broken_json", "The response that was fetched is no JSON.") from None


def as_form(request: Request) -> Request:
    """A response as a form whose fields are its questions; a notice as it is."""
    if not request.is_fetched:
        return request
    return fetched.as_form(request, jsontext.bounded(_fields(_whole(request.body)), set()))


def read_under(request: Request, config: ConnectorConfig, mapping: Mapping[str, Any]) -> Sequence[ParsedItem]:
    """Under a source's own mapping. A notice says nothing that could be mapped."""
    own = parse(request, config)
    if not request.is_fetched or not isinstance(own[0], Inquiry):
        return own
    return fetched.read_under(as_form(request), config, mapping, own[0])


def _fields(data: dict[str, Any]) -> dict[str, Any]:
    """The answers by their questions' names, and what is said beside. Malformed where there is no answer."""
    lead, notice = _mapping(data.get("lead")), _mapping(data.get("notice"))
    form, response = _mapping(lead.get("form")), _mapping(lead.get("formResponse"))
    questions = {
        text_of(question.get("questionId")): question for question in _rows(_mapping(form.get("content")).get("questions"))
    }
    fields: dict[str, Any] = {}
    for answer in _rows(response.get("answers")):
        number = text_of(answer.get("questionId"))
        question = questions.get(number, {})
        value = _value(_mapping(answer.get("answerDetails")), question)
        if value not in ("", []):
            fields[_name(question, number)] = value
    for hidden in _rows(response.get("hiddenFieldResponses")):
        if text_of(hidden.get("name")):
            fields[text_of(hidden["name"])] = hidden.get("value")
    if not fields:
        raise Malformed("lead_without_answers", "The response has no answers.", path="$.lead.formResponse.answers")
    response_id = text_of(lead.get("id")) or text_of(notice.get("id"))
    consents = [
        {"consent": text_of(one.get("consentId")), "accepted": one.get("accepted") is True}
        for one in _rows(response.get("consentResponses"))
    ]
    campaign = _mapping(_mapping(_mapping(lead.get("leadMetadataInfo")).get("sponsoredLeadMetadataInfo")).get("campaign"))
    kept = {
        "linkedin_response": response_id, "lead_type": text_of(lead.get("leadType") or notice.get("lead_type")),
        "campaign": text_of(campaign.get("name")), "campaign_id": text_of(campaign.get("id")), "linkedin_answers": consents,
    }  # fmt: skip
    return fields | {name: value for name, value in kept.items() if value}


def _lead(data: dict[str, Any], config: ConnectorConfig) -> Inquiry:
    fields = _fields(data)
    lead, notice = _mapping(data.get("lead")), _mapping(data.get("notice"))
    form = _mapping(lead.get("form"))
    form_id = text_of(lead.get("versionedLeadGenFormUrn") or notice.get("form"))
    flags: set[str] = set()
    fields, about = jsontext.bounded([fields, [form_id, text_of(form.get("name"))]], flags)
    draft = Draft(
        form_id=about[0],
        form_name=about[1],
        submitted_at=read_time(lead.get("submittedAt") or notice.get("occurred_at"), ZoneInfo("UTC")),
        is_test=lead.get("testLead") is True,
        warnings=flags,
    )
    return read(fields, draft, region=config.region, config=config)


def _name(question: dict[str, Any], number: str) -> str:
    """LinkedIn's own name for a profile field (`EMAIL`), else the question's, else its words, else its number."""
    own = text_of(question.get("predefinedField")).lower()
    return own or text_of(question.get("name")) or _words(question.get("question")) or f"question {number}"


def _value(details: dict[str, Any], question: dict[str, Any]) -> Any:
    text = text_of(_mapping(details.get("textQuestionAnswer")).get("answer"))
    chosen = _mapping(details.get("multipleChoiceAnswer")).get("options")
    if text or not isinstance(chosen, list):
        return text
    offered = _mapping(_mapping(question.get("questionDetails")).get("multipleChoiceQuestionDetails")).get("options")
    words = {text_of(option.get("id")): _words(option.get("text")) for option in _rows(offered)}
    values = [words.get(text_of(one)) or text_of(one) for one in chosen]
    return values[0] if len(values) == 1 else values


def _words(localized: Any) -> str:
    """The first language of {"localized": {"en_US": "…"}}, or the text itself."""
    if not isinstance(localized, dict):
        return text_of(localized)
    return next((text for text in map(text_of, _mapping(localized.get("localized")).values()) if text), "")


def _rows(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
