"""Due times that a clock which was set back has left in the future.

Nothing waits longer than its own longest pause: what is due later than that was written by another clock, and is due now.
What nobody has tried yet never waits at all. A lease counts anew from now, because its holder may be at work. A clock that was
set forward ends pauses and leases early, which the fencing tokens bear.
"""

from __future__ import annotations

from crm_core.batch.rows import Cursor
from crm_core.calls.rules import GRACE, STALE_RINGING, STALE_TALKING
from ingest.fetch.backfill import LONGEST_PAUSE_MINUTES
from ingest.files.download import FIRST_PAUSE_SECONDS as FILES_FIRST_SECONDS
from ingest.files.download import LEASE_SECONDS as FILES_LEASE_SECONDS
from ingest.files.download import LONGEST_PAUSE_SECONDS as FILES_LONGEST_SECONDS
from ingest.journal import transitions
from ingest.journal.states import SPREAD
from ingest.mailbox.failures import LONGEST_WAIT_SECONDS
from ingest.mailbox.limits import DEFAULT

#: Between a time being written and being judged; also what a clock that is corrected by small steps may be off.
_MARGIN_SECONDS = 1.0
#: A mailbox that was never read, or whose settings do not say how often.
_POLL_SECONDS = 60

_LATE = "> clock_timestamp() + make_interval(secs => %(margin)s + {longest})"

_POLL_PAUSE = f"""CASE
    WHEN f.state IN ('live', 'new', 'resync') AND s.config->>'poll_seconds' ~ '^[0-9.]{{1,10}}$'
        THEN (s.config->>'poll_seconds')::float8
    WHEN f.state IN ('live', 'new', 'resync') THEN {_POLL_SECONDS}
    WHEN f.last_error->>'code' = 'throttled' THEN {LONGEST_WAIT_SECONDS}
    WHEN f.state = 'stopped' THEN {DEFAULT.sweep_seconds}
    WHEN f.state = 'auth_failed' THEN {DEFAULT.auth_retry_seconds}
    ELSE {SPREAD} * least({DEFAULT.longest_backoff_seconds}, {DEFAULT.backoff_seconds} * 2.0 ^ least(f.fails, 20)) END"""
_IS_POLL_LATE = f"f.next_poll_at {_LATE.format(longest=_POLL_PAUSE)}"
_IS_SWEEP_LATE = f"f.next_sweep_at {_LATE.format(longest=DEFAULT.sweep_seconds)}"
_IS_LEASE_LATE = f"f.lease_until {_LATE.format(longest='%(lease)s')}"
_MAILBOXES = f"""
UPDATE mailbox_folder f
   SET next_poll_at = CASE WHEN {_IS_POLL_LATE} THEN clock_timestamp() ELSE next_poll_at END,
       next_sweep_at = CASE WHEN {_IS_SWEEP_LATE} THEN clock_timestamp() ELSE next_sweep_at END,
       lease_until = CASE WHEN {_IS_LEASE_LATE} THEN clock_timestamp() + make_interval(secs => %(lease)s) ELSE lease_until END
  FROM source s WHERE s.id = f.source_id AND ({_IS_POLL_LATE} OR {_IS_SWEEP_LATE} OR {_IS_LEASE_LATE})
"""

_STATEMENTS = (
    # Calls: silence counts from now (`crm_core.calls.rules.derive`).
    f"""
UPDATE call SET settle_at = clock_timestamp()
 WHERE settle_at {
        _LATE.format(
            longest=f'''CASE phase WHEN 'ending' THEN {GRACE.total_seconds()}
         WHEN 'talking' THEN {STALE_TALKING.total_seconds()} ELSE {STALE_RINGING.total_seconds()} END'''
        )
    }
""",
    _MAILBOXES,
    f"""
UPDATE mail_ref SET next_try_at = clock_timestamp()
 WHERE status = 'seen' AND next_try_at {
        _LATE.format(longest=f"CASE WHEN attempts = 0 THEN 0 ELSE {DEFAULT.retry_seconds} * 2.0 ^ least(attempts - 1, 20) END")
    }
""",
    f"""
UPDATE attachment SET next_try_at = clock_timestamp()
 WHERE state = 'to_fetch' AND next_try_at {
        _LATE.format(
            longest=f'''CASE WHEN attempts = 0 THEN 0 ELSE greatest({FILES_LEASE_SECONDS},
         least({FILES_LONGEST_SECONDS}, {FILES_FIRST_SECONDS} * 4.0 ^ least(attempts - 1, 20))) END'''
        )
    }
""",
    f"""
UPDATE source_poll SET next_at = clock_timestamp()
 WHERE next_at {
        _LATE.format(
            longest=f"60 * CASE WHEN fails = 0 THEN %(backfill)s ELSE greatest(%(backfill)s, {LONGEST_PAUSE_MINUTES}) END"
        )
    }
""",
)


def pull_back(cursor: Cursor, lease_seconds: float, backfill_minutes: float) -> int:
    """Makes due what waits longer than it can by the database's clock; returns how many rows. May run twice at once."""
    values = {"margin": _MARGIN_SECONDS, "lease": lease_seconds, "backfill": backfill_minutes}
    pulled = transitions.pull_back(cursor, _MARGIN_SECONDS, lease_seconds)
    return pulled + sum(cursor.execute(statement, values).rowcount for statement in _STATEMENTS)
