"""A slot of the inquiry from what a mapping's rule finds: texts, marks of origin, consents, messengers, files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit.connector import ConnectorConfig
from connectors.kit.forms import vocabulary as words
from connectors.kit.forms.attribution import CHARS, is_address
from connectors.kit.forms.consents import given
from connectors.kit.forms.fields import Path, text_of
from connectors.kit.forms.read_form import NAME_CHARS, Draft, with_plus
from connectors.kit.preset.file_values import take_files
from connectors.kit.preset.pattern import cut
from connectors.kit.preset.sources import Found, Kind, Reader, Row, addresses_marks, reader
from connectors.kit.times import read_time
from crm_core.parsed import Consent

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


#: Puts what a rule finds into the draft, and into the set the places of the tree that are then told.
Fill = Callable[[Row, Draft, ConnectorConfig, set[Path]], None]


@dataclass(frozen=True, slots=True)
class _Slot:
    """One slot of a mapping's `fields` with its rule, taken apart once for all events."""

    target: str
    name: str  # "utm_source" of utm.utm_source
    rule: Rule
    sources: tuple[tuple[str, Reader], ...]  # of `from` or `join`, each as it was written and as a function
    changes: bool  # what is found goes through `regex` or `map`
    says_flags: bool  # true and false are words that a `map` knows
    takes_all: bool  # of all sources and not of the first that has something
    is_contact: bool  # phone or email: all that are found count
    otherwise: str | None  # where nothing is found

    def change(self, text: str) -> str:
        return changed(text, self.rule) if self.changes else text


def fills_of(fields: Mapping[str, Rule]) -> tuple[Fill, ...]:
    """The slots as functions, in the order in which they are filled."""
    return tuple(_fill(target, rule) for target, rule in fields.items())


def _fill(target: str, rule: Rule) -> Fill:
    group, _, name = target.partition(".")
    is_contact = target in ("phone", "email")
    slot = _Slot(
        target, name, rule, tuple((source, _reader(source, group)) for source in rule.get("from", rule.get("join", ()))),
        "regex" in rule or "map" in rule, "map" in rule, is_contact or "from" not in rule, is_contact,
        rule.get("default", rule.get("const")),
    )  # fmt: skip
    if group in MARKS:
        return partial(_fill_marks, slot, group)
    if group in _FILLS:
        return partial(_FILLS[group], slot)
    is_plain = not (is_contact or slot.changes or slot.takes_all or slot.otherwise is not None)
    return partial(_fill_plain if is_plain else _fill_text, slot)


def _reader(source: str, group: str) -> Reader:
    """A mark may also come out of an address, which `_marks` takes apart."""
    return _nothing if group in MARKS and source.startswith("@url:") else reader(source)


def _nothing(_row: Row) -> Found:
    return ()


def _fill_text(slot: _Slot, row: Row, draft: Draft, config: ConnectorConfig, taken: set[Path]) -> None:
    found = _texts(slot, row)
    if not found:
        return
    text = found[0][1]
    if "join" in slot.rule:
        text = slot.rule.get("sep", "\n").join(text for _, text in found)
    elif not slot.is_contact:
        found = found[:1]
    if not _put(slot.target, text, found, draft, config):
        return
    for place, _ in found:
        if place:
            taken.add(place)


def _fill_plain(slot: _Slot, row: Row, draft: Draft, config: ConnectorConfig, taken: set[Path]) -> None:
    """The first text that is there, as it is: most slots want no more."""
    for _, read in slot.sources:
        for place, value in read(row):
            if text := text_of(value):
                if _put(slot.target, text, (), draft, config) and place:
                    taken.add(place)
                return


def _fill_messenger(slot: _Slot, row: Row, draft: Draft, _config: ConnectorConfig, taken: set[Path]) -> None:
    for place, text in _texts(slot, row)[:1]:
        draft.messengers.setdefault(slot.name, text[:NAME_CHARS])
        if place:
            taken.add(place)


def hint(kind: Kind, path: Path, row: Row, draft: Draft, mapped: Mapping[str, Any]) -> bool:
    """An answer whose own name or type says what it is, where the mapping is silent. True if it was taken."""
    if kind.role not in _HINTED or len(path) != 1:
        return False
    value = row.data.get(str(path[0]))
    texts = [text_of(one) for one in value] if isinstance(value, list) else [text_of(value)]
    texts = [text for text in texts if text]
    if not texts:
        return False
    if kind.role in ("phone", "email"):
        if any(not _fits(kind.role, text) for text in texts) or (kind.role in mapped and getattr(draft, kind.role + "s")):
            return False
        target: list[str] = getattr(draft, kind.role + "s")
        target.extend(text for text in dict.fromkeys(texts) if text not in target)
        return True
    if kind.role == "message":
        is_choice = isinstance(value, list) and len(texts) > 1 and str(path[0]).endswith("?")
        if is_choice or ("message" in mapped and draft.messages):
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


