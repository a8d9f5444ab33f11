"""The judgement after everything healed: what was promised against what is there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from faulthub import FaultHub
from faulttraffic import OperationLog, Post, components

from crm_core.base.database import make_engine
from ingest.journal.ledger import PARTS, ledger


def stored_posts(hub: FaultHub, posts: Mapping[bytes, Post]) -> Counter[int]:
    """How often each post is in the journal, found by its bytes: every body is different."""
    return Counter(posts[bytes(row["body"])].number for row in hub.rows("SELECT body FROM inbound_event"))


def judge(hub: FaultHub, sent: list[Post], log: OperationLog) -> None:
    """Nothing lost, nothing doubled, nobody stuck, everything accounted for."""
    by_body = {post.body: post for post in sent}
    by_number = {post.number: post for post in sent}
    stored = stored_posts(hub, by_body)
    lost = [number for number in log.acknowledged if not stored[number]]
    doubled = [number for number, count in stored.items() if count > 1]
    unasked = [number for number in stored if number not in log.acknowledged and number not in log.open_ended]
    assert (lost, doubled, unasked) == ([], [], [])
    missing = [number for number in by_number if number not in log.acknowledged and number not in log.open_ended]
    assert missing == []
    # One uid for a key, however often it was sent, and it is the one of the stored row.
    uids = {row["uid"] for row in hub.rows("SELECT uid FROM inbound_event")}
    promised = {number: said - {""} for number, said in log.acknowledged.items()}
    assert [number for number, said in promised.items() if len(said) > 1 or not said <= uids] == []
    judge_journal(hub)
    judge_people(hub, [by_number[number] for number in stored])
    judge_calls(hub, [by_number[number] for number in stored])


def judge_journal(hub: FaultHub) -> None:
    states = {row["state"]: row["n"] for row in hub.rows("SELECT state, count(*) AS n FROM inbound_event GROUP BY 1")}
    odd = hub.rows("SELECT id, channel, state, attempts, error, body FROM inbound_event WHERE state <> 'done' LIMIT 5")
    assert set(states) == {"done"}, odd
    engine = make_engine(hub.config.database_url, "worker", pool_size=1)
    today = datetime.now(UTC).date()
    with engine.connect() as connection:
        rows = ledger(connection, "UTC", today - timedelta(days=1), today)
    engine.dispose()
    assert all(row.balanced for row in rows)
    assert sum(row.received for row in rows) == states["done"] == sum(row.count(part) for row in rows for part in PARTS)


def judge_people(hub: FaultHub, stored: list[Post]) -> None:
    """Contacts are the connected components of what was named together; one open lead each; every event one touch."""
    assert _misjoined(hub, stored) == []
    assert (
        hub.rows(
            "SELECT c.root_id, l.line FROM lead l JOIN contact c ON c.id = l.contact_id WHERE l.state = 'open'"
            " GROUP BY 1, 2 HAVING count(*) > 1"
        )
        == []
    )
    assert (
        hub.rows("SELECT id FROM lead WHERE state = 'open' AND contact_id NOT IN (SELECT id FROM contact WHERE id = root_id)")
        == []
    )
    born = hub.one("SELECT count(*) FROM inbound_event WHERE outcome IN ('created', 'repeat')")
    assert hub.one("SELECT count(*) FROM lead") == born
    messages = [post for post in stored if post.channel in ("form", "mail")]
    assert hub.one("SELECT count(*) FROM touch WHERE kind IN ('form', 'mail')") == len(messages)
    assert hub.one("SELECT count(*) FROM touch t WHERE t.kind IN ('form', 'mail') AND t.lead_id IS NULL") == 0
    judge_pool(hub)


def _misjoined(hub: FaultHub, stored: list[Post]) -> list[str]:
    """People who became several contacts, and contacts that several people became; by the events' own contacts."""
    belongs = components([post.identifiers for post in stored])
    by_body = {post.body: belongs[post.identifiers[0]] for post in stored}
    people: dict[str, dict[int, list[int]]] = {}
    contacts: dict[int, dict[str, list[int]]] = {}
    for row in hub.rows(
        "SELECT e.id, e.body, c.root_id FROM inbound_event e JOIN contact c ON c.id = e.contact_id ORDER BY e.id"
    ):
        person = by_body[bytes(row["body"])]
        people.setdefault(person, {}).setdefault(row["root_id"], []).append(row["id"])
        contacts.setdefault(row["root_id"], {}).setdefault(person, []).append(row["id"])
    split = [f"{person} became contacts {found}" for person, found in people.items() if len(found) > 1]
    mixed = [f"contact {root} is {found}" for root, found in contacts.items() if len(found) > 1]
    nobody = hub.rows("SELECT id FROM contact WHERE id = root_id AND id <> ALL(%s)", list(contacts))
    return split + mixed + [f"contact {row['id']} has no event" for row in nobody]


def judge_pool(hub: FaultHub) -> None:
    """The pool's ledger counts what its members were given, and gave fairly."""
    given = {row["owner_id"]: row["assigned"] for row in hub.rows("SELECT owner_id, assigned FROM pool_member")}
    assert sum(given.values()) == hub.one("SELECT count(*) FROM assignment WHERE kind = 'pool' AND refunded_at IS NULL")
    # Turns that are given back for merged leads are outside of the promise of one.
    assert max(given.values()) - min(given.values()) <= 4


def judge_calls(hub: FaultHub, stored: list[Post]) -> None:
    """Each caller who was never answered has one open call-back that counts his calls; nobody else has any."""
    events = [json.loads(post.body) for post in stored if post.channel == "call"]
    answered = {event["from"] for event in events if event["event"] == "answer"}
    ended = {event["callId"]: event["from"] for event in events if event["event"] == "hangup"}
    missed = Counter(phone for phone in ended.values() if phone not in answered)
    found = hub.rows("SELECT phone, missed FROM activity WHERE kind = 'call_back' AND state = 'open'")
    assert {row["phone"].lstrip("+"): row["missed"] for row in found} == dict(missed)
    assert len(found) == len(missed)
    assert hub.one("SELECT count(*) FROM call") == len({event["callId"] for event in events})
    assert hub.one("SELECT count(*) - count(DISTINCT call_id) FROM touch WHERE call_id IS NOT NULL") == 0
