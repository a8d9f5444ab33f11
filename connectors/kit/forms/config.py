"""Settings that every source of forms has: against spam, for consent, for files. A form's connector adds its own to them."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from connectors.kit.connector import ConnectorConfig


class FormConfig(ConnectorConfig):
    """What a connector of the channel "form" begins its settings with."""

    spam: Literal["off", "mark", "quarantine"] = Field(
        "quarantine",
        description="What a score does: off (none is made), mark (shown on the lead), quarantine (from 4 points on set aside)",
        json_schema_extra={"group": "spam"},
    )
    honeypots: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="Names of hidden fields that only robots fill in, besides _gotcha, _honey and botcheck",
        json_schema_extra={"group": "spam"},
    )
    allowed_origins: list[str] = Field(
        default_factory=list,
        max_length=50,
        description="Host names of the pages that carry this form; a post from elsewhere looks more like spam",
        json_schema_extra={"group": "spam"},
    )
    burst_per_minute: int = Field(
        100,
        ge=0,
        le=100_000,
        description="So many posts of visitors in a minute look like an attack: what follows is set aside for ten minutes; 0: never",
        json_schema_extra={"group": "spam"},
    )
    altcha: Literal["off", "optional", "expected"] = Field(
        "off",
        description="ALTCHA proof of work in the form: off, optional (a good one lowers the score), expected (none raises it)",
        json_schema_extra={"group": "spam"},
    )
    consent_unknown: Literal["accept", "hold"] = Field(
        "accept",
        description="An inquiry that says nothing about consent to processing: accept it, or hold it until a person decides",
        json_schema_extra={"group": "consent"},
    )
    consent_fields: dict[str, Literal["processing", "marketing", "transfer"]] = Field(
        default_factory=dict,
        max_length=20,
        description='Fields that carry a consent, by name, and its purpose: {"agree": "processing"}; a box left empty is then a no',
        json_schema_extra={"group": "consent"},
    )
    accept_get: bool = Field(
        False,
        description="Take a GET with a query for an inquiry as well (plug-ins that know no POST)",
        json_schema_extra={"group": "door"},
    )
    visitors_phone: str = Field(
        "",
        max_length=40,
        pattern=r"^[0-9+() .\-]*$",
        description="Phone of the business, shown to a visitor whose message could not be taken",
        json_schema_extra={"group": "door"},
    )
    fetch_files: bool = Field(
        True,
        description="Fetch files that a form names by their address, so that they do not vanish with the provider",
        json_schema_extra={"group": "files"},
    )
