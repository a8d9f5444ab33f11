"""What LinkedIn's REST API is asked for, and what its answers mean.

learn.microsoft.com, LinkedIn Marketing, "Lead Sync": `leadFormResponses`, with the form's own questions beside the answers
(`form:(…)`), because an answer names its question by number only.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlsplit

from connectors.forms.linkedin.config import LinkedInConfig
from connectors.kit import ConnectorConfig, FetchAnswer, FetchedPage, FetchRequest
from connectors.kit.forms.fields import text_of
from crm_core.base.errors import Malformed, SourceBroken, Transient
from crm_core.parsed import Pointer

_FIELDS = (
    "ownerInfo,associatedEntityInfo,leadMetadataInfo,owner,leadType,versionedLeadGenFormUrn,id,submittedAt,testLead,"
    "formResponse,form:(hiddenFields,creationLocale,name,id,content)"
)
_PAGE = 100
_OVERLAP = 5
_LAST = datetime(2100, 1, 1, tzinfo=UTC)  # the range wants an end; nothing is submitted after it


def key_of(response_id: str) -> str:
    return f"lead|{response_id}"


def ask(pointer: Pointer, config: ConnectorConfig) -> FetchRequest:
    assert isinstance(config, LinkedInConfig)
    return _get(f"{config.api_url}/leadFormResponses/{quote(pointer.ref['id'], safe='')}?fields={_FIELDS}", config)


def read(pointer: Pointer, answer: FetchAnswer, _config: ConnectorConfig) -> bytes:
    """The response as LinkedIn gave it, with what only the notice says."""
    return _body(_object(answer), pointer.ref)


def lists(config: ConnectorConfig, since: datetime) -> Sequence[str]:
    """A place is `<milliseconds since when>+<how many to pass over>`."""
    assert isinstance(config, LinkedInConfig)
    return (_place(int(since.timestamp() * 1000), 0),) if config.owner else ()


def page(place: str, config: ConnectorConfig) -> FetchRequest:
    assert isinstance(config, LinkedInConfig)
    since_ms, _, start = place.partition("+")
    return _page(config, int(since_ms), int(start))


def read_list(answer: FetchAnswer, config: ConnectorConfig) -> FetchedPage:
    assert isinstance(config, LinkedInConfig)
    found = _object(answer)
    rows = found.get("elements")
    if not isinstance(rows, list):
        raise Malformed("no_list", "LinkedIn gave no list of responses.")
    bodies = tuple(
        (key_of(text_of(row["id"])), _body(row, {})) for row in rows if isinstance(row, dict) and text_of(row.get("id"))
    )
    return FetchedPage(bodies, _next(found.get("paging"), len(rows)))


def _next(paging: Any, rows: int) -> str | None:
    """The next page by the link that LinkedIn gives: its place in the list and its range are taken, nothing else of it.

    Places are counted from the list's beginning. Who withdraws a response moves all behind it, so that one would be passed
    over: pages overlap by a few.
    """
    begun = text_of(paging.get("start")) if isinstance(paging, dict) else ""
    links = paging.get("links") if isinstance(paging, dict) else None
    for link in links if isinstance(links, list) and rows else ():
        if isinstance(link, dict) and link.get("rel") == "next" and isinstance(link.get("href"), str):
            query = dict(parse_qsl(urlsplit(link["href"]).query))
            start, period = query.get("start", ""), query.get("submittedAtTimeRange", "")
            after = period.removeprefix("(start:").partition(",")[0]
            if start.isdecimal() and after.isdecimal() and len(start) < 10 and len(after) < 16:
                here = int(begun) if begun.isdecimal() and len(begun) < 10 else int(start) - rows
                return _place(int(after), max(here + 1, int(start) - _OVERLAP))
    return None


def _place(since_ms: int, start: int) -> str:
    return f"{since_ms}+{start}"


def _page(config: LinkedInConfig, since_ms: int, start: int) -> FetchRequest:
    kind = config.owner.split(":")[2]
    until_ms = int(_LAST.timestamp() * 1000)
    return _get(
        f"{config.api_url}/leadFormResponses?q=owner&owner=({kind}:{quote(config.owner, safe='')})"
        f"&leadType=(leadType:{config.lead_type})&submittedAtTimeRange=(start:{since_ms},end:{until_ms})"
        f"&fields={_FIELDS}&start={start}&count={_PAGE}",
        config,
    )


def _get(url: str, config: LinkedInConfig) -> FetchRequest:
    return FetchRequest(
        url,
        {
            "Authorization": f"Bearer {config.access_token}",
            "LinkedIn-Version": config.api_version,
            "X-Restli-Protocol-Version": "2.0.0",
            "Accept": "application/json",
        },
    )


def _body(response: Mapping[str, Any], notice: Mapping[str, str]) -> bytes:
    return json.dumps({"lead": response, "notice": dict(notice)}, ensure_ascii=True, sort_keys=True).encode()


def _object(answer: FetchAnswer) -> dict[str, Any]:
    """The answer's object; raises what its status means."""
    status = answer.status
    if status == 401:
        raise SourceBroken(
            "token_expired", "The access token has expired or was withdrawn. Make a new one and enter it at the source."
        )
    if status == 403:
        raise SourceBroken(
            "source_broken", "The access token lacks a right (r_marketing_leadgen_automation, or a role in the account)."
        )
    if status == 426:
        raise SourceBroken(
            "source_broken", "LinkedIn has retired the API version of this source. Enter a newer one (api_version)."
        )
    if status == 404:
        raise Malformed("lead_gone", "LinkedIn has no such response any more; the person may have withdrawn it.")
    if status == 429 or status >= 500:
        raise Transient("linkedin_busy", f"LinkedIn is busy or has a fault (status {status}).")
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        data = None
    if status != 200:
        raise Malformed("linkedin_refused", f"LinkedIn refused the question (status {status}).")
    if not isinstance(data, dict):
        raise Transient("linkedin_unreadable", "LinkedIn answered with something that is no JSON object.")
    return data
