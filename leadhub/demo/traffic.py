"""What the demo sends: forms of every shape, the calls of a day, mails and replies. Pure; the seed decides."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlencode

import orjson

from leadhub.demo.people import Somebody, somebody

FORMS, CALLS, MAILS = 200, 60, 30
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Post:
    """One HTTP request to an entrance."""

    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def forms(seed: int) -> Iterator[Post]:
    """Two hundred posts: HTML, JSON, cp1251 and multipart, people who come again, redeliveries, and some nonsense."""
    dice = random.Random(seed)
    last: Post | None = None
    for number in range(FORMS):
        if number % 25 == 24 and last is not None:
            yield last  # the browser sent it twice
            continue
        who = somebody(seed * 1000 + dice.randrange(int(FORMS * 0.8)), dice)
        last = _form(number, who, dice, f"demo-{seed}-{number}")
        yield last


def _form(number: int, who: Somebody, dice: random.Random, key: str) -> Post:
    fields = {"name": who.name_as_typed(dice), "phone": who.phone_as_typed(dice), "message": who.wants,
              "utm_source": who.source, "utm_medium": "cpc", "page_url": f"https://shop.example.com/?utm_source={who.source}"}  # fmt: skip
    if dice.random() < 0.6:
        fields["email"] = who.email
    keyed = {"idempotency-key": key}
    kind = number % 20
    if kind == 19 and number % 60 == 59:
        return Post(b"", {"content-type": _FORM})  # a form without any field: kept, and shown to a person
    if kind == 18:
        return Post(urlencode(fields, encoding="cp1251").encode(), {"content-type": _FORM, **keyed})
    if kind == 17:
        boundary = "demo7d91"
        parts = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
        )
        return Post(f"{parts}--{boundary}--\r\n".encode(), {"content-type": f"multipart/form-data; boundary={boundary}", **keyed})
    if kind % 3 == 0:
        return Post(orjson.dumps(fields), {"content-type": "application/json", **keyed})
    return Post(urlencode(fields).encode(), {"content-type": _FORM, **keyed})


def calls(seed: int, extensions: tuple[str, ...]) -> Iterator[list[Post]]:
    """The calls of a day, each as its events: answered, missed, missed and called back, outgoing, hidden, internal."""
    dice = random.Random(seed + 1)
    for number in range(CALLS):
        who = somebody(seed * 1000 + dice.randrange(400), dice)
        call_id = f"demo-{seed}-{number}"
        extension = dice.choice(extensions)
        caller = "anonymous" if number % 15 == 14 else who.phone.lstrip("+")
        kind = number % 5
        if kind in (0, 1):
            yield _call(call_id, caller, "in", extension, answered=True, dice=dice)
        elif kind == 2:
            yield _call(call_id, caller, "in", extension, answered=False, dice=dice)
        elif kind == 3:
            yield [
                *_call(call_id, caller, "in", extension, answered=False, dice=dice),
                *_call(f"{call_id}b", caller, "out", extension, answered=True, dice=dice),
            ]
        else:
            yield _call(call_id, caller, "out", extension, answered=dice.random() < 0.5, dice=dice)


def _call(call_id: str, client: str, direction: str, extension: str, *, answered: bool, dice: random.Random) -> list[Post]:
    ends = {"from": client, "to": "74952225500"} if direction == "in" else {"from": "74952225500", "to": client}
    common = {"direction": direction, "callId": call_id, **ends}
    events = [{"event": "newCall", **common}]
    if answered:
        events.append({"event": "answer", "answeringNumber": extension, **common})
    events.append({"event": "hangup", "cause": "normalClearing" if answered else "noAnswer", **common})
    if dice.random() < 0.2:
        events.append(dict(dice.choice(events)))  # exchanges repeat themselves
    return [Post(orjson.dumps(event), {"content-type": "application/json"}) for event in events]


def mails(seed: int, now: datetime) -> list[bytes]:
    """Thirty mails of a morning: new inquiries, replies, one that comes twice, an automatic answer."""
    dice = random.Random(seed + 2)
    made: list[bytes] = []
    asked: list[tuple[Somebody, str, str]] = []
    for number in range(MAILS):
        at = now - timedelta(minutes=MAILS - number)
        message_id = f"demo.{seed}.{number}@example.com"
        if number % 4 == 3 and asked:
            who, parent, subject = dice.choice(asked)
            made.append(_mail(who, f"Re: {subject}", "Спасибо, жду ответа.", message_id, at, {"In-Reply-To": f"<{parent}>"}))
        elif number % 10 == 8:
            who = somebody(seed * 1000 + 900 + number, dice)
            made.append(
                _mail(
                    who,
                    "Автоответ: в отпуске",
                    "Буду на месте в понедельник.",
                    message_id,
                    at,
                    {"Auto-Submitted": "auto-replied"},
                )
            )
        else:
            who = somebody(seed * 1000 + dice.randrange(400), dice)
            subject = who.wants.split(",")[0][:60]
            asked.append((who, message_id, subject))
            made.append(_mail(who, subject, f"Здравствуйте!\n\n{who.wants}\n\n{who.name}\n{who.phone}\n", message_id, at, {}))
    made[-1] = made[0]  # the same message once more, as a forwarding rule makes it
    return made


def _mail(who: Somebody, subject: str, text: str, message_id: str, at: datetime, headers: dict[str, str]) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = f"{who.name} <{who.email}>", "sales@hub.example", subject
    message["Message-ID"], message["Date"] = f"<{message_id}>", format_datetime(at.astimezone(UTC))
    for name, value in headers.items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()
