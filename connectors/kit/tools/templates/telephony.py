"""A connector in Python for a telephone exchange that signs what it sends."""

from connectors.kit.tools.templates.page import GUIDE, PAGE

TELEPHONY = {
    "README.md": PAGE.replace(
        "## How it authenticates\nBy the token in the address, unless there is a signature: over what, and what it does not cover.",
        "## How it authenticates\nHeader `X-Signature`: hexadecimal HMAC-SHA256 of the body with the setting `secret`.",
    ),
    "guide.yaml": GUIDE
    + """settings:
  secret:
    label: {en: "Secret", ru: "Секрет"}
    help: {en: "Where TITLE shows it.", ru: "Где его показывает TITLE."}
""",
    "__init__.py": '''"""TITLE: events of its calls."""

from connectors.kit import Connector
from connectors.telephony.NAME.config import Config
from connectors.telephony.NAME.parse import parse, provider_key
from connectors.telephony.NAME.verify import verify

CONNECTOR = Connector(
    name="NAME",
    channel="call",
    title="TITLE",
    parse=parse,
    config_model=Config,
    verify=verify,
    provider_key=provider_key,
    experimental=True,
)
''',
    "config.py": '''"""Settings of one account."""

from __future__ import annotations

from pydantic import Field

from connectors.kit import ConnectorConfig, Secret


class Config(ConnectorConfig):
    secret: Secret = Field(min_length=1, description="Secret of the account's web hooks")
''',
    "verify.py": '''"""The signature. Source: say which page of the provider's documentation."""

from __future__ import annotations

import hashlib
import hmac

from connectors.kit import ConnectorConfig, Request
from connectors.telephony.NAME.config import Config
from crm_core.base.errors import NotAuthentic


def verify(request: Request, config: ConnectorConfig) -> None:
    assert isinstance(config, Config)
    expected = hmac.new(config.secret.encode(), request.body, hashlib.sha256).hexdigest()
    given = request.headers.get("x-signature", "")
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise NotAuthentic("wrong_signature", "The signature does not fit the secret of this source.")
''',
    "parse.py": '''"""What TITLE's events mean. Source: say which page of its documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.kit import ConnectorConfig, Request
from connectors.kit.decoding import decode
from connectors.kit.forms.fields import text_of
from crm_core.parsed import Arrival, CallEvent, CallKind, Ignored
from crm_core.base.errors import Malformed

_KINDS: dict[str, CallKind] = {"ring": "ringing", "answer": "answered", "end": "call_ended"}


def parse(request: Request, _config: ConnectorConfig) -> Sequence[Arrival]:
    data = decode(request).fields
    event, call_key = text_of(data.get("event")), text_of(data.get("call"))
    if event and event not in _KINDS:
        return [Ignored("unsupported_event", event)]
    if not event or not call_key:
        raise Malformed("no_call_id", "The event names no call or not what happened to it.", path="$.call")
    return [
        CallEvent(
            call_key=call_key,
            event_id=_identity(data),
            kind=_KINDS[event],
            direction="out" if data.get("direction") == "out" else "in",
            remote=text_of(data.get("client")),
            extension=text_of(data.get("extension")),
            is_final=event == "end",
            human=True if event == "answer" else None,
        )
    ]


def provider_key(request: Request, _config: ConnectorConfig) -> str | None:
    try:
        data = decode(request).fields
    except Malformed:
        return None
    return f"{_identity(data)}|{request.headers.get('x-signature', '')[:64]}" if data.get("call") else None


def _identity(data: Mapping[str, Any]) -> str:
    return "|".join(text_of(data.get(name)) for name in ("event", "call", "extension"))
''',
    "samples/config.json": '{"secret": "s3cret"}\n',
    "samples/ring__incoming/request.json": """{
  "headers": {
    "content-type": "application/json",
    "x-signature": "52bea06cb7589a62ff5ec2cb63389e530c6f0ffba214da5406a3102e9392679c"
  },
  "body": "{\\"event\\":\\"ring\\",\\"call\\":\\"c1\\",\\"client\\":\\"79123456760\\",\\"extension\\":\\"101\\"}"
}
""",
    "samples/end__missed/request.json": """{
  "headers": {
    "content-type": "application/json",
    "x-signature": "331769c19d4b55469115b8281a9db99ad4e803b39561d503eb9081ac78204e82"
  },
  "body": "{\\"event\\":\\"end\\",\\"call\\":\\"c1\\",\\"client\\":\\"79123456760\\"}"
}
""",
    "samples/wrong__signature/request.json": """{
  "headers": {"content-type": "application/json", "x-signature": "00"},
  "body": "{\\"event\\":\\"end\\",\\"call\\":\\"c1\\",\\"client\\":\\"79123456760\\"}"
}
""",
}
