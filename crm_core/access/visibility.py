"""Which rows a principal sees: one rule a kind of row, and `select_visible`, the one way for a query to ask for them.

A rule names tables and no models, so that nothing of a subject is needed here; a query hands its model in. What has no rule
cannot be selected.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    and_,
    column,
    false,
    inspect,
    or_,
    select,
    table,
    true,
)

from crm_core.access.principal import Principal

AnySelect = Select[*tuple[Any, ...]]
Rule = Callable[[Any, int], ColumnElement[bool]]

_LEAD: Final = table("lead", column("id"), column("contact_id"), column("owner_id"), column("state"))
_CONTACT: Final = table("contact", column("id"), column("root_id"), column("owner_id"))

#: Who sees every row. What they may do with it is `rights.may`.
_SEE_ALL: Final = frozenset({"admin", "head", "ops", "readonly"})


def select_visible(model: Any, principal: Principal, *columns: Any) -> AnySelect:
    """Rows of `model`, a mapped class or an alias of one, that the principal may see: these columns of each, or all."""
    return select(*(columns or (model,))).select_from(model).where(visible(model, principal))


def select_any(*columns: Any, because: str) -> AnySelect:
    """Rows whoever may see them. `because` says what keeps them from whoever may not: it is for the reader, and a test asks
    for it wherever a query names one of these tables."""
    if not because:
        raise ValueError("Say what keeps these rows from whoever may not see them.")
    return select(*columns)


def visible(model: Any, principal: Principal) -> ColumnElement[bool]:
    """The clause that `select_visible` adds; of itself for counting what is hidden."""
    rule = RULES[_table_name(model)]  # KeyError: nobody has said yet who sees such rows
    if principal.role in _SEE_ALL:
        return true()
    return false() if principal.owner_id is None else rule(model, principal.owner_id)


def sees_leads_of(principal: Principal, owner_id: int) -> bool:
    """True if no lead of this owner is hidden from the principal."""
    return principal.role in _SEE_ALL or principal.owner_id == owner_id


def _table_name(model: Any) -> str:
    selectable: FromClause = inspect(model).mapper.local_table
    return str(selectable.description)


def _lead(lead: Any, owner_id: int) -> ColumnElement[bool]:
    """A manager's own."""
    owned: ColumnElement[bool] = lead.owner_id == owner_id
    return owned


def _contact(contact: Any, owner_id: int) -> ColumnElement[bool]:
    """Of roots: a manager's own, and those whose open lead they work, for instance as a cover.

    An open lead gives the card only (`_touch`), and nobody opens one again of a client who went to a colleague.
    """
    lead = _LEAD.alias()
    works_it = (
        select(lead.c.id)
        .where(lead.c.contact_id == contact.id, lead.c.owner_id == owner_id, lead.c.state == "open")
        .correlate_except(lead)
        .exists()
    )
    return or_(contact.owner_id == owner_id, works_it)


def _touch(touch: Any, owner_id: int) -> ColumnElement[bool]:
    """The history of a manager's own clients, and of their own leads of anybody else's.

    A contact that they see only for the lead that they work (a cover, a lead of another line) shows nothing of what
    colleagues wrote on theirs.
    """
    return _of_own_lead_or_client(touch, owner_id)


def _done_by(row: Any, owner_id: int) -> ColumnElement[bool]:
    """What a manager did or is to do, and what belongs to their leads and clients."""
    return or_(_of_own_lead_or_client(row, owner_id), row.owner_id == owner_id)


def _attachment(file: Any, owner_id: int) -> ColumnElement[bool]:
    """As the lead that it came with; one without a lead as the contact."""
    lead, member, root = _LEAD.alias(), _CONTACT.alias(), _CONTACT.alias()
    of_lead = select(lead.c.id).where(lead.c.id == file.lead_id, _lead(lead.c, owner_id)).correlate_except(lead).exists()
    of_contact = (
        select(member.c.id)
        .join(root, root.c.id == member.c.root_id)
        .where(member.c.id == file.contact_id, _contact(root.c, owner_id))
        .correlate_except(member, root)
        .exists()
    )
    return or_(of_lead, and_(file.lead_id.is_(None), of_contact))


def _of_own_lead_or_client(row: Any, owner_id: int) -> ColumnElement[bool]:
    """Ownership alone decides, never the state of a lead: that is the owner's to set."""
    lead, member, root = _LEAD.alias(), _CONTACT.alias(), _CONTACT.alias()
    of_lead = select(lead.c.id).where(lead.c.id == row.lead_id, lead.c.owner_id == owner_id)
    of_client = (
        select(member.c.id)
        .join(root, root.c.id == member.c.root_id)
        .where(member.c.id == row.contact_id, root.c.owner_id == owner_id)
    )
    # Correlated with the rows in question only, whatever the list around them joins.
    return or_(of_lead.correlate_except(lead).exists(), of_client.correlate_except(member, root).exists())


def _mention(mention: Any, owner_id: int) -> ColumnElement[bool]:
    """What is for a manager, and what was left about their leads. The client of a lead is not shown with it (`_lead`)."""
    lead = _LEAD.alias()
    of_lead = select(lead.c.id).where(lead.c.id == mention.lead_id, lead.c.owner_id == owner_id).correlate_except(lead)
    return or_(mention.owner_id == owner_id, of_lead.exists())


def _notification(notification: Any, owner_id: int) -> ColumnElement[bool]:
    """One's own."""
    own: ColumnElement[bool] = notification.owner_id == owner_id
    return own


#: Table → its rule. Rows of other tables belong to one of these rows and are reached through it.
RULES: Final[Mapping[str, Rule]] = {
    "lead": _lead, "contact": _contact, "touch": _touch, "call": _done_by, "activity": _done_by, "attachment": _attachment,
    "mention": _mention, "notification": _notification,
}  # fmt: skip
