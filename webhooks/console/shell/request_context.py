"""What a view works with: the hub, the person who asks, his language, and the moment. Built once a request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, render_template, request, url_for
from sqlalchemy import Engine

from crm_core.access import Principal, may
from crm_core.base.config import HubConfig
from crm_core.base.paging import Position
from webhooks.api.cursors import decode_cursor, encode_cursor
from webhooks.console.shell.language import Language
from webhooks.console.shell.session import Session

PageAnswer = str | Response | tuple[str, int]


@dataclass(frozen=True, slots=True)
class RequestContext:
    config: HubConfig
    engine: Engine
    now: datetime  # aware UTC
    language: Language
    session: Session
    visitor: Principal | None  # None on the pages that need nobody

    @property
    def principal(self) -> Principal:
        """The signed-in person. Routes that name a permission are never called without one."""
        if self.visitor is None:
            raise LookupError("This page was reached without signing in.")
        return self.visitor

    def may(self, permission: str) -> bool:
        return may(self.visitor, permission)

    def page(self, template: str, /, **values: Any) -> str:
        return render_template(template, **values)

    def go(self, endpoint: str, done: str = "", /, **values: Any) -> Response:
        """On to another page after a deed, which says what was `done` (a key of the texts "done.…")."""
        if done:
            values["done"] = done
        where = url_for(f"console.{endpoint}", **values)
        answer: Response = redirect(where, 303)  # type: ignore[assignment]
        return answer

    def after(self) -> Position | None:
        """The row after which the part of the list begins that the address names."""
        cursor = request.args.get("cursor")
        return None if cursor is None else decode_cursor(cursor)

    def more(self, last: Position | None) -> str | None:
        """The address of the next part of this list, with its filters."""
        if last is None:
            return None
        return f"{request.path}?{urlencode({**request.args.to_dict(), 'cursor': encode_cursor(last)})}"


def chosen(*names: str) -> Mapping[str, str]:
    """The named filters of the address that are set. NUL, which PostgreSQL cannot hold, is dropped."""
    values = {name: request.args.get(name, "").replace("\x00", "").strip()[:200] for name in names}
    return {name: value for name, value in values.items() if value}


def entered(name: str, most: int = 10_000) -> str:
    """One field of the posted form, with plain line ends."""
    return request.form.get(name, "").replace("\x00", "").replace("\r\n", "\n").strip()[:most]
