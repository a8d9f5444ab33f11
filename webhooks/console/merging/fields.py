"""The preview of a merge as rows of a table: both values, what is chosen, why, and which inquiry it came from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_core.merging.preview import FieldValue, MergePreview
from webhooks.console.shell.request_context import RequestContext
from webhooks.console.shell.view_values import phone

_OWN_WORDS = ("name", "company", "owner", "first_inquiry", "phone", "email")


def shown_fields(context: RequestContext, preview: MergePreview) -> list[Mapping[str, Any]]:
    language = context.language

    def values(field: str, found: list[FieldValue]) -> list[Mapping[str, Any]]:
        return [
            {"text": phone(one.value) if field == "phone" else one.value, "origin": one.origin} for one in found
        ]  # fmt: skip

    return [
        {
            "title": language.code("suggestion_field" if one.field in _OWN_WORDS else "messenger", one.field),
            "winner": values(one.field, [value for value in one.values if value.of == preview.winner.id]),
            "loser": values(one.field, [value for value in one.values if value.of != preview.winner.id]),
            "chosen": one.chosen,
            "why": language.code("survivor", one.rule),
            "is_conflict": one.is_conflict,
        }
        for one in preview.fields
    ]
