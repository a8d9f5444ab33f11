"""Whatever a connector raises is about its own event, and what it quotes stays out of the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from desk import Desk
from sqlalchemy import Engine

from connectors.kit import ConnectorConfig, Request
from crm_core.base.config import HubConfig
from crm_core.parsed import ParsedItem
from ingest.processing.process import Processor

OTHER = "+79162223344"


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    built = Desk(config, engine)
    yield built
    built.close()


@pytest.mark.parametrize("error", [OverflowError, EOFError, StopIteration, RuntimeError, ValueError])
def test_neighbours_go_on_when_a_connector_raises_something_of_its_own(
    desk: Desk, error: type[Exception], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = desk.form(name="Иван", phone="+79213334455")
    bad = desk.form(name="Пётр", phone=OTHER, message="unreadable")
    processor = Processor(desk.config)
    source = processor.source(desk.form_source)
    parse = source.connector.parse

    def raises(request: Request, settings: ConnectorConfig) -> Sequence[ParsedItem]:
        if b"unreadable" in request.body:
            raise error(OTHER)
        return parse(request, settings)

    broken = replace(source, connector=replace(source.connector, parse=raises))
    monkeypatch.setattr(processor, "source", lambda _: broken)
    processor.drain("form")
    processor.close()
    assert desk.event(good)["outcome"] == "created"
    assert desk.event(bad)["state"] == "needs_attention"
    assert desk.event(bad)["error"]["code"] == "connector_failed"
    assert "connector_failed" in caplog.text
    assert OTHER not in caplog.text
