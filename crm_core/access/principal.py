"""The one who acts: a signed-in person, an API token, or the command line. Plain data, no rights in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Principal:
    kind: Literal["user", "token", "cli"]
    id: int
    name: str
    role: str  # one of crm_core.models.ROLES
    owner_id: int | None = None  # whose leads a manager sees; None for a manager means: none
    locale: str = ""  # ru | en | "" for the hub's own

    @property
    def actor(self) -> str:
        """How touches, assignments and the audit name him: "user:7", "token:3", "cli"."""
        return "cli" if self.kind == "cli" else f"{self.kind}:{self.id}"
