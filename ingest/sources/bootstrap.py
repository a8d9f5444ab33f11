"""The first start: somebody to sign in and an address to post to, so that the hub can be tried within a minute.

Does nothing twice: users and sources that are there stay as they are; only the sign-in link is new at each start.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, text

from crm_core.access import HUB, add_user, make_link
from crm_core.access.models import User
from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from crm_core.sources.models import Source
from ingest.sources.sources import add_source, source_address

ADMIN_LOGIN = "admin"
FORM_NAME = "Website form"

_LINK_MINUTES = 60.0  # printed on a terminal; long enough to come back from a coffee
_LOCK = 0x1EAD_F0  # one first start at a time


@dataclass(frozen=True, slots=True)
class FirstRun:
    sign_in_url: str  # signs an administrator in, once; "" if there is no active one
    form_url: str  # "" if there is no form source
    curl: str  # a line for a terminal; "" with it


def first_run(config: HubConfig, now: datetime | None = None) -> FirstRun:
    """Makes what an empty hub lacks and says where to go. Safe when several start at once."""
    engine = make_engine(config.database_url, "worker", pool_size=1)
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            if not connection.execute(select(func.count()).select_from(User)).scalar_one():
                add_user(connection, HUB, ADMIN_LOGIN, "Administrator", "admin")
            if not connection.execute(select(func.count()).select_from(Source)).scalar_one():
                add_source(connection, HUB, config, "generic_form", FORM_NAME, {})
            form_url = _form_url(connection, config)
            return FirstRun(_sign_in_url(connection, config, now or datetime.now(UTC)), form_url, _curl(form_url))
    finally:
        engine.dispose()


def _sign_in_url(connection: Connection, config: HubConfig, now: datetime) -> str:
    user_id = connection.execute(select(User.id).where(User.active, User.role == "admin").order_by(User.id).limit(1)).scalar()
    if user_id is None:
        return ""
    return f"{config.base_url}/console/sign-in/{make_link(connection, HUB, user_id, now, minutes=_LINK_MINUTES)}"


def _form_url(connection: Connection, config: HubConfig) -> str:
    source_id = connection.execute(
        select(Source.id).where(Source.connector == "generic_form").order_by(Source.id).limit(1)
    ).scalar()
    return "" if source_id is None else source_address(connection, config, source_id)


def _curl(form_url: str) -> str:
    # A number that nobody has and that no row of keys gives: one that runs 1 to 9 looks typed to get past a field.
    fields = ("name=Anna Example", "phone=+7 912 345-67-02", "message=Please call me back")
    told = " ".join(f"--data-urlencode '{field}'" for field in fields)
    return f"curl {told} {form_url}" if form_url else ""
