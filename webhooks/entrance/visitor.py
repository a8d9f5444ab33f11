"""Who stands at the door, as far as the answer depends on it: a person's browser, a script, or somebody who only looks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

#: Search engines and makers of link previews, by the names that they publish. They follow addresses, they fill in nothing.
_LOOKERS: Final = re.compile(
    r"googlebot|google-read-aloud|bingbot|bingpreview|yandex(?:bot|images|metrika|favicons)|slackbot|telegrambot|twitterbot"
    r"|facebookexternalhit|meta-externalagent|whatsapp/|linkedinbot|discordbot|vkshare|skypeuripreview|applebot"
    r"|duckduckbot|baiduspider|petalbot|mj12bot|ahrefsbot|semrushbot|dotbot|gptbot|claudebot|bytespider|ccbot|mail\.ru_bot",
    re.IGNORECASE,
)
_AHEAD: Final = ("purpose", "sec-purpose", "x-purpose", "x-moz")


def only_looks(headers: Mapping[str, str]) -> bool:
    """True for a page that is fetched in advance or for a preview, and for known robots: their GET is no inquiry."""
    if any(word in headers.get(name, "").lower() for name in _AHEAD for word in ("prefetch", "prerender", "preview")):
        return True
    return _LOOKERS.search(headers.get("user-agent", "")) is not None


def is_browser_form(headers: Mapping[str, str]) -> bool:
    """True if a person's browser waits for a page: it takes HTML, no script asked, and JSON is not what it likes best."""
    accept = headers.get("accept", "").lower()
    html = accept.find("text/html")
    if html < 0 or headers.get("x-requested-with", "").lower() == "xmlhttprequest":
        return False
    return not 0 <= accept.find("application/json") < html
