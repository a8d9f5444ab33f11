"""A connector's functions as the door asks them: what they do wrong is logged, and never costs an inquiry."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from connectors.kit import Connector, ConnectorConfig, Request
from crm_core.base.errors import NotAuthentic
from crm_core.base.log import error_facts, get_logger

_log = get_logger(__name__)
_Result = TypeVar("_Result")


def safely(
    connector: Connector,
    step: str,
    function: Callable[[Request, ConnectorConfig], _Result],
    request: Request,
    settings: ConnectorConfig,
) -> _Result | None:
    """What the function says; None if it failed, as if it had said nothing."""
    try:
        return function(request, settings)
    except Exception as error:  # noqa: BLE001 - a connector's mistake must not cost an inquiry
        _tell(connector, step, error)
        return None


def get_counts(connector: Connector, request: Request, settings: ConnectorConfig) -> bool:
    """True if this GET is an arrival."""
    wanted = connector.get_is_event
    if isinstance(wanted, bool):
        return wanted
    return safely(connector, "get_is_event", wanted, request, settings) is True


def refusal_of(connector: Connector, request: Request, settings: ConnectorConfig) -> NotAuthentic | None:
    """The signature's refusal, None if it is good."""
    assert connector.verify is not None
    try:
        connector.verify(request, settings)
    except NotAuthentic as error:
        return error
    except Exception as error:  # noqa: BLE001 - a connector's mistake must not cost an inquiry
        _tell(connector, "verify", error)
    return None


def _tell(connector: Connector, step: str, error: BaseException) -> None:
    _log.error("connector_failed_at_the_door", connector=connector.name, step=step, **error_facts(error))
