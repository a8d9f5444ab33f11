"""A hub with a past: contacts with phone and mail, a lead and a touch each, and the events that they came from."""

from __future__ import annotations

import psycopg

_STEPS = (
    """INSERT INTO inbound_event (source_id, channel, body, headers, state, outcome, reason, provider_key, done_at, received_at)
       SELECT %(source)s, 'form', convert_to(repeat('history ', 120), 'UTF8'), '{"content-type": "application/json"}',
              'done', 'created', '{"code": "new_contact"}', 'history-' || n, now(), now() - n * interval '1 minute'
       FROM generate_series(1, %(leads)s) n""",
    """INSERT INTO contact (id, root_id, name, last_seen_at) OVERRIDING SYSTEM VALUE
       SELECT 1000000 + n, 1000000 + n, 'History ' || n, now() FROM generate_series(1, %(leads)s) n""",
    """INSERT INTO identifier (id, kind, value, strength) OVERRIDING SYSTEM VALUE
       SELECT 1000000 + n, 'phone', '+7999' || lpad(n::text, 7, '0'), 'strong' FROM generate_series(1, %(leads)s) n""",
    """INSERT INTO identifier (id, kind, value, strength) OVERRIDING SYSTEM VALUE
       SELECT 3000000 + n, 'email', 'history' || n || '@example.com', 'strong' FROM generate_series(1, %(leads)s) n""",
    """INSERT INTO contact_identifier (identifier_id, contact_id, display, exclusive)
       SELECT i.id, 1000000 + i.id %% 1000000, i.value, true FROM identifier i WHERE i.id > 1000000""",
    """INSERT INTO lead (contact_id, channel, source_id, event_id, title, owner_id, message, received_at, last_touch_at)
       SELECT 1000000 + row_number() OVER (ORDER BY e.id), 'form', e.source_id, e.id, 'History',
              (SELECT min(id) FROM owner WHERE NOT duty), 'history', e.received_at, e.received_at
       FROM inbound_event e WHERE e.provider_key LIKE 'history-%%'""",
    """UPDATE inbound_event e SET lead_id = l.id, contact_id = l.contact_id FROM lead l WHERE l.event_id = e.id""",
    """INSERT INTO touch (contact_id, lead_id, kind, at, source_id, event_id)
       SELECT contact_id, id, 'form', received_at, source_id, event_id FROM lead""",
    """INSERT INTO assignment (lead_id, owner_id, kind, trace) SELECT id, owner_id, 'pool', '{}' FROM lead""",
)


def fill(url: str, source_id: int, leads: int) -> None:
    """At most 900,000 leads. Meant for an empty hub."""
    with psycopg.connect(url) as connection:
        for step in _STEPS:
            connection.execute(step, {"source": source_id, "leads": leads})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
