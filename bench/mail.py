"""How well mails are understood: `python -m bench.mail FOLDER…` reads every `.eml` with a `.json` beside it and prints the figures.

The `.json` says what the mail is: {"class": "bounce" | "feedback" | "receipt" | "autoreply" | "human" | "parse" | "forward" |
"notforward" | "reply", "want": {"client": address, "own_text": text}}.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from connectors.kit import Request
from connectors.mail.imap import CONNECTOR, ImapConfig
from crm_core.batch.authors import author_of
from crm_core.parsed import Message

_AT = datetime(2026, 11, 28, tzinfo=UTC)
_CLASSES: Mapping[str, tuple[str, ...]] = {
    "bounce": ("bounce",), "feedback": ("feedback",), "receipt": ("receipt",), "autoreply": ("auto_reply",),
    "human": ("",), "forward": ("",), "notforward": ("",), "reply": ("",),
}  # fmt: skip


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="bench.mail", description=__doc__)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--ours", default="co.test", help="domain of our own side, whose forwards are a colleague's")
    parser.add_argument("--show", action="store_true", help="name every mail that is understood otherwise")
    given = parser.parse_args(arguments)
    right: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for folder in given.folders:
        for path, kind, want, message in _mails(folder, given.ours):
            for what, is_right, found in _judged(kind, want, message, given.ours):
                count = right[kind, what]
                count[0] += is_right
                count[1] += 1
                if given.show and not is_right:
                    print(f"  {path.name}: {what}: {found!r}")
    for (kind, what), (good, of) in sorted(right.items()):
        print(f"{kind:12} {what:22} {good:5} of {of:5}  {100 * good / of:5.1f} %")
    return 0


def _mails(folder: Path, ours: str) -> Iterator[tuple[Path, str, Mapping[str, Any], Message]]:
    config = ImapConfig(host="imap.example.com", user=f"sales@{ours}", password="none", region="RU")
    for path in sorted(folder.rglob("*.eml")):
        beside = path.with_suffix(".json")
        if not beside.exists():
            continue
        told = json.loads(beside.read_text())
        request = Request("IMAP", "INBOX", "uid=1&uidvalidity=1", {}, path.read_bytes(), _AT)
        [message] = CONNECTOR.parse(request, config)
        assert isinstance(message, Message)
        yield path, str(told["class"]), told.get("want") or {}, message


def _judged(kind: str, want: Mapping[str, Any], message: Message, ours: str) -> Iterator[tuple[str, bool, Any]]:
    if kind in _CLASSES:
        yield (
            "class",
            message.automatic in _CLASSES[kind],
            (message.automatic, message.fields.get("automatic_evidence"), message.subject),
        )
    if "own_text" in want:
        found = message.own_text or message.text
        yield "own words", " ".join(found.split()) == " ".join(str(want["own_text"]).split()), found[:3_000]
    if "client" in want:
        sender = message.sender.email.lower() if message.sender else ""
        author = author_of(message, {f"sales@{ours}"} | ({sender} if sender.endswith(f"@{ours}") else set()))
        found = author.address.email.lower() if author.address else ""
        yield "client", found == str(want["client"]).lower(), found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
