"""What one pastes elsewhere: a line for a terminal, a form for a page."""

from __future__ import annotations

from datetime import datetime

from markupsafe import escape

from connectors.kit import registry
from crm_core.base.errors import HubError
from webhooks.console.shell.language import Language
from webhooks.console.sources.trials import trial_of


def curl_line(url: str, connector: str, now: datetime) -> str:
    """A line that works when pasted; "" for connectors whose requests must be signed."""
    try:
        trial = trial_of(registry.get(connector), now)
    except HubError:
        return ""
    return f"curl {url} {trial.curl}" if trial else ""


def html_form(url: str, language: Language) -> str:
    rows = "\n".join(
        f"  <label>{escape(language(f'snippet.{name}'))} {control}</label>"
        for name, control in (
            ("name", '<input name="name" autocomplete="name">'),
            ("phone", '<input name="phone" type="tel" autocomplete="tel">'),
            ("email", '<input name="email" type="email" autocomplete="email">'),
            ("message", '<textarea name="message"></textarea>'),
        )
    )
    return f'<form method="post" action="{escape(url)}">\n{rows}\n  <button>{escape(language("snippet.send"))}</button>\n</form>'
