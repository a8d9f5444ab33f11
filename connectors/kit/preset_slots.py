"""A slot of the inquiry from what a mapping's rule finds: texts, marks of origin, consents, messengers, files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from connectors.kit import vocabulary as words
from connectors.kit.connector import ConnectorConfig
from connectors.kit.consents import given
from connectors.kit.leaves import Path, text_of
from connectors.kit.marks import CHARS, is_address
from connectors.kit.preset_files import take_files
from connectors.kit.preset_pattern import cut
from connectors.kit.preset_sources import Found, Kind, Reader, Row, addresses_marks, reader
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


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of a mapping's `fields` with its rule, taken apart once for all events."""

    target: str
    group: str  # "utm" of utm.utm_source
    name: str  # "utm_source"
    rule: Rule
    readers: tuple[Reader, ...]  # of `from` or `join`
    sources: tuple[str, ...]  # the same as they were written
    changes: bool  # what is found goes through `regex` or `map`
    is_contact: bool  # phone or email: all that are found count

    def change(self, text: str) -> str:
        return changed(text, self.rule) if self.changes else text


def slots_of(fields: Mapping[str, Rule]) -> tuple[Slot, ...]:
    """The slots in the order in which they are filled."""
    return tuple(_slot(target, rule) for target, rule in fields.items())


def _slot(target: str, rule: Rule) -> Slot:
    group, _, name = target.partition(".")
    sources = tuple(rule.get("from", rule.get("join", ())))
    return Slot(
        target, group, name, rule, tuple(_reader(source, group) for source in sources), sources,
        "regex" in rule or "map" in rule, target in ("phone", "email"),
    )  # fmt: skip


def _reader(source: str, group: str) -> Reader:
    """A mark may also come out of an address, which `_marks` takes apart."""
    return _nothing if group in MARKS and source.startswith("@url:") else reader(source)


def _nothing(_row: Row) -> Found:
    return ()


def fill(slot: Slot, row: Row, draft: Draft, config: ConnectorConfig, taken: set[Path]) -> None:
    """Puts what the rule finds into the draft, and into `taken` the places of the tree that are then told."""
    group, name, rule = slot.group, slot.name, slot.rule
    if group in MARKS:
        _fill_marks(slot, row, draft, taken)
    elif group == "files":
        _fill_files(slot, row, draft, taken)
    elif group == "consent":
        _fill_consents(slot, row, draft)
    else:
        found = _texts(slot, row)
        if not found and "default" in rule:
            found = [((), rule["default"])]
        if not found and "const" in rule:
            found = [((), rule["const"])]
        if not found:
            return
        if group == "messenger":
            found = found[:1]
            draft.messengers.setdefault(name, found[0][1][:NAME_CHARS])
        else:
            text = found[0][1]
            if "join" in rule:
                text = rule.get("sep", "\n").join(text for _, text in found)
            elif not slot.is_contact:
                found = found[:1]
            _put(slot.target, text, found, draft, config)
        taken.update(place for place, _ in found if place)


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


def _texts(slot: Slot, row: Row) -> list[tuple[Path, str]]:
    """The texts that a rule means and that are not empty, changed as it says."""
    found: list[tuple[Path, str]] = []
    for read in slot.readers:
        for place, value in read(row):
            # Several numbers or addresses in one field are several.
            for one in value if isinstance(value, list) and slot.is_contact else (value,):
                text = text_of(one) or (str(one).lower() if isinstance(one, bool) and "map" in slot.rule else "")
                if slot.target == "phone":
                    text = with_plus(one, text)
                text = slot.change(text)
                if text and (not slot.is_contact or _fits(slot.target, text)):
                    found.append((place, text))
        if found and not slot.is_contact and "from" in slot.rule:
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


def _put(
    target: str, text: str, found: Sequence[tuple[Path, str]], draft: Draft, config: ConnectorConfig
) -> None:
    if target in ("phone", "email"):
        getattr(draft, target + "s").extend(dict.fromkeys(text for _, text in found))
    elif target == "message":
        draft.messages.append(text.replace("\r\n", "\n"))
    elif target in ("page_url", "referrer", "page_title"):
        setattr(draft.marks, target, text)
    elif target == "submitted_at":
        draft.submitted_at = read_time(text, ZoneInfo(config.timezone or "UTC"))
    else:
        setattr(draft, _DRAFT_NAME.get(target, target), text)


def _fill_marks(slot: Slot, row: Row, draft: Draft, taken: set[Path]) -> None:
    group, mark, rule = slot.group, slot.name, slot.rule
    for source, read in zip(slot.sources, slot.readers, strict=True):
        for place, sent, raw in _marks(source, read, row):
            value = slot.change(raw)
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


def _marks(source: str, read: Reader, row: Row) -> Iterator[tuple[Path, str, str]]:
    """Names and values of marks; an address gives those of its query and stays where it is."""
    if read is _nothing:
        yield from (((), name, value) for name, value in addresses_marks(source, row))
        return
    for place, value in read(row):
        yield place, _last_of(place, source), text_of(value)


def _last_of(place: Path, source: str) -> str:
    return str(place[-1]) if place else source.rpartition(":")[2]


def _fill_consents(slot: Slot, row: Row, draft: Draft) -> None:
    """A box that is there says yes or no; one that was not sent says nothing. It stays among the fields, to be seen."""
    for source, read in zip(slot.sources, slot.readers, strict=True):
        for place, raw in read(row):
            answer = given(changed(text_of(raw), slot.rule) if slot.changes else raw)
            if answer is not None:
                kind = row.kinds.get(place)
                name = kind.name if kind and kind.name else _last_of(place, source)
                draft.consents.append(Consent(slot.name, answer, field_name=name[:200]))
                return


def _fill_files(slot: Slot, row: Row, draft: Draft, taken: set[Path]) -> None:
    for read in slot.readers:
        for place, value in read(row):
            if value not in (None, "", [], {}) and take_files(value, place, draft.files) and place:
                taken.add(place)
