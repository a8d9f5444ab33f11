"""A connector's samples: requests as they were received, and what must be read out of them.

python -m connectors.kit.tools.samples NAME            show what each sample gives, and where it differs from expected.json
python -m connectors.kit.tools.samples NAME --write    write expected.json; then read it, because it is the specification
"""

from __future__ import annotations

import argparse
import base64
import dataclasses
import json
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from connectors.kit import registry
from connectors.kit.connector import Connector, ConnectorConfig, Reply, Request
from crm_core.base.errors import HubError

#: When samples arrive that do not say when; fixed, so that what is read from them is.
RECEIVED_AT = datetime(2026, 1, 15, 12, 0, tzinfo=UTC)
_INSTALLATION = {"region": "RU", "timezone": "Europe/Moscow"}


@dataclasses.dataclass(frozen=True, slots=True)
class Sample:
    folder: Path
    request: Request
    config: ConnectorConfig
    expected: Any  # None where expected.json is not written yet


def samples_of(connector: Connector, folder: Path) -> Iterator[Sample]:
    """Every folder of `samples/` that holds a request. Settings: its own config.json, else the one of `samples/`."""
    base = folder / "samples"
    for place in sorted(p for p in base.iterdir() if p.is_dir()) if base.is_dir() else ():
        settings = _json(place / "config.json") or _json(base / "config.json") or {}
        config = connector.config_model.model_validate({**_INSTALLATION, **settings})
        yield Sample(place, _request(place), config, _json(place / "expected.json"))


def outcome(connector: Connector, sample: Sample) -> dict[str, Any]:
    """What the hub makes of a sample, as plain JSON: a handshake's reply, or arrivals with key and reply, or an error."""
    request, config = sample.request, sample.config
    if connector.handshake and (answer := connector.handshake(request, config)):
        return {"handshake": _plain_reply(answer)}
    result: dict[str, Any] = {}
    try:
        if connector.verify and not request.is_fetched:
            connector.verify(request, config)
        result["arrivals"] = [plain(parsed_item) for parsed_item in connector.parse(request, config)]
    except HubError as error:
        result["error"] = {"class": type(error).__name__, "code": error.code}
    if connector.provider_key:
        result["provider_key"] = connector.provider_key(request, config)
    if connector.reply and (answer := connector.reply(request, config)) is not None:
        result["reply"] = _plain_reply(answer)  # without one it is the hub's own
    return result


def write_expected(connector: Connector, sample: Sample) -> None:
    text = json.dumps(outcome(connector, sample), ensure_ascii=False, indent=2)
    (sample.folder / "expected.json").write_text(text + "\n", encoding="utf-8")


def plain(value: Any) -> Any:
    """A dataclass as JSON: its type and every field that differs from its default."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown: dict[str, Any] = {"type": type(value).__name__}
        for field in dataclasses.fields(value):
            given = getattr(value, field.name)
            default = field.default_factory() if callable(field.default_factory) else field.default
            if given != default:
                shown[field.name] = plain(given)
        return shown
    if isinstance(value, Mapping):
        return {key: plain(below) for key, below in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return {"bytes": len(value)}
    return value.isoformat() if isinstance(value, datetime) else value


def _plain_reply(reply: Reply) -> dict[str, Any]:
    shown = {
        "status": reply.status,
        "content_type": reply.content_type,
        "body": reply.body.decode("utf-8", "replace"),
    }
    return {**shown, "headers": dict(reply.headers)} if reply.headers else shown


def _request(place: Path) -> Request:
    """From request.json, or from a raw `body` (any ending) with an optional `headers` beside it."""
    given = _json(place / "request.json")
    if given is None:
        body = next(iter(sorted(place.glob("body*"))), None)
        if body is None:
            raise FileNotFoundError(f"{place} holds neither request.json nor body")
        return _from_files(body.read_bytes(), place / "headers")
    headers = {name.lower(): value for name, value in given.get("headers", {}).items()}
    if "form" in given:
        headers.setdefault("content-type", "application/x-www-form-urlencoded")
    return Request(
        given.get("method", "POST"),
        given.get("path", ""),
        given.get("query", ""),
        headers,
        _body(given),
        datetime.fromisoformat(given["received_at"]) if "received_at" in given else RECEIVED_AT,
    )


def _body(given: Mapping[str, Any]) -> bytes:
    """One of `body` (text), `json` (any value), `form` (names and texts) and `body_base64` (bytes)."""
    if "form" in given:
        return urlencode(given["form"]).encode("ascii")
    if "json" in given:
        return json.dumps(given["json"], ensure_ascii=False).encode()
    if "body_base64" in given:
        return base64.b64decode(given["body_base64"])
    return str(given.get("body", "")).encode()


def _from_files(body: bytes, headers: Path) -> Request:
    """`headers` holds `Name: value` lines; a first line without a colon says `POST path?query`."""
    lines = headers.read_text(encoding="utf-8").splitlines() if headers.exists() else []
    method, path, query = "POST", "", ""
    if lines and ": " not in lines[0]:
        method, _, target = lines.pop(0).partition(" ")
        path, _, query = target.strip().lstrip("/").partition("?")
    pairs = (line.partition(":") for line in lines if ":" in line)
    return Request(
        method,
        path,
        query,
        {name.strip().lower(): value.strip() for name, _, value in pairs},
        body,
        RECEIVED_AT,
    )


def _json(file: Path) -> Any:
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m connectors.kit.tools.samples", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("name")
    parser.add_argument("--write", action="store_true", help="write expected.json of every sample")
    options = parser.parse_args(arguments)
    connector = registry.get(options.name)
    folder = registry.folder_of(options.name)
    different = 0
    for sample in samples_of(connector, folder) if folder else ():
        got = outcome(connector, sample)
        text = json.dumps(got, ensure_ascii=False, indent=2)
        same = sample.expected == json.loads(text)
        different += not same
        sys.stdout.write(f"{'same     ' if same else 'DIFFERENT'} {sample.folder.name}\n{text}\n")
        if options.write:
            write_expected(connector, sample)
    return 1 if different and not options.write else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
