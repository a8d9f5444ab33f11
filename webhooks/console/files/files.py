"""Files of a lead, for saving."""

from __future__ import annotations

from crm_core.forms.attachments import open_file
from webhooks.console.shell.request_context import Answer, Desk
from webhooks.file_answer import file_answer


def download(desk: Desk, attachment_id: int) -> Answer:
    with desk.engine.begin() as connection:
        file = open_file(connection, desk.principal, attachment_id)
    return file_answer(desk.config.home, file)
