"""How a process of the hub writes its log: a line for each event, with the moment, its place and its facts as keywords.

Facts are ids, counts and names of errors. It never adds what people wrote.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any, Final

#: What every record has; anything else was given by whoever logs.
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}


class FactsFormatter(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802 - the name in the base class
        del datefmt
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - this too
        facts = (f" {name}={_word(value)}" for name, value in record.__dict__.items() if name not in _OWN)
        return super().formatMessage(record) + "".join(facts)


def keep_log(**_: Any) -> None:
    """Warnings and errors of this process go to its standard error. A second call changes nothing.

    Takes what Celery's signal `setup_logging` brings along.
    """
    root = logging.getLogger()
    if any(isinstance(handler.formatter, FactsFormatter) for handler in root.handlers):
        return
    handler = logging.StreamHandler()
    handler.setFormatter(FactsFormatter())
    handler.setLevel(logging.WARNING)
    root.addHandler(handler)


def keep_celery_log() -> None:
    """The same in a process of Celery, which otherwise sets its own lines, without the facts."""
    from celery.signals import setup_logging

    setup_logging.connect(keep_log, weak=False)


def _word(value: Any) -> str:
    text = " < ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f'"{text}"' if " " in text else text
