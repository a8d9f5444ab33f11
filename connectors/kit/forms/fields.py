"""A tree of fields as a flat list, with what is known of each: where it is, its name, label and type.

Understands the ways in which builders describe a field: {"title","type","value"}, [{"name","value"}], {"first","last"}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from connectors.kit.decoding.uploads import Upload
from connectors.kit.forms import vocabulary as words
from connectors.kit.forms.files import is_described

Path = tuple[str | int, ...]
TREES = (dict, list)  # `dict | list` would be made anew for every field that is asked

_NAMES = (
    "name",
    "key",
    "field_name",
    "fieldName",
    "field",
    "id",
    "ref",
    "ID",
    "Name",
    "Key",
    "FieldName",
    "k",
    "Код",
    "Поле",
    "поле",
)
_LABELS = (
    "label",
    "title",
    "question",
    "caption",
    "Label",
    "Title",
    "Question",
    "question_text",
    "questionText",
    "display_name",
    "Вопрос",
    "вопрос",
    "Название",
    "название",
    "Наименование",
    "Тип",
)
#: What is remembered of labels is kept by its text: the words of a consent fit, a hostile sender's pages do not.
LABEL_CHARS, TYPE_CHARS = 2000, 64
_VALUES = ("value", "VALUE", "Value", "fieldValue", "field_value", "FieldValue", "Значение", "значение")
#: The same where a name or a label stands beside them; alone they are names of fields.
_ANSWERS = (
    "answer", "answers", "Answer", "response", "responses", "Response", "reply", "values", "answer_text", "answerText", "val", "v",
    "Ответ", "ответ",
)  # fmt: skip
_ANSWERS_SET = frozenset(_ANSWERS)

_VALUES_SET, _PARTS = frozenset(_VALUES), frozenset(("first", "last", "full", "area", "###"))

#: What else a description says of a field, beside its value. Under any other name stands something that somebody said.
_ABOUT = frozenset((
    *_NAMES, *_LABELS, "type", "fieldType", "field_type", "inputType", "VALUE_TYPE", "objectTypeId", "required", "is_required",
    "isRequired", "raw_value", "rawValue", "options", "choices", "placeholder", "position", "order", "sort", "index", "page",
    "step", "group", "uuid", "uid", "slug", "variable", "format", "css_class", "class", "hidden", "visible", "validation", "rules",
))  # fmt: skip

_CONTACTS = words.WHOLE["phone"] | words.WHOLE["email"]

#: Levels that only wrap: under them a name means what it says. Under any other, the level's name belongs to it.
_WRAPPERS = {
    "fields", "data", "form_fields", "formdata", "form_data", "contact", "contacts", "client",
    "customer", "lead", "user", "person", "visitor", "payload", "submission", "values", "body",
    "request", "query", "item", "items", "answers", "rawrequest", "params", "ctx", "context", "meta", "hidden",
    "properties", "attributes", "result", "response", "submissiondata", "formresponse", "form_response", "resolveddata",
    "entry", "record", "order", "inputs", "data.json", "data_json", "submitted", "merges", "inquiry", "enquiry", "sform",
    "variables", "input", "документ", "заказ", "заявка", "клиент", "покупатель",
}  # fmt: skip


class FormField(NamedTuple):
    path: Path
    name: str  # with the level's name before it where that matters: "form_name", "product_name"
    label: str
    type: str
    value: Any  # scalar, list of scalars, or a thing that is kept as it is


def form_fields(data: Mapping[str, Any]) -> list[FormField]:
    """All fields of one inquiry, in order."""
    found: list[FormField] = []
    for key, value in data.items():
        if type(value) is not str and isinstance(value, TREES):
            _walk((key,), key, value, found)
        else:
            found.append(FormField((key,), key, "", "", value))
    return found


def is_file(value: Any) -> bool:
    """True for a file that came along, or that a service describes with its address."""
    return isinstance(value, Upload) or (isinstance(value, dict) and is_described(value))


def text_of(value: Any) -> str:
    """A leaf's value as words; "" for what has none."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, bool) or value is None:
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else str(value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list):
        return ", ".join(filter(None, map(text_of, value)))
    return ""


def without(data: Any, taken: set[Path], notes: Mapping[Path, Any] | None = None) -> Any:
    """The same tree without the leaves that were taken and without levels that this made empty; `notes` replace leaves."""
    notes = notes or {}
    if isinstance(data, dict) and not notes and _are_flat(taken):  # nearly every form
        gone = {path[0] for path in taken}
        return {key: value for key, value in data.items() if key not in gone}
    marks = _marked(taken, notes)
    return _without(data, marks) if marks and isinstance(data, TREES) else data


def _are_flat(places: Iterable[Path]) -> bool:
    return max(map(len, places), default=1) == 1


def _marked(taken: set[Path], notes: Mapping[Path, Any]) -> dict[Any, Any]:
    """What goes, level by level: a key leads to the marks below it, to a note in a tuple, or to None where it goes."""
    marks: dict[Any, Any] = {}
    for places in (notes, taken):
        for path in places:
            level = marks
            for key in path[:-1]:
                level = level.setdefault(key, {})
                if type(level) is not dict:
                    break  # all of it goes
            else:
                if path:
                    level[path[-1]] = (notes[path],) if places is notes else None
    return marks


def _without(data: Any, marks: dict[Any, Any]) -> Any:
    is_dict = isinstance(data, dict)
    kept: dict[Any, Any] = {}
    for key, value in data.items() if is_dict else enumerate(data):
        if key not in marks:
            kept[key] = value
        elif (mark := marks[key]) is None:
            continue
        elif type(mark) is tuple:
            kept[key] = mark[0]
        elif not value or not isinstance(value, TREES):
            kept[key] = value
        elif below := _without(value, mark):
            kept[key] = below
    return kept if is_dict else list(kept.values())


