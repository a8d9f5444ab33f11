"""Settings of one Mango account: the two values that sign its events."""

from __future__ import annotations

from pydantic import Field

from connectors.kit import ConnectorConfig, Secret


class MangoConfig(ConnectorConfig):
    key: Secret = Field(min_length=1, description="Unique code of your exchange (Mango cabinet, Integrations, API connector)")
    salt: Secret = Field(min_length=1, description="Key for the signature (Mango cabinet, Integrations, API connector)")
