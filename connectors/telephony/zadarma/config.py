"""Settings of one Zadarma account."""

from __future__ import annotations

from pydantic import Field

from connectors.kit import ConnectorConfig, Secret


class ZadarmaConfig(ConnectorConfig):
    secret: Secret = Field(min_length=1, description="API secret of the account (Settings, Integrations and API, Keys and API)")
    timezone: str = Field(
        "",
        description="Zone of the account's cabinet, in which call times are written (IANA); empty: the hub's",
    )
    unanswered_without_extension: bool = Field(
        False,
        description="Take a call that was answered at no extension as ended in the voice menu, so that it is called back. "
        "For accounts whose menu or voicemail picks up",
    )
