"""The Flask application: API, console, health and metrics under one set of headers and one table of errors.

It holds no session and no state but the engine; importing it builds nothing.
"""

from __future__ import annotations

import secrets
from typing import Any

import orjson
from flask import Flask, Response, g
from flask.json.provider import JSONProvider
from werkzeug.middleware.proxy_fix import ProxyFix

from crm_core.base.config import HubConfig
from webhooks import api, compression, console, problems
from webhooks.entrance import pbx_routing
from webhooks.ops import health, metrics
from webhooks.security_headers import harden

MAX_REQUEST_BYTES = 1024 * 1024  # pages and API; the entrances have their own limit
_MAX_FORM_PARTS = 1000  # fields of one posted page


class _OrjsonProvider(JSONProvider):
    """JSON as the API writes it everywhere: bytes at once, no lone surrogates, times only as text."""

    def dumps(self, obj: Any, **_options: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_options: Any) -> Any:
        return orjson.loads(s)


def create_app(config: HubConfig) -> Flask:
    """The application for this installation. Nothing connects until the first request."""
    app = Flask(__name__, static_folder=None)
    app.json = _OrjsonProvider(app)
    app.config.update(
        MAX_CONTENT_LENGTH=MAX_REQUEST_BYTES,
        MAX_FORM_MEMORY_SIZE=MAX_REQUEST_BYTES,
        MAX_FORM_PARTS=_MAX_FORM_PARTS,
        PROPAGATE_EXCEPTIONS=False,  # tests see what users see
    )
    app.url_map.strict_slashes = True
    if config.trusted_proxies > 0:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    problems.install(app)
    app.before_request(_begin)
    compression.install(app)
    is_https = config.base_url.startswith("https://")

    @app.after_request
    def finish(response: Response) -> Response:
        response.headers.setdefault("X-Request-Id", g.get("request_id", ""))
        return compression.compressed(app, harden(response, is_https))

    for room in (api, console, health, metrics, pbx_routing):
        app.register_blueprint(room.blueprint(config))
    return app


def _begin() -> None:
    g.request_id = secrets.token_hex(8)
