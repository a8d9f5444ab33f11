"""Rows of the audit."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from webhooks.api.schemas.base import Id, Page, Shape


class AuditRow(Shape):
    id: Id
    at: AwareDatetime
    actor: str = Field(description="user:7, token:3, cli:root (the account on the machine), visitor (who is not signed in), hub")
    actor_name: str = Field(description="of a user or token; empty for the others")
    action: str = Field(description="what was done, such as lead.assign or event.raw")
    subject: str = Field(description="to what, such as lead:7")
    data: dict[str, Any] = Field(description="ids and names of fields; no personal data")


class AuditPage(Page[AuditRow]):
    pass
