"""The documents of some persons, out of their rows: the one place that says what a contact, a lead and a touch are found by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from sqlalchemy import Connection, text

from crm_core.search.words import lexemes, of_address, of_phone, of_text, of_values

#: Rows of one person that are found. More is an exchange's test number or a robot.
_MOST_LEADS = 200
_MOST_TOUCHES = 500
_TOUCHES_OF_LEAD = 50  # whose words count as the lead's own; the newest

_PERSONS = """
SELECT c.root_id, c.id, c.name, c.company FROM contact c WHERE c.root_id = ANY(:roots) ORDER BY c.id <> c.root_id, c.id
"""
_IDENTIFIERS = """
SELECT c.root_id, i.kind, i.value, ci.display FROM contact c JOIN contact_identifier ci ON ci.contact_id = c.id
  JOIN identifier i ON i.id = ci.identifier_id
 WHERE c.root_id = ANY(:roots) AND ci.retired_at IS NULL AND i.kind <> 'thread'
"""
_LEADS = """
SELECT * FROM (
    SELECT c.root_id, l.id, l.contact_id, l.title, l.message, l.fields, l.form_name,
           row_number() OVER (PARTITION BY c.root_id ORDER BY l.id DESC) AS place
      FROM contact c JOIN lead l ON l.contact_id = c.id WHERE c.root_id = ANY(:roots)) ranked
 WHERE place <= :most
"""
_TOUCHES = """
SELECT * FROM (
    SELECT c.root_id, t.id, t.contact_id, t.lead_id, t.title, t.text, t.data->'fields' AS fields, k.remote,
           d.row_id IS NULL AS is_new, row_number() OVER (PARTITION BY c.root_id ORDER BY t.id DESC) AS place
      FROM contact c JOIN touch t ON t.contact_id = c.id LEFT JOIN call k ON k.id = t.call_id
      LEFT JOIN search_document d ON d.kind = 'touch' AND d.row_id = t.id
     WHERE c.root_id = ANY(:roots) AND t.kind IN ('form', 'call', 'mail', 'comment')) ranked
 WHERE place <= :most
"""


@dataclass(frozen=True, slots=True)
class Document:
    kind: str  # contact | lead | touch
    row_id: int
    contact_id: int
    words: list[str]


def documents(connection: Connection, roots: Sequence[int], *, anew: bool) -> list[Document]:
    """Of these persons, in a handful of queries. Touches that have theirs already are left out unless `anew`."""
    values: dict[str, Any] = {"roots": list(roots)}
    persons: dict[int, list[Any]] = {}
    for row in connection.execute(text(_PERSONS), values):
        persons.setdefault(row.root_id, []).append((row.id, chain(of_text(row.name), of_text(row.company))))
    reach: dict[int, list[Any]] = {}
    for row in connection.execute(text(_IDENTIFIERS), values):
        found = of_phone(row.value) if row.kind == "phone" else of_address(row.display)
        reach.setdefault(row.root_id, []).append(found)
    own = {root: lexemes(*(words for _, words in members), *reach.get(root, ())) for root, members in persons.items()}
    touches = connection.execute(text(_TOUCHES), values | {"most": _MOST_TOUCHES}).all()
    said: dict[int, list[Any]] = {}
    made = [Document("contact", root, root, words) for root, words in own.items()]
    for row in touches:
        of_lead = said.setdefault(row.lead_id, []) if row.lead_id is not None else []
        wanted = anew or row.is_new
        if not wanted and len(of_lead) >= _TOUCHES_OF_LEAD:
            continue
        number = of_phone(row.remote) if row.remote else ()
        words = lexemes(number, of_text(row.title), of_text(row.text), of_values(row.fields))
        if wanted:
            made.append(Document("touch", row.id, row.contact_id, words))
        if len(of_lead) < _TOUCHES_OF_LEAD:
            of_lead.append(words)
    for row in connection.execute(text(_LEADS), values | {"most": _MOST_LEADS}):
        parts = (of_text(row.title), of_text(row.message), of_values(row.fields), of_text(row.form_name))
        words = lexemes((str(row.id),), own.get(row.root_id, ()), *parts, *said.get(row.id, ()))
        made.append(Document("lead", row.id, row.contact_id, words))
    return made
