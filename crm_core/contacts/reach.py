"""What leads, contacts and calls share about a person: his root, and his phones and e-mails from all merged members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.orm import aliased

from crm_core.access.visibility import select_any
from crm_core.contacts.models import Contact, ContactIdentifier, Identifier
from crm_core.identity.emails import read_emails
from crm_core.identity.phones import read_phones


def root_of(connection: Connection, contact_id: int) -> int | None:
    """The contact that carries on for this one, itself unless merged; None if there is no such contact."""
    return connection.execute(
        select_any(Contact.root_id, because="an id says nothing of anybody").where(Contact.id == contact_id)
    ).scalar_one_or_none()


@dataclass(frozen=True, slots=True)
class MessengerAccount:
    kind: str  # telegram, whatsapp_id, vk_id, …
    id: str


@dataclass(frozen=True, slots=True)
class Reach:
    """How a person is reached, what was known first in front."""

    phones: Sequence[str] = ()  # E.164
    emails: Sequence[str] = ()
    messengers: Sequence[MessengerAccount] = ()


#: Of somebody whom the asker may not reach.
NOWHERE = Reach()


def reachable_at(connection: Connection, root_ids: Iterable[int]) -> dict[int, Reach]:
    """By root."""
    found: dict[int, dict[str, dict[str, None]]] = {root: {} for root in root_ids}  # an ordered set for each kind
    if not found:
        return {}
    rows = connection.execute(
        select_any(Contact.root_id, Identifier.kind, ContactIdentifier.display, because="the roots were seen")
        .join(ContactIdentifier, ContactIdentifier.contact_id == Contact.id)
        .join(Identifier, Identifier.id == ContactIdentifier.identifier_id)
        .where(
            Contact.root_id.in_(found), ContactIdentifier.retired_at.is_(None), Identifier.kind != "thread"
        )  # a conversation's id is no way to anybody
        .order_by(ContactIdentifier.first_seen_at, Identifier.id)
    )
    for root_id, kind, display in rows:
        found[root_id].setdefault(kind, {})[display] = None
    return {root: _reach(by_kind) for root, by_kind in found.items()}


def _reach(by_kind: dict[str, dict[str, None]]) -> Reach:
    phones, emails = tuple(by_kind.pop("phone", ())), tuple(by_kind.pop("email", ()))
    return Reach(phones, emails, tuple(MessengerAccount(kind, id_) for kind, ids in by_kind.items() for id_ in ids))


def members_with(connection: Connection, kind: str, values: Iterable[str]) -> list[int]:
    """Ids of all contacts, merged ones too, whose person uses one of these canonical identifiers.

    Asked for beforehand and not as a part of the list's query: with LIMIT the planner would rather walk through all
    leads by time than begin with the few that can match.
    """
    user = aliased(Contact)
    roots = (
        select_any(user.root_id, because="an id says nothing of anybody")
        .join(ContactIdentifier, ContactIdentifier.contact_id == user.id)
        .join(Identifier, Identifier.id == ContactIdentifier.identifier_id)
        .where(
            Identifier.kind == kind,
            Identifier.value.in_(list(values)),
            ContactIdentifier.retired_at.is_(None),
        )
    )
    return list(
        connection.scalars(select_any(Contact.id, because="an id says nothing of anybody").where(Contact.root_id.in_(roots)))
    )


def members_of(connection: Connection, contact_id: int) -> list[int]:
    """Ids of everything that was merged with this contact, itself included."""
    nothing_told = "an id says nothing of anybody"
    root_id = select_any(Contact.root_id, because=nothing_told).where(Contact.id == contact_id).scalar_subquery()
    return list(connection.scalars(select_any(Contact.id, because=nothing_told).where(Contact.root_id == root_id)))


def phone_values(text: str, region: str) -> list[str]:
    """Canonical forms of a phone as somebody typed it; nothing if it is none."""
    return [key.value for key in read_phones(text, region, kind="ani")]


def email_values(text: str) -> list[str]:
    return [key.value for key in read_emails(text)]
