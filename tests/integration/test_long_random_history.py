"""A long random sequence of all that may happen to inquiries, partly at once; after each part the books are checked.

`LEADHUB_TEST_SEED=<number>` plays one history again; the number of a failed one is in its output.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import orjson
import psycopg
import pytest
from desk import Desk
from psycopg.rows import dict_row
from sqlalchemy import Engine, text

from crm_core.access import HUB, Principal
from crm_core.base.config import HubConfig
from crm_core.base.errors import HubError
from crm_core.leads.assignment import assign_lead
from crm_core.leads.commands import LeadChange, change_lead
from ingest.erasure.erase import erase
from ingest.journal.accept import RawEvent, insert_events
from ingest.journal.claim import claim
from ingest.journal.ledger import ledger
from ingest.journal.queries import dismiss
from ingest.mapping.versions import publish, roll_back, save_draft
from ingest.processing.affected import affected
from ingest.processing.lead_spam import mark_spam, unmark_spam
from ingest.processing.process import Processor
from ingest.processing.replay import Selection, replay
from ingest.quarantine.quarantine import Pick, accept_consent, confirm, release
from ingest.sources.sources import set_state

OPERATIONS = 300
PART = 30  # operations between two checks
ADMIN = Principal("user", 1, "Admin", "admin", None)
PEOPLE = [
    {"name": "Anna Petrova", "phone": "+7 900 123-45-01", "email": "anna@example.com"},
    {"name": "Boris", "phone": "+7 900 123-45-02", "email": "boris@example.org"},
    {"name": "Vera", "phone": "8 (900) 123-45-03"},
    {"name": "", "email": "nobody@example.net"},
    {"name": "Oleg", "phone": "+7 900 123-45-05", "zakaz": "oleg@example.com"},
    {"name": "Clara", "phone": "+7 495 111-22-33"},
    {"name": "Dmitri", "phone": "+7 495 111-22-33"},
    {"name": "Eva"},
]
MESSAGES = ["Call me back", "A kitchen, please", "How much is it?", ""]
MAPPINGS = [
    'fields:\n  email: {from: ["$.zakaz"]}\n',
    "skip_if:\n  - {path: $.kind, eq: search, code: a_search}\n",
    "fields:\n  company: {from: [$.kind]}\n",
    'fields:\n  phone: {from: ["$.shop_no"]}\n',
    "split: $.people\n",
]
_PNG = b"\x89PNG\r\n\x1a\n"


class History:
    """One hub, dice, and the things that may happen to it."""

    def __init__(self, desk: Desk, dice: random.Random) -> None:
        self.desk, self.dice = desk, dice
        self.config = replace(desk.config, batch_size=7)
        self.workers = [Processor(self.config), Processor(self.config)]
        self.sent: list[RawEvent] = []
        self.deeds: list[Callable[[random.Random], Any]] = [
            *[self.post] * 10, *[self.again] * 3, *[self.correct] * 2, self.several, *[self.call] * 3, self.unclaimed,
            *[self.drain] * 4, *[self.lose_a_worker] * 2, *[self.replay] * 3, *[self.rehearse] * 2, self.publish,
            self.roll_back, *[self.release] * 2, self.confirm, self.dismiss, self.erase, *[self.close] * 2, self.assign,
            *[self.mark] * 2, self.unmark,
            self.pause, self.accept, self.shift_clock, *[self.storm] * 3,
        ]  # fmt: skip

    def step(self) -> None:
        self.dice.choice(self.deeds)(self.dice)

    # What arrives

    def post(self, dice: random.Random) -> None:
        fields = {
            **dice.choice(PEOPLE),
            "message": dice.choice(MESSAGES),
            "kind": dice.choice(["search", "order", ""]),
        }
        if dice.random() < 0.3:
            other = dice.choice(PEOPLE)
            fields |= {"email": other.get("email", ""), "shop_no": other.get("phone", "")}
        if dice.random() < 0.15:
            fields["_gotcha"] = "filled"
        if dice.random() < 0.1:
            fields["message"] += " We offer SEO services, guest posts and back links: https://spam.example/a http://x.example"
        if dice.random() < 0.3:
            fields["consent"] = dice.choice(["on", "off"])
        self.send(fields, dice, photo=dice.choice([b"", b"", _PNG + bytes([dice.randrange(4)])]))

    def send(self, fields: dict[str, str], dice: random.Random, photo: bytes = b"") -> None:
        body, kind = urlencode(fields).encode(), "application/x-www-form-urlencoded"
        if photo:
            kind = "multipart/form-data; boundary=edge"
            parts = [f'--edge\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}'.encode() for k, v in fields.items()]
            parts.append(b'--edge\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n' + photo)
            body = b"\r\n".join([*parts, b"--edge--", b""])
        raw_event = RawEvent(
            self.desk.form_source, "form", body, headers={"content-type": kind, "user-agent": "Mozilla/5.0"},
            remote_ip=dice.choice(["198.51.100.7", "203.0.113.9"]),
            provider_key=f"key-{dice.getrandbits(40)}" if dice.random() < 0.4 else None,
        )  # fmt: skip
        self.sent.append(raw_event)
        self.put(raw_event)

    def put(self, *parsed_items: RawEvent) -> None:
        with psycopg.connect(self.config.database_url, autocommit=True) as door:
            insert_events(door, parsed_items)

    def several(self, dice: random.Random) -> None:
        people = [{"name": one["name"], "phone": one.get("phone", "")} for one in dice.sample(PEOPLE, 2)]
        body = orjson.dumps({"shop": "x", "message": dice.choice(MESSAGES), "people": people})
        self.put(RawEvent(self.desk.form_source, "form", body, headers={"content-type": "application/json"}))

    def again(self, dice: random.Random) -> None:
        if self.sent:
            self.put(dice.choice(self.sent[-6:]))

    def correct(self, dice: random.Random) -> None:
        fields = {
            "name": "Galina",
            "message": dice.choice(MESSAGES),
            "phone": f"+7 900 123-46-{dice.randrange(4)}0",
        }
        self.send(fields, dice)
        self.send(fields | {"phone": fields["phone"][:-1] + "1"}, dice)

    def call(self, dice: random.Random) -> None:
        name = f"call-{dice.randrange(12)}"
        phone = f"7900123450{dice.randrange(1, 6)}" if dice.random() < 0.9 else "anonymous"
        for event in dice.sample(["ringing", "missed", "answered"], dice.randrange(1, 3)):
            self.desk.call(event, name, phone)

    def unclaimed(self, dice: random.Random) -> None:
        if self.sent:
            self.put(replace(dice.choice(self.sent), unclaimed=True, provider_key=None))

    # What the hub and people do

    def drain(self, dice: random.Random) -> None:
        self.work(self.workers[dice.randrange(2)])

    def work(self, worker: Processor) -> None:
        for channel in ("form", "call"):
            worker.drain(channel, 60)

    def lose_a_worker(self, dice: random.Random) -> None:
        """Some events are claimed, and nobody comes back; or he comes back too late."""
        with (
            psycopg.connect(self.config.database_url, autocommit=True, row_factory=dict_row) as gone,
            gone.cursor() as cursor,
        ):
            claim(cursor, "form", dice.randrange(1, 5), 0.0)

    def replay(self, dice: random.Random) -> None:
        self.send_again(dice, dry_run=False)

    def rehearse(self, dice: random.Random) -> None:
        self.send_again(dice, dry_run=True)

    def send_again(self, dice: random.Random, *, dry_run: bool) -> None:
        with contextlib.suppress(HubError):  # none of those named is to be sent
            replay(self.desk.engine, HUB, self.config, self.selection(dice), dry_run=dry_run)

    def selection(self, dice: random.Random) -> Selection:
        if dice.random() < 0.3:
            return Selection(uids=tuple(affected(self.desk.engine, self.config, self.desk.form_source)) or ("none",))
        if dice.random() < 0.5:
            return Selection(state=dice.choice(["done", "needs_attention"]))
        return Selection(uids=tuple(self.some(dice, "SELECT uid FROM inbound_event ORDER BY id", 9)) or ("none",))

    def publish(self, dice: random.Random) -> None:
        with self.desk.engine.begin() as connection:
            version = save_draft(connection, HUB, self.desk.form_source, dice.choice(MAPPINGS))
            publish(connection, HUB, self.desk.form_source, version)

    def roll_back(self, dice: random.Random) -> None:
        versions = self.some(dice, "SELECT version FROM source_mapping WHERE state = 'retired' ORDER BY version", 1)
        with self.desk.engine.begin() as connection:
            roll_back(connection, HUB, self.desk.form_source, next(iter(versions), None))

    def release(self, dice: random.Random) -> None:
        self.judge(release, dice)

    def confirm(self, dice: random.Random) -> None:
        self.judge(confirm, dice)

    def judge(self, verdict: Callable[..., int], dice: random.Random) -> None:
        uids = self.some(dice, "SELECT uid FROM inbound_event WHERE outcome = 'spam' ORDER BY id", 4)
        pick = Pick(tuple(uids)) if uids else Pick(source_id=self.desk.form_source)
        with contextlib.suppress(HubError), self.desk.engine.begin() as connection:
            verdict(connection, ADMIN, pick, datetime.now(UTC))

    def accept(self, dice: random.Random) -> None:
        uids = self.some(dice, "SELECT uid FROM inbound_event WHERE state = 'needs_attention' ORDER BY id", 4)
        with contextlib.suppress(HubError), self.desk.engine.begin() as connection:
            accept_consent(connection, ADMIN, uids, datetime.now(UTC))

    def dismiss(self, dice: random.Random) -> None:
        for uid in self.some(dice, "SELECT uid FROM inbound_event WHERE state = 'needs_attention' ORDER BY id", 1):
            with contextlib.suppress(HubError), self.desk.engine.begin() as connection:
                dismiss(connection, ADMIN, uid, "no lead", datetime.now(UTC))

    def erase(self, dice: random.Random) -> None:
        for contact in self.some(dice, "SELECT id FROM contact WHERE erased_at IS NULL AND id = root_id ORDER BY id", 1):
            with contextlib.suppress(HubError):
                erase(self.desk.engine, self.config, ADMIN, contact, "letter", datetime.now(UTC))

    def close(self, dice: random.Random) -> None:
        for lead in self.some(dice, "SELECT id FROM lead WHERE state = 'open' ORDER BY id", 1):
            with contextlib.suppress(HubError), self.desk.engine.begin() as connection:
                version = connection.execute(text("SELECT version FROM lead WHERE id = :id"), {"id": lead}).scalar_one()
                change = LeadChange(version=version, state=dice.choice(["won", "lost", "closed"]))
                change_lead(connection, ADMIN, lead, change, datetime.now(UTC))

    def assign(self, dice: random.Random) -> None:
        for lead in self.some(dice, "SELECT id FROM lead ORDER BY id", 1):
            with contextlib.suppress(HubError), self.desk.engine.begin() as connection:
                owner = dice.choice(sorted(self.desk.owners.values()))
                assign_lead(connection, ADMIN, lead, "asked for", datetime.now(UTC), owner_id=owner)

    def mark(self, dice: random.Random) -> None:
        for lead in self.some(dice, "SELECT id FROM lead ORDER BY id", 1):
            with contextlib.suppress(HubError), self.desk.engine.begin() as connection:
                mark_spam(connection, ADMIN, lead, "rubbish", datetime.now(UTC))

    def unmark(self, dice: random.Random) -> None:
        for lead in self.some(dice, "SELECT id FROM lead WHERE closed_code = 'spam' ORDER BY id", 2):
            with contextlib.suppress(HubError), self.desk.engine.begin() as connection:
                unmark_spam(connection, ADMIN, lead, "a mistake", datetime.now(UTC))

    def pause(self, dice: random.Random) -> None:
        with self.desk.engine.begin() as connection:
            set_state(connection, HUB, self.desk.form_source, dice.choice(["paused", "active", "active"]))

    def shift_clock(self, dice: random.Random) -> None:
        """What waits was received long ago, or the clock went back since."""
        for event in self.some(dice, "SELECT id FROM inbound_event WHERE state = 'waiting' ORDER BY id", 3):
            with psycopg.connect(self.config.database_url, autocommit=True) as clock:
                clock.execute(
                    "UPDATE inbound_event SET received_at = received_at + make_interval(mins => %s) WHERE id = %s",
                    (dice.choice([-2_880, -60, -8, 3, 30]), event),
                )

    def storm(self, dice: random.Random) -> None:
        """Several at once, each with dice of its own, so that the history stays the seed's as far as threads allow."""
        deeds = [self.release, self.replay, self.replay, self.rehearse, self.publish, self.roll_back, self.erase, self.close,
                 self.mark, self.unmark]  # fmt: skip
        errors: list[BaseException] = []

        def run(deed: Callable[[], Any]) -> None:
            try:
                deed()
            except BaseException as error:  # noqa: BLE001 - shown by the test's own thread
                errors.append(error)

        chosen = [(deed, random.Random(dice.getrandbits(64))) for deed in dice.sample(deeds, 3)]
        threads = [threading.Thread(target=run, args=(lambda one=one: one[0](one[1]),)) for one in chosen]
        threads += [threading.Thread(target=run, args=(lambda worker=worker: self.work(worker),)) for worker in self.workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert not errors, errors

    def some(self, dice: random.Random, query: str, most: int) -> list[Any]:
        with psycopg.connect(self.config.database_url, autocommit=True) as connection:
            found = [row[0] for row in connection.execute(query)]  # type: ignore[call-overload]
        return dice.sample(found, min(most, len(found)))

    def settle(self) -> None:
        """Nothing is paused, no lease runs, all that can have an outcome has one."""
        with self.desk.engine.begin() as connection:
            set_state(connection, HUB, self.desk.form_source, "active")
        self.desk.connection.execute("UPDATE inbound_event SET next_attempt_at = now() WHERE state IN ('waiting', 'working')")
        self.work(self.workers[0])

    def end(self) -> None:
        for worker in self.workers:
            worker.close()


#: What must never be found, each as a query for the offenders.
OFFENCES = {
    "an event that still waits": "SELECT id, state, error FROM inbound_event WHERE state IN ('waiting', 'working')",
    "a defect of ours": "SELECT id, error FROM inbound_event WHERE error->>'code' IN ('internal_error', 'connector_failed',"
    " 'connector_said_nothing', 'conflict', 'stops_its_worker')",
    "a created event without its own lead": "SELECT e.id FROM inbound_event e LEFT JOIN lead l ON l.id = e.lead_id"
    " WHERE e.outcome IN ('created', 'repeat') AND l.event_id IS DISTINCT FROM e.id",
    "an attached event without a lead or a touch": "SELECT e.id FROM inbound_event e WHERE e.outcome = 'attached' AND ("
    " e.lead_id IS NULL OR e.channel = 'form' AND NOT EXISTS (SELECT 1 FROM touch t WHERE t.event_id = e.id"
    " AND t.lead_id = e.lead_id))",
    "an event that other outcomes gave a lead": "SELECT e.id, e.outcome FROM inbound_event e JOIN lead l ON"
    " l.id = e.lead_id WHERE e.outcome IN ('auto', 'test') OR e.outcome = 'spam' AND e.erased_at IS NULL AND l.closed_code <> 'spam'",
    "a lead without its event, or whose event says that it has none": "SELECT l.id, e.outcome FROM lead l"
    " LEFT JOIN inbound_event e ON e.id = l.event_id"
    " WHERE e.id IS NULL OR e.state = 'done' AND e.outcome NOT IN ('created', 'repeat', 'dismissed')"
    " AND NOT (e.outcome = 'spam' AND (l.closed_code = 'spam' OR e.erased_at IS NOT NULL))",
    "a lead without a touch of its event": "SELECT l.id FROM lead l WHERE NOT EXISTS"
    " (SELECT 1 FROM touch t WHERE t.event_id = l.event_id AND t.seq = l.event_seq AND t.lead_id = l.id)",
    "a lead of a contact that is no root": "SELECT l.id FROM lead l JOIN contact c ON c.id = l.contact_id"
    " WHERE c.root_id <> c.id",
    "a merged contact whose root is none": "SELECT c.id FROM contact c JOIN contact r ON r.id = c.root_id"
    " WHERE r.root_id <> r.id",
    "a lead with neither owner nor pool, or without a reason": "SELECT l.id, l.state, l.lost_reason FROM lead l"
    " WHERE l.owner_id IS NULL AND l.pool_id IS NULL OR NOT EXISTS (SELECT 1 FROM assignment a WHERE a.lead_id = l.id"
    " AND a.trace <> '{}')",
    "a lead that counts other touches than it has": "SELECT l.id, l.touches, count(t.id) FROM lead l LEFT JOIN touch t"
    # An equal post sent again is on record and not counted; a corrected one is (ADR 5).
    " ON t.lead_id = l.id AND t.kind IN ('form', 'call', 'mail') AND t.counted GROUP BY l.id HAVING l.touches <> count(t.id)",
    "a touch on a lead of somebody else": "SELECT t.id FROM touch t JOIN contact c ON c.id = t.contact_id JOIN lead l"
    " ON l.id = t.lead_id WHERE l.contact_id <> c.root_id",
    "a consent without its touch": "SELECT x.id FROM consent x LEFT JOIN touch t ON t.event_id = x.event_id AND t.seq = x.seq"
    " WHERE t.id IS NULL OR t.lead_id IS DISTINCT FROM x.lead_id",
    "a file without its touch": "SELECT x.id FROM attachment x LEFT JOIN touch t ON t.event_id = x.event_id AND t.seq = x.seq"
    " WHERE t.id IS NULL OR t.lead_id IS DISTINCT FROM x.lead_id",
    "an erased person with a name or an address": "SELECT c.id, c.name FROM contact c WHERE c.erased_at IS NOT NULL AND"
    " (c.name <> '' OR EXISTS (SELECT 1 FROM contact_identifier i WHERE i.contact_id = c.id))",
    "an erased person's open lead": "SELECT l.id, l.event_id FROM lead l JOIN contact c ON c.id = l.contact_id"
    " WHERE c.erased_at IS NOT NULL AND (l.state = 'open' OR l.message <> '')",
    "an erased person's words": "SELECT t.id, t.event_id, t.kind, t.at, t.seq, c.erased_at, e.erased_at AS emptied FROM touch t JOIN contact c ON c.id = t.contact_id"
    " LEFT JOIN inbound_event e ON e.id = t.event_id"
    " WHERE c.erased_at IS NOT NULL AND t.event_id IS NOT NULL AND (t.text <> '' OR t.fingerprint <> '' OR e.body <> '')",
    "two form events of one submission on two leads of one person": "SELECT t.id FROM touch t JOIN touch o ON"
    " o.id = t.double_of WHERE t.contact_id <> o.contact_id AND NOT EXISTS (SELECT 1 FROM contact a JOIN contact b"
    " ON a.root_id = b.root_id WHERE a.id = t.contact_id AND b.id = o.contact_id)",
    "a strong identifier that two people hold alone": "SELECT identifier_id FROM contact_identifier WHERE exclusive"
    " AND retired_at IS NULL GROUP BY 1 HAVING count(*) > 1",
}  # fmt: skip

#: Tables that a second replay must leave as they are, without the columns that count replays and tell the time.
STABLE = {
    "inbound_event": "id, state, outcome, lead_id, contact_id, reason - 'mapping', error",
    "lead": "id, contact_id, state, owner_id, pool_id, title, message, fields, touches, repeat_of",
    "touch": "id, event_id, seq, contact_id, lead_id, kind, title, text, data, double_of, likeness, fingerprint",
    "contact": "id, root_id, name, company, owner_id, erased_at",
    "contact_identifier": "identifier_id, contact_id, exclusive, retired_at",
    "consent": "contact_id, lead_id, event_id, seq, purpose, given, captured_at",
    "attachment": "id, contact_id, lead_id, event_id, seq, n, sha256, state",
    "activity": "id, state, missed, tried", "assignment": "id, lead_id, owner_id", "merge_event": "id", "call": "id, outcome",
    "suggestion": "id", "identifier": "id, strength, names_seen", "pool_member": "owner_id, assigned",
}  # fmt: skip


def offences(desk: Desk) -> dict[str, Any]:
    found = {name: rows[:5] for name, query in OFFENCES.items() if (rows := desk.rows(query))}
    with desk.engine.connect() as connection:
        days = ledger(connection, "UTC", date(2000, 1, 1), date(2100, 1, 1))
    if unbalanced := [row for row in days if not row.balanced]:
        found["a day that does not balance"] = unbalanced
    return found


def standing(desk: Desk) -> dict[str, list[str]]:
    return {name: sorted(str(row) for row in desk.rows(f"SELECT {columns} FROM {name}")) for name, columns in STABLE.items()}


@pytest.fixture
def desk(config: HubConfig, engine: Engine) -> Iterator[Desk]:
    made = Desk(config, engine)
    yield made
    made.close()


@pytest.mark.timeout(180)
def test_books_stay_right_when_everything_happens_in_any_order(desk: Desk) -> None:
    seed = int(os.environ.get("LEADHUB_TEST_SEED") or random.SystemRandom().getrandbits(32))
    print(f"LEADHUB_TEST_SEED={seed}")
    history = History(desk, random.Random(seed))
    try:
        for part in range(OPERATIONS // PART):
            for _ in range(PART):
                history.step()
            history.settle()
            assert offences(desk) == {}, f"LEADHUB_TEST_SEED={seed}, part {part}"
        everything = Selection(since=datetime(2000, 1, 1, tzinfo=UTC))
        for _ in range(3):  # the first may bring what nobody had replayed before, the second says of it "replayed"
            before = standing(desk)
            replay(desk.engine, HUB, desk.config, everything, dry_run=False)
            history.settle()
            assert offences(desk) == {}, f"LEADHUB_TEST_SEED={seed}, replayed"
        after = standing(desk)
        moved = {name: sorted(set(rows) ^ set(after[name])) for name, rows in before.items() if rows != after[name]}
        assert moved == {}, f"LEADHUB_TEST_SEED={seed}"
        assert desk.one("SELECT count(*) FROM lead") > 20
    finally:
        history.end()
