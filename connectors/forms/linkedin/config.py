"""Settings of one LinkedIn app and the account whose forms it reads."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from connectors.kit import FormConfig, Secret, sent_to


class LinkedInConfig(FormConfig):
    client_secret: Secret = Field(
        min_length=1, description="Primary client secret of the app (linkedin.com/developers, Auth); signs the notices",
        json_schema_extra=sent_to(),
    )  # fmt: skip
    access_token: Secret = Field(
        min_length=1, description="Access token with r_marketing_leadgen_automation; leads are fetched with it (60 days)",
        json_schema_extra=sent_to("api_url"),
    )  # fmt: skip
    owner: str = Field(
        "", pattern=r"^(urn:li:(sponsoredAccount|organization):\d{1,24})?$",
        description="Whose leads are looked up now and then: urn:li:sponsoredAccount:… or urn:li:organization:…; empty: nobody's",
    )  # fmt: skip
    lead_type: Literal["SPONSORED", "EVENT", "COMPANY", "ORGANIZATION_PRODUCT"] = Field(
        "SPONSORED", description="Which kind of leads is looked up for the owner"
    )
    api_url: str = Field("https://api.linkedin.com/rest", max_length=200, description="Address of the REST API")
    api_version: str = Field(
        "202510", pattern=r"^\d{6}$", description="Version of the REST API (year and month); LinkedIn retires one after a year"
    )

    @field_validator("api_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("begins with https://")
        return value.rstrip("/")
