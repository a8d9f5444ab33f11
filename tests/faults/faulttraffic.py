"""Mixed traffic of invented people, the log of what was promised about it, and what it must have become.

A person has up to two phones and two addresses; which of them each inquiry names decides who is one contact.
"""

from __future__ import annotations

import http.client
import itertools
import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import urlsplit

import psycopg
from faulthub import FaultHub

from crm_core.identity.phones import read_phones
from ingest.journal.accept import RawEvent, insert_events

_STRONG = ["strong"]
_FIRST = ("Anna", "Boris", "Vera", "Gleb", "Daria", "Egor", "Zoya", "Ivan", "Kira", "Lev", "Maria", "Nikita")
_LAST = (
    "Volkova",
    "Sokol",
    "Lebed",
    "Orlova",
    "Sinitsa",
    "Drozd",
    "Grach",
    "Chaika",
    "Galka",
    "Strizh",
    "Filin",
)
_TIMEOUT_SECONDS = 8.0
_OUR_NUMBER = "74951112233"


@dataclass(frozen=True, slots=True)
class Person:
    number: int

    @property
    def name(self) -> str:
        return f"{_FIRST[self.number % len(_FIRST)]} {_LAST[self.number // len(_FIRST) % len(_LAST)]}"

    def phone(self, which: int = 0) -> str:
        return f"+79{which + 1}{(self.number * 7_654_321 + 13_579_135) % 10**8:08d}"

    def email(self, which: int = 0) -> str:
        return f"p{self.number}.{'ab'[which]}@example.com"


@dataclass(frozen=True, slots=True)
class Post:
    """One thing to deliver. Without a `key` it is sent once and never again, whatever happened."""

    number: int
    channel: str
    body: bytes
    key: str | None
    identifiers: tuple[str, ...]


@dataclass
class OperationLog:
    """What the sender knows. `acknowledged` holds every uid that was promised for a post."""

    acknowledged: dict[int, set[str]] = field(default_factory=dict)
    open_ended: set[int] = field(default_factory=set)  # refused or unknown, not sent again: stored or not
    answers: Counter[str] = field(default_factory=Counter)
    slowest_seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def promised(self, post: Post, uid: str) -> None:
        with self.lock:
            self.acknowledged.setdefault(post.number, set()).add(uid)
            self.answers["acknowledged"] += 1

    def gave_up(self, post: Post) -> None:
        with self.lock:
            self.open_ended.add(post.number)

    def note(self, answer: str, seconds: float) -> None:
        with self.lock:
            self.answers[answer] += 1
            self.slowest_seconds = max(self.slowest_seconds, seconds)


def form(number: int, person: Person, identifiers: Sequence[str], key: str | None) -> Post:
    fields = {"name": person.name, "message": f"Inquiry #{number}#"}
    fields |= {("email" if "@" in value else "phone") + str(i or ""): value for i, value in enumerate(identifiers)}
    return Post(number, "form", json.dumps(fields).encode(), key, tuple(identifiers))


def call(first: int, person: Person, *, answered: bool) -> list[Post]:
    """The events of one incoming call."""
    line = {
        "callId": f"call-{first}",
        "direction": "in",
        "from": person.phone().lstrip("+"),
        "to": _OUR_NUMBER,
    }
    events = [{"event": "newCall"}]
    if answered:
        events.append({"event": "answer", "answeringNumber": "101"})
    events.append({"event": "hangup", "cause": "normalClearing" if answered else "noAnswer"})
    return [
        Post(first + i, "call", json.dumps(line | event).encode(), f"call-{first}-{i}", (person.phone(),))
        for i, event in enumerate(events)
    ]


def mail(number: int, person: Person) -> Post:
    message = EmailMessage()
    message["From"], message["To"] = f"{person.name} <{person.email()}>", "sales@hub.example"
    message["Subject"], message["Message-ID"] = f"Inquiry {number}", f"<m{number}@example.com>"
    message.set_content(f"Inquiry #{number}#, please answer.")
    return Post(number, "mail", message.as_bytes(), f"mail-{number}", (person.email(),))


def mixture(dice: random.Random, events: int, people: int) -> list[Post]:
    """About `events` posts of all channels. Every third person only calls and is never answered, or always."""
    posts: list[Post] = []
    invented = ordinary(people)
    while len(posts) < events:
        person, number = dice.choice(invented), len(posts)
        kind = dice.random()
        if kind < 0.65:
            named = dice.sample([person.phone(), person.email(), person.phone(1)], dice.choice((1, 1, 2)))
            posts.append(form(number, person, named, dice.choice((None, f"key-{number}"))))
        elif kind < 0.85:
            posts += call(number, person, answered=talks(person))
        else:
            posts.append(mail(number, person))
    return posts


