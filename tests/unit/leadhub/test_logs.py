"""Lines of a process's log: whoever looks for an id that a page showed finds the place in the code beside it."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest

from crm_core.base.log import bound, error_facts, get_logger
from leadhub.logs import FactsFormatter, keep_log


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(FactsFormatter())
    logger = logging.getLogger("leadhub.tests.logs")
    logger.addHandler(handler)
    yield written
    logger.removeHandler(handler)


def test_facts_stand_on_the_line_when_they_were_given_as_keywords(lines: io.StringIO) -> None:
    facts = {"request_id": "0a1b", "error": "KeyError", "where": ["app.py:7 view", "leads.py:9 find"]}
    logging.getLogger("leadhub.tests.logs").error("request_failed", extra=facts)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ERROR leadhub\.tests\.logs request_failed request_id=0a1b error=KeyError"
        r' where="app\.py:7 view < leads\.py:9 find"\n',
        lines.getvalue(),
    )


def test_line_has_nothing_more_when_there_are_no_facts(lines: io.StringIO) -> None:
    logging.getLogger("leadhub.tests.logs").warning("database away: %s", "Timeout")
    assert lines.getvalue().endswith("Z WARNING leadhub.tests.logs database away: Timeout\n")


def test_event_stands_on_every_line_while_it_is_bound_and_words_of_an_error_on_none(lines: io.StringIO) -> None:
    log = get_logger("leadhub.tests.logs")
    with bound(event_id="e7"):
        log.warning("first", source_id=3)
        with pytest.raises(ValueError, match="Anna") as caught:
            raise ValueError("Anna, +79123456701")
        log.error("second", **error_facts(caught.value))
    log.warning("third")
    first, second, third = lines.getvalue().splitlines()
    assert first.endswith(" WARNING leadhub.tests.logs first source_id=3 event_id=e7")
    assert re.search(r' second error=ValueError where="test_logs\.py:\d+ test_event_stands\w+" event_id=e7$', second)
    assert third.endswith(" third")
    assert "Anna" not in lines.getvalue()


def test_log_is_set_up_once_and_speaks_from_warnings_on(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = list(root.handlers)
    try:
        keep_log()
        keep_log(loglevel=30, logfile=None)  # as Celery calls it
        [made] = [handler for handler in root.handlers if handler not in before]
        logging.getLogger("leadhub.tests.logs").warning("claim_lost", extra={"events": 3})
        assert capsys.readouterr().err.count("claim_lost events=3\n") == 1
        assert made.level == logging.WARNING
    finally:
        for handler in root.handlers[:]:
            if handler not in before:
                root.removeHandler(handler)
