"""Settings of one sender."""

from __future__ import annotations

from pydantic import Field

from connectors.kit import FormConfig, Secret


class StandardWebhooksConfig(FormConfig):
    secret: Secret = Field(
        "",
        description="The sender's signing secret, with or without whsec_ before it; empty: signatures are not checked",
    )
