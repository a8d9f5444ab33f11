"""Files of a lead, for saving."""

from __future__ import annotations

from crm_core.forms.attachments import open_file
from webhooks.console.shell.request_context import PageAnswer, RequestContext
from webhooks.file_answer import file_answer


def download(context: RequestContext, attachment_id: int) -> PageAnswer:
    with context.engine.begin() as connection:
        file = open_file(connection, context.principal, attachment_id)
    return file_answer(context.config.home, file)
