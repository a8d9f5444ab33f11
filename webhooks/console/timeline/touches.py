"""A history as the timeline shows it: each touch with a picture, a headline, who, details, words and links."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from flask import url_for

from crm_core.identity.emails import read_emails
from crm_core.identity.phones import read_phones
from crm_core.timeline.queries import TouchView
from webhooks.console.leads.owner_reasons import actor
from webhooks.console.shell import clock
from webhooks.console.shell.request_context import RequestContext
from webhooks.console.shell.view_values import phone

_TONES = {
    "form": "blue",
    "mail": "violet",
    "call": "teal",
    "comment": "",
    "assignment": "",
    "stage": "green",
    "task": "green",
    "merge": "violet",
}
_CALL_TONES = {"answered": "green", "out_answered": "green", "missed": "red", "lost": "red", "after_hours": "red",
               "abandoned_in_ivr": "amber", "busy": "amber", "voicemail": "amber"}  # fmt: skip


def shown_touches(
    context: RequestContext, touches: Sequence[TouchView], names: Mapping[str, str], owners: Mapping[str, str]
) -> list[dict[str, Any]]:
    """`names` are those of actors, `owners` those of owners by id."""
    return [_shown(context, touch, names, owners) for touch in touches]


def _shown(context: RequestContext, touch: TouchView, names: Mapping[str, str], owners: Mapping[str, str]) -> dict[str, Any]:
    kind = touch.kind
    tell: dict[str, Callable[[RequestContext, TouchView], dict[str, Any]]] = {
        "call": _call,
        "mail": _mail,
        "form": _form,
        "assignment": partial(_assignment, owners),
        "comment": partial(_comment, owners),
        "stage": _stage,
        "task": _task,
        "merge": _merge,
    }
    told = tell[kind](context, touch) if kind in tell else {"headline": context.language.code("touch", kind)}
    by_person = touch.actor != "hub"
    return {
        "at": touch.at,
        "picture": kind,
        "tone": _TONES.get(kind, ""),
        "by": actor(context, touch.actor, names) if by_person else "",
        "text": touch.text,
        "whole_text": str(touch.data.get("whole_text") or ""),
        "details": [],
        "links": _links(context, touch),
    } | told


def _merge(context: RequestContext, touch: TouchView) -> dict[str, Any]:
    key = "touch.unmerged" if touch.data.get("undone") else "touch.merged"
    return {"headline": context.language(key, id=touch.data.get("loser", ""))}


def _links(context: RequestContext, touch: TouchView) -> list[dict[str, str]]:
    links = []
    if touch.event and context.may("events.read"):
        links.append({"href": url_for("console.event", event_id=touch.event), "title": context.language("lead.event")})
    return links


def _source(touch: TouchView) -> list[str]:
    return [touch.source.name] if touch.source else []


def _call(context: RequestContext, touch: TouchView) -> dict[str, Any]:
    language = context.language
    call = touch.call
    outcome = call.outcome if call else touch.data.get("outcome")
    remote = call.remote if call else touch.data.get("remote")
    details = [str(phone(remote).striptags())] if remote else []
    if call and call.owner:
        details.append(language("touch.talked_to", name=call.owner.name))
    if seconds := call.talk_seconds if call else touch.data.get("talk_seconds"):
        details.append(language("touch.talk", length=clock.talk(seconds, language)))
    return {
        "headline": language.code("call_outcome", outcome) if outcome else language("touch.call_running"),
        "tone": _CALL_TONES.get(outcome or "", "teal"),
        "details": details + _source(touch),
        "text": touch.text,
    }


def _mail(context: RequestContext, touch: TouchView) -> dict[str, Any]:
    subject = (touch.mail.subject if touch.mail else "") or touch.title
    attached = [str(one.get("name") or "?") for one in touch.data.get("attachments") or []]
    details = [touch.mail.sender] if touch.mail and touch.mail.sender else []
    if attached:
        details.append(context.language("touch.attachments", names=", ".join(attached[:20])))
    return {
        "headline": subject or context.language("touch.mail"),
        "details": details + _source(touch),
        "text": touch.text,
    }


def _form(context: RequestContext, touch: TouchView) -> dict[str, Any]:
    twice = [context.language("lead.sent_twice")] if touch.double_of else []
    source = _source(touch)
    return {
        "headline": context.language("touch.form"),
        "details": source + twice + list(_beside_the_contact(context, touch.data)),
        "text": touch.text or (touch.title if [touch.title] != source else ""),
    }


def _beside_the_contact(context: RequestContext, data: Mapping[str, Any]) -> Iterator[str]:
    """What the contact's own lines do not show: a number or an address that cannot be used, accounts of messengers, damage."""
    for phone_text in data.get("phones") or ():
        if not read_phones(phone_text, context.config.region, kind="form"):
            yield context.language("touch.phone_as_typed", text=phone_text)
    for email_text in data.get("emails") or ():
        if not read_emails(email_text):
            yield context.language("touch.email_as_typed", text=email_text)
    for messenger, account in (data.get("messengers") or {}).items():
        yield f"{context.language.code('messenger', messenger)}: {account}"
    for code in data.get("warnings") or ():
        if context.language.knows("form_warning", code):
            yield context.language.code("form_warning", code)


def _assignment(owners: Mapping[str, str], context: RequestContext, touch: TouchView) -> dict[str, Any]:
    owner = owners.get(str(touch.data.get("owner")), "")
    return {"headline": context.language("touch.assigned", name=owner) if owner else context.language("touch.assignment")}


def _comment(owners: Mapping[str, str], context: RequestContext, touch: TouchView) -> dict[str, Any]:
    """One's own words, or words for a colleague."""
    if "mention" not in touch.data:
        return {"headline": context.language.code("touch", "comment")}
    name = owners.get(str(touch.data.get("owner")), "")
    return {"headline": context.language("touch.mention", name=name) if name else context.language("touch.mention_of_one")}


def _stage(context: RequestContext, touch: TouchView) -> dict[str, Any]:
    changed: Mapping[str, Any] = touch.data.get("changed") or {}
    if "state" in changed:
        state = changed["state"].get("to")
        lost = (changed.get("lost_reason") or {}).get("to", "")
        return {"headline": context.language.code("touch_state", state), "text": lost, "tone": "green" if state == "won" else ""}
    return {
        "headline": context.language("touch.changed"),
        "details": sorted(context.language.code("lead_field", name) for name in changed),
    }


def _task(context: RequestContext, touch: TouchView) -> dict[str, Any]:
    if late := touch.data.get("deadline"):
        return {"headline": context.language.code("touch", f"deadline_{late}"), "tone": "red", "picture": "alert"}
    if means := touch.data.get("contact"):
        return {"headline": context.language.code("touch.reached", means)}
    return {"headline": context.language.code("task_done", touch.data.get("kind"))}
