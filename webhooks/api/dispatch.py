"""The one way into every API route: token, right, parameters, body, handler, JSON. No route can leave a step out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
from flask import Response, request
from pydantic import BaseModel, ValidationError

from crm_core.access import demand
from crm_core.base.config import HubConfig
from crm_core.base.errors import Invalid, Malformed, NotFound
from webhooks.api.route import Ask, Route
from webhooks.api.shape import dump
from webhooks.auth import authenticate
from webhooks.engines import ui_engine
from webhooks.problems import UnsupportedMedia, from_validation


def view_of(route: Route, config: HubConfig) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        return _answer(route, config, path)

    return view


def _answer(route: Route, config: HubConfig, path: dict[str, str]) -> Response:
    engine = ui_engine(config)
    principal = authenticate(engine)
    demand(principal, route.permission)
    if any("\x00" in part for part in path.values()):  # no name of anything, and nothing to ask the database about
        raise NotFound("path_unknown", "There is nothing under this address.")
    try:
        query = route.query.model_validate(_parameters())
    except ValidationError as error:
        return from_validation(error, "query", list(route.query.model_fields))
    body: BaseModel | None = None
    if route.body is not None:
        try:
            body = route.body.model_validate(_json_body())
        except ValidationError as error:
            return from_validation(error, "body", list(route.body.model_fields))
    made = route.handler(Ask(config, engine, principal, query, body, path))
    if isinstance(made, Response):
        return made
    if made is None:
        return Response(status=204)
    if route.answer is None:
        raise LookupError(f"{route.name} says nothing of what it answers.")
    answer = Response(dump(route.answer, made), route.status, mimetype="application/json")
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _parameters() -> dict[str, str]:
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise Invalid("repeated_parameter", "Give each parameter once.", fields=repeated)
    return request.args.to_dict()


def _json_body() -> Any:
    raw = request.get_data(cache=False)
    if not raw:
        return {}
    if request.mimetype != "application/json":
        raise UnsupportedMedia("not_json", "Send the body as application/json.")
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Malformed("bad_json", f"The body is not JSON: {error.msg} at byte {error.pos}.") from error
