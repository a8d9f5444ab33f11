"""A slot of the inquiry from what a mapping's rule finds: texts, marks of origin, consents, messengers, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit import vocabulary as words
from connectors.kit.connector import ConnectorConfig
from connectors.kit.consents import given
from connectors.kit.leaves import Path, text_of
from connectors.kit.marks import CHARS, is_address
from connectors.kit.preset_files import take_files
from connectors.kit.preset_pattern import cut
from connectors.kit.preset_sources import Kind, Row, addresses_marks, values
from connectors.kit.reading import NAME_CHARS, Draft, with_plus
from connectors.kit.times import read_time
from crm_core.arrivals import Consent

#: The slots that a mapping can fill; the marks of origin also one by one (`client_ids.ga`).
SCALARS = (
    "name", "first_name", "last_name", "middle_name", "company", "title", "form_id", "form_name", "line", "page_url", "referrer",
    "page_title", "submitted_at", "thread",
)  # fmt: skip
LISTS = ("phone", "email", "message", "files")
MARKS = ("utm", "click_ids", "client_ids", "first")
_DRAFT_NAME = {"first_name": "first", "last_name": "last", "middle_name": "middle"}
_FIRST_PLAIN = ("page_url", "referrer", "at")

Rule = Mapping[str, Any]


def fill(target: str, rule: Rule, row: Row, draft: Draft, config: ConnectorConfig) -> set[Path]:
    """Puts what the rule finds into the draft. The places of the tree that are then told and need not be kept."""
    group, _, name = target.partition(".")
    if group in MARKS:
        return _fill_marks(group, name, rule, row, draft)
    if group == "files":
        return _fill_files(rule, row, draft)
    if group == "consent":
        _fill_consents(name, rule, row, draft)
        return set()
    found = _texts(target, rule, row)
    if not found and "default" in rule:
        found = [((), rule["default"])]
    if not found and "const" in rule:
        found = [((), rule["const"])]
    if not found:
        return set()
    if group == "messenger":
        draft.messengers.setdefault(name, found[0][1][:NAME_CHARS])
        return {place for place, _ in found[:1] if place}
    if "join" in rule:
        text = rule.get("sep", "\n").join(text for _, text in found)
    else:
        found = found if target in ("phone", "email") else found[:1]
        text = found[0][1]
    _put(target, text, [text for _, text in found], draft, config)
    return {place for place, _ in found if place}


def hint(kind: Kind, path: Path, row: Row, draft: Draft, mapped: Mapping[str, Any]) -> bool:
    """An answer whose own name or type says what it is, where the mapping is silent. True if it was taken."""
    value = row.data.get(str(path[0]))
    texts = [text_of(one) for one in value] if isinstance(value, list) else [text_of(value)]
    texts = [text for text in texts if text]
    if not texts or kind.role not in _HINTED or len(path) != 1:
        return False
    if kind.role in ("phone", "email"):
        if any(not _fits(kind.role, text) for text in texts) or (
            kind.role in mapped and getattr(draft, kind.role + "s")
        ):
            return False
        target: list[str] = getattr(draft, kind.role + "s")
        target.extend(text for text in dict.fromkeys(texts) if text not in target)
        return True
    if kind.role == "message":
        if "message" in mapped and draft.messages:
            return False
        draft.messages.append("\n".join(texts))
        return True
    slot = _DRAFT_NAME.get(kind.role, kind.role)
    if (
        getattr(draft, slot)
        or len(texts[0]) > NAME_CHARS
        or (slot in ("first", "last", "middle") and "name" in mapped and draft.name)
    ):
        return False
    setattr(draft, slot, " ".join(texts))
    return True


_HINTED = ("name", "first_name", "last_name", "middle_name", "phone", "email", "company", "message")


def _texts(target: str, rule: Rule, row: Row) -> list[tuple[Path, str]]:
    """The texts that a rule means and that are not empty, changed as it says."""
    found: list[tuple[Path, str]] = []
    for source in rule.get("from", rule.get("join", ())):
        for place, value in values(source, row):
            # Several numbers or addresses in one field are several.
            for one in value if isinstance(value, list) and target in ("phone", "email") else [value]:
                text = text_of(one) or (str(one).lower() if isinstance(one, bool) and "map" in rule else "")
                if target == "phone":
                    text = with_plus(one, text)
                text = changed(text, rule)
                if text and (target not in ("phone", "email") or _fits(target, text)):
                    found.append((place, text))
        if found and "from" in rule and target not in ("phone", "email"):
            break
    return found


def changed(text: str, rule: Rule) -> str:
    """Through `regex`, then `map`, in this order."""
    if text and "regex" in rule:
        text = cut(rule["regex"], text)
    if "map" in rule:
        table: Mapping[str, str] = rule["map"]
        folded = text.casefold()
        for key, value in table.items():
            if key.casefold() == folded:
                return value
        return table.get("*", text) if text else text
    return text


def _fits(target: str, text: str) -> bool:
    """What cannot be a number or an address stays among the fields."""
    return "@" in text if target == "email" else sum(map(str.isdigit, text)) >= 5 and "@" not in text


def _put(target: str, text: str, texts: list[str], draft: Draft, config: ConnectorConfig) -> None:
    if target in ("phone", "email"):
        getattr(draft, target + "s").extend(dict.fromkeys(texts))
    elif target == "message":
        draft.messages.append(text.replace("\r\n", "\n"))
    elif target in ("page_url", "referrer", "page_title"):
        setattr(draft.marks, target, text)
    elif target == "submitted_at":
        draft.submitted_at = read_time(text, ZoneInfo(config.timezone or "UTC"))
    else:
        setattr(draft, _DRAFT_NAME.get(target, target), text)


def _fill_marks(group: str, mark: str, rule: Rule, row: Row, draft: Draft) -> set[Path]:
    taken: set[Path] = set()
    for source in rule.get("from", ()):
        for place, sent, raw in _marks(source, row):
            value = changed(raw, rule)
            name = rule.get("prefix", "") + sent
            if group == "first":
                put = _put_first(mark or name, value, draft)
            elif mark:
                key = words.CLIENT_IDS.get(mark, mark) if group == "client_ids" else mark
                draft.marks.put_as(group, key, value)
                put = True
            else:
                put = draft.marks.put(name, value)
            if put and place:
                taken.add(place)
    if mark and "const" in rule:
        draft.marks.put_as(group, mark, rule["const"])
    return taken


def _put_first(name: str, value: str, draft: Draft) -> bool:
    """A mark of the first visit. Addresses also give the marks of their queries."""
    first = draft.marks.first_touch
    low = name.casefold()
    if not value:
        return False
    if low in _FIRST_PLAIN:
        if low == "at" or is_address(value):
            first.setdefault(low, value[:CHARS])
            return True
        return False
    group = "utm" if low.startswith("utm_") else "click_ids" if low in words.CLICK_IDS else ""
    if group:
        first.setdefault(group, {}).setdefault(low, value[:CHARS])
    return bool(group)


def _marks(source: str, row: Row) -> Iterator[tuple[Path, str, str]]:
    """Names and values of marks; an address gives those of its query and stays where it is."""
    if source.startswith("@url:"):
        yield from (((), name, value) for name, value in addresses_marks(source, row))
        return
    for place, value in values(source, row):
        yield place, str(place[-1]) if place else source.rpartition(":")[2], text_of(value)


def _fill_consents(purpose: str, rule: Rule, row: Row, draft: Draft) -> None:
    """A box that is there says yes or no; one that was not sent says nothing. It stays among the fields, to be seen."""
    for source in rule.get("from", ()):
        for place, raw in values(source, row):
            value = changed(text_of(raw), rule) if "map" in rule or "regex" in rule else raw
            answer = given(value)
            if answer is not None:
                kind = row.kinds.get(place)
                name = (
                    kind.name
                    if kind and kind.name
                    else str(place[-1])
                    if place
                    else source.rpartition(":")[2]
                )
                draft.consents.append(Consent(purpose, answer, field_name=name[:200]))
                return


def _fill_files(rule: Rule, row: Row, draft: Draft) -> set[Path]:
    return {
        place
        for source in rule.get("from", ())
        for place, value in values(source, row)
        if value not in (None, "", [], {}) and take_files(value, place, draft.files) and place
    }
