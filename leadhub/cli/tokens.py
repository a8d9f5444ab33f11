"""`leadhub token …`: which programs may call the API, as whom, until when."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from leadhub.cli.answers import answers, hub, table, tell
from leadhub.operator import operator

_ROLES = click.Choice(["admin", "head", "manager", "ops", "readonly"])


@click.group()
def token() -> None:
    """Keys of the API."""


@token.command()
@click.option("--role", type=_ROLES, required=True, help="What the key may do.")
@click.option("--name", required=True, help="Which program it is for.")
@click.option("--owner", "owner_id", type=int, help="As which owner it acts: a manager's key sees this owner's leads.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"]),
              help="When it ends, in the hub's time zone. Without: never.")  # fmt: skip
@answers
def create(role: str, name: str, owner_id: int | None, until: datetime | None, as_json: bool) -> None:
    """Make a key and show it, this once."""
    from crm_core import access
    from crm_core.access.queries import get_token
    from webhooks.api.shape import beside, plain_json
    from webhooks.api.tokens import NewToken

    with hub() as (config, engine), engine.begin() as connection:
        end = until.replace(tzinfo=config.zone) if until else None
        token_id, key = access.add_token(connection, operator(), role, name, owner_id, end)
        made = get_token(connection, token_id)
    tell(plain_json(NewToken, beside(made, token=key)), as_json=as_json, words=key)


@token.command(name="list")
@answers
def list_(as_json: bool) -> None:
    """Show all keys: whose, since when, last used; never the key itself."""
    from crm_core.access.queries import list_tokens
    from webhooks.api.shape import plain_json
    from webhooks.api.tokens import Token

    with hub() as (_, engine), engine.connect() as connection:
        rows = [plain_json(Token, one) for one in list_tokens(connection)]
    columns = {
        "id": "ID", "prefix": "BEGINS", "name": "NAME", "role": "ROLE", "owner": "OWNER", "state": "STATE",
        "created_at": "CREATED", "last_used_at": "LAST USED", "expires_at": "UNTIL",
    }  # fmt: skip
    tell({"items": rows}, as_json=as_json, words=table(rows, columns, "There are no keys yet: leadhub token create"))


@token.command()
@click.argument("token_id", metavar="ID", type=int)
@answers
def revoke(token_id: int, as_json: bool) -> None:
    """End a key at once."""
    from crm_core import access
    from crm_core.access.queries import get_token
    from webhooks.api.shape import plain_json
    from webhooks.api.tokens import Token

    with hub() as (_, engine), engine.begin() as connection:
        access.revoke_token(connection, operator(), token_id, datetime.now(UTC))
        shown = get_token(connection, token_id)
    tell(plain_json(Token, shown), as_json=as_json, words=f"The key {shown.name!r} opens nothing any more.")
