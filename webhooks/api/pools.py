"""Pools that share out new leads, and who is in them with which share."""

from __future__ import annotations

from typing import cast

from pydantic import Field

from crm_core.access import audit
from crm_core.base.values import Text
from crm_core.people.queries import get_pool, list_pools
from crm_core.people.teams import add_pool, change_pool, put_member, remove_member, remove_pool
from webhooks.api.route import Ask, Body, Route
from webhooks.api.schemas import staff as shapes


class PoolBody(Body):
    name: Text = Field(min_length=1, max_length=200)


class PoolPatch(Body):
    name: Text | None = Field(None, min_length=1, max_length=200)
    default: bool | None = Field(None, description="true makes it the default pool instead of the present one")


class MemberBody(Body):
    weight: float = Field(1.0, ge=0, le=1000, allow_inf_nan=False, description="share of the leads")
    paused: bool = False


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_pools(connection), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_pool(connection, ask.id("pool"))


def _add(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        pool_id = add_pool(connection, cast(PoolBody, ask.body).name)
        audit(connection, ask.principal, "pool.add", f"pool:{pool_id}")
        return get_pool(connection, pool_id)


def _change(ask: Ask) -> object:
    pool_id = ask.id("pool")
    body = cast(PoolPatch, ask.body)
    with ask.engine.begin() as connection:
        change_pool(connection, pool_id, body.name, body.default)
        fields = sorted(body.model_fields_set)
        audit(connection, ask.principal, "pool.change", f"pool:{pool_id}", {"fields": fields})
        return get_pool(connection, pool_id)


def _remove(ask: Ask) -> None:
    pool_id = ask.id("pool")
    with ask.engine.begin() as connection:
        remove_pool(connection, pool_id)
        audit(connection, ask.principal, "pool.remove", f"pool:{pool_id}")


def _put_member(ask: Ask) -> object:
    pool_id, owner_id = ask.id("pool"), ask.id("owner", "owner")
    body = cast(MemberBody, ask.body)
    with ask.engine.begin() as connection:
        put_member(connection, pool_id, owner_id, body.weight, body.paused)
        audit(connection, ask.principal, "pool.member", f"pool:{pool_id}", {"owner": str(owner_id)})
        return get_pool(connection, pool_id)


def _remove_member(ask: Ask) -> None:
    pool_id, owner_id = ask.id("pool"), ask.id("owner", "owner")
    with ask.engine.begin() as connection:
        remove_member(connection, pool_id, owner_id)
        audit(connection, ask.principal, "pool.member_removed", f"pool:{pool_id}", {"owner": str(owner_id)})


ROUTES = (
    Route("GET", "/pools", "owners.read", _list, "Pools with their live ledgers", shapes.PoolPage),
    Route("POST", "/pools", "owners.write", _add, "Add a pool", shapes.Pool, body=PoolBody, status=201),
    Route("GET", "/pools/<id>", "owners.read", _get, "One pool", shapes.Pool),
    Route("PATCH", "/pools/<id>", "owners.write", _change, "Rename a pool or make it the default", shapes.Pool,
          body=PoolPatch),
    Route("DELETE", "/pools/<id>", "owners.write", _remove, "Remove a pool that nothing names", None, status=204),
    Route("PUT", "/pools/<id>/members/<owner>", "owners.write", _put_member, "Add a member or change his share",
          shapes.Pool, body=MemberBody),
    Route("DELETE", "/pools/<id>/members/<owner>", "owners.write", _remove_member, "Take a member out", None,
          status=204),
)  # fmt: skip
