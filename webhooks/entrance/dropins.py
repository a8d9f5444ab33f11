"""Addresses of other services that the hub answers at, so that a site moves here by changing the host name alone.

Each says which source is meant (by an alias, or by the source's own token in the id's place) and which preset reads it.
Nothing is checked here beyond that: an id that nobody has is an unknown address like any other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, unquote_plus

from crm_core.base.errors import UnknownSource
from ingest.sources.aliases import alias_of

#: Beginnings of the paths that belong to them, for the switch in front of Flask.
PREFIXES: Final = (
    "/f/", "/ajax/", "/submit", "/submissions/v3/integration/", "/api/proxy/1.0/leads/add",
    "/calls-service/RestAPI/requests/",
)  # fmt: skip

_FORM: Final = re.compile(r"/f/([^/]{1,200}?)(\.json)?/?")
_AJAX: Final = re.compile(r"/ajax/([^/]{1,200})/?")
_MAIL: Final = re.compile(r"/([^/@]{1,100}@[^/@]{1,100})")
_WEB3FORMS: Final = re.compile(r"/submit/?")
_HUBSPOT: Final = re.compile(r"/submissions/v3/integration/(?:secure/)?submit/([^/]{1,64})/([^/]{1,64})/?")
_ROISTAT: Final = re.compile(r"/api/proxy/1\.0/leads/add/?")
_CALLTOUCH: Final = re.compile(r"/calls-service/RestAPI/requests/([^/]{1,64})/register/?")
_SHOWN_CHARS: Final = 200  # of an id in the journal's path

#: A named field in JSON, in a urlencoded body and in a part of multipart; `%s` is its name.
_FIELD: Final = (
    rb'"%s"\s{0,4}:\s{0,4}"([^"\\\r\n]{1,200})"|(?:\A|[&\r\n])%s=([^&\s]{1,200})'
    rb'|name=(?:"%s"|%s(?=[\s;]))[^\r\n]{0,100}(?:\r?\n[^\r\n]{1,200}){0,4}(?:\r?\n){2}([^\r\n]{1,200})'
)
_FIELDS: Final = {name: re.compile(_FIELD.replace(b"%s", name)) for name in (b"access_key", b"key")}
_LOOKS: Final = 50  # so many times a body may name the word before the looking ends


@dataclass(frozen=True, slots=True)
class Dropin:
    preset: str  # reads it, whatever else it might look like
    tokens: tuple[str, ...]  # to be looked up in this order
    rest: str = ""  # the ids by which the old service knew the form
    get_counts: bool = False  # it takes inquiries by GET
    wants_json: bool = False  # this address never answers with a page

    @property
    def path(self) -> str:
        """What the connector sees as the path behind the token: the preset, and the old ids behind it."""
        return f"{self.preset}/{self.rest}" if self.rest else self.preset


def read(path: str, query: str, body: bytes) -> tuple[Dropin, ...]:
    """Who may be meant, best first; empty for a path that is no drop-in. UnknownSource where the field is missing that
    would say it."""
    if found := _FORM.fullmatch(path):
        name, wants_json = found[1], found[2] is not None
        return tuple(
            Dropin(service, _tokens(service, name), name, wants_json=wants_json) for service in ("formspree", "basin", "getform")
        )
    if found := _AJAX.fullmatch(path):
        return (Dropin("formsubmit", _tokens("formsubmit", found[1]), found[1], wants_json=True),)
    if found := _MAIL.fullmatch(path):
        return tuple(Dropin(service, _tokens(service, found[1]), found[1]) for service in ("formsubmit", "formspree"))
    if _WEB3FORMS.fullmatch(path):
        return _keyed("web3forms", b"access_key", query, body, get_counts=False)
    if found := _HUBSPOT.fullmatch(path):
        portal, form = found[1], found[2]
        known = (alias_of("hubspot", f"{portal}/{form}"), alias_of("hubspot", portal), form, portal)
        return (Dropin("hubspot", known, f"{portal}/{form}", wants_json=True),)
    if _ROISTAT.fullmatch(path):
        return _keyed("roistat", b"key", query, body, get_counts=True)
    if found := _CALLTOUCH.fullmatch(path):
        tokens = _tokens("calltouch", found[1])
        return (Dropin("calltouch", tokens, found[1], get_counts=True, wants_json=True),)
    return ()


def is_mail_path(path: str) -> bool:
    """POST /info@example.com: the address of a form at FormSubmit, and at Formspree in former times."""
    return "@" in path and _MAIL.fullmatch(path) is not None


def _tokens(service: str, name: str) -> tuple[str, ...]:
    return alias_of(service, name), name


def _keyed(service: str, field: bytes, query: str, body: bytes, *, get_counts: bool) -> tuple[Dropin, ...]:
    """Services whose address is the same for everybody: the key stands among the fields. UnknownSource without one."""
    for key in _named(field, query, body):
        return (Dropin(service, _tokens(service, key), get_counts=get_counts, wants_json=service == "roistat"),)
    name = field.decode()
    raise UnknownSource("unknown_source", f"The field {name} is missing or empty: it says whose form this is.")


def _named(field: bytes, query: str, body: bytes) -> Iterable[str]:
    """Values of the field, in the query first. The body is not decoded: only its shape around the name is looked at."""
    with suppress(ValueError):  # more fields than any form has
        yield from parse_qs(query, max_num_fields=500).get(field.decode(), [])
    at = -1
    for _ in range(_LOOKS):
        at = body.find(field, at + 1)
        if at < 0:
            return
        # The window begins before the name, where its quote or its `&` stands, and reaches over a part's headers.
        start = max(0, at - 64)
        window = body[start : at + 1200]
        match = _FIELDS[field].search(window) if start == 0 else _FIELDS[field].search(window, 1)
        if match is not None:
            raw = next(filter(None, match.groups()))
            text = raw.decode("utf-8", "replace")
            yield (unquote_plus(text) if match[2] is not None else text).strip()[:_SHOWN_CHARS]


def address(base_url: str, alias: str) -> str:
    """Where the form of an alias posts to from now on: the old path at the hub's host."""
    service, _, name = alias.partition(":")
    paths = {
        "formspree": f"/f/{name}", "basin": f"/f/{name}", "getform": f"/f/{name}", "formsubmit": f"/{name}",
        "web3forms": "/submit", "hubspot": f"/submissions/v3/integration/submit/{name}", "roistat": "/api/proxy/1.0/leads/add",
        "calltouch": f"/calls-service/RestAPI/requests/{name}/register/",
    }  # fmt: skip
    if service == "formsubmit" and "@" not in name:
        return f"{base_url}/ajax/{name}"
    return base_url + paths[service] + ("/FORM" if service == "hubspot" and "/" not in name else "")
