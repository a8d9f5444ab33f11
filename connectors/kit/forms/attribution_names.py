"""Which mark of origin a field's name means: utm_source, utmSource, "utm[utm_source]", tracking_campaign, first_touch_gclid, …"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from connectors.kit.forms import vocabulary as words

NAME_CHARS: Final = 60  # longer ones are questions
_KEY_CHARS: Final = 40

_SHORT: Final = frozenset(("source", "medium", "campaign", "term", "content"))
_UTM: Final = (
    "source_platform|creative_format|marketing_tactic|campaign_id|campaignid|campaign_name|source|medium|campaign|term|content|id"
)
_SEPARATORS: Final = re.compile(r"[\W_]+")
#: What builders put around a name: 00N_utm_source__c, utm_source_field, hidden_utm_source, "Источник (utm_source)".
_AROUND: Final = re.compile(
    rf"(?P<before>.*?)_?utm_*(?P<what>{_UTM})(?:_(?:c|field|value|hidden|param|tag|last|current|\d+)|\d+)*(?P<after>_.*)?"
)
#: Levels and words under which "source" is the mark and no question.
_TRACKED: Final = re.compile(
    r"(?:.*_)?(?:tracking|tracking_data|tracker|attribution|marketing|traffic|analytics|acquisition|utms?|utm_?(?:params?|parameters|data|tags|info|marks?)"
    r"|ads?|ad_data|campaign_data|(?:(?:last|latest|current)_?(?:touch|click|visit|session)))(?:_(?:last|latest|current)(?:_?(?:touch|click|visit))?)?"
    r"_(?P<what>source|medium|campaign|term|content)(?:_name)?"
)
_SOURCEBUSTER: Final = {"src": "utm_source", "mdm": "utm_medium", "cmp": "utm_campaign", "cnt": "utm_content", "trm": "utm_term"}
_BUSTED: Final = re.compile(r"(?:.*_)?(?P<of>sbjs|sourcebuster|current|first|initial)_(?P<what>src|mdm|cmp|cnt|trm)")
_FIRST: Final = re.compile(
    r"(?:(?:attribution|tracking|marketing|analytics|sbjs)_)?"
    r"(?:first_?(?:touch|visit|click|session|page)|first|ft|initial|orig|original|source_?first)_(?P<a>.+)"
    r"|(?P<b>utm_.+?)_(?:first|ft|initial|orig|original)|utm_(?:first|ft|initial|orig)_(?P<c>.+)"
)
PLACES: Final = {
    "u": "page_url", "url": "page_url", "page": "page_url", "page_url": "page_url", "landing": "page_url",
    "landing_page": "page_url", "landing_url": "page_url", "landingpage": "page_url", "lp": "page_url",
    "r": "referrer", "ref": "referrer", "referrer": "referrer", "referer": "referrer",
    "t": "at", "at": "at", "time": "at", "date": "at", "timestamp": "at", "visited_at": "at",
}  # fmt: skip
_TAIL: Final = re.compile(r"(?:_+(?:c|field|value|hidden|param|tag|last|current))+\Z")
_CLICK: Final = re.compile(
    rf"(?:.*[_.])?({'|'.join(sorted((name.strip('_') for name in words.CLICK_IDS if len(name) > 4), key=len, reverse=True))})"
)
_COOKIE: Final = re.compile(r".*_(_ga|_ym_uid|_fbp|_fbc)")
_SQUASHED: Final = {name.replace("_", ""): key for name, key in words.CLIENT_IDS.items() if len(name) > 4}


@lru_cache(maxsize=4096)
def mark_of(name: str) -> tuple[str, str] | None:
    """(group, key) of a mark's name: utm, click_ids, client_ids, or first with what it is of the first visit."""
    low = name.strip().casefold().replace("-", "_")
    if not low or len(low) >= NAME_CHARS:
        return None
    if low in words.CLICK_IDS:
        return "click_ids", words.CLICK_IDS[low]
    if low in words.CLIENT_IDS:
        return "client_ids", words.CLIENT_IDS[low]
    if low.startswith("_ga_") and len(low) > 4 + 2:  # _ga_<measurement id>: the visit, as _ga is the visitor
        return "client_ids", "ga_session"
    return _first(low) or _utm(low) or _id(low)


def _first(low: str) -> tuple[str, str] | None:
    match = _FIRST.fullmatch(low)
    if match is not None:
        inner = match["a"] or match["b"] or match["c"]
        if inner in _SHORT or inner in words.CLICK_IDS:
            return "first", inner
        if (utm := _utm(inner)) is not None:
            return "first", utm[1]
        if inner in PLACES and len(inner) > 2 and not low.startswith(("orig", "utm_")):
            return "first", inner
    return None


def _utm(low: str) -> tuple[str, str] | None:
    plain = _SEPARATORS.sub("_", low).strip("_")
    if "utm" in plain and (match := _AROUND.fullmatch(plain)) is not None:
        if match["after"] and len(match["after"].split("_")) > 3:
            return None  # a sentence
        what = (
            "campaign" if match["what"] == "campaign_name" else "campaign_id" if match["what"] == "campaignid" else match["what"]
        )
        key = "utm_" + what
        if _FIRST.fullmatch(match["before"] + "_x") or match["after"] in ("_first", "_ft", "_initial"):
            return "first", key
        return "utm", key
    if (match := _TRACKED.fullmatch(plain)) is not None:
        return "utm", "utm_" + match["what"]
    if (match := _BUSTED.fullmatch(plain)) is not None:
        return ("first" if match["of"] in ("first", "initial") else "utm"), _SOURCEBUSTER[match["what"]]
    return ("utm", low) if low.startswith("utm_") and len(low) < _KEY_CHARS and low.isascii() and " " not in low else None


def _id(low: str) -> tuple[str, str] | None:
    """Of an advertisement's click or of a visitor, in any spelling: gclid__c, hidden_yclid, googleClickId, ymClientId."""
    plain = _TAIL.sub("", low)
    if (match := _CLICK.fullmatch(plain)) is not None:
        return "click_ids", words.CLICK_IDS.get(match[1]) or words.CLICK_IDS["_" + match[1]]
    if (match := _COOKIE.fullmatch(low)) is not None:
        return "client_ids", words.CLIENT_IDS[match[1]]
    squashed = plain.replace("_", "").replace(" ", "")
    return ("client_ids", _SQUASHED[squashed]) if squashed in _SQUASHED else None
