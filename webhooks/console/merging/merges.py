"""Merging a contact with another from its card: choose, look, do; and taking merges back."""

from __future__ import annotations

from crm_core.access.actors import names_of
from crm_core.contacts.queries import ContactFilter, get_contact, list_contacts
from crm_core.merging.commands import merge_contacts
from crm_core.merging.preview import preview_merge
from crm_core.merging.queries import merges_of
from ingest.processing.merge_undo import look_at_merge_undo, undo_merge
from webhooks.console.merging.fields import shown_fields
from webhooks.console.shell.form_input import row_id
from webhooks.console.shell.request_context import PageAnswer, RequestContext, chosen, entered

_FOUND = 10  # contacts offered for what was typed


def page(context: RequestContext, contact_id: int) -> PageAnswer:
    """Without `with`, what was merged and a box to find the other one; with it, what a merge would make of both."""
    wanted = chosen("with", "q")
    preview, found = None, []
    with context.engine.begin() as connection:
        contact = get_contact(connection, context.principal, contact_id)
        if wanted.get("with", "").isdecimal():
            preview = preview_merge(connection, context.principal, contact.id, int(wanted["with"][:18]), context.now)
        elif "q" in wanted:
            listed = list_contacts(
                connection, context.principal, ContactFilter(q=wanted["q"]), _FOUND, region=context.config.region
            )  # fmt: skip
            found = [one for one in listed.items if one.id != contact.id and one.erased_at is None]
        merges = merges_of(connection, context.principal, contact.id)
        names = names_of(connection, [actor for one in merges for actor in (one.actor, one.undone_by)])
    return context.page(
        "merging/merge.html", contact=contact, preview=preview, found=found, q=wanted.get("q", ""), merges=merges, names=names,
        fields=shown_fields(context, preview) if preview is not None else (),
        rule_of=lambda one: context.language.code("match", one.rule), conflict_of=lambda code: context.language.code("suggestion_field", code),
    )  # fmt: skip


def merge(context: RequestContext, contact_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        merge_contacts(connection, context.principal, contact_id, row_id("loser"), entered("why", 100_000), context.now)
    return context.go("contact", "merged", contact_id=contact_id)


def look(context: RequestContext, merge_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        view = look_at_merge_undo(connection, context.principal, merge_id, context.config)
        contact = get_contact(connection, context.principal, view.winner_id)
    return context.page("merging/undo.html", view=view, contact=contact)


def undo(context: RequestContext, merge_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        view = undo_merge(connection, context.principal, merge_id, entered("why", 100_000), context.now, context.config)
    return context.go("contact", "unmerged", contact_id=view.winner_id)
