"""Who waits for the answer: a person's browser, which wants a page, or a script, which wants JSON."""

from __future__ import annotations

from collections.abc import Mapping


def wants_page(headers: Mapping[str, str]) -> bool:
    """True if it takes HTML, no script asked, and JSON is not what it likes best. `headers` in lower case."""
    accept = headers.get("accept", "").lower()
    html = accept.find("text/html")
    if html < 0 or headers.get("x-requested-with", "").lower() == "xmlhttprequest":
        return False
    return not 0 <= accept.find("application/json") < html
