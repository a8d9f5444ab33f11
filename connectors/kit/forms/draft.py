"""An inquiry before it is one: what mappings and readings have found so far. Decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.kit.forms.attribution import Marks
from connectors.kit.forms.fields import Path
from crm_core.parsed import Consent, IncomingFile


@dataclass(slots=True)
class Draft:
    """An inquiry in the making. A preset fills in what its mapping names; `read` adds what the names say."""

    name: str = ""
    phones: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)
    company: str = ""
    messages: list[str] = field(default_factory=list)
    title: str = ""
    form_id: str = ""
    form_name: str = ""
    line: str = ""
    submitted_at: datetime | None = None
    is_test: bool = False
    marks: Marks = field(default_factory=Marks)
    first: str = ""
    last: str = ""
    middle: str = ""
    warnings: set[str] = field(default_factory=set)
    thread: str = ""  # the provider's id of the conversation
    messengers: dict[str, str] = field(default_factory=dict)
    consents: list[Consent] = field(default_factory=list)
    files: list[IncomingFile] = field(default_factory=list)
    antispam_fields: dict[str, str] = field(default_factory=dict)  # see `antispam_fields`
    #: Where each phone stood and under what name, and what was sent around it: see `country_hints`.
    phone_places: dict[str, tuple[Path, str]] | None = None
    headers: Mapping[str, str] | None = None
    whole: Mapping[str, Any] | None = None  # the post before a mapping took anything out of it

    def place_phone(self, phone: str, path: Path, name: str) -> None:
        """Remembers where a phone stood."""
        if self.phone_places is None:
            self.phone_places = {}
        self.phone_places[phone] = path, name