def ordinary(people: int, first: int = 0) -> list[Person]:
    """So many people whose phones look like anybody's: a number such as 111-10-01 is rightly thought to be invented."""
    candidates = (Person(n) for n in itertools.count(first))
    real = (p for p in candidates if all(_strengths(p.phone(which)) == _STRONG for which in (0, 1)))
    return list(itertools.islice(real, people))


def _strengths(phone: str) -> list[str]:
    return [key.strength for key in read_phones(phone, "RU", kind="form")]


def talks(person: Person) -> bool:
    """Whether this person's calls are answered; always or never, so that what must be open at the end is known."""
    return person.number % 2 == 0


def shuffled(dice: random.Random, posts: Iterable[Post], again: float = 0.1) -> list[Post]:
    """Neighbours change places and some of those with a key come twice, as exchanges and proxies send them."""
    spread = [(i + dice.random() * 40, post) for i, post in enumerate(posts)]
    spread += [(at + dice.random() * 400, post) for at, post in spread if post.key and dice.random() < again]
    return [post for _, post in sorted(spread, key=lambda pair: pair[0])]


class Senders:
    """Sends posts over kept-alive connections, `rate` a second at most, repeating those that have a key until they are
    acknowledged, and keeps the log."""

    def __init__(self, hub: FaultHub, log: OperationLog, threads: int = 8) -> None:
        self._hub, self.log, self._threads = hub, log, threads
        self._local = threading.local()
        self._connections: list[http.client.HTTPConnection] = []
        self.sent = 0

    def send(self, posts: Sequence[Post], rate: float) -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(self._threads) as pool:
            waiting = []
            for index, post in enumerate(posts):
                time.sleep(max(0.0, began + index / rate - time.monotonic()))
                waiting.append(pool.submit(self.deliver, post))
            for each in waiting:
                each.result()
        while self._connections:
            self._connections.pop().close()

    def deliver(self, post: Post) -> None:
        while True:
            uid = self._by_sql(post) if post.channel == "mail" else self._by_http(post)
            self.sent += 1
            if uid is not None:
                self.log.promised(post, uid)
                return
            if post.key is None:
                self.log.gave_up(post)
                return
            time.sleep(0.2)

    def _by_http(self, post: Post) -> str | None:
        """The uid of the acknowledgement; None if it was refused or nobody knows."""
        source = self._hub.sources[post.channel]
        began = time.monotonic()
        try:
            connection = self._connection()
            headers = {"Content-Type": "application/json"}
            if post.key and post.channel == "form":
                headers["Idempotency-Key"] = post.key
            connection.request("POST", urlsplit(source.url).path, post.body, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._hang_up()
            self.log.note(f"broken:{type(error).__name__}", time.monotonic() - began)
            return None
        self.log.note(str(answer.status), time.monotonic() - began)
        if answer.status != 200:
            if answer.status == 503 and not answer.headers.get("Retry-After"):
                self.log.note("503 without Retry-After", 0.0)
            return None
        return str(json.loads(said).get("event", "")) if post.channel == "form" else ""

    def _by_sql(self, post: Post) -> str | None:
        """As the reader of the mailboxes does it: the row, and the promise only after its commit."""
        source = self._hub.sources["mail"]
        raw_event = RawEvent(source.id, "mail", post.body, provider_key=post.key)
        try:
            with psycopg.connect(self._hub.config.database_url, connect_timeout=2) as connection:
                (receipt,) = insert_events(connection, [raw_event])
        except psycopg.OperationalError:
            return None
        return receipt.uid

    def _connection(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", self._hub.config.port, timeout=_TIMEOUT_SECONDS)
            self._local.connection = connection
            self._connections.append(connection)
        return connection

    def _hang_up(self) -> None:
        """An answer that comes late must not be taken for that of the next request."""
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._connections.remove(connection)
            self._local.connection = None


def components(groups: Iterable[Sequence[str]]) -> dict[str, str]:
    """Who belongs together, if everything that was named together belongs to one: each name and its group's first."""
    parent: dict[str, str] = {}

    def root(value: str) -> str:
        parent.setdefault(value, value)
        while parent[value] != value:
            parent[value] = parent[parent[value]]
            value = parent[value]
        return value

    for group in groups:
        for value in group:
            parent[root(value)] = root(group[0])
    return {value: root(value) for value in list(parent)}
