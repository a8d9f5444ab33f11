"""What a WSGI server loads: `leadhub.wsgi:create` is a factory, so that nothing is built at import."""

from __future__ import annotations

import os
from pathlib import Path

from leadhub import settings
from leadhub.logs import keep_log
from webhooks.wsgi import Application, create_application


def create() -> Application:
    keep_log()  # here and not earlier: the server sets its own lines first, in each of its processes
    return create_application(settings.hub_config(settings.read(os.environ, Path.cwd())))
