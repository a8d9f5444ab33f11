"""The log of every room: an event's constant name and its facts as keywords. Never what people wrote.

Facts that hold for a stretch of work (the event's id, the request's) are bound once, by `bound`, and stand on each line of it.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

import structlog
from structlog.contextvars import bound_contextvars as bound
from structlog.contextvars import merge_contextvars

__all__ = ["bound", "error_facts", "get_logger"]


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger whose records are those of the standard library, facts and all, so that one formatter writes ours and others'."""
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        logging.getLogger(name),
        processors=[structlog.stdlib.filter_by_level, merge_contextvars, structlog.stdlib.render_to_log_kwargs],
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    return logger


def error_facts(error: BaseException) -> dict[str, Any]:
    """Class and places of an error as facts, the innermost place last. Its words stay out: they quote values, and values are
    people's."""
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "error": type(error).__name__,
        "where": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames],
    }
