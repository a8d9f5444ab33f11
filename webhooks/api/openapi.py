"""OpenAPI 3.1 made from the table of routes and the models that they name, so that it cannot say anything else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from webhooks.api.route import Route
from webhooks.api.shape import Problem

VERSION: Final = "1.0.0"  # of the interface; additions raise the middle number, everything else the first

_REF: Final = "#/components/schemas/{model}"

#: Status → when. 401 and 403 are on every route, 503 too: the database may be away at any time.
_PROBLEMS: Final = {
    "400": "The body cannot be read.",
    "401": "No valid token.",
    "403": "The role may not do this.",
    "404": "There is no such thing, or the role does not see it.",
    "409": "It was changed or is in a state that forbids this.",
    "413": "The body is too large.",
    "415": "The body is not declared as JSON.",
    "422": "A parameter or field is wrong; `errors` names them all.",
    "503": "The database is away; repeat after `Retry-After` seconds.",
}


def describe(routes: Sequence[Route], prefix: str, server_url: str) -> dict[str, Any]:
    """The document as a dictionary."""
    modes: dict[tuple[type[BaseModel], Any], None] = {}  # a set that keeps the order of the table
    for route in routes:
        if route.body is not None:
            modes[route.body, "validation"] = None
        if route.answer is not None:
            modes[route.answer, "serialization"] = None
    modes[Problem, "serialization"] = None
    names, definitions = models_json_schema(list(modes), ref_template=_REF)
    schemas = {(model, mode): schema for (model, mode), schema in names.items()}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = (prefix + route.path).replace("<", "{").replace(">", "}")
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Leadhub",
            "version": VERSION,
            "description": "Times are RFC 3339 in UTC, ids are text, errors are RFC 9457 problems. "
            "Lists answer items and next, the cursor of the next page.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server_url}],
        "security": [{"token": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(_tag(route) for route in routes)],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
    }


def _tag(route: Route) -> str:
    return route.path.split("/")[1]


def _operation(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "description": f"Needs the permission `{route.permission}`.",
        "tags": [_tag(route)],
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, schemas),
    }
    if route.body is not None:
        required = any(field.is_required() for field in route.body.model_fields.values())
        operation["requestBody"] = {
            "required": required,
            "content": {"application/json": {"schema": schemas[route.body, "validation"]}},
        }
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("<")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    schema = route.query.model_json_schema(by_alias=True)
    required = set(schema.get("required", ()))
    parameters = []
    for name, described in schema.get("properties", {}).items():
        about = described.pop("description", "")
        described.pop("title", None)
        parameter = {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _without_null(described),
        }
        parameters.append(parameter | ({"description": about} if about else {}))
    return parameters


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not; it is never null."""
    schema = {key: value for key, value in schema.items() if not (key == "default" and value is None)}
    choices: list[dict[str, Any]] = [choice for choice in schema.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        return {key: value for key, value in schema.items() if key != "anyOf"} | choices[0]
    return schema | ({"anyOf": choices} if choices else {})


def _responses(route: Route, schemas: dict[Any, Any]) -> dict[str, Any]:
    status = str(route.status)
    if route.answer is not None:
        content: dict[str, Any] = {"application/json": {"schema": schemas[route.answer, "serialization"]}}
        responses: dict[str, Any] = {status: {"description": route.summary, "content": content}}
    elif route.media_type:
        body = {route.media_type: {"schema": {"type": "string", "format": "binary"}}}
        responses = {status: {"description": route.summary, "content": body}}
    else:
        responses = {"204": {"description": "Done."}}
    possible = ["401", "403", "422", "503"]
    if "<" in route.path:
        possible.append("404")
    if route.method != "GET":
        possible += ["409"]
    if route.body is not None:
        possible += ["400", "413", "415"]
    problem = {"application/problem+json": {"schema": schemas[Problem, "serialization"]}}
    for code in sorted(possible):
        responses[code] = {"description": _PROBLEMS[code], "content": problem}
    return responses
