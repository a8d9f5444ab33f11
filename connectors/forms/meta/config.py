"""Settings of one Facebook page and the app that is subscribed to it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator

from connectors.kit import FormConfig, Secret, sent_to

FormId = Annotated[str, Field(pattern=r"^\d{1,24}$")]


class MetaConfig(FormConfig):
    app_secret: Secret = Field(
        min_length=1, description="App secret (developers.facebook.com, App settings, Basic)", json_schema_extra=sent_to()
    )
    page_token: Secret = Field(
        min_length=1, description="Access token of the page with the right leads_retrieval; leads are fetched with it",
        json_schema_extra=sent_to("api_url"),
    )  # fmt: skip
    verify_token: str = Field(
        default="", max_length=200, description="Verify token for the webhook; made up by the hub if you give none",
        json_schema_extra=sent_to() | {"generate": True},
    )  # fmt: skip
    forms: list[FormId] = Field(
        default_factory=list, max_length=100,
        description="Numbers of the lead forms whose leads are looked up now and then, in case a notice was lost",
    )  # fmt: skip
    api_url: str = Field(
        "https://graph.facebook.com/v23.0", description="Address of the Graph API with its version", max_length=200
    )

    @field_validator("api_url")
    @classmethod
    def _address(cls, value: str) -> str:
        if not value.startswith(("https://", "http://")):
            raise ValueError("begins with https://")
        return value.rstrip("/")
