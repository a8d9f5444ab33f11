"""A place in a list as opaque text, which a client hands back to get the next page."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime

import orjson

from crm_core.base.errors import Invalid
from crm_core.base.paging import Position

_MAX_ID = 2**63 - 1


def encode_cursor(position: Position) -> str:
    raw = orjson.dumps([position.at.isoformat() if position.at else None, position.id])
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def decode_cursor(cursor: str) -> Position:
    """Raises Invalid for anything that `encode_cursor` did not make."""
    try:
        raw = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        at, row_id = orjson.loads(raw)
        moment = None if at is None else datetime.fromisoformat(at)
    except (ValueError, TypeError, binascii.Error, orjson.JSONDecodeError) as error:
        raise _bad_cursor() from error
    if type(row_id) is not int or not 0 <= row_id <= _MAX_ID or (moment is not None and moment.tzinfo is None):
        raise _bad_cursor()
    return Position(moment, row_id)


def _bad_cursor() -> Invalid:
    return Invalid("bad_cursor", "This cursor was not made by this list; begin again without one.", fields=["cursor"])
