"""The signature: `sign = hex(sha256(vpbx_api_key + json + vpbx_api_salt))` over the json text as it was received.

Source: MangoOffice_VPBX_API_v1.9, the chapter on requests. It does not cover the path, so the kind of event is
unsigned, nor a time: a genuine post can be sent again. What is sent again as the same event is stored once.
"""

from __future__ import annotations

import hashlib
import hmac

from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import raw_values
from connectors.telephony.mango.config import MangoConfig
from crm_core.base.errors import NotAuthentic


def verify(request: Request, config: ConnectorConfig) -> None:
    assert isinstance(config, MangoConfig)
    values = raw_values(request.body)
    key = config.key.encode()
    if not hmac.compare_digest(key, values.get("vpbx_api_key", b"")):
        raise NotAuthentic("wrong_key", "The event names another exchange than the key of this source.")
    expected = hashlib.sha256(key + values.get("json", b"") + config.salt.encode()).hexdigest()
    if not hmac.compare_digest(expected.encode(), values.get("sign", b"").lower()):
        raise NotAuthentic("wrong_signature", "The signature does not fit the key and salt of this source.")
