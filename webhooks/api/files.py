"""Files that came with leads: their contents, for whoever may see the lead."""

from __future__ import annotations

from flask import Response

from crm_core.forms.attachments import open_file
from webhooks.api.route import Ask, Route
from webhooks.file_answer import file_answer


def _get(ask: Ask) -> Response:
    with ask.engine.begin() as connection:
        file = open_file(connection, ask.principal, ask.id("file"))
    return file_answer(ask.config.home, file)


ROUTES = (
    Route("GET", "/files/<id>", "leads.read", _get, "A file that came with a lead, for saving", None,
          media_type="application/octet-stream"),
)  # fmt: skip
