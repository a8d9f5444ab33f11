"""Cases of tests/cases/*.json: what somebody's form sends, and what the hub must have of it afterwards.

Each goes to a source of its own through the door, a worker reads them all, and what the API would show is compared.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
from case_hub import FORM, JSON, CaseHub

from crm_core.access import Principal
from crm_core.leads.queries import LeadFilter, get_lead, list_leads
from ingest.sources.sources import NewSource
from webhooks.api.leads import Lead
from webhooks.api.shape import plain_json

FOLDER = Path(__file__).parents[1] / "cases"
#: A browser's own words, and nothing that would say from which country it writes.
_PLAIN = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Accept": "*/*"}
_ADMIN = Principal("cli", 0, "cli", "admin")

Case = Mapping[str, Any]


@dataclass(frozen=True)
class Seen:
    """What became of a case: the answers, the events, the leads as the API shows them."""

    statuses: tuple[int, ...]
    events: Sequence[dict[str, Any]]
    leads: Sequence[dict[str, Any]]
    contacts: Sequence[dict[str, Any]]  # of each event in its order, as the lead shows him


def cases_of(*files: str) -> dict[str, Case]:
    """The cases of these files below tests/cases by their id."""
    found = [case for file in files for case in json.loads((FOLDER / file).read_text("utf-8"))]
    by_id = {case["id"]: case for case in found}
    assert len(by_id) == len(found), "two cases have one id"
    return by_id


def play(hub: CaseHub, cases: Mapping[str, Case]) -> dict[str, Seen]:
    """Sends all of them, a sequence step by step with a worker's turn between, and looks at what came of it."""
    addresses = (f"2001:db8:{number:x}::7" for number in count(1))  # a network each: they are not one visitor
    sent: dict[str, tuple[NewSource, str, list[int]]] = {
        id_: (hub.add(case.get("connector", "generic_form"), **case.get("config", {})), next(addresses), [])
        for id_, case in cases.items()
    }
    requests = {id_: list(_requests(case)) for id_, case in cases.items()}
    for turn in range(max(map(len, requests.values()))):
        for id_, wanted in requests.items():
            source, address, statuses = sent[id_]
            if turn < len(wanted):
                content_type, body = wanted[turn]
                headers = {**_PLAIN, "Content-Type": content_type, **cases[id_].get("headers", {})}
                method = cases[id_].get("method", "POST")
                statuses.append(hub.send(source, body, headers, method=method, remote=address).status)
        hub.drain()
    return {id_: _seen(hub, source, statuses) for id_, (source, _, statuses) in sent.items()}


def _requests(case: Case) -> Iterator[tuple[str, bytes]]:
    """Content types and bodies, one of a plain case, as many as it has steps of a sequence."""
    content_type = case.get("content_type", JSON)
    if "steps" in case:
        yield from (encoded(content_type, step) for step in case["steps"])
    elif "fields" in case:
        yield encoded(content_type, case["fields"])
    else:
        yield content_type, b64decode(case["body_b64"]) if "body_b64" in case else case["body"].encode()


def encoded(content_type: str, fields: Mapping[str, Any]) -> tuple[str, bytes]:
    """The same fields as JSON, urlencoded or multipart, with brackets where they are nested."""
    if content_type == JSON:
        return content_type, orjson.dumps(fields)
    pairs = list(_pairs(fields))
    if content_type == FORM:
        return content_type, urlencode(pairs).encode()
    parts = (f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs)
    return "multipart/form-data; boundary=b", ("".join(parts) + "--b--\r\n").encode()


