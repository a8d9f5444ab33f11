"""Commands over the rules of routing, and over clients and employees who may not meet."""

from __future__ import annotations

import json
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from door_frame import Case, Inputs, Row, in_transaction

from crm_core.routing import commands
from crm_core.routing.versions import fingerprint

_RULE = {"id": "doors", "priority": 1, "when": {"fact": "utm_source", "op": "eq", "value": "ads"}, "then": [{"owner": "2"}]}
_SAVED = "INSERT INTO routing_version (version, body, state, author, created_at) OVERRIDING SYSTEM VALUE VALUES"
_ACTIVE = f"{_SAVED} (71, '{{}}', 'active', 'hub', '2026-11-01T00:00:00Z')"
_DRAFT = f"{_SAVED} (72, '{{\"settings\": {{\"bound_days\": 30}}}}', 'draft', 'hub', '2026-11-02T00:00:00Z')"
_OLD = f"{_SAVED} (70, '{{}}', 'retired', 'hub', '2026-10-01T00:00:00Z')"
_GONE = f"{_SAVED} (73, '{json.dumps({'rules': [{**_RULE, 'then': [{'pool': '999'}]}]})}', 'draft', 'hub', '2026-11-02T00:00:00Z')".replace(
    ":", "\\:"
)
_SEEN = fingerprint({"settings": {"bound_days": 30}}, "")  # of version 72
_APART = "INSERT INTO owner_exclusion (contact_id, owner_id, actor, at) VALUES (:contact, :boris, 'hub', '2026-11-01T00:00:00Z')"


def _file(i: Inputs) -> str:
    path = Path(tempfile.mkdtemp()) / "rules.json"
    path.write_text(json.dumps(i["body"]), "utf-8")
    return str(path)


def _version(i: Inputs) -> int:
    found: int = i.get("version", 72)
    return found


def _body(*rules: dict[str, Any]) -> dict[str, Any]:
    return {"body": {"rules": list(rules)}}


_SEEN_OF = {
    70: fingerprint({}, ""), 71: fingerprint({}, ""), 72: _SEEN,
    73: fingerprint({"rules": [{**_RULE, "then": [{"pool": "999"}]}]}, ""),
}  # fmt: skip


def _activate(i: Inputs) -> tuple[str, dict[str, Any]]:
    fields = {"seen": _SEEN_OF.get(_version(i), ""), "instead_of": str(i.get("instead_of", 0))}
    return f"/routing/{_version(i)}/activate", fields


def _change(i: Inputs) -> tuple[str, dict[str, Any]]:
    return f"/routing/{_version(i)}/json", {"text": json.dumps(i["body"]), "note": "", "seen": i.get("seen", _SEEN)}


