"""Inquiries of one batch keep each what it said, also where Python takes their values for equal."""

from __future__ import annotations

import orjson
from desk import Desk
from sqlalchemy import Engine

from crm_core.access import HUB
from crm_core.base.config import HubConfig
from ingest.sources.sources import add_source


def test_fields_that_python_takes_for_equal_stay_apart(config: HubConfig, engine: Engine) -> None:
    desk = Desk(config, engine)
    try:
        with engine.begin() as connection:
            source_id = add_source(connection, HUB, config, "generic_form", "form", {}).id
        said = [1, True, 1.0]
        for number, value in enumerate(said):
            body = {"phone": f"+7921333445{number}", "message": "the same", "extra": value}
            desk.post(source_id, "form", orjson.dumps(body), {"content-type": "application/json"})
        desk.drain()
        rows = desk.rows("SELECT fields FROM lead ORDER BY event_seq, event_id")
        kept = [row["fields"].get("extra") for row in rows]
        assert len(kept) == len(said)
        assert sorted(map(orjson.dumps, kept)) == sorted(map(orjson.dumps, said))
    finally:
        desk.close()
