"""Settings of one app at Meta."""

from __future__ import annotations

from pydantic import Field

from connectors.kit import FormConfig, Secret


class WhatsAppConfig(FormConfig):
    verify_token: Secret = Field(
        "",
        description="A word of your own that is also entered in the app as verify token; empty: the address cannot be verified",
    )
    app_secret: Secret = Field("", description="App secret (App settings, Basic); empty: signatures are not checked")