def _walk(path: Path, name: str, value: Any, found: list[FormField]) -> None:
    if isinstance(value, list):
        _walk_list(path, name, value, found)
    elif not isinstance(value, dict):
        found.append(FormField(path, name, "", "", value))
    elif is_file(value):
        found.append(FormField(path, name, "", "file", value))
    elif (key := _value_key(value)) and not isinstance(value[key], dict):
        found.append(_described(path, name, value, key))
    elif (whole := _composed(value)) is not None:
        found.append(FormField(path, name, "", whole[0], whole[1]))
    else:
        plain = name.casefold() in _WRAPPERS or (
            type(path[-1]) is str and (path[-1].casefold() in _WRAPPERS or path[-1].startswith("tx_"))
        )  # tx_powermail_pi1: TYPO3 calls its plug-ins so, never a field
        for key, below in value.items():
            at, called = (*path, key), key if plain else f"{name}_{key}"
            if type(below) is str:
                found.append(FormField(at, called, "", "", below))
            else:
                _walk(at, called, below, found)


def _walk_list(path: Path, name: str, value: list[Any], found: list[FormField]) -> None:
    if is_file_list(value) or not any(isinstance(item, TREES) for item in value):
        found.append(FormField(path, name, "", "", value))
        return
    for index, item in enumerate(value):
        if not isinstance(item, dict) or isinstance(item, Upload):
            found.append(FormField((*path, index), f"{name}_{index}", "", "", item))
        elif (key := _value_key(item)) and not isinstance(item[key], dict):
            found.append(_described((*path, index), "" if name.casefold() in _WRAPPERS else name, item, key, in_list=True))
        elif any(item.get(name) for name in _LABELS) and not _value_key(item):
            found.append(FormField((*path, index), name, "", "", item))  # an option, a product: no answer of its own
        else:
            _walk((*path, index), name, item, found)


def are_descriptions(rows: list[Any]) -> bool:
    """True for the fields of one form, each told by its name and value, as `serializeArray()` has them. Rows of forms are
    none: they say more than how a field is called, of what kind it is and what stands in it."""
    return bool(rows) and all(isinstance(row, dict) and _is_description(row) for row in rows)


def _is_description(row: dict[str, Any]) -> bool:
    key = _value_key(row)
    return (
        (key in _VALUES or key in _ANSWERS_SET)
        and row.keys() <= _ABOUT | {key}
        and any(isinstance(row.get(of), str) for of in (*_NAMES, *_LABELS))
    )


def is_file_list(value: list[Any]) -> bool:
    return bool(value) and all(map(is_file, value))


def _value_key(item: dict[str, Any]) -> str:
    """Under which key a description holds its value: "value", or the type's own name as Typeform has it. "" for none."""
    key = "" if _VALUES_SET.isdisjoint(item) else next(key for key in _VALUES if key in item)
    if key and not _CONTACTS.isdisjoint(name.casefold() for name in item):
        return ""  # {"name", "phone", "value": 5000} is a form, whatever one of its fields is called
    if not key and not _ANSWERS_SET.isdisjoint(item):
        key = _answer_key(item)
    if not key:
        kind = item.get("type")
        key = kind if isinstance(kind, str) and kind != "type" and kind in item else ""
    return key


def _answer_key(item: dict[str, Any]) -> str:
    """Of {"question", "answer"} and its kin, also of a bare {"answer": …} under the question's own name."""
    key = next(key for key in _ANSWERS if key in item)
    is_told = any(
        item.get(name) not in (None, "", [], {}) and not isinstance(item[name], list | bool)
        for name in (*_LABELS, *_NAMES)
        if name in item
    )
    return key if (is_told or len(item) == 1) and _CONTACTS.isdisjoint(name.casefold() for name in item) else ""


def _described(path: Path, name: str, item: dict[str, Any], key: str, *, in_list: bool = False) -> FormField:
    inside = item.get("field")
    about = {**inside, **item} if isinstance(inside, dict) else item
    given = next((str(about[k]) for k in _NAMES if isinstance(about.get(k), str | int) and about[k] != ""), "")[:LABEL_CHARS]
    label = next((str(about[k]) for k in _LABELS if isinstance(about.get(k), str) and about[k]), "")[:LABEL_CHARS]
    if not in_list:
        label = label or given
    elif given and label or not name:
        name = given or name
    else:  # phone: [{"value", "label"}]: the list's own name says it
        label = label or given
    if any(said not in (None, "", [], {}) and of not in _ABOUT and of != key for of, said in item.items()):
        path = (*path, key)  # the value alone: what is said beside it stays where it is
    return FormField(path, name or given, label, str(item.get("type") or "")[:TYPE_CHARS], item[key])


def _composed(value: dict[str, Any]) -> tuple[str, str] | None:
    """Type and text of {"first","last"} of a name and {"area","phone"} or {"full"} of a number, as Jotform sends them."""
    if _PARTS.isdisjoint(value):
        return None  # nearly everything, and quickly
    keys = value.keys()
    if keys and keys <= {"prefix", "first", "middle", "last", "suffix"} and keys & {"first", "last"}:
        parts = (text_of(value.get(k)) for k in ("prefix", "first", "middle", "last", "suffix"))
        return "name", " ".join(filter(None, parts))
    if keys == {"full"}:
        return "tel", text_of(value["full"])
    if keys == {"area", "phone"}:
        area, number = text_of(value["area"]), text_of(value["phone"])
        return "tel", f"({area}) {number}" if area else number
    if all(key.casefold() == "country" or key.partition("_")[0].strip("#") == "" for key in keys):  # Squarespace's boxes
        return "tel", " ".join(filter(None, map(text_of, value.values())))
    return None
