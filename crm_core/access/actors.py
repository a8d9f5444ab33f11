"""Names behind the actors that touches and assignments name: "user:7", "token:3"."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from crm_core.access.models import ApiToken, User


def names_of(connection: Connection, actors: Iterable[str]) -> dict[str, str]:
    """{actor: name} for users and tokens that exist; "hub", "cli:root" and whoever is gone are not in it."""
    wanted: dict[str, set[int]] = {"user": set(), "token": set()}
    for actor in actors:
        kind, _, number = actor.partition(":")
        if kind in wanted and number.isdecimal():
            wanted[kind].add(int(number))
    names: dict[str, str] = {}
    for kind, table in (("user", User), ("token", ApiToken)):
        if wanted[kind]:
            rows = connection.execute(select(table.id, table.name).where(table.id.in_(wanted[kind])))
            names |= {f"{kind}:{row.id}": row.name for row in rows}
    return names
