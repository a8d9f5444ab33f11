"""The hub's own small pages for people whose browser posted a form, in Russian and English. They load nothing."""

from __future__ import annotations

import html
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

_TEXTS: Final = {
    "accepted": {
        "en": ("Thank you", "We have received your message and will get back to you."),
        "ru": ("Спасибо", "Мы получили ваше сообщение и свяжемся с вами."),
    },
    "database_away": {
        "en": ("Please try again", "Your message could not be saved just now. Go back and send it once more in a minute."),
        "ru": ("Попробуйте ещё раз", "Сообщение сейчас не удалось сохранить. Вернитесь назад и отправьте его ещё раз через минуту."),
    },
    "too_large": {
        "en": ("Too large", "The message is too large. Go back and send it with smaller files."),
        "ru": ("Слишком большое сообщение", "Сообщение слишком большое. Вернитесь назад и отправьте его с файлами поменьше."),
    },
    "unknown_source": {
        "en": ("Wrong address", "Nobody receives messages at this address. Please call or write to the company."),
        "ru": ("Неверный адрес", "По этому адресу сообщения никто не получает. Пожалуйста, позвоните или напишите в компанию."),
    },
    "about": {
        "en": ("This address works", "It receives messages from a website or a telephone exchange. There is nothing to see here."),
        "ru": ("Адрес работает", "Он принимает сообщения с сайта или телефонной станции. Смотреть здесь нечего."),
    },
    "back": {"en": ("Back to the site", ""), "ru": ("Вернуться на сайт", "")},
}  # fmt: skip

_PAGE: Final = (
    '<!doctype html><html lang="{lang}"><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
    "<title>{title}</title><style>body{{font:1.1rem/1.6 system-ui,sans-serif;color:#1d2433;background:#f4f6fa;"
    "display:grid;place-items:center;min-height:90vh;margin:0}}main{{background:#fff;border-radius:12px;padding:2.5rem;"
    "max-width:30rem;box-shadow:0 1px 3px #0002}}h1{{margin:0 0 .5rem;font-size:1.6rem}}p{{margin:0 0 1rem}}"
    "a{{color:#1f5fd0}}</style><main><h1>{title}</h1><p>{text}</p>{link}</main></html>"
)


def page(which: str, accept_language: str, default: str, back: str = "") -> bytes:
    """The page `which` in the reader's language. `back` is an address that was checked by the caller, or ""."""
    lang = language(accept_language, default)
    title, text = _TEXTS[which if which in _TEXTS else "database_away"][lang]
    link = f'<p><a href="{html.escape(back)}">{_TEXTS["back"][lang][0]}</a></p>' if back else ""
    return _PAGE.format(lang=lang, title=title, text=text, link=link).encode()


def language(accept_language: str, default: str) -> str:
    """ru or en: the one with the higher weight in Accept-Language (RFC 9110 §12.5.4), else the hub's own."""
    best, found = 0.0, ""
    for item in accept_language[:500].split(","):
        tag, _, parameters = item.partition(";")
        name = tag.strip().lower()[:2]
        try:
            weight = float(parameters.strip().removeprefix("q=")) if parameters else 1.0
        except ValueError:
            weight = 0.0
        if name in ("ru", "en") and weight > best:
            best, found = weight, name
    return found or (default if default in ("ru", "en") else "en")
