"""A table as text: a header of names and rows below it, parted by comma, semicolon, tab or bar. Each row is an inquiry."""

from __future__ import annotations

import csv
from typing import Any, Final

from connectors.kit.decoding import limits
from connectors.kit.forms.roles import role_of
from crm_core.base.errors import Malformed

_SEPARATORS: Final = (",", ";", "\t", "|")
_REACHED: Final = frozenset(("phone", "email"))
_COLUMNS: Final = 200  # of a header; an export of a CRM has under 100


def rows_of(text: str, content_type: str) -> dict[str, Any] | list[dict[str, Any]] | None:
    """One row as a form, several as forms, None for what is no table: its header must name a phone or an e-mail.

    Raises Malformed for more rows than one post may carry: a cut table would lose some.
    """
    header, end, rest = text.lstrip().partition("\n")
    if not end or not rest.strip() or len(header) > _COLUMNS * limits.KEY_CHARS:
        return None
    separator = max(_SEPARATORS, key=header.count)
    try:
        names = next(csv.reader([header.strip("\r")], delimiter=separator))
    except csv.Error:
        return None
    is_told = content_type.partition(";")[0].strip().casefold() in ("text/csv", "text/tab-separated-values", "application/csv")
    known = {role_of(name.strip()) for name in names}
    if not 2 <= len(names) <= _COLUMNS or known.isdisjoint(_REACHED) or (not is_told and len(known - {""}) < 2):
        return None
    rows: list[dict[str, Any]] = []
    try:
        for cells in csv.reader(rest.splitlines(keepends=True), delimiter=separator):
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(names) or (len(cells) < 2 and not is_told):
                return None
            if len(rows) == limits.ROWS:
                raise Malformed("too_many_rows", f"The table has more than {limits.ROWS} rows. Send them in parts.")
            rows.append({name.strip(): cell for name, cell in zip(names, cells, strict=False)})
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else rows or None
