"""Every page and every button of the console with the permission that it needs. What is not listed does not exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from webhooks.console.access import account, audit, tokens, users
from webhooks.console.calendars import calendars
from webhooks.console.calls import call_backs
from webhooks.console.contacts import apart, contacts, erasure
from webhooks.console.deadlines import deadlines
from webhooks.console.events import actions, events
from webhooks.console.files import files
from webhooks.console.leads import actions as lead_actions
from webhooks.console.leads import leads, tray
from webhooks.console.ledger import ledger
from webhooks.console.mapping import actions as mapping_actions
from webhooks.console.mapping import mapping
from webhooks.console.mentions import mentions
from webhooks.console.merging import merges, suggestions
from webhooks.console.notifications import notifications
from webhooks.console.people import owners, person
from webhooks.console.quarantine import quarantine
from webhooks.console.queues import queues
from webhooks.console.routing import rules as routing_rules
from webhooks.console.routing import versions as routing
from webhooks.console.search import search
from webhooks.console.shell import language_choice, sign_in
from webhooks.console.sources import (
    actions as source_actions,
)
from webhooks.console.sources import (
    source_change,
    source_check,
    source_connect,
    source_setup,
    source_site,
    sources,
)


@dataclass(frozen=True, slots=True)
class Route:
    method: str  # GET | POST
    rule: str  # below /console
    endpoint: str
    view: Callable[..., Any]  # called with the desk and the rule's parts
    permission: str | None  # None: nobody needs to be signed in; "": anybody who is
    shows_secret: bool = False  # an address that is a key, for instance: such a page is not compressed


ROUTES = (
    Route("GET", "/", "home", sign_in.home, ""),
    Route("GET", "/sign-in", "sign_in_page", sign_in.sign_in_page, None),
    Route("POST", "/sign-in", "sign_in", sign_in.sign_in, None),
    Route("GET", "/sign-in/<token>", "link_page", sign_in.link_page, None, shows_secret=True),
    Route("POST", "/sign-in/<token>", "link", sign_in.use_link, None),
    Route("POST", "/sign-out", "sign_out", sign_in.sign_out, ""),
    Route("GET", "/account", "account", account.page, ""),
    Route("POST", "/account/password", "change_password", account.change_password, ""),
    Route("GET", "/account/first-password", "first_password", account.first_password, ""),
    Route("POST", "/account/first-password", "set_first_password", account.set_first_password, ""),
    Route("POST", "/account/sessions/<id:session_id>/end", "end_session", account.end_one, ""),
    Route("POST", "/account/sign-out", "sign_out_everywhere", account.sign_out_everywhere, ""),
    Route("POST", "/language", "language", language_choice.choose, None),
    Route("GET", "/search", "search", search.index, "leads.read"),
    Route("GET", "/leads", "leads", leads.index, "leads.read"),
    Route("GET", "/leads/<id:lead_id>", "lead", leads.card, "leads.read"),
    Route("GET", "/files/<id:attachment_id>", "file", files.download, "leads.read"),
    Route("POST", "/leads/<id:lead_id>/comment", "comment", lead_actions.comment, "leads.write"),
    Route("POST", "/leads/<id:lead_id>/close", "close", lead_actions.close, "leads.write"),
    Route("POST", "/leads/<id:lead_id>/reopen", "reopen", lead_actions.reopen, "leads.write"),
    Route("POST", "/leads/<id:lead_id>/undo", "undo", lead_actions.undo, "leads.write"),
    Route("POST", "/leads/<id:lead_id>/assign", "assign", lead_actions.assign, "leads.assign"),
    Route("POST", "/leads/<id:lead_id>/spam", "lead_spam", lead_actions.spam, "leads.write"),
    Route("POST", "/leads/<id:lead_id>/not-spam", "lead_not_spam", lead_actions.not_spam, "leads.write"),
    Route("GET", "/contacts", "contacts", contacts.index, "contacts.read"),
    Route("GET", "/contacts/<id:contact_id>", "contact", contacts.card, "contacts.read"),
    Route("POST", "/contacts/<id:contact_id>/excluded-owners", "exclude_owner", apart.keep_apart, "leads.assign"),
    Route("POST", "/contacts/<id:contact_id>/excluded-owners/<id:owner_id>/allow", "allow_owner", apart.allow, "leads.assign"),
    Route("POST", "/contacts/<id:contact_id>/export", "export_contact", contacts.export, "contacts.export"),
    Route("GET", "/contacts/<id:contact_id>/merge", "merge_page", merges.page, "contacts.merge"),
    Route("POST", "/contacts/<id:contact_id>/merge", "merge_contact", merges.merge, "contacts.merge"),
    Route("GET", "/merges/<id:merge_id>/undo", "undo_merge_page", merges.look, "contacts.merge"),
    Route("POST", "/merges/<id:merge_id>/undo", "undo_merge", merges.undo, "contacts.merge"),
    Route("GET", "/suggestions", "suggestions", suggestions.index, "suggestions.read"),
    Route("POST", "/suggestions/<id:suggestion_id>", "decide_suggestion", suggestions.decide, "suggestions.decide"),
    Route("GET", "/contacts/<id:contact_id>/erase", "erase_contact_page", erasure.contact, "contacts.erase"),
    Route("POST", "/contacts/<id:contact_id>/erase", "erase_contact", erasure.contact_now, "contacts.erase"),
    Route("GET", "/erase", "erase", erasure.ask, "contacts.erase"),
    Route("POST", "/erase", "erase_look", erasure.look, "contacts.erase"),
    Route("POST", "/erase/now", "erase_now", erasure.address_now, "contacts.erase"),
    Route("POST", "/leads/<id:lead_id>/mentions", "leave_mention", mentions.leave, "mentions.write"),
    Route("GET", "/tray", "tray", tray.index, "leads.claim"),
    Route("POST", "/leads/<id:lead_id>/claim", "claim_lead", tray.claim, "leads.claim"),
    Route("POST", "/leads/<id:lead_id>/return", "return_lead", tray.give_back, "leads.return"),
    Route("GET", "/deadlines", "deadlines", deadlines.index, "deadlines.read"),
    Route("POST", "/deadlines", "add_deadline", deadlines.add, "deadlines.write"),
    Route("POST", "/deadlines/<id:policy_id>", "change_deadline", deadlines.change, "deadlines.write"),
    Route("POST", "/deadlines/<id:policy_id>/remove", "remove_deadline", deadlines.remove, "deadlines.write"),
    Route("POST", "/leads/<id:lead_id>/reached", "client_reached", deadlines.reached, "leads.write"),
    Route("GET", "/routing", "routing", routing.index, "routing.read"),
    Route("POST", "/routing", "begin_routing", routing.begin, "routing.write"),
    Route("GET", "/routing/<id:version>", "routing_version", routing.page, "routing.read"),
    Route("POST", "/routing/<id:version>/settings", "routing_settings", routing.save_settings, "routing.write"),
    Route("POST", "/routing/<id:version>/json", "routing_json", routing.save_json, "routing.write"),
    Route("POST", "/routing/<id:version>/move", "move_rule", routing.move, "routing.write"),
    Route("GET", "/routing/<id:version>/rule", "routing_rule", routing_rules.page, "routing.write"),
    Route("POST", "/routing/<id:version>/rule", "save_rule", routing_rules.save, "routing.write"),
    Route("POST", "/routing/<id:version>/simulate", "simulate_routing", routing.simulate_now, "routing.write"),
    Route("POST", "/routing/<id:version>/activate", "activate_routing", routing.activate, "routing.write"),
    Route("POST", "/routing/<id:version>/remove", "remove_routing", routing.remove, "routing.write"),
    Route("GET", "/notifications", "notifications", notifications.index, "notifications.read"),
    Route("POST", "/notifications/read", "read_notifications", notifications.read, "notifications.write"),
    Route("GET", "/mentions", "mentions", mentions.index, "mentions.read"),
    Route("POST", "/mentions/<id:mention_id>/read", "read_mention", mentions.read, "mentions.write"),
    Route("GET", "/call-backs", "call_backs", call_backs.index, "activities.read"),
    Route("POST", "/call-backs/<id:activity_id>/done", "call_back_done", call_backs.done, "activities.write"),
    Route("GET", "/events", "events", events.index, "events.read"),
    Route("GET", "/events/replay", "replay_preview", actions.preview, "events.replay"),
    Route("POST", "/events/replay", "replay", actions.replay_now, "events.replay"),
    Route("GET", "/events/<event_id>", "event", events.card, "events.read", shows_secret=True),
    Route("GET", "/events/<event_id>/raw", "event_raw", events.download, "events.raw"),
    Route("POST", "/events/<event_id>/dismiss", "dismiss", actions.dismiss, "events.replay"),
    Route("GET", "/sources", "sources", sources.index, "sources.read"),
    Route("GET", "/sources/add", "choose_connector", source_setup.choose, "sources.write"),
    Route("GET", "/sources/add/<connector>", "add_source", source_setup.form, "sources.write"),
    Route("POST", "/sources/add/<connector>", "add_source_now", source_setup.add, "sources.write"),
    Route("GET", "/sources/<id:source_id>", "source", sources.card, "sources.read", shows_secret=True),
    Route("GET", "/sources/<id:source_id>/connect", "connect_source", source_connect.page, "sources.write", shows_secret=True),
    Route("GET", "/sources/<id:source_id>/change", "change_source", source_change.form, "sources.write"),
    Route("POST", "/sources/<id:source_id>/change", "change_source_now", source_change.change, "sources.write"),
    Route("GET", "/sources/<id:source_id>/check", "source_checked", source_check.back, "sources.write"),
    Route("POST", "/sources/<id:source_id>/check", "check_source", source_check.check_now, "sources.write"),
    Route(
        "POST",
        "/sources/<id:source_id>/state",
        "set_source_state",
        source_actions.change_state,
        "sources.write",
    ),
    Route("POST", "/sources/<id:source_id>/rotate", "rotate_source", source_actions.rotate, "sources.write"),
    Route("POST", "/sources/<id:source_id>/try", "try_source", source_actions.try_it, "sources.write"),
    Route("GET", "/sources/<id:source_id>/mapping", "mapping", mapping.page, "events.raw", shows_secret=True),
    Route("POST", "/sources/<id:source_id>/mapping", "mapping_text", mapping_actions.text, "sources.write"),
    Route("POST", "/sources/<id:source_id>/mapping/click", "mapping_click", mapping_actions.click, "sources.write"),
    Route("POST", "/sources/<id:source_id>/mapping/publish", "publish_mapping", mapping_actions.publish_draft, "sources.write"),
    Route("POST", "/sources/<id:source_id>/mapping/back", "roll_back_mapping", mapping_actions.go_back, "sources.write"),
    Route("POST", "/sources/<id:source_id>/mapping/fields", "fields_seen", mapping_actions.seen, "sources.write"),
    Route("POST", "/sources/<id:source_id>/aliases", "add_alias", source_site.add, "sources.write"),
    Route("POST", "/sources/<id:source_id>/aliases/remove", "remove_alias", source_site.remove, "sources.write"),
    Route("GET", "/calendars", "calendars", calendars.index, "owners.read"),
    Route("POST", "/calendars", "add_calendar", calendars.add, "owners.write"),
    Route("POST", "/calendars/<id:calendar_id>", "change_calendar", calendars.change, "owners.write"),
    Route("POST", "/calendars/<id:calendar_id>/remove", "remove_calendar", calendars.remove, "owners.write"),
    Route("POST", "/calendars/<id:calendar_id>/days", "put_calendar_days", calendars.put_days, "owners.write"),
    Route("POST", "/calendars/<id:calendar_id>/days/usual", "calendar_day_usual", calendars.usual_day, "owners.write"),
    Route("POST", "/calendar-days", "put_common_days", calendars.put_days, "owners.write"),
    Route("POST", "/calendar-days/usual", "common_day_usual", calendars.usual_day, "owners.write"),
    Route("GET", "/owners", "owners", owners.index, "owners.read"),
    Route("POST", "/owners", "add_owner", owners.add, "owners.write"),
    Route("GET", "/owners/<id:owner_id>", "owner", person.card, "owners.read"),
    Route("POST", "/owners/<id:owner_id>", "change_owner", person.change, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/absences", "plan_absence", person.plan, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/absences/<id:absence_id>/cancel", "cancel_absence", person.cancel, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/pause", "pause_owner", person.pause, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/resume", "resume_owner", person.resume, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/duty", "owner_duty", person.duty, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/hand-over", "owner_hand_over", person.hand_over_all, "leads.assign"),
    Route("POST", "/pools/<id:pool_id>/strategy", "pool_strategy", person.pool_strategy, "owners.write"),
    Route("POST", "/pools/<id:pool_id>/members/<id:owner_id>", "put_member", person.put_member, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/absent", "owner_absent", owners.absent, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/present", "owner_present", owners.present, "owners.write"),
    Route("POST", "/owners/<id:owner_id>/active", "owner_active", owners.active, "owners.write"),
    Route("GET", "/users", "users", users.index, "users.read"),
    Route("POST", "/users", "add_user", users.add, "users.write"),
    Route("GET", "/users/<id:user_id>", "user", users.card, "users.read"),
    Route("POST", "/users/<id:user_id>", "change_user", users.change, "users.write"),
    Route("POST", "/users/<id:user_id>/link", "user_link", users.link, "users.write"),
    Route("POST", "/users/<id:user_id>/password", "user_password", users.password, "users.write"),
    Route("POST", "/users/<id:user_id>/active", "user_active", users.active, "users.write"),
    Route("POST", "/users/<id:user_id>/sign-out", "user_sign_out", users.sign_out, "users.write"),
    Route("GET", "/tokens", "tokens", tokens.index, "users.read"),
    Route("POST", "/tokens", "create_token", tokens.create, "users.write"),
    Route("POST", "/tokens/<id:token_id>/revoke", "revoke_token", tokens.revoke, "users.write"),
    Route("GET", "/audit", "audit", audit.index, "audit.read"),
    Route("GET", "/quarantine", "quarantine", quarantine.index, "quarantine.read"),
    Route("POST", "/quarantine/release", "quarantine_release", quarantine.release, "quarantine.judge"),
    Route("POST", "/quarantine/confirm", "quarantine_confirm", quarantine.confirm, "quarantine.judge"),
    Route("POST", "/events/<event_id>/accept-consent", "accept_consent", quarantine.accept_consent, "quarantine.judge"),
    Route("POST", "/alerts/<id:alert_id>/resolve", "resolve_alert", quarantine.resolve, "alerts.write"),
    Route("GET", "/queues", "queues", queues.index, "queues.read"),
    Route("GET", "/ledger", "ledger", ledger.index, "ledger.read"),
)

PERMISSION_OF = {route.endpoint: route.permission for route in ROUTES}