def _texts(slot: _Slot, row: Row) -> list[tuple[Path, str]]:
    """The texts that a rule means and that are not empty, changed as it says; else what it says for this case."""
    found: list[tuple[Path, str]] = []
    for _, read in slot.sources:
        for place, value in read(row):
            if slot.is_contact:
                found += [(place, text) for text in _contacts(slot, value)]
            elif text := slot.change(_said(slot, value)):
                found.append((place, text))
        if found and not slot.takes_all:
            break
    if not found and slot.otherwise is not None:
        found.append(((), slot.otherwise))
    return found


def _contacts(slot: _Slot, value: Any) -> Iterator[str]:
    """Several numbers or addresses in one field are several."""
    for one in value if isinstance(value, list) else (value,):
        text = _said(slot, one)
        if slot.target == "phone":
            text = with_plus(one, text)
        text = slot.change(text)
        if text and _fits(slot.target, text):
            yield text


def _said(slot: _Slot, value: Any) -> str:
    """A value as a text; yes and no where a `map` asks for them."""
    return str(value).lower() if slot.says_flags and isinstance(value, bool) else text_of(value)


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


def _put(target: str, text: str, found: Sequence[tuple[Path, str]], draft: Draft, config: ConnectorConfig) -> bool:
    """False where the text is no such thing, and stays a field."""
    if target in ("phone", "email"):
        getattr(draft, target + "s").extend(dict.fromkeys(text for _, text in found))
        if target == "phone":
            for place, phone in found:
                draft.place_phone(phone, place, str(place[-1]) if place else "")
    elif target == "message":
        draft.messages.append(text.replace("\r\n", "\n"))
    elif target in ("page_url", "referrer", "page_title"):
        setattr(draft.marks, target, text)
    elif target == "submitted_at":
        moment = read_time(text, ZoneInfo(config.timezone or "UTC"))
        draft.submitted_at = moment or draft.submitted_at
        return moment is not None
    else:
        setattr(draft, _DRAFT_NAME.get(target, target), text)
    return True


def _fill_marks(slot: _Slot, group: str, row: Row, draft: Draft, _config: ConnectorConfig, taken: set[Path]) -> None:
    mark, prefix = slot.name, slot.rule.get("prefix", "")
    for source, read in slot.sources:
        for place, sent, raw in _in_addresses(source, row) if read is _nothing else _marks(source, read(row)):
            value = slot.change(raw)
            if group == "first":
                put = _put_first(mark or prefix + sent, value, draft)
            elif mark:
                key = words.CLIENT_IDS.get(mark, mark) if group == "client_ids" else mark
                draft.marks.put_as(group, key, value)
                put = True
            else:
                put = draft.marks.put(prefix + sent, value)
            if put and place:
                taken.add(place)
    if mark and "const" in slot.rule:
        draft.marks.put_as(group, mark, slot.rule["const"])


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


def _marks(source: str, found: Found) -> list[tuple[Path, str, str]]:
    """Places, names and values of marks."""
    return [(place, _last_of(place, source), text_of(value)) for place, value in found]


def _in_addresses(source: str, row: Row) -> Iterator[tuple[Path, str, str]]:
    """The marks of an address' query; the address itself stays where it is."""
    return (((), name, value) for name, value in addresses_marks(source, row))


def _last_of(place: Path, source: str) -> str:
    return str(place[-1]) if place else source.rpartition(":")[2]


def _fill_consents(slot: _Slot, row: Row, draft: Draft, _config: ConnectorConfig, _taken: set[Path]) -> None:
    """A box that is there says yes or no; one that was not sent says nothing. It stays among the fields, to be seen."""
    for source, read in slot.sources:
        for place, raw in read(row):
            answer = given(changed(text_of(raw), slot.rule) if slot.changes else raw)
            if answer is not None:
                kind = row.kinds.get(place)
                name = kind.name if kind and kind.name else _last_of(place, source)
                draft.consents.append(Consent(slot.name, answer, field_name=name[:200]))
                return


def _fill_files(slot: _Slot, row: Row, draft: Draft, _config: ConnectorConfig, taken: set[Path]) -> None:
    for _, read in slot.sources:
        for place, value in read(row):
            if value not in (None, "", [], {}) and take_files(value, place, draft.files) and place:
                taken.add(place)


_FILLS: Mapping[str, Callable[..., None]] = {
    "messenger": _fill_messenger, "consent": _fill_consents, "files": _fill_files,
}  # fmt: skip
