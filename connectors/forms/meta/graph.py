"""What the Graph API is asked for, and what its answers mean.

Errors by `error.code` (developers.facebook.com, Graph API, "Handle Errors"): 190 and 102 are a token that has expired or
was withdrawn, 10 and 200 to 299 a missing right, 1, 2, 4, 17, 32, 341 and 613 pass by themselves, 100 names nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from connectors.forms.meta.config import MetaConfig
from connectors.kit import ConnectorConfig, FetchAnswer, FetchedPage, FetchRequest
from connectors.kit.forms.fields import text_of
from crm_core.base.errors import Malformed, SourceBroken, Transient
from crm_core.parsed import Pointer

#: What is asked of a lead. Not the names of ad and campaign: they need a right (ads_management) that few tokens have.
_FIELDS = "id,created_time,form_id,field_data"
_PAGE = 100
_TOKEN_CODES = {102, 190}
_PASSING_CODES = {1, 2, 4, 17, 32, 341, 613}
_OURS = ("access_token", "appsecret_proof")


def key_of(lead_id: str) -> str:
    return f"lead|{lead_id}"


def ask(pointer: Pointer, config: ConnectorConfig) -> FetchRequest:
    assert isinstance(config, MetaConfig)
    return _get(f"{config.api_url}/{pointer.ref['leadgen_id']}", {"fields": _FIELDS}, config)


def read(pointer: Pointer, answer: FetchAnswer, _config: ConnectorConfig) -> bytes:
    """The lead as the Graph API gave it, with what only the notice says."""
    lead = _object(answer)
    if not isinstance(lead.get("field_data"), list):
        raise Malformed("lead_without_answers", "Meta gave this lead without its answers.")
    return _body(lead, pointer.ref)


def lists(config: ConnectorConfig, since: datetime) -> Sequence[str]:
    """One list a form: the leads that were created after `since`. A place is `<form>?<query>`, without any key."""
    assert isinstance(config, MetaConfig)
    after = [{"field": "time_created", "operator": "GREATER_THAN", "value": int(since.timestamp())}]
    query = {"fields": _FIELDS, "filtering": json.dumps(after, separators=(",", ":")), "limit": str(_PAGE)}
    return [f"{form}?{urlencode(query)}" for form in config.forms]


def page(place: str, config: ConnectorConfig) -> FetchRequest:
    assert isinstance(config, MetaConfig)
    form, _, query = place.partition("?")
    return _get(f"{config.api_url}/{form}/leads", dict(parse_qsl(query)), config)


def read_list(answer: FetchAnswer, config: ConnectorConfig) -> FetchedPage:
    assert isinstance(config, MetaConfig)
    found = _object(answer)
    rows = found.get("data")
    if not isinstance(rows, list):
        raise Malformed("no_list", "Meta gave no list of leads.")
    # One without answers goes in as well: it then needs a person, instead of being passed over.
    bodies = tuple(
        (key_of(text_of(row["id"])), _body(row, {})) for row in rows if isinstance(row, dict) and text_of(row.get("id"))
    )
    paging = found.get("paging")
    onward = paging.get("next") if isinstance(paging, dict) else None
    # A page may be empty, and there are more all the same: the end is where Meta names no next one.
    return FetchedPage(bodies, _next(onward, config) if isinstance(onward, str) else None)


def _next(url: str, config: MetaConfig) -> str:
    """Where the next page lies. It is asked with our own token: the address that Meta gives carries it in the open."""
    parts, own = urlsplit(url), urlsplit(config.api_url)
    steps = parts.path.split("/")
    if (parts.scheme, parts.netloc) != (own.scheme, own.netloc) or steps[-1] != "leads" or not steps[-2].isdecimal():
        raise Malformed("foreign_page", "The next page of the list lies at another address than the Graph API.")
    query = {name: value for name, value in parse_qsl(parts.query) if name not in _OURS}
    return f"{steps[-2]}?{urlencode(query)}"


def _get(url: str, query: Mapping[str, str], config: MetaConfig) -> FetchRequest:
    """`appsecret_proof` is wanted by apps that demand it and ignored by the others."""
    proof = hmac.new(config.app_secret.encode(), config.page_token.encode(), hashlib.sha256).hexdigest()
    target = f"{url}?{urlencode({**query, 'appsecret_proof': proof})}"
    return FetchRequest(target, {"Authorization": f"Bearer {config.page_token}", "Accept": "application/json"})


def _body(lead: Mapping[str, Any], notice: Mapping[str, str]) -> bytes:
    return json.dumps({"lead": lead, "notice": dict(notice)}, ensure_ascii=True, sort_keys=True).encode()


def _object(answer: FetchAnswer) -> dict[str, Any]:
    """The answer's object; raises what its status or error code means."""
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        data = None
    error = data.get("error") if isinstance(data, dict) else None
    if isinstance(error, dict) or answer.status != 200:
        raise _error(answer.status, error if isinstance(error, dict) else {})
    if not isinstance(data, dict):
        raise Transient("graph_unreadable", "The Graph API answered with something that is no JSON object.")
    return data


def _error(status: int, error: Mapping[str, Any]) -> Transient | SourceBroken | Malformed:
    number = text_of(error.get("code"))
    code = int(number) if number.isdigit() and len(number) < 9 else 0
    if code in _TOKEN_CODES or (status == 401 and not code):
        return SourceBroken(
            "token_expired", "The page token has expired or was withdrawn. Make a new one and enter it at the source."
        )
    if code == 10 or 200 <= code <= 299:
        return SourceBroken("source_broken", f"The page token lacks a right (error {code}); leads_retrieval is needed.")
    if status >= 500 or status == 429 or code in _PASSING_CODES or error.get("is_transient") is True:
        return Transient("graph_busy", f"The Graph API is busy or has a fault (status {status}, error {code}).")
    if code == 100 or status == 404:
        return Malformed("lead_gone", "Meta has no such lead, or this page token may not see it (leads are kept for 90 days).")
    return Malformed("graph_refused", f"The Graph API refused the question (status {status}, error {code}).")
