"""Settings of one bot."""

from __future__ import annotations

from pydantic import Field

from connectors.kit import FormConfig, Secret


class TelegramConfig(FormConfig):
    secret: Secret = Field(
        "",
        description="The secret_token that was given to setWebhook: letters, digits, _ and -, at most 256; empty: not checked",
    )
