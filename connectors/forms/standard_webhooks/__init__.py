"""Standard Webhooks: any sender that signs as standardwebhooks.com says, among them Svix and this hub itself."""

from dataclasses import replace
from pathlib import Path

from connectors.forms.standard_webhooks.verify import provider_key, verify
from connectors.kit import preset

CONNECTOR = replace(preset.load(Path(__file__).parent), verify=verify, provider_key=provider_key)
