"""The hub's own entrance, for the "try it" button: the same door that a website posts to, without the way through the net."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Flask, current_app
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from crm_core.base.errors import Misconfigured
from webhooks.console.sources.trials import Letter

_KEY = "leadhub.entrance"


def share(app: Flask, entrance: Callable[..., Iterable[bytes]]) -> None:
    """Lends the application the entrance of its process, whose threads and connection start at the first use, after a fork."""
    app.extensions[_KEY] = entrance


def post(path: str, letter: Letter) -> tuple[int, bytes]:
    """The status and the body that the sender of this letter gets. Misconfigured in an application that has no entrance."""
    entrance = current_app.extensions.get(_KEY)
    if entrance is None:
        raise Misconfigured("no_entrance", "This process has no entrance to try.")
    builder = EnvironBuilder(
        path=path, method="POST", data=letter.body, content_type=letter.content_type,
        headers=Headers({"Accept": "application/json", "User-Agent": "Leadhub console"}),
    )  # fmt: skip
    body, status, _ = run_wsgi_app(entrance, builder.get_environ())
    return int(status.split()[0]), b"".join(body)
