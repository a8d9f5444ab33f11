"""A contact with the numbers and addresses that are theirs alone."""

from __future__ import annotations

from typing import Any

from factories.rows import AnyConnection, insert, next_id


def make_contact(
    connection: AnyConnection,
    name: str = "Ivan Petrov",
    owner_id: int | None = None,
    *,
    phone: str = "",
    email: str = "",
    **values: Any,
) -> int:
    """A root of its own, unless `root_id` says which contact it was joined with."""
    values = {"id": values.get("id") or next_id(connection, "contact")} | values
    contact_id = insert(connection, "contact", **{"root_id": values["id"]} | values, name=name, owner_id=owner_id)
    for kind, value in (("phone", phone), ("email", email)):
        if value:
            identifier_id = insert(connection, "identifier", kind=kind, value=value.lower(), strength="strong")
            insert(
                connection, "contact_identifier", key="contact_id",
                identifier_id=identifier_id, contact_id=contact_id, display=value, exclusive=True,
            )  # fmt: skip
    return contact_id
