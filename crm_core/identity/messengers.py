"""Keys of people who write through messengers and chats. An id that the provider gives is certain, a name that was typed is not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from hashlib import sha256

from crm_core.identity.identifiers import Key

#: What the provider itself calls the person: one account, one person.
_GIVEN = ("telegram_id", "whatsapp_id", "vk_id", "viber_id", "avito_id", "instagram_id", "facebook_id")
#: What a person types into a form: "@ivan", "https://t.me/ivan", "t.me/ivan?start=x".
_TYPED = ("telegram", "vk", "instagram", "skype", "wechat", "line", "signal", "max")

_ADDRESS = re.compile(r"(?:https?://)?(?:www\.|m\.)?[\w-]+\.(?:me|com|ru|im)/+", re.IGNORECASE)
_HANDLE = re.compile(r"[a-z0-9][a-z0-9_.-]{2,63}")
_CHARS = 200  # a longer handle is a text in the wrong field


def messenger_keys(messengers: Mapping[str, str]) -> tuple[Key, ...]:
    """Keys of an inquiry's messengers, in a fixed order. Unknown messengers and nonsense make none; they stay fields."""
    given = map(partial(_given, messengers), (kind for kind in _GIVEN if kind in messengers))
    typed = map(partial(_typed, messengers), (kind for kind in _TYPED if kind in messengers))
    return tuple(key for key in (*given, *typed) if key is not None)


def thread_key(source_id: int, thread: str) -> Key:
    """The conversation itself as an identifier: whoever wrote in it before is who writes in it now."""
    if len(thread) > _CHARS:  # two long ids with one beginning are two conversations
        thread = sha256(thread.encode("utf-8", "replace")).hexdigest()
    return Key("thread", f"{source_id}:{thread}", "strong", thread)


def _given(messengers: Mapping[str, str], kind: str) -> Key | None:
    value = messengers[kind].strip()
    return Key(kind, value, "strong", value) if value and len(value) <= _CHARS else None


def _typed(messengers: Mapping[str, str], kind: str) -> Key | None:
    written = messengers[kind].strip()[:_CHARS]
    handle = _ADDRESS.sub("", written).split("?")[0].strip("/@ ").casefold()
    if not _HANDLE.fullmatch(handle) or handle.isdigit():
        return None
    return Key(kind, handle, "strong", "@" + handle)
