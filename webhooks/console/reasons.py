"""What became of an event and why, in words, out of the reason or the error that is stored on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from webhooks.console.desk import Desk


def words_of(desk: Desk, event: Mapping[str, Any]) -> str:
    """One or two sentences. An event that is not finished tells its error, or that it waits for its turn."""
    language = desk.language
    error = event.get("error")
    if error:
        return error_words(desk, error)
    reason: Mapping[str, Any] = event.get("reason") or {}
    code = reason.get("code")
    if not code:
        return language.code("event_words", event.get("outcome") or event.get("state"))
    said = [language.code("reason", code, detail=reason.get("detail", ""))]
    if rule := (reason.get("match") or {}).get("rule"):
        said.append(language.code("match", rule))
    if rule := (reason.get("thread") or {}).get("rule"):
        said.append(language.code("thread", rule))
    if why := reason.get("why"):
        said.append(language("why.said", why=why))
    return " ".join(said)


def error_words(desk: Desk, error: Mapping[str, Any]) -> str:
    """In the reader's language where the code is known; else the sentence that was stored with it."""
    code = str(error.get("code", ""))
    if desk.language.knows("problem", code):
        return desk.language.code("problem", code)
    return str(error.get("message") or code)
