"""The states of an event and every transition between them, declared once. Pure.

`ingest.journal.transitions` makes its statements out of this, `docs/event-states.md` is written from it, and a test tries every
transition from every state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

WAITING: Final = "waiting"
WORKING: Final = "working"
DONE: Final = "done"
NEEDS_ATTENTION: Final = "needs_attention"
REJECTED: Final = "rejected"

#: What each says, in the order of an event's life.
STATES: Final[Mapping[str, str]] = {
    WAITING: "It is due at `next_attempt_at`: new, to be tried again, or sent through again.",
    WORKING: "A worker has it under a lease that ends at `next_attempt_at`; `claim_token` says which.",
    DONE: "It has its one outcome and a reason.",
    NEEDS_ATTENTION: "It cannot be read as it is; `error` says why, and a person decides.",
    REJECTED: "Its signature is wrong. It is kept, and its key is free for the genuine one.",
}
OUTCOMES: Final = ("created", "attached", "repeat", "auto", "spam", "test", "ignored", "dismissed")

#: With the workers, or about to be.
PENDING: Final = (WAITING, WORKING)
#: With no worker: people may decide about it.
SETTLED: Final = (DONE, NEEDS_ATTENTION, REJECTED)

#: Caught, passing failures are repeated with doubling pauses from the first to the longest.
FIRST_PAUSE_SECONDS: Final = 5
LONGEST_PAUSE_SECONDS: Final = 3600
#: After so many claims in a row whose worker never came back, the event is what kills them.
MOST_LOST_CLAIMS: Final = 3
#: Shortest pause that a tried event is believed to have: some wait for a moment of their own choosing.
LEAST_PAUSE_SECONDS: Final = 30
#: Pauses are spread by up to half of their length, so that not all come at once.
SPREAD: Final = 1.5

#: SQL of a new value → how the page says it.
_PLAIN: Final = {"NULL": "cleared", "''": "emptied", "'{}'": "emptied", "0": "0", "false": "no", "clock_timestamp()": "now"}


@dataclass(frozen=True, slots=True)
class Transition:
    """One way to write a journal's row, done by a function of `ingest.journal.transitions`.

    `sets` is column → SQL of the new value; `words` says in plain language what is not plain SQL. Without a `target` the
    state stays. A `fenced` one is written only by the holder of the event's token, which only a working event has.
    """

    name: str
    what: str
    who: str
    origins: tuple[str, ...]
    target: str | None
    sets: Mapping[str, str]
    words: Mapping[str, str] = field(default_factory=dict)
    only: str = ""  # the further condition, in words
    fenced: bool = False
    restores: tuple[str, ...] = ()  # states that `:state` may name, instead of one target

    def update(self, where: str, source: str = "", returning: str = "", *, guarded: bool = True) -> str:
        """The statement. `guarded=False` where the caller's condition says the state already, under the row's lock."""
        values = ({"state": f"'{self.target}'"} if self.target else {}) | dict(self.sets)
        conditions = [where]
        if guarded and not self.fenced:
            listed = ", ".join(f"'{state}'" for state in self.origins)
            conditions.insert(0, f"e.state IN ({listed})")
        return (
            f"UPDATE inbound_event e SET {', '.join(f'{column} = {value}' for column, value in values.items())}"
            + (f" FROM {source}" if source else "")
            + f" WHERE {' AND '.join(conditions)}"
            + (f" RETURNING {returning}" if returning else "")
        )

    def told(self) -> list[tuple[str, str]]:
        """(column, what it becomes in words), in order."""
        return [(column, self.words.get(column) or _PLAIN[value]) for column, value in self.sets.items()]


_WORKER: Final = "worker"
_SWEEP: Final = "worker's sweep"
_PERSON: Final = "a person (console, API, command line)"

#: How an event goes through again as if it had just come.
_AFRESH: Final = {
    "outcome": "NULL", "error": "NULL", "attempts": "0", "lost_claims": "0", "next_attempt_at": "clock_timestamp()",
    "claim_token": "NULL", "to_fetch": "false",
}  # fmt: skip
_SENT_AGAIN: Final = _AFRESH | {"replayed": "e.replayed + 1"}
_ONE_MORE: Final = {"replayed": "one more"}

#: How a caught failure is put down.
_FAILED: Final = {
    "error": "%(error)s", "claim_token": "NULL", "lost_claims": "0",
    # One that was tried stays tried, so that it goes on being taken alone.
    "attempts": "CASE WHEN %(is_try)s THEN attempts ELSE greatest(1, attempts - 1) END",
}  # fmt: skip
_FAILED_WORDS: Final = {
    "error": "code, message and path of the failure",
    "attempts": "as counted by the claim; one less where it only waited for something else than luck",
}

#: What of an event may hold something about a person, but for its reason and its key.
_EMPTY: Final = {
    "body": "''", "headers": "'{}'", "query": "''", "path": "''", "remote_ip": "''", "error": "NULL", "erased_at": ":now",
    "verdict": "(SELECT jsonb_object_agg(key, value) FROM jsonb_each(CASE jsonb_typeof(e.verdict) WHEN 'object' THEN e.verdict"
               " ELSE '{}' END) WHERE key IN ('spam', 'by', 'at', 'consent', 'consent_by', 'consent_at'))",
    "rejected_key": "NULL", "to_fetch": "false",
}  # fmt: skip
_EMPTY_WORDS: Final = {"erased_at": "now", "verdict": "what was decided, by whom and when, alone"}

CLAIM: Final = Transition(
    "claim", "A worker takes it under a lease.", _WORKER, PENDING, WORKING,
    {"claim_token": "%(token)s", "attempts": "e.attempts + 1", "lost_claims": "e.lost_claims + 1",
     "next_attempt_at": "clock_timestamp() + make_interval(secs => %(lease)s)"},
    {"claim_token": "a new fencing token", "attempts": "one more", "lost_claims": "one more",
     "next_attempt_at": "the end of the lease"},
    only="it is due (a working one: its lease has ended), its source is not paused, and it has lost fewer than"
         f" {MOST_LOST_CLAIMS} workers",
)  # fmt: skip
FINISH: Final = Transition(
    "finish", "It has become something.", _WORKER, (WORKING,), DONE,
    {"outcome": "k.outcome", "reason": "k.reason", "error": "NULL", "lead_id": "k.lead_id", "contact_id": "k.contact_id",
     "done_at": "clock_timestamp()", "claim_token": "NULL", "lost_claims": "0", "to_fetch": "false"},
    {"outcome": "what became of it", "reason": "why", "lead_id": "its lead or none", "contact_id": "its contact or none"},
    fenced=True,
)  # fmt: skip
REGAIN_KEY: Final = Transition(
    "regain_key", "It was rejected once and has an outcome now: the sender's next try is known again.", _WORKER, (DONE,), None,
    {"provider_key": "%(key)s", "rejected_key": "NULL"}, {"provider_key": "the key that it had"},
    only="no other event of the source has the key by now",
)  # fmt: skip
FORGET: Final = Transition(
    "forget", "It brought again what a person had erased.", _WORKER, (DONE,), None,
    {"body": "''", "headers": "'{}'", "query": "''", "path": "''", "remote_ip": "''", "rejected_key": "NULL",
     "erased_at": "clock_timestamp()"},
)  # fmt: skip
RETRY: Final = Transition(
    "retry", "It cannot pass now.", _WORKER, (WORKING,), WAITING,
    {**_FAILED, "to_fetch": "%(to_fetch)s",
     "next_attempt_at": "clock_timestamp() + make_interval(secs => %(pause)s * (0.5 + random()))"},
    {**_FAILED_WORDS, "to_fetch": "yes, if something must be fetched for it first",
     "next_attempt_at": "after a pause, spread so that not all come at once"},
    fenced=True,
)  # fmt: skip
GIVE_UP: Final = Transition(
    "give_up", "It cannot pass at all, or was tried too often.", _WORKER, (WORKING,), NEEDS_ATTENTION,
    {**_FAILED, "to_fetch": "false", "next_attempt_at": "clock_timestamp()"}, _FAILED_WORDS, fenced=True,
)  # fmt: skip
REJECT: Final = Transition(
    "reject", "Its signature is wrong.", _WORKER, (WORKING,), REJECTED,
    {
        **_FAILED, "to_fetch": "false", "next_attempt_at": "clock_timestamp()",
        # A forged event must not stand in the genuine one's place: its key is free again, kept only to look at. One that
        # has its lead was genuine once, whatever the source's secret is today.
        "provider_key": "CASE WHEN lead_id IS NULL THEN NULL ELSE provider_key END",
        "rejected_key": "CASE WHEN lead_id IS NULL THEN coalesce(provider_key, rejected_key) ELSE rejected_key END",
    },
    {**_FAILED_WORDS, "provider_key": "cleared, unless it has a lead", "rejected_key": "the key that it had"},
    fenced=True,
)  # fmt: skip
PARK: Final = Transition(
    "park", f"It stopped its worker {MOST_LOST_CLAIMS} times.", _SWEEP, (WORKING,), NEEDS_ATTENTION,
    {"claim_token": "NULL", "to_fetch": "false",
     "error": "jsonb_build_object('code', 'stops_its_worker', 'message', 'Processing this event stopped its worker"
              f" {MOST_LOST_CLAIMS} times. Look at the raw data; replay it after an update.')"},
    {"error": "`stops_its_worker`"}, only="its last lease has ended",
)  # fmt: skip
HEAR_SILENCE: Final = Transition(
    "hear_silence", "Its call fell silent: reading its last event again is what ends the call.", _SWEEP, (DONE,), WAITING,
    _AFRESH,
)  # fmt: skip
MAKE_DUE: Final = Transition(
    "make_due", "The source that it waits for works again.", _WORKER, (WAITING,), None,
    {"next_attempt_at": "clock_timestamp()"}, only="something must be fetched for it, and it is not due yet",
)  # fmt: skip
PULL_BACK: Final = Transition(
    "pull_back", "The clock was set back and left its time in the future.", _SWEEP, PENDING, None,
    {"next_attempt_at": "clock_timestamp() + CASE WHEN late.state = 'working' THEN make_interval(secs => %(lease)s)"
                        " ELSE interval '0' END"},
    {"next_attempt_at": "now; of a working one, a lease from now"}, only="it waits longer than any pause or lease lasts",
)  # fmt: skip
REPLAY: Final = Transition(
    "replay", "It is sent through again.", _PERSON, SETTLED, WAITING, _SENT_AGAIN, _ONE_MORE, only="it was not erased",
)  # fmt: skip
RELEASE: Final = Transition(
    "release", "It was set aside as spam and is genuine.", _PERSON, (DONE,), WAITING,
    {**_SENT_AGAIN, "verdict": "coalesce(e.verdict, '{}') || CAST(:verdict AS jsonb)"
                               " || jsonb_build_object('score', e.reason->'score', 'reasons', e.reason->'reasons')"},
    {**_ONE_MORE, "verdict": "genuine, by whom, when, and what spoke against it"}, only="its outcome is spam",
)  # fmt: skip
CONFIRM: Final = Transition(
    "confirm", "It was set aside as spam and is.", _PERSON, (DONE,), None,
    {"verdict": RELEASE.sets["verdict"]}, {"verdict": "spam, by whom, when, and what spoke against it"},
    only="its outcome is spam, and nobody has said so yet",
)  # fmt: skip
ACCEPT_CONSENT: Final = Transition(
    "accept_consent", "It was held for lack of a consent, and a person answers for it.", _PERSON, (NEEDS_ATTENTION,), WAITING,
    {**_SENT_AGAIN, "verdict": "coalesce(e.verdict, '{}') || CAST(:verdict AS jsonb)"},
    {**_ONE_MORE, "verdict": "consent accepted, by whom, when"}, only="its error is a missing or a declined consent",
)  # fmt: skip
DISMISS: Final = Transition(
    "dismiss", "It needs no lead.", _PERSON, (WAITING, NEEDS_ATTENTION, REJECTED), DONE,
    {"outcome": "'dismissed'", "reason": "CAST(:reason AS jsonb)", "error": "NULL", "claim_token": "NULL", "to_fetch": "false",
     "done_at": ":now"},
    {"outcome": "`dismissed`", "reason": "by whom and why", "done_at": "now"},
)  # fmt: skip
CALL_SPAM: Final = Transition(
    "call_spam", "The lead that it brought is called spam.", _PERSON, SETTLED, DONE,
    {"outcome": "'spam'", "error": "NULL", "verdict": "CAST(:verdict AS jsonb)", "reason": "CAST(:reason AS jsonb)",
     "done_at": "coalesce(e.done_at, :now)",
     "lead_id": "coalesce(e.lead_id, (SELECT l.id FROM lead l WHERE l.event_id = e.id ORDER BY l.id LIMIT 1))"},
    {"outcome": "`spam`", "verdict": "spam, by whom, when, why, and what it was before", "reason": "by whom and why",
     "done_at": "now, if it was never done", "lead_id": "its lead, if it named none"},
    only="it brought nothing that goes on, and was not erased",
)  # fmt: skip
CALL_GENUINE: Final = Transition(
    "call_genuine", "The lead that it brought is not spam after all.", _PERSON, SETTLED, None,
    {"state": ":state", "outcome": ":outcome", "reason": "CAST(:reason AS jsonb)", "error": "CAST(:error AS jsonb)",
     "verdict": "CAST(:verdict AS jsonb)"},
    dict.fromkeys(("state", "outcome", "reason", "error", "verdict"), "as it was before"),
    only="it was called spam with its lead, and was not erased", restores=SETTLED,
)  # fmt: skip
_KEY_OF_A_PERSON: Final = {"provider_key": "CASE WHEN e.id = ANY(:keyed) THEN NULL ELSE e.provider_key END"}
_KEY_WORDS: Final = {"provider_key": "cleared where it names the person"}
ERASE: Final = Transition(
    "erase", "The person whom it is about is erased.", _PERSON, SETTLED, None,
    {**_EMPTY, **_KEY_OF_A_PERSON, "reason": "jsonb_build_object('code', coalesce(e.reason->>'code', ''), 'erased', true)"},
    {**_EMPTY_WORDS, **_KEY_WORDS, "reason": "its code alone"},
)  # fmt: skip
ERASE_UNLINKED: Final = Transition(
    "erase_unlinked", "It belongs to nobody and names a person who is erased.", _PERSON, (DONE, REJECTED), None,
    {**ERASE.sets, "done_at": "coalesce(e.done_at, :now)"},
    {**ERASE.words, "done_at": "now, if it was never done"},
    only="it has neither contact nor lead, nor a call of somebody",
)  # fmt: skip
ERASE_UNDECIDED: Final = Transition(
    "erase_undecided", "The same, while it waited for a person: nobody can decide about it any more.", _PERSON,
    (NEEDS_ATTENTION,), DONE,
    {**_EMPTY, **_KEY_OF_A_PERSON, "outcome": "'dismissed'", "done_at": "coalesce(e.done_at, :now)",
     "reason": "jsonb_build_object('code', 'erased', 'erased', true)"},
    {**_EMPTY_WORDS, **_KEY_WORDS, "outcome": "`dismissed`", "done_at": "now, if it was never done", "reason": "`erased`"},
    only=ERASE_UNLINKED.only,
)  # fmt: skip
ERASE_PENDING: Final = Transition(
    "erase_pending", "A restored backup has it as it was before the person was erased.", "restore (command line)", PENDING, DONE,
    {**_EMPTY, "provider_key": "NULL", "outcome": "'dismissed'", "done_at": ":now", "claim_token": "NULL",
     "reason": "jsonb_build_object('code', 'erased', 'erased', true)"},
    {**_EMPTY_WORDS, "outcome": "`dismissed`", "done_at": "now", "reason": "`erased`"},
)  # fmt: skip
REASSIGN: Final = Transition(
    "reassign", "A merge of two contacts was undone, and it is the other one's.", _PERSON, (DONE,), None,
    {"contact_id": "k.contact_id", "lead_id": "k.lead_id",
     "outcome": "CASE WHEN e.outcome IN ('created', 'attached', 'repeat') THEN coalesce(k.outcome, e.outcome) ELSE e.outcome END",
     "reason": "e.reason || jsonb_build_object('merge_undone', k.merge)"},
    {"contact_id": "whoever owns its identifiers", "lead_id": "their lead or none",
     "outcome": "what it is to them: created, attached or repeat", "reason": "as it was, and which merge was undone"},
    only="it was not erased",
)  # fmt: skip
COUNT_REDELIVERIES: Final = Transition(
    "count_redeliveries", "It was sent again while its row was locked, or was taken for another that has its key.", "entrance",
    (*PENDING, *SETTLED), None, {"redeliveries": "e.redeliveries + t.times"}, {"redeliveries": "so many more or fewer"},
)  # fmt: skip

#: In the order of the page: the workers' way, then people's.
TRANSITIONS: Final = (
    COUNT_REDELIVERIES, CLAIM, FINISH, RETRY, GIVE_UP, REJECT, REGAIN_KEY, FORGET, PARK, HEAR_SILENCE, MAKE_DUE, PULL_BACK,
    REPLAY, RELEASE, CONFIRM, ACCEPT_CONSENT, DISMISS, CALL_SPAM, CALL_GENUINE, REASSIGN, ERASE, ERASE_UNLINKED, ERASE_UNDECIDED,
    ERASE_PENDING,
)  # fmt: skip
