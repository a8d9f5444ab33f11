"""Files of a lead, for saving."""

from __future__ import annotations

from crm_core.access import audit
from crm_core.reading.attachments import get_file
from webhooks.console.desk import Answer, Desk
from webhooks.file_answer import file_answer


def download(desk: Desk, attachment_id: int) -> Answer:
    with desk.engine.begin() as connection:
        file = get_file(connection, desk.principal, attachment_id)
        audit(connection, desk.principal, "file.read", f"file:{file.id}")
    return file_answer(desk.config.home, file)
