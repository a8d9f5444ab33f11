"""The one who acts: a signed-in person, an API token, the command line, the demo or the hub itself. Plain data, no rights in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True)
class Principal:
    kind: Literal["user", "token", "cli", "demo", "hub", "visitor"]
    id: int  # 0 where the name says it all
    name: str
    role: str  # one of crm_core.models.ROLES; "" may nothing
    owner_id: int | None = None  # whose leads a manager sees; None for a manager means: none
    locale: str = ""  # ru | en | "" for the hub's own

    @property
    def actor(self) -> str:
        """How touches, assignments and the audit name them: "user:7", "token:3", "cli:root"."""
        if self.kind in ("user", "token"):
            return f"{self.kind}:{self.id}"
        return f"cli:{self.name}" if self.kind == "cli" else self.kind


DEMO: Final = Principal("demo", 0, "demo", "admin")
HUB: Final = Principal("hub", 0, "hub", "admin")  # what the workers do by themselves
VISITOR: Final = Principal("visitor", 0, "", "")  # whoever is not signed in
