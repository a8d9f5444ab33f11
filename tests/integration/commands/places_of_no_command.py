"""What may look like a door of a command and is none, each with its reason; and what still waits for its row."""

from __future__ import annotations

from typing import Final

#: Public functions beside commands that take who acts and are none.
COMMANDS_WITHOUT_A_ROW: Final[dict[str, str]] = {
    "crm_core.forms.attachments.get_file": "reads",
    "crm_core.forms.attachments.open_file": "reads, and records who looked",
    "crm_core.leads.spam_flag.event_of": "reads",
    "crm_core.leads.spam_flag.flag_spam": "the domain's half of ingest.processing.lead_spam.mark_spam",
    "crm_core.leads.spam_flag.unflag_spam": "the domain's half of ingest.processing.lead_spam.unmark_spam",
    "crm_core.access.sessions.begin_session": "signs in; nobody is there yet who could act",
    "crm_core.access.sessions.end_session": "ends one's own session",
    "crm_core.access.sessions.end_session_of": "ends one's own session",
    "crm_core.access.sessions.find_session": "reads",
    "crm_core.access.sign_in.check_password": "signs in; nobody is there yet who could act",
    "crm_core.access.tokens.find_token": "reads",
    "crm_core.access.tokens.revoke_tokens_of": "a part of retiring an owner, of disabling or changing a user",
    "crm_core.access.users.cut_off_owner": "a part of crm_core.people.commands.retire_owner",
    "crm_core.erasure.commands.erase_held": "the domain's half of ingest.erasure.erase.erase",
    "crm_core.erasure.commands.hold_person": "the domain's half of ingest.erasure.erase.erase",
    "crm_core.erasure.commands.own_identifiers": "reads",
    "ingest.mapping.preview.bench": "reads, and records who looked",
    "ingest.mapping.preview.dry_run": "reads, and records who looked",
    "ingest.erasure.erase.preview": "reads",
    "ingest.erasure.erase_again.note_restore": "a part of leadhub restore",
    "ingest.erasure.erase_again.repeat": "a part of leadhub restore, before anybody is there",
    "ingest.journal.queries.look_at_raw": "reads, and records who looked",
    "ingest.mailbox.source_check.would_be": "rehearses ingest.sources.sources.change_settings",
}

#: Still to get theirs. Only ever shorter.
_WAITING = (
    "crm_core.access.users.set_locale",
    "ingest.erasure.erase.erase",
    "ingest.erasure.erase.erase_address",
    "ingest.sources.changes.remove_source",
    "ingest.mailbox.source_check.begin_check",
    "ingest.mailbox.source_check.begin_test",
    "ingest.mailbox.source_check.begin_trial",
    "ingest.sources.sources.change_settings",
)
COMMANDS_WITHOUT_A_ROW.update(dict.fromkeys(_WAITING, "waits for its row"))

PLACES_OF_NO_COMMAND: Final[dict[str, str]] = {
    "api.post_erasures_preview": "shows, changes nothing",
    "cli audit list": "shows",
    "cli audit verify": "shows",
    "cli backup": "saves, changes nothing",
    "cli beat": "a role that runs",
    "cli bench": "measures, on servers of its own",
    "cli config": "shows",
    "cli contact export": "reads, and records who looked",
    "cli demo": "sends through the entrances like anybody",
    "cli doctor": "shows",
    "cli events list": "shows",
    "cli events show": "shows",
    "cli health": "shows",
    "cli ledger": "shows",
    "cli mail": "a role that runs",
    "cli mapping history": "shows",
    "cli mapping show": "shows",
    "cli mapping try": "shows what a mapping would make, changes nothing",
    "cli migrate": "changes the schema, not the domain",
    "cli owner list": "shows",
    "cli quarantine list": "shows",
    "cli restore": "makes a database anew, before anybody is there",
    "cli source alias list": "shows",
    "cli source list": "shows",
    "cli token list": "shows",
    "cli up": "a role that runs",
    "cli user list": "shows",
    "cli web": "a role that runs",
    "cli worker": "a role that runs",
    "console.erase_look": "shows, changes nothing",
    "console.language": "a cookie of one's own, before anybody is signed in",
    "console.link": "begins a session; nobody is there yet who could act",
    "console.nowhere": "answers whatever is no page",
    "console.sign_in": "begins a session; nobody is there yet who could act",
    "console.sign_out": "ends one's own session",
}

#: Still to get theirs. Only ever shorter.
PLACES_WITHOUT_A_ROW: Final[frozenset[str]] = frozenset(
    {
        "api.delete_sources_id",
        "api.delete_users_id",
        "api.post_contacts_id_erase",
        "api.post_erasures",
        "api.post_sources_id_bench_dry-run",
        "cli contact erase",
        "cli erase",
        "cli mapping publish",
        "cli source test",
        "cli user owner",
        "cli user password",
        "console.add_source_now",
        "console.change_password",
        "console.change_source_now",
        "console.check_source",
        "console.end_session",
        "console.erase_contact",
        "console.erase_now",
        "console.mapping_click",
        "console.set_first_password",
        "console.sign_out_everywhere",
        "console.try_source",
    }
)
