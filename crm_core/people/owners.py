"""Owners, their absences and pools: the few changes that operations and the console make."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from crm_core.access import Principal, cut_off_owner
from crm_core.base.errors import Invalid, NotFound


def add_owner(
    connection: Connection, name: str, extension: str = "", email: str = "", team: str = "", weight: float = 1.0
) -> int:
    """Adds an employee and puts him into the default pool; returns his id. An extension belongs to one active owner only.

    He starts with the pool's average deficit, not with its whole history, so he is not flooded on his first day.
    """
    if not name.strip():
        raise Invalid("name_missing", "An owner needs a name.", fields=["name"])
    if not 0 <= weight <= 1000:
        raise Invalid("weight_out_of_range", "The weight must be between 0 and 1000.", fields=["weight"])
    team_id = None
    if team:
        team_id = connection.scalar(
            text("INSERT INTO team (name) VALUES (:name) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING id"),
            {"name": team},
        )
    try:
        with connection.begin_nested():
            owner_id = connection.scalar(
                text(
                    "INSERT INTO owner (name, extension, email, team_id) VALUES (:name, :extension, :email, :team) RETURNING id"
                ),
                {"name": name.strip(), "extension": extension.strip(), "email": email.strip(), "team": team_id},
            )
    except IntegrityError as error:
        raise Invalid(
            "extension_taken", f"Extension {extension} already belongs to another active owner.", fields=["extension"]
        ) from error
    connection.execute(
        text("INSERT INTO pool_member (pool_id, owner_id, weight) SELECT id, :owner, :weight FROM pool WHERE is_default"),
        {"owner": owner_id, "weight": weight},
    )
    return int(owner_id)


def list_owners(connection: Connection) -> list[dict[str, object]]:
    """Everybody with team, absence and number of open leads; the duty person first."""
    rows = connection.execute(
        text(
            "SELECT o.id, o.name, o.extension, o.email, t.name AS team, o.active, o.duty,"
            "  (SELECT max(until_at) FROM absence a WHERE a.owner_id = o.id AND from_at <= now() AND until_at > now()) AS absent_until,"
            "  (SELECT count(*) FROM lead l WHERE l.owner_id = o.id AND l.state = 'open') AS open_leads"
            " FROM owner o LEFT JOIN team t ON t.id = o.team_id ORDER BY o.duty DESC, o.id"
        )
    ).mappings()
    return [{**row, "id": str(row["id"])} for row in rows]


def _must_exist(connection: Connection, owner_id: int) -> None:
    if connection.scalar(text("SELECT 1 FROM owner WHERE id = :id"), {"id": owner_id}) is None:
        raise NotFound("owner_unknown", f"There is no owner {owner_id}.")


def set_absent(connection: Connection, owner_id: int, until: datetime, reason: str = "") -> None:
    """From now until `until` (aware) he gets no new leads; his own clients' leads are covered by the pool."""
    _must_exist(connection, owner_id)
    if until.tzinfo is None:
        raise Invalid("zone_missing", "The end of an absence needs a time zone.", fields=["until"])
    if connection.scalar(text("SELECT :until <= now()"), {"until": until}):
        raise Invalid("in_the_past", "The end of an absence must lie in the future.", fields=["until"])
    set_present(connection, owner_id)
    connection.execute(
        text("INSERT INTO absence (owner_id, until_at, reason) VALUES (:id, :until, :reason)"),
        {"id": owner_id, "until": until, "reason": reason},
    )


def set_present(connection: Connection, owner_id: int) -> None:
    """Ends the running absence, if any."""
    _must_exist(connection, owner_id)
    connection.execute(
        text(
            "UPDATE absence SET until_at = greatest(now(), from_at + interval '1 millisecond')"
            " WHERE owner_id = :id AND from_at <= now() AND until_at > now()"
        ),
        {"id": owner_id},
    )


def set_active(connection: Connection, owner_id: int, active: bool, actor: Principal | str = "hub") -> None:
    """An inactive owner gets nothing more; their clients go to the pool at their next inquiry.

    Whoever is retired is out at once: their users are disabled, their tokens revoked, and stay so when the owner is
    activated again. Raises NotFound, Conflict (last_administrator).
    """
    _must_exist(connection, owner_id)
    connection.execute(text("UPDATE owner SET active = :active WHERE id = :id"), {"active": active, "id": owner_id})
    if not active:
        cut_off_owner(connection, actor, owner_id)


def set_duty(connection: Connection, owner_id: int) -> None:
    """Makes this owner the duty person instead of the present one."""
    _must_exist(connection, owner_id)
    connection.execute(text("UPDATE owner SET duty = false WHERE duty"))
    connection.execute(text("UPDATE owner SET duty = true WHERE id = :id"), {"id": owner_id})
