"""Commands over sources, their aliases and mappings."""

from __future__ import annotations

from door_frame import Case, Row, in_transaction

from connectors.kit import registry
from ingest.mailbox.source_check import begin_check, begin_test, begin_trial
from ingest.mapping.text import assign
from ingest.mapping.unmapped_fields import acknowledge
from ingest.mapping.versions import publish, roll_back, save_draft
from ingest.quarantine.alerts import resolve_alert
from ingest.sources.aliases import add_alias, remove_alias
from ingest.sources.changes import change_source, remove_source
from ingest.sources.sources import add_source, change_settings, rotate_token, set_state

_UNKNOWN = Case("unknown", {"source": "999999"}, "source_unknown")
_PUBLISHED = "UPDATE source_mapping SET state = 'published', published_at = '2026-11-21T10:00:00Z'"
_UNUSED = (
    "INSERT INTO source (id, name, connector, channel, config, created_at) OVERRIDING SYSTEM VALUE"
    " VALUES (900, 'Unused', 'generic_form', 'form', '{}', '2026-11-21T10:00:00Z')"
)
_FORM = registry.get("generic_form")
#: What is ticked on a form's page from the beginning.
_TICKS = {name: "on" for name, field in _FORM.config_model.model_fields.items() if field.default is True}
_CLICKED = assign("read_names: true\n", "$.colour", "message", _FORM.rules or {}).text

