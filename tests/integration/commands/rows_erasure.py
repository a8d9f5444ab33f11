"""Commands that erase a person."""

from __future__ import annotations

from datetime import UTC, datetime

from door_frame import Case, Row

from ingest.erasure.erase import Person, erase, erase_address

_WHY = {"why": "a letter"}
_PHONE = {"phone": "+7 912 345-67-99", "email": "", **_WHY}
_NAMES_IT = "UPDATE inbound_event SET body = convert_to('phone=+79123456799', 'UTF8') WHERE uid = :broken_event"
_ON_ITS_WAY = "UPDATE inbound_event SET state = 'waiting', outcome = NULL WHERE lead_id = :lead"

ROWS = (
    Row(
        erase,
        "contacts.erase",
        lambda hub, principal, i: erase(hub.engine, hub.config, principal, int(i["contact"]), i["why"], datetime.now(UTC)),
        api=lambda i: ("POST", f"/contacts/{i['contact']}/erase", {"why": i["why"]}),
        console=lambda i: (f"/contacts/{i['contact']}/erase", {"why": i["why"], "sure": i["contact"]}),
        cli=lambda i: ("contact", "erase", i["contact"], "--why", i["why"], "--yes"),
        again="more",
        cases=(
            Case("a contact", _WHY),
            Case("a contact that an event of nobody names", _WHY, before=(_NAMES_IT.replace("99'", "01'"),)),
            Case("for no reason", {"why": " "}, "why_missing"),
            Case("whose inquiry is on its way", _WHY, "events_on_their_way", before=(_ON_ITS_WAY,)),
            Case("unknown", {"contact": "999999", **_WHY}, "contact_unknown"),
        ),
    ),
    Row(
        erase_address,
        "contacts.erase",
        lambda hub, principal, i: erase_address(
            hub.engine, hub.config, principal, Person(phone=i["phone"], email=i["email"]), i["why"], datetime.now(UTC)
        ),
        api=lambda i: ("POST", "/erasures", {name: i[name] for name in ("phone", "email", "why")}),
        console=lambda i: ("/erase/now", {name: i[name] for name in ("phone", "email", "why")} | {"sure": "yes"}),
        cli=lambda i: ("erase", "--phone", i["phone"], "--email", i["email"], "--why", i["why"], "--yes"),
        again="more",
        cases=(
            Case("a number that an event names", _PHONE, before=(_NAMES_IT,)),
            Case("a number that nothing names", _PHONE),
            Case("for no reason", {**_PHONE, "why": " "}, "why_missing"),
            Case("no number", {**_PHONE, "phone": "none"}, "phone_unreadable"),
            Case("no address", {**_PHONE, "phone": "", "email": "none"}, "email_unreadable"),
            Case("both", {**_PHONE, "email": "vera@example.com"}, "one_person"),
            Case("neither", {**_PHONE, "phone": ""}, "one_person"),
        ),
    ),
)
