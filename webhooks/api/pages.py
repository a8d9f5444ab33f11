"""The API's description for programs (/openapi.json) and for people (/docs). No script, nothing from outside."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import orjson
from flask import Blueprint, Response, render_template

from crm_core.access import ROLE_PERMISSIONS
from webhooks import static_files
from webhooks.api.openapi import describe
from webhooks.api.route import Route
from webhooks.problems import BUG, KINDS

_STATIC = Path(__file__).parent / "static"


def add_to(blueprint: Blueprint, routes: Sequence[Route], prefix: str, base_url: str) -> None:
    """Both are public: they hold nothing of this installation but its address."""

    @blueprint.get("/openapi.json")
    def openapi() -> Response:
        return Response(orjson.dumps(describe(routes, prefix, base_url)), mimetype="application/json")

    @blueprint.get("/docs/static/<filename>")
    def static(filename: str) -> Response:
        return static_files.answer(_STATIC, filename)

    @blueprint.get("/docs")
    def docs() -> str:
        document = describe(routes, prefix, base_url)
        return render_template(
            "api/docs.html",
            document=document,
            groups=_groups(document),
            permissions=ROLE_PERMISSIONS,
            problems=sorted({*KINDS.values(), BUG}, key=lambda kind: (kind.status, kind.slug)),
            schemas=_schemas(document),
            host=base_url,  # never the Host header, which whoever asks can choose
            version=static_files.version(_STATIC, "docs.css"),
        )


def _groups(document: dict[str, Any]) -> list[tuple[str, list[dict[str, Any]]]]:
    """Operations by the noun that their path begins with, in the order of the table."""
    operations = [
        {"method": method.upper(), "path": path, "tag": operation["tags"][0], **operation}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    for operation in operations:
        operation["body"] = _schema_name(operation.get("requestBody"))
        success = next(answer for status, answer in operation["responses"].items() if status < "300")
        operation["answer"] = _schema_name(success)
    return [(tag, list(found)) for tag, found in groupby(operations, key=lambda operation: operation["tag"])]


def _schema_name(holder: dict[str, Any] | None) -> str:
    for content in (holder or {}).get("content", {}).values():
        return str(content["schema"].get("$ref", "")).rpartition("/")[2]
    return ""


def _schemas(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Every schema as rows of a table: name, type in words, description."""
    return [
        {
            "name": name,
            "rows": [
                {"name": field, "type": _type(part), "required": field in schema.get("required", ()),
                 "about": part.get("description", "")}
                for field, part in schema.get("properties", {}).items()
            ],
        }
        for name, schema in sorted(document["components"]["schemas"].items())
    ]  # fmt: skip


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(choice) for choice in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("const") or schema.get("type", "anything"))
