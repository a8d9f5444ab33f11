"""A stand-in for Meta's Graph API that speaks HTTP: leads, errors by code, slowness, pages."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from outbound_servers import Asked, Peer, peer, say

TOKEN = "token-of-a-page"


@dataclass
class Graph:
    peer: Peer
    leads: dict[str, dict[str, Any]] = field(default_factory=dict)
    expired: bool = False
    expires_after: int = -1  # answers; -1: not
    status: int = 200  # another one answers every question with a fault
    code: int = 0  # of the error; 0: none
    page: int = 100
    headers: dict[str, str] = field(default_factory=dict)  # of every answer
    hang: threading.Event | None = None  # set: answers come when it is set
    forgotten: set[str] = field(default_factory=set)  # places in a list that are not known any more
    gone: set[str] = field(default_factory=set)  # forms that are not there
    token: str = TOKEN

    @property
    def url(self) -> str:
        return f"{self.peer.url}/v23.0"

    @property
    def asked(self) -> list[Asked]:
        return self.peer.asked

    def add(self, lead_id: str, form_id: str = "12312312312", created: int = 1_800_000_000, **answers: str) -> None:
        answers = answers or {"full_name": "Anna Ivanova", "email": f"lead{lead_id}@example.com"}
        self.leads[lead_id] = {
            "id": lead_id, "form_id": form_id, "created_time": "2026-11-20T08:49:14+0000", "created": created,
            "field_data": [{"name": name, "values": [value]} for name, value in answers.items()],
        }  # fmt: skip

    def answer(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        if self.hang is not None:
            self.hang.wait(20)
        if self.code or self.status != 200:
            return self._say(handler, {"error": {"message": "no", "code": self.code}}, max(400, self.status))
        self.expired = self.expired or self.expires_after == 0
        self.expires_after -= 1
        if self.expired or asked.headers.get("authorization") != f"Bearer {self.token}":
            error = {"message": "Error validating access token", "type": "OAuthException", "code": 190}
            return self._say(handler, {"error": error}, 400)
        parts = urlsplit(asked.path)
        pieces = parts.path.strip("/").split("/")
        if pieces[-1] == "leads":
            return self._list(handler, pieces[-2], parse_qs(parts.query))
        lead = self.leads.get(pieces[-1])
        if lead is None:
            return self._say(handler, {"error": {"message": "Unsupported get request", "code": 100}}, 400)
        return self._say(handler, {key: value for key, value in lead.items() if key != "created"})

    def _list(self, handler: BaseHTTPRequestHandler, form_id: str, query: dict[str, list[str]]) -> None:
        [rule] = json.loads(query["filtering"][0])
        assert (rule["field"], rule["operator"]) == ("time_created", "GREATER_THAN")
        after = int(query.get("after", ["0"])[0])
        if str(after) in self.forgotten or form_id in self.gone:
            return self._say(handler, {"error": {"message": "Invalid parameter", "code": 100}}, 400)
        found = [
            {key: value for key, value in lead.items() if key != "created"}
            for lead in self.leads.values()
            if lead["form_id"] == form_id and lead["created"] > rule["value"]
        ]
        page: dict[str, Any] = {"data": found[after : after + self.page], "paging": {"cursors": {}}}
        if len(found) > after + self.page:
            # Meta writes the token into the address of the next page.
            page["paging"]["next"] = (
                f"{self.url}/{form_id}/leads?access_token=in-the-open&filtering={query['filtering'][0]}&after={after + self.page}"
            )
        return self._say(handler, page)

    def _say(self, handler: BaseHTTPRequestHandler, value: Any, status: int = 200) -> None:
        say(handler, json.dumps(value).encode(), status, Content_Type="application/json", **self.headers)


@contextmanager
def graph() -> Iterator[Graph]:
    made: list[Graph] = []

    def answer(handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        made[0].answer(handler, asked)

    with peer(answer) as server:
        made.append(Graph(server))
        yield made[0]
