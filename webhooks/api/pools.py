"""Pools that share out new leads, and who is in them with which share."""

from __future__ import annotations

from typing import Literal, cast

from pydantic import Field

from crm_core.people import commands
from crm_core.people.pool_ledger import LeftOut, pool_ledger
from crm_core.people.queries import get_pool, list_pools
from webhooks.api.parameters import Text
from webhooks.api.route import Ask, Body, Route
from webhooks.api.shape import Id, Named, Page, Shape


class PoolMember(Shape):
    owner: Named
    weight: float
    entitled: float
    assigned: int
    deficit: float = Field(description="what he is owed; the largest gets the next lead")
    paused: bool


class Pool(Shape):
    id: Id
    name: str
    default: bool
    picks: int
    strategy: Literal["ledger", "least_open", "claim", "broadcast"] = Field(
        description="by what each is owed; to the fewest open leads; by taking; by taking after everybody was told"
    )
    members: list[PoolMember]


class LedgerMember(Shape):
    owner: Named
    weight: float
    paused: bool
    entitled: float
    assigned: int
    deficit: float = Field(description="what they are owed; the largest gets the next lead")
    left_out: LeftOut | None = Field(description="why the pool passes them over now; null: it does not")


class PoolLedger(Shape):
    id: Id
    name: str
    default: bool
    picks: int
    strategy: Literal["ledger", "least_open", "claim", "broadcast"]
    members: list[LedgerMember] = Field(description="whoever is owed most first")
    next: Named | None = Field(description="who gets the next lead, unless a rule or a client's owner decides")
    fairness: float | None = Field(
        description="Jain's index: 1 is perfectly fair, 1/n one person got all; null before the first pick"
    )
    longest_run: int = Field(description="leads in a row to one person, among the last 500")
    longest_run_owner: Named | None


class PoolPage(Page[Pool]):
    pass


class PoolBody(Body):
    name: Text = Field(min_length=1, max_length=200)


class PoolPatch(Body):
    name: Text | None = Field(None, min_length=1, max_length=200)
    default: bool | None = Field(None, description="true makes it the default pool instead of the present one")
    strategy: Literal["ledger", "least_open", "claim", "broadcast"] | None = None


class MemberBody(Body):
    weight: float = Field(1.0, ge=0, le=1000, allow_inf_nan=False, description="share of the leads")
    paused: bool = False


def _list(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return {"items": list_pools(connection), "next": None}


def _get(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return get_pool(connection, ask.id("pool"))


def _ledger(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        return pool_ledger(connection, ask.now, ask.id("pool"))


def _add(ask: Ask) -> object:
    with ask.engine.begin() as connection:
        pool_id = commands.add_pool(connection, ask.principal, cast(PoolBody, ask.body).name)
        return get_pool(connection, pool_id)


def _change(ask: Ask) -> object:
    pool_id = ask.id("pool")
    body = cast(PoolPatch, ask.body)
    with ask.engine.begin() as connection:
        commands.change_pool(connection, ask.principal, pool_id, body.name, body.default, body.strategy)
        return get_pool(connection, pool_id)


def _remove(ask: Ask) -> None:
    with ask.engine.begin() as connection:
        commands.remove_pool(connection, ask.principal, ask.id("pool"))


def _put_member(ask: Ask) -> object:
    pool_id, owner_id = ask.id("pool"), ask.id("owner", "owner")
    body = cast(MemberBody, ask.body)
    with ask.engine.begin() as connection:
        commands.put_member(connection, ask.principal, pool_id, owner_id, body.weight, body.paused)
        return get_pool(connection, pool_id)


def _remove_member(ask: Ask) -> None:
    pool_id, owner_id = ask.id("pool"), ask.id("owner", "owner")
    with ask.engine.begin() as connection:
        commands.remove_member(connection, ask.principal, pool_id, owner_id)


ROUTES = (
    Route("GET", "/pools", "owners.read", _list, "Pools with their live ledgers", PoolPage),
    Route("POST", "/pools", "owners.write", _add, "Add a pool", Pool, body=PoolBody, status=201),
    Route("GET", "/pools/<id>", "owners.read", _get, "One pool", Pool),
    Route("GET", "/pools/<id>/ledger", "owners.read", _ledger, "How fairly a pool shares, and who is left out now", PoolLedger),
    Route("PATCH", "/pools/<id>", "owners.write", _change, "Rename a pool or make it the default", Pool,
          body=PoolPatch),
    Route("DELETE", "/pools/<id>", "owners.write", _remove, "Remove a pool that nothing names", None, status=204),
    Route("PUT", "/pools/<id>/members/<owner>", "owners.write", _put_member, "Add a member or change their share",
          Pool, body=MemberBody),
    Route("DELETE", "/pools/<id>/members/<owner>", "owners.write", _remove_member, "Take a member out", None,
          status=204),
)  # fmt: skip