def _pairs(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, below in value.items():
            yield from _pairs(below, f"{name}[{key}]" if name else key)
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _pairs(below, f"{name}[{index}]")
    else:
        yield name, str(value)


def _seen(hub: CaseHub, source: NewSource, statuses: list[int]) -> Seen:
    events = hub.events(source)
    with hub.door.engine.connect() as connection:
        leads = [plain_json(Lead, one) for one in list_leads(connection, _ADMIN, LeadFilter(source=source.id)).items]
        known = {
            lead: plain_json(Lead, get_lead(connection, _ADMIN, lead)) for lead in {one["lead_id"] for one in events} if lead
        }
    contacts = [known[one["lead_id"]]["contact"] if one["lead_id"] else {} for one in events]
    return Seen(tuple(statuses), events, leads, contacts)


def differences(seen: Seen, expect: Mapping[str, Any]) -> list[str]:
    """What is not as it should be, one line each. An expectation that nobody knows how to compare is one, too."""
    return [line for what, wanted in expect.items() for line in _COMPARED.get(what, _unknown(what))(seen, wanted)]


def _unknown(what: str) -> Any:
    return lambda _seen, _wanted: [f"nothing here compares {what}"]


def _lead(seen: Seen) -> dict[str, Any]:
    empty = {"contact": {}, "fields": {}, "attribution": {}, "consents": [], "files": [], "form": None, "message": ""}
    return seen.leads[-1] if seen.leads else empty


def _list(wanted: Any) -> list[Any]:
    return wanted if isinstance(wanted, list) else [wanted]


def _same(what: str, got: Any, wanted: Any) -> list[str]:
    return [] if got == wanted else [f"{what} is {got!r}, should be {wanted!r}"]


def _has(what: str, got: str, wanted: Any) -> list[str]:
    missing = [one for one in _list(wanted) if one.casefold() not in got.casefold()]
    return [f"{what} is {got!r}, lacks {missing}"] if missing else []


def _of_contact(key: str) -> Any:
    def compare(seen: Seen, wanted: Any) -> list[str]:
        got = _lead(seen)["contact"].get(key)
        if isinstance(got, list):
            return _same(key, sorted(got), sorted(_list(wanted)))
        return _same(key, got, wanted)

    return compare


def _attribution(seen: Seen, wanted: Mapping[str, str]) -> list[str]:
    lines = []
    for path, value in wanted.items():
        got: Any = _lead(seen)["attribution"]
        for step in path.split("."):
            got = got.get(step, {}) if isinstance(got, dict) else {}
        lines += _same(f"attribution.{path}", got or None, value)
    return lines


def _consents(seen: Seen, wanted: Mapping[str, bool]) -> list[str]:
    got = {one["purpose"]: one["given"] for one in _lead(seen)["consents"]}
    return [line for purpose, given in wanted.items() for line in _same(f"consent {purpose}", got.get(purpose), given)]


def _outcomes(seen: Seen, wanted: Any) -> list[str]:
    if len(seen.events) != 1:
        return [f"{len(seen.events)} events, answered {seen.statuses}"]
    got = seen.events[0]["outcome"]
    return [] if got in _list(wanted) else [f"outcome is {got!r}, should be {wanted}"]


def _phones_of(number: int) -> Any:
    def compare(seen: Seen, wanted: Any) -> list[str]:
        return _same(f"phones of contact {number}", seen.contacts[number - 1].get("phones"), _list(wanted))

    return compare


_COMPARED: Mapping[str, Any] = {
    "phone": _of_contact("phones"), "email": _of_contact("emails"), "name": _of_contact("name"),
    "company": _of_contact("company"), "attribution": _attribution, "consent": _consents, "outcome": _outcomes,
    "message_contains": lambda seen, wanted: _has("message", _lead(seen)["message"], wanted),
    "message": lambda seen, wanted: _same("message", _lead(seen)["message"], wanted),
    "fields_contain": lambda seen, wanted: _has("fields", json.dumps(_lead(seen)["fields"], ensure_ascii=False), wanted),
    "form": lambda seen, wanted: _same("form", (_lead(seen)["form"] or {}).get("name"), wanted),
    "files": lambda seen, wanted: _same("files", len(_lead(seen)["files"]), wanted),
    "touches": lambda seen, wanted: _same("touches", _lead(seen).get("touches"), wanted),
    "contacts": lambda seen, wanted: _same("contacts", len({one.get("id") for one in seen.contacts}), wanted),
    "leads": lambda seen, wanted: _same("leads", len(seen.leads), wanted),
    **{f"phone_{number}": _phones_of(number) for number in range(1, 7)},
}  # fmt: skip