ROWS = (
    Row(
        add_source,
        "sources.write",
        in_transaction(
            lambda connection, hub, principal, i: add_source(connection, principal, hub.config, "generic_form", i["name"], {})
        ),
        api=lambda i: ("POST", "/sources", {"connector": "generic_form", "name": i["name"]}),
        console=lambda i: ("/sources/add/generic_form", {"source_name": i["name"], **_TICKS}),
        cli=lambda i: ("source", "add", "generic_form", "--name", i["name"]),
        again="more",
        cases=(
            Case("a form", {"name": "Shop"}),
            Case("of no name", {"name": " "}, "settings_invalid"),
            Case("by a head", {"name": "Shop"}, "forbidden", role="head"),
        ),
    ),
    Row(
        change_source,
        "sources.write",
        in_transaction(
            lambda connection, _hub, principal, i: change_source(connection, principal, int(i["source"]), {"name": "Shop"})
        ),
        api=lambda i: ("PATCH", f"/sources/{i['source']}", {"name": "Shop"}),
        console=lambda i: (f"/sources/{i['source']}/change", {"source_name": "Shop", **_TICKS}),
        again="idle",
        cases=(Case("its name"), _UNKNOWN),
    ),
    Row(
        change_settings,
        "sources.write",
        in_transaction(
            lambda connection, hub, principal, i: change_settings(
                connection, principal, hub.config, int(i["source"]), {"consent_unknown": i["consent"]}
            )
        ),
        api=lambda i: ("PATCH", f"/sources/{i['source']}", {"settings": {"consent_unknown": i["consent"]}}),
        console=lambda i: (f"/sources/{i['source']}/change", {"source_name": "Site", "consent_unknown": i["consent"], **_TICKS}),
        again="idle",
        cases=(
            Case("one of them", {"consent": "hold"}),
            Case("one that does not fit", {"consent": "perhaps"}, "settings_invalid"),
            Case("unknown", {"source": "999999", "consent": "hold"}, "source_unknown"),
        ),
    ),
    Row(
        remove_source,
        "sources.write",
        in_transaction(lambda connection, _hub, principal, i: remove_source(connection, principal, int(i["source"]))),
        api=lambda i: ("DELETE", f"/sources/{i['source']}", None),
        again="source_unknown",
        cases=(
            Case("that never received anything", {"source": "900"}, before=(_UNUSED,)),
            Case("that received something", {}, "source_has_history"),
            _UNKNOWN,
        ),
    ),
    Row(
        begin_check,
        "sources.write",
        in_transaction(lambda connection, hub, principal, i: begin_check(connection, principal, hub.config, int(i["mailbox"]))),
        console=lambda i: (f"/sources/{i['mailbox']}/check", {}),
        sequel=frozenset({"mailbox_folder"}),
        again="more",
        cases=(
            Case("a mailbox"),
            Case("a form", {"mailbox": "@source"}, "no_check"),
            Case("unknown", {"mailbox": "999999"}, "source_unknown"),
        ),
    ),
    Row(
        begin_test,
        "sources.write",
        in_transaction(lambda connection, hub, principal, i: begin_test(connection, principal, hub.config, int(i["source"]))),
        cli=lambda i: ("source", "test", i["source"]),
        again="more",
        cases=(Case("a form"), Case("a mailbox", {"source": "@mailbox"}), _UNKNOWN),
    ),
    Row(
        begin_trial,
        "sources.write",
        in_transaction(
            lambda connection, hub, principal, i: begin_trial(connection, principal, hub.config, int(i["source"]), is_test=True)
        ),
        console=lambda i: (f"/sources/{i['source']}/try", {"as": "test"}),
        sequel=frozenset({"inbound_event"}),
        again="more",
        cases=(Case("a form"), Case("a mailbox", {"source": "@mailbox"}, "no_trial"), _UNKNOWN),
    ),
    Row(
        set_state,
        "sources.write",
        in_transaction(lambda connection, _hub, principal, i: set_state(connection, principal, int(i["source"]), i["state"])),
        api=lambda i: ("PATCH", f"/sources/{i['source']}", {"state": i["state"]}),
        console=lambda i: (f"/sources/{i['source']}/state", {"state": i["state"]}),
        cli=lambda i: ("source", "pause" if i["state"] == "paused" else "resume", i["source"]),
        again="idle",
        cases=(
            Case("paused", {"state": "paused"}),
            Case("resumed", {"state": "active"}, before=("UPDATE source SET state = 'paused' WHERE id = :source",)),
            Case("active already", {"state": "active"}, idle=True),
            Case("unknown", {"source": "999999", "state": "paused"}, "source_unknown"),
        ),
    ),
    Row(
        rotate_token,
        "sources.write",
        in_transaction(lambda connection, hub, principal, i: rotate_token(connection, principal, hub.config, int(i["source"]))),
        api=lambda i: ("POST", f"/sources/{i['source']}/rotate", None),
        console=lambda i: (f"/sources/{i['source']}/rotate", {}),
        cli=lambda i: ("source", "rotate", i["source"]),
        again="more",
        cases=(Case("a form's"), _UNKNOWN),
    ),
    Row(
        add_alias,
        "sources.write",
        in_transaction(
            lambda connection, hub, principal, i: add_alias(connection, principal, hub.config, int(i["source"]), i["alias"])
        ),
        api=lambda i: ("POST", f"/sources/{i['source']}/aliases", {"alias": i["alias"]}),
        console=lambda i: (f"/sources/{i['source']}/aliases", {"alias": i["alias"]}),
        cli=lambda i: ("source", "alias", "add", i["source"], i["alias"]),
        again="idle",
        cases=(
            Case("a new one", {"alias": "formspree:xyzabcde"}),
            Case("its own already", {"alias": "getform:of-the-world"}, idle=True),
            Case("no alias", {"alias": "nowhere"}, "alias_invalid"),
            Case("unknown", {"source": "999999", "alias": "formspree:xyzabcde"}, "source_unknown"),
        ),
    ),
    Row(
        remove_alias,
        "sources.write",
        in_transaction(
            lambda connection, hub, principal, i: remove_alias(connection, principal, hub.config, int(i["source"]), i["alias"])
        ),
        api=lambda i: ("DELETE", f"/sources/{i['source']}/aliases?alias={i['alias']}", None),
        console=lambda i: (f"/sources/{i['source']}/aliases/remove", {"alias": i["alias"]}),
        cli=lambda i: ("source", "alias", "remove", i["source"], i["alias"]),
        again="alias_unknown",
        cases=(
            Case("its own", {"alias": "getform:of-the-world"}),
            Case("nobody's", {"alias": "getform:of-nobody"}, "alias_unknown"),
            Case("unknown", {"source": "999999", "alias": "getform:of-the-world"}, "source_unknown"),
        ),
    ),
    Row(
        save_draft,
        "sources.write",
        in_transaction(
            lambda connection, _hub, principal, i: save_draft(connection, principal, int(i["source"]), i["text"])
        ),
        api=lambda i: ("POST", f"/sources/{i['source']}/mappings", {"text": i["text"]}),
        console=lambda i: (
            (f"/sources/{i['source']}/mapping/click", {"source": i["field"], "role": "message"})
            if "field" in i
            else (f"/sources/{i['source']}/mapping", {"text": i["text"], "act": "save"})
        ),
        again="more",
        cases=(
            Case("over the draft that is there", {"text": "read_names: false\n"}),
            Case("beside the published one", {"text": "read_names: false\n"}, before=(_PUBLISHED,)),
            Case("by a click on a field", {"text": _CLICKED, "field": "$.colour"}, doors=frozenset({"domain", "console"})),
            # The page is shown again with the last events on it, and that look is recorded.
            Case("wrong", {"text": "fields: [\n"}, "mapping_wrong", doors=frozenset({"domain", "api"})),
        ),
    ),
    Row(
        publish,
        "sources.write",
        in_transaction(
            lambda connection, _hub, principal, i: publish(connection, principal, int(i["source"]), int(i["version"]))
        ),
        api=lambda i: ("POST", f"/sources/{i['source']}/mappings/{i['version']}/publish", None),
        console=lambda i: (f"/sources/{i['source']}/mapping/publish", {"version": i["version"]}),
        cli=lambda i: ("mapping", "publish", i["source"], "--version", i["version"]),
        again="idle",
        cases=(
            Case("the draft", {"version": "1"}),
            Case("retired", {"version": "1"}, "mapping_retired", before=("UPDATE source_mapping SET state = 'retired'",)),
            Case("unknown", {"version": "7"}, "mapping_unknown"),
        ),
    ),
    Row(
        roll_back,
        "sources.write",
        in_transaction(
            lambda connection, _hub, principal, i: roll_back(
                connection, principal, int(i["source"]), int(i["version"]) if i["version"] else None
            )
        ),
        api=lambda i: ("POST", f"/sources/{i['source']}/mappings/rollback",
                       {"version": int(i["version"]) if i["version"] else None}),
        console=lambda i: (f"/sources/{i['source']}/mapping/back", {"version": i["version"]}),
        cli=lambda i: ("mapping", "rollback", i["source"], *(("--version", i["version"]) if i["version"] else ())),
        again="idle",
        cases=(
            Case("to none", {"version": ""}, before=(_PUBLISHED,)),
            Case("to one that was retired", {"version": "1"}, before=("UPDATE source_mapping SET state = 'retired'",)),
            Case("to a draft", {"version": "1"}, "mapping_is_draft"),
            Case("unknown", {"version": "7"}, "mapping_unknown"),
        ),
    ),
    Row(
        acknowledge,
        "sources.write",
        in_transaction(lambda connection, _hub, principal, i: acknowledge(connection, principal, int(i["source"]))),
        api=lambda i: ("POST", f"/sources/{i['source']}/fields/acknowledge", {}),
        console=lambda i: (f"/sources/{i['source']}/mapping/fields", {}),
        again="idle",
        cases=(Case("all that are new"), _UNKNOWN),
    ),
    Row(
        resolve_alert,
        "alerts.write",
        in_transaction(lambda connection, _hub, principal, i: resolve_alert(connection, principal, int(i["alert"]))),
        api=lambda i: ("POST", f"/alerts/{i['alert']}/resolve", None),
        console=lambda i: (f"/alerts/{i['alert']}/resolve", {}),
        cli=lambda i: ("alerts", "--resolve", i["alert"]),
        again="idle",
        cases=(Case("open", {"alert": "1"}), Case("unknown", {"alert": "999999"}, "alert_unknown")),
    ),
)  # fmt: skip
