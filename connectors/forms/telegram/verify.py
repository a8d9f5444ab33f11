"""The header X-Telegram-Bot-Api-Secret-Token: the word that was given to setWebhook, sent back with every update.

Source: core.telegram.org/bots/api#setwebhook. It proves who sent the update; of the body it covers nothing.
"""

from __future__ import annotations

import hmac

from connectors.forms.telegram.config import TelegramConfig
from connectors.kit import ConnectorConfig, Request
from crm_core.base.errors import NotAuthentic

HEADER = "x-telegram-bot-api-secret-token"


def verify(request: Request, config: ConnectorConfig) -> None:
    assert isinstance(config, TelegramConfig)
    if not config.secret:
        return
    given = request.headers.get(HEADER, "")
    if not given:
        raise NotAuthentic("no_secret", "The update carries no secret token; setWebhook was called without one.")
    if not hmac.compare_digest(config.secret.encode(), given.encode("utf-8", "replace")):
        raise NotAuthentic("wrong_secret", "The secret token is not the one of this source.")


def is_genuine(request: Request, config: ConnectorConfig) -> bool:
    try:
        verify(request, config)
    except NotAuthentic:
        return False
    return True
