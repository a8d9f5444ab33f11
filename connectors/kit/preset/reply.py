"""What a preset answers: to a provider's test of the address, and to every post. Cheap, pure, never raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from connectors.kit.accept import wants_page
from connectors.kit.connector import ConnectorConfig, Reply, Request
from connectors.kit.decoding import decode, decode_query
from connectors.kit.forms.fields import text_of
from connectors.kit.preset.mapping import holds
from connectors.kit.preset.paths import find
from connectors.kit.preset.signature import same
from connectors.kit.preset.sources import Row
from crm_core.base.errors import Malformed

Rule = Mapping[str, Any]

#: For keys and answers only the beginning of a large body is read; the ids of every known provider stand in it.
HEAD_BYTES = 64 * 1024
_SHAKE_BYTES = 1024  # a provider's test of an address is a few words; a real form need not be read for it
_ANSWER_CHARS = 500
_READ = "fields for key and answer"  # in `Request.noted`
_VALUE = "$value"  # {"$value": "$.id"} in a JSON answer stands for what was sent there


def row_of(request: Request) -> Row:
    """Body and query as a row; nothing where nothing can be read. Key, handshake and answer share what was read."""
    known: dict[str, Any] | None = request.noted.get(_READ)
    if known is None:
        known = request.noted[_READ] = _read(request)
    return Row(known, request)


def _read(request: Request) -> dict[str, Any]:
    body = _beginning(request)
    beginning = Request(request.method, request.path, request.query, request.headers, body, request.received_at)
    try:
        decoded = decode(beginning)
    except Malformed:
        return {}
    return {**decoded.query, **decoded.fields}


def _beginning(request: Request) -> bytes:
    """What is read of a large body, without the field in which it is cut: half an id would be that of another inquiry."""
    body = request.body
    if len(body) <= HEAD_BYTES:
        return body
    if body[:2] == b"\x1f\x8b" or "content-encoding" in request.headers:  # where the cut falls in what was packed, nobody knows
        return b""
    cut = body[:HEAD_BYTES]
    between = b"\r\n--" if cut[:2] == b"--" else b"," if cut[:64].lstrip()[:1] in (b"{", b"[") else b"&"
    return cut[: max(cut.rfind(between), 0)]


def reply_of(rules: Rule, request: Request) -> Reply | None:
    """The first of `replies` whose conditions all hold, else `reply`, else None: the hub's own answer."""
    row: Row | None = None
    for choice in rules.get("replies", ()):
        for rule in choice["when"]:
            if "path" in rule:
                row = row or row_of(request)
                fits = holds(rule, row)
            elif "wants" in rule:
                fits = wants_page(request.headers) is (rule["wants"] == "page")
            else:
                fits = ("GET" if request.method == "GET" else "POST") == rule["method"]  # PUT and PATCH arrive like POST
            if not fits:
                break
        else:
            return None if choice["reply"] is None else made(choice["reply"], row, request)
    return made(rules["reply"], row, request) if "reply" in rules else None


def made(rule: Rule, row: Row | None, request: Request) -> Reply:
    """A reply as declared; the body is read only where the reply repeats something of it."""
    if "json" in rule:
        row = row or (row_of(request) if _VALUE in str(rule["json"]) else Row({}, request))
        body = json.dumps(_with_values(rule["json"], row), ensure_ascii=False)
        return Reply(body.encode("utf-8", "replace"), rule.get("status", 200), "application/json; charset=utf-8")
    kind = rule.get("type", "text/plain") + "; charset=utf-8"
    return Reply(str(rule.get("body", "")).encode(), rule.get("status", 200), kind)


def shaken(rules: Rule, request: Request, config: ConnectorConfig) -> Reply | None:
    """The answer to a post or a GET that is no event."""
    if len(request.body) > _SHAKE_BYTES:
        return None
    data: dict[str, Any] | None = None
    query: dict[str, Any] | None = None
    for rule in rules["handshake"]:
        if "form" in rule:
            if request.method == "GET" or not _may_fit(rule["form"], request):
                continue
            if data is None:
                data = row_of(request).data
            if not _fits(rule["form"], data) or len(data) != rule.get("size", len(data)):
                continue
        if "query" in rule:
            if query is None:
                query = decode_query(request.query, set())
            if not _fits(rule["query"], query):
                continue
        return _answer(rule, rules, data or {}, query or {}, request, config)
    return None


def _answer(
    rule: Rule,
    rules: Rule,
    data: dict[str, Any],
    query: dict[str, Any],
    request: Request,
    config: ConnectorConfig,
) -> Reply:
    if "secret" in rule:
        wanted = str(getattr(config, rule["secret"]["setting"]))
        given = _named(rule["secret"], data, query)
        if not wanted:
            return Reply(f"The setting {rule['secret']['setting']} of this source is empty.".encode(), 403)
        if not same(wanted, given):
            return Reply(f"This is not the {rule['secret']['setting']} of this source.".encode(), 403)
    if "answer" in rule:
        setting = rule["answer"].get("setting")
        text = str(getattr(config, setting)) if setting else _named(rule["answer"], data, query)
        # Whatever is sent back came from outside: plain text, and no more of it than a challenge has.
        return Reply(text[:_ANSWER_CHARS].encode("utf-8", "replace"))
    own = rule.get("reply", rules.get("reply"))
    return made(own, Row(data, request), request) if own is not None else Reply()


def _named(rule: Rule, data: dict[str, Any], query: dict[str, Any]) -> str:
    tree, path = (query, "$." + rule["query"]) if "query" in rule else (data, rule["path"])
    return next(filter(None, (text_of(value) for _, value in find(tree, path))), "")


def _fits(wanted: Mapping[str, str], data: dict[str, Any]) -> bool:
    return all(_text_at(data, key) == value for key, value in wanted.items())


def _may_fit(wanted: Mapping[str, str], request: Request) -> bool:
    """False if a value that no encoding would change is not among the bytes: then nothing needs to be decoded."""
    plain = (value.encode() for value in wanted.values() if value.isascii() and value.isalnum())
    around = request.body + request.query.encode("utf-8", "replace")
    packed = "content-encoding" in request.headers or request.body[:2] == b"\x1f\x8b" or b"\x00" in around
    return packed or all(value in around for value in plain)


def _text_at(data: dict[str, Any], key: str) -> str:
    return next((text_of(value) for _, value in find(data, key)), "")


def _with_values(template: Any, row: Row) -> Any:
    if isinstance(template, dict):
        if template.keys() == {_VALUE} and isinstance(template[_VALUE], str):
            return next((v for _, v in find(row.data, template[_VALUE]) if not isinstance(v, dict | list)), None)
        return {key: _with_values(value, row) for key, value in template.items()}
    if isinstance(template, list):
        return [_with_values(item, row) for item in template]
    return template
