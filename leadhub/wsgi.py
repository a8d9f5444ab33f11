"""What a WSGI server loads: `leadhub.wsgi:create` is a factory, so that nothing is built at import."""

from __future__ import annotations

import os
from pathlib import Path

from leadhub import settings
from webhooks.wsgi import Application, create_application


def create() -> Application:
    return create_application(settings.hub_config(settings.read(os.environ, Path.cwd())))
