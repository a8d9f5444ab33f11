"""Commands that say who is one person and who is not."""

from __future__ import annotations

from datetime import UTC, datetime

from door_frame import Case, Row, in_transaction

from crm_core.merging.commands import decide_suggestion, merge_contacts
from ingest.processing.merge_undo import undo_merge

_ERASED = "UPDATE contact SET erased_at = '2026-11-21T10:00:00Z' WHERE id = :other_contact"
_BOTH_ANNAS = "UPDATE contact SET owner_id = :anna WHERE id = :other_contact"
_ANNAS_USER = "UPDATE merge_event SET actor = 'token:999999'"
_MERGED = (
    "UPDATE contact SET root_id = :contact WHERE id = :other_contact",
    (
        "UPDATE lead SET state = 'closed', closed_code = 'merged', closed_at = '2026-11-21T10:00:00Z', contact_id = :contact"
        " WHERE id = :other_lead"
    ),
    (
        "INSERT INTO merge_event (id, winner_id, loser_id, actor, evidence, moved, at) OVERRIDING SYSTEM VALUE SELECT 900, :contact,"
        " :other_contact, 'auto', '{\"rule\": \"identifiers_of_one_person\"}', jsonb_build_object('contacts',"
        " jsonb_build_array(CAST(:other_contact AS bigint)), 'folded', jsonb_build_array(CAST(:other_lead AS bigint)), 'last_touch', 999999),"
        " '2026-11-21T10:00:00Z'"
    ),
)
_DECIDED = "UPDATE suggestion SET state = 'different', decided_at = '2026-11-21T10:00:00Z', decided_by = 'user:1'"

ROWS = (
    Row(
        merge_contacts,
        "contacts.merge",
        in_transaction(
            lambda connection, _hub, principal, i: merge_contacts(
                connection, principal, int(i["contact"]), int(i["other_contact"]), i.get("why", ""), datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", "/contacts/merge", {"winner": i["contact"], "loser": i["other_contact"], "why": i.get("why", "")}),
        console=lambda i: (f"/contacts/{i['contact']}/merge", {"loser": i["other_contact"], "why": i.get("why", "")}),
        cli=lambda i: ["contact", "merge", i["contact"], i["other_contact"], "--why", i.get("why", "")],
        again="merged_already",
        cases=(
            Case("of two owners, by an administrator", {"why": "the same voice"}),
            Case("by the head of sales", role="head"),
            Case("of a manager's own clients", role="manager", before=(_BOTH_ANNAS,)),
            Case("one and the same", {"other_contact": "@contact"}, "merged_already"),
            Case("merged before", {}, "merged_already", before=_MERGED),
            Case("somebody who was erased", {}, "contact_erased", before=(_ERASED,)),
            Case("a colleague's client", {}, "contact_unknown", "manager"),
            Case(
                "a colleague's client whose lead they work",
                {},
                "client_of_another",
                "manager",
                before=("UPDATE lead SET owner_id = :anna WHERE id = :other_lead",),
            ),
            Case("nobody", {"other_contact": "999999"}, "contact_unknown"),
            Case("too long a reason", {"why": "x" * 1001}, "why_too_long", doors=frozenset({"domain", "console", "cli"})),
        ),
    ),
    Row(
        undo_merge,
        "contacts.merge",
        in_transaction(
            lambda connection, _hub, principal, i: undo_merge(
                connection, principal, int(i["merge"]), i.get("why", ""), datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", f"/merges/{i['merge']}/undo", {"why": i.get("why", "")}),
        console=lambda i: (f"/merges/{i['merge']}/undo", {"why": i.get("why", "")}),
        cli=lambda i: ["contact", "unmerge", i["merge"], "--why", i.get("why", "")],
        again="merge_undone",
        cases=(
            Case("of two owners", {"merge": "900", "why": "two people"}, before=_MERGED),
            Case(
                "undone before",
                {"merge": "900"},
                "merge_undone",
                before=(*_MERGED, "UPDATE merge_event SET undone_at = '2026-11-22T10:00:00Z' WHERE id = 900"),
            ),
            Case(
                "of an erased person",
                {"merge": "900"},
                "contact_erased",
                before=(*_MERGED, "UPDATE contact SET erased_at = '2026-11-21T10:00:00Z' WHERE id = :contact"),
            ),
            Case("that a manager did not make", {"merge": "900"}, "merge_of_another", "manager", before=(*_MERGED, _ANNAS_USER)),
            Case("of clients whom a manager may not see", {"merge": "900"}, "merge_unknown", "stray_manager", before=_MERGED),
            Case("no merge", {"merge": "999999"}, "merge_unknown"),
        ),
    ),
    Row(
        decide_suggestion,
        "suggestions.decide",
        in_transaction(
            lambda connection, _hub, principal, i: decide_suggestion(
                connection, principal, int(i["suggestion"]), i["decision"], datetime.now(UTC)
            )
        ),
        api=lambda i: ("POST", f"/suggestions/{i['suggestion']}", {"decision": i["decision"]}),
        console=lambda i: (f"/suggestions/{i['suggestion']}", {"decision": i["decision"]}),
        cli=lambda i: ["contact", "decide", i["suggestion"], i["decision"]],
        again="suggestion_decided",
        cases=(
            Case("the same", {"decision": "same"}),
            Case("two people", {"decision": "different"}),
            Case("later", {"decision": "later"}),
            Case("two people, by the head of sales", {"decision": "different"}, role="head"),
            Case("neither", {"decision": "perhaps"}, "shape", doors=frozenset({"api", "console", "cli"})),
            Case("decided before", {"decision": "same"}, "suggestion_decided", before=(_DECIDED,)),
            Case("one of them was erased", {"decision": "same"}, "contact_erased", before=(_ERASED,)),
            Case("no such pair", {"decision": "same", "suggestion": "999999"}, "suggestion_unknown"),
        ),
    ),
)
