"""A Telegram bot: whoever writes to it has asked something, and the link by which he came says from where."""

from connectors.forms.telegram.config import TelegramConfig
from connectors.forms.telegram.parse import parse, provider_key, reply
from connectors.forms.telegram.verify import verify
from connectors.kit import Connector, Detect

CONNECTOR = Connector(
    name="telegram",
    channel="form",
    title="Telegram (bot)",
    parse=parse,
    config_model=TelegramConfig,
    verify=verify,
    provider_key=provider_key,
    reply=reply,
    detect=Detect((("header:x-telegram-bot-api-secret-token",), ('"update_id"', '"message"'))),
    experimental=True,
)
