"""The hub's own small pages for a visitor whose browser posted a form, in his own language. They load nothing."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

#: Nothing may run or be fetched; the style stands in the page.
PAGE_HEADERS: Final = (
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    ),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)

LANGUAGES: Final = ("en", "ru", "uk", "de", "fr", "es", "pt", "it", "pl", "tr")

_PAGE: Final = (
    '<!doctype html><html lang="{lang}"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
    "<title>{title}</title><style>body{{font:1.1rem/1.6 system-ui,sans-serif;color:#1d2433;background:#f4f6fa;"
    "display:grid;place-items:center;min-height:90vh;margin:0}}main{{background:#fff;border-radius:12px;padding:2.5rem;"
    "max-width:30rem;box-shadow:0 1px 3px #0002}}h1{{margin:0 0 .5rem;font-size:1.6rem}}p{{margin:0 0 1rem}}"
    "a{{color:#1f5fd0}}</style><main><h1>{title}</h1><p>{text}</p>{call}{link}</main></html>"
)


@cache
def _texts() -> Mapping[str, Mapping[str, tuple[str, str]]]:
    """Page → language → (title, text). What is missing in a language is said in English."""
    loaded: Mapping[str, Mapping[str, tuple[str, str]]]
    loaded = json.loads((Path(__file__).parent / "reply_texts.json").read_text(encoding="utf-8"))
    return loaded


def page(which: str, accept_language: str, default: str, back: str = "", phone: str = "") -> bytes:
    """The page `which` in the reader's language. `back` is an address that was checked by the caller, or ""; `phone` is
    the business's own number, shown where something went wrong."""
    texts, lang = _texts(), language(accept_language, default)
    told = texts.get(which, texts["database_away"])
    title, text = told.get(lang, told["en"])
    link = f'<p><a href="{html.escape(back)}">{texts["back"][lang][0]}</a></p>' if back else ""
    call = f'<p>{texts["call"][lang][0]} <a href="tel:{_dialled(phone)}">{html.escape(phone)}</a></p>' if phone else ""
    return _PAGE.format(lang=lang, title=title, text=text, link=link, call=call).encode()


def _dialled(phone: str) -> str:
    return "".join(char for char in phone if char in "+0123456789")


def language(accept_language: str, default: str) -> str:
    """The known one with the highest weight in Accept-Language (RFC 9110 §12.5.4), else the hub's own."""
    best, found = 0.0, ""
    for item in accept_language[:500].split(","):
        tag, _, parameters = item.partition(";")
        name = tag.strip().lower().partition("-")[0]
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            weight = 0.0
        if name in LANGUAGES and weight > best:
            best, found = weight, name
    return found or (default if default in LANGUAGES else "en")