ROWS = (
    Row(
        commands.save_version,
        "routing.write",
        in_transaction(
            lambda connection, hub, principal, i: commands.save_version(
                connection, principal, i["body"], hub.config.zone, i.get("note", "")
            )
        ),
        api=lambda i: ("POST", "/routing/versions", {"body": i["body"], "note": i.get("note", "")}),
        cli=lambda i: ("routing", "save", _file(i), "--note", i.get("note", "")),
        again="more",
        cases=(
            Case("a rule", _body(_RULE) | {"note": "first"}),
            Case("nothing, by a head", _body(), role="head"),
            Case("two of one priority", _body(_RULE, {**_RULE, "id": "other"}), "priority_taken"),
            Case("a fact that there is not", _body({**_RULE, "when": {"fact": "x", "op": "eq", "value": "y"}}), "fact_unknown"),
            Case("a pool that there is not", _body({**_RULE, "then": [{"pool": "999"}]}), "pool_unknown"),
            Case("an owner that there is not", _body({**_RULE, "then": [{"owner": "999"}]}), "owner_unknown"),
        ),
    ),
    Row(
        commands.change_draft,
        "routing.write",
        in_transaction(
            lambda connection, hub, principal, i: commands.change_draft(
                connection, principal, _version(i), i["body"], hub.config.zone, "", i.get("seen", _SEEN), datetime.now(UTC)
            )
        ),
        console=_change,
        again="version",
        cases=(
            Case("a rule", _body(_RULE), before=(_DRAFT,)),
            Case("nothing else than it was", {"body": {"settings": {"bound_days": 30}}}, before=(_DRAFT,), idle=True),
            Case("what somebody else changed", _body(_RULE) | {"seen": "another"}, "version", before=(_DRAFT,)),
            Case("what was put into force", _body(_RULE) | {"version": 71}, "not_a_draft", before=(_ACTIVE,)),
            Case("a pool that there is not", _body({**_RULE, "then": [{"pool": "999"}]}), "pool_unknown", before=(_DRAFT,)),
            Case("unknown", _body() | {"version": 999999}, "version_unknown"),
        ),
    ),
    Row(
        commands.remove_draft,
        "routing.write",
        in_transaction(
            lambda connection, _hub, principal, i: commands.remove_draft(connection, principal, _version(i), i.get("seen", _SEEN))
        ),
        console=lambda i: (f"/routing/{_version(i)}/remove", {"seen": i.get("seen", _SEEN)}),
        again="version_unknown",
        cases=(
            Case("a draft", before=(_DRAFT,)),
            Case("a draft, by a head", role="head", before=(_DRAFT,)),
            Case("what somebody else changed", {"seen": "another"}, "version", before=(_DRAFT,)),
            Case("what is in force", {"version": 71}, "not_a_draft", before=(_ACTIVE,)),
            Case("unknown", {"version": 999999}, "version_unknown"),
        ),
    ),
    Row(
        commands.activate_version,
        "routing.write",
        in_transaction(
            lambda connection, hub, principal, i: commands.activate_version(
                connection, principal, _version(i), hub.config.zone, datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", f"/routing/versions/{_version(i)}/activate", None),
        console=_activate,
        cli=lambda i: ("routing", "activate", str(_version(i))),
        again="idle",
        cases=(
            Case("the first one", before=(_DRAFT,)),
            Case("instead of another, by a head", {"instead_of": 71}, role="head", before=(_ACTIVE, _DRAFT)),
            Case("back to an earlier one", {"version": 70, "instead_of": 71}, before=(_OLD, _ACTIVE)),
            Case("the one in force", {"version": 71, "instead_of": 71}, before=(_ACTIVE,), idle=True),
            Case("what it names is gone", {"version": 73}, "pool_unknown", before=(_GONE,)),
            Case("unknown", {"version": 999999}, "version_unknown"),
        ),
    ),
    Row(
        commands.exclude_owner,
        "leads.assign",
        in_transaction(
            lambda connection, _hub, principal, i: commands.exclude_owner(
                connection, principal, int(i["contact"]), int(i["boris"]), i["why"], datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", f"/contacts/{i['contact']}/excluded-owners", {"owner": i["boris"], "why": i["why"]}),
        console=lambda i: (f"/contacts/{i['contact']}/excluded-owners", {"owner": i["boris"], "why": i["why"]}),
        again="idle",
        cases=(
            Case("a client and a colleague", {"why": "they quarrelled"}),
            Case("by a head", {"why": "they quarrelled"}, role="head"),
            Case("for no reason", {"why": " "}, "why_missing"),
            Case("kept apart already", {"why": "again"}, before=(_APART,), idle=True),
            Case("unknown client", {"contact": "999999", "why": "x"}, "contact_unknown"),
            Case("unknown owner", {"boris": "999999", "why": "x"}, "owner_unknown"),
        ),
    ),
    Row(
        commands.allow_owner,
        "leads.assign",
        in_transaction(
            lambda connection, _hub, principal, i: commands.allow_owner(connection, principal, int(i["contact"]), int(i["boris"]))
        ),
        api=lambda i: ("DELETE", f"/contacts/{i['contact']}/excluded-owners/{i['boris']}", None),
        console=lambda i: (f"/contacts/{i['contact']}/excluded-owners/{i['boris']}/allow", {}),
        again="idle",
        cases=(
            Case("kept apart before", before=(_APART,)),
            Case("never kept apart", idle=True),
            Case("unknown client", {"contact": "999999"}, "contact_unknown"),
        ),
    ),
)
