"""/route/<token>: during a call an exchange asks whose client it is and what should ring. Answers within 300 ms.

In doubt it answers with the default: the extensions of the pool as they were last known, or none, and then the
exchange does what it would have done without us. The answer names a person, so addresses that stand in public pages (a
form's, an alias) are unknown here, and a replaced one names nobody.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from typing import Any

import orjson
from flask import Blueprint, Response, request
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from crm_core.base.config import HubConfig
from crm_core.base.database import make_engine
from crm_core.base.errors import HubError
from crm_core.base.log import get_logger
from crm_core.routing.queries import Answerer, who_answers
from ingest.sources.directory import SourceDirectory

_ANSWER_SECONDS = 0.22  # the rest of the 300 ms is Flask's, the network's and a busy machine's
_THREADS = 4  # questions at once; a call centre asks a few times a second
_LONGEST_NUMBER = 64

_log = get_logger(__name__)


def blueprint(config: HubConfig) -> Blueprint:
    room = Blueprint("route", __name__)
    desk = PbxRouter(config)

    @room.route("/route/<token>", methods=["GET", "POST"])
    def route(token: str) -> Response:
        asked = _parameters()
        answer = desk.ask(token, asked.get("caller", ""))
        status = 404 if answer is None else 200
        body = answer or {"contact": None, "owner": None, "targets": [], "reason": "unknown_address"}
        response = Response(orjson.dumps(body), status, mimetype="application/json")
        response.headers["Cache-Control"] = "no-store"
        return response

    return room


class PbxRouter:
    """One a process. Questions run in its own threads, so that a slow database costs the caller no more than the default."""

    def __init__(self, config: HubConfig) -> None:
        self._config = config
        self._directory = SourceDirectory(config)
        self._free = threading.Semaphore(_THREADS)
        self._lock = threading.Lock()
        self._made: tuple[Engine, ThreadPoolExecutor] | None = None
        self._defaults: dict[str, list[str]] = {}  # what should ring for a caller that nobody knows

    def ask(self, token: str, caller: str) -> dict[str, Any] | None:
        """The contract's answer; None if nobody has this token."""
        if not self._free.acquire(blocking=False):
            return self._default(token, "busy")
        engine, threads = self._workshop()
        future: Future[dict[str, Any] | None] = threads.submit(self._look, engine, token, caller[:_LONGEST_NUMBER])
        future.add_done_callback(lambda _: self._free.release())
        try:
            return future.result(timeout=_ANSWER_SECONDS)
        except TooLate:
            return self._default(token, "took_too_long")

    def _look(self, engine: Engine, token: str, caller: str) -> dict[str, Any] | None:
        try:
            address = self._directory.find(token)
            if address is None or address.channel != "call" or address.is_alias:
                return None
            source = address.source
            region = source.settings.region if source else self._config.region
            pool_id = source.pool_id if source else None
            with engine.connect() as connection:
                connection.detach()  # a fresh one each time: a pooled one may have died with a restarted server
                # Whoever still asks at a replaced address may be the one because of whom it was replaced.
                answer = who_answers(connection, "" if address.unclaimed else caller, region, pool_id)
        except (HubError, SQLAlchemyError) as error:
            _log.warning("route_question_not_answered", error=type(error).__name__)
            return self._default(token, "database_away")
        if answer.contact is None:
            self._defaults[token] = list(answer.targets)
        return _as_dict(answer) | ({"reason": "address_replaced"} if address.unclaimed else {})

    def _default(self, token: str, reason: str) -> dict[str, Any]:
        return {"contact": None, "owner": None, "targets": self._defaults.get(token, []), "reason": reason}

    def _workshop(self) -> tuple[Engine, ThreadPoolExecutor]:
        with self._lock:
            if self._made is None:
                self._made = (
                    make_engine(self._config.database_url, "web", pool_size=_THREADS),
                    ThreadPoolExecutor(_THREADS, thread_name_prefix="route"),
                )
            return self._made


def _as_dict(answer: Answerer) -> dict[str, Any]:
    return {
        "contact": answer.contact,
        "owner": answer.owner,
        "targets": list(answer.targets),
        "reason": answer.reason,
    }


def _parameters() -> dict[str, str]:
    """From the query, a form or a JSON object, whichever the exchange can send. Never raises for what it sends."""
    found = {**request.values.to_dict()}
    if request.is_json:
        body = request.get_json(silent=True)
        if isinstance(body, dict):
            found |= {str(name): str(value) for name, value in body.items()}
    return found
