"""`leadhub source test`: tries a source from outside without making a lead of it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine

from connectors.kit.connector import ConnectorConfig
from crm_core.access import Principal
from crm_core.base.config import HubConfig
from ingest.mailbox.source_check import begin_test
from ingest.sources.settings import LoadedSource

_SECONDS = 5.0


def trial(engine: Engine, principal: Principal, config: HubConfig, source_id: int) -> list[dict[str, Any]]:
    """Findings {"name","ok","message"} in the order of the steps. NotFound if there is no such source."""
    with engine.begin() as connection:
        loaded, url = begin_test(connection, principal, config, source_id)
    settings: ConnectorConfig = loaded.settings
    found = [{"name": "settings", "ok": True, "message": f"Complete, for the connector {loaded.connector.title}."}]
    if loaded.connector.pulls:
        return found + _mailbox(settings, config)
    return found + _address(loaded, url)


def _mailbox(settings: ConnectorConfig, config: HubConfig) -> list[dict[str, Any]]:
    from connectors.mail.imap import ImapConfig
    from ingest.mailbox import check

    if not isinstance(settings, ImapConfig):
        return [{"name": "connect", "ok": False, "message": "This connector fetches by itself and has no test."}]
    return [{"name": line.name, "ok": line.ok, "message": line.message} for line in check(settings, config)]


def _address(loaded: LoadedSource, url: str) -> list[dict[str, Any]]:
    """HEAD creates nothing, and says whether the address leads here."""
    import http.client
    from urllib.error import HTTPError, URLError
    from urllib.request import Request, urlopen

    if not url:
        return [{"name": "address", "ok": False, "message": "Its address was disabled; `leadhub source rotate` makes one."}]
    try:
        with urlopen(Request(url, method="HEAD"), timeout=_SECONDS) as answer:  # noqa: S310 - our own http(s) address
            status = answer.status
    except HTTPError as error:
        status = error.code
    except (URLError, OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        return [{"name": "address", "ok": False, "message": f"{url} cannot be reached from here: {reason}."}]
    if status >= 400:
        return [{"name": "address", "ok": False, "message": f"{url} answers {status}; is it this hub's?"}]
    paused = " The source is paused: arrivals are kept, not worked on." if loaded.state == "paused" else ""
    return [{"name": "address", "ok": True, "message": f"{url} answers {status}.{paused}"}]
