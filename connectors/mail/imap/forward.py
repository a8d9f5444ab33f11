"""Whose words a mail passes on: by the header block that its program wrote, by its one-line forms, by the mail enclosed.

Who forwards is no matter here: only a colleague's forward changes the client, and that is decided where it is known who is
ours.
"""

from __future__ import annotations

import re
from typing import Final

from connectors.mail.imap import quoting
from crm_core.parsed import MailAddress

PREFIX: Final = re.compile(
    r"^\s*(?:\[[^\]]{0,40}\]\s*)?(?:(?:re|aw|sv|vs|antw|odp|ответ)\s*:\s*)?(?:fwd?|fw|wg|tr|trs|rv|enc|i|inoltr\w*|pd|vb|vl|vs|vid|doorst|dwd|ilt|i̇lt|π[ρϱ]θ|transf|"
    r"пер|пересл\w*|на|tov|továbbítás|přep|videre\w*|vidarebefordra\w*|weitergel\w*|transf\w*|reenv\w*|encaminh\w*|doorgest\w*|przek\w*|przesł\w*|välitet\w*|iletil\w*|προώθ\w*|προωθ\w*|перенапр\w*|forward\w*|redirec\w*|转发|轉寄|転送|전달|fyi)\s*(?:\(\d+\)|\[\d+\])?\s*[:：]",
    re.IGNORECASE,
)
_ANSWER: Final = re.compile(r"^\s*(?:re|aw|sv|antw|odp|ответ|ynt|回复|答复)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE)
_ONE_LINE: Final = re.compile(r"^[>|\s]*[-_]{3,}\s*([^-_\n]{3,60}?)\s*[-_]{3,}\s*([^\W\d_][^:\n]{0,24}?)\s*:\s*(.{0,400})$")
_BEFORE: Final = 8


def originals(text: str, subject: str, enclosed: tuple[MailAddress, ...] = ()) -> tuple[MailAddress, ...]:
    """Who wrote what is passed on, the outermost first; empty if nothing is."""
    found: dict[str, MailAddress] = {}
    lines = quoting.lines_of(text)
    has_prefix = bool(PREFIX.match(subject))
    is_answer = bool(_ANSWER.match(subject)) and not has_prefix
    for address in enclosed:
        found.setdefault(address.email.lower(), address)
    marked = has_prefix
    for block in quoting.blocks_of(lines):
        before = [line for line in lines[max(0, block.start - _BEFORE) : block.start] if line.strip()]
        separators = [line for line in before if quoting.is_separator(line)]
        passed_on = any(quoting.PASSED_ON.search(line) for line in separators)
        marked = marked or passed_on or (bool(separators) and not is_answer)
        if marked and block.email:
            found.setdefault(block.email.lower(), MailAddress(block.email, block.name))
    if not found:
        found = _one_line(lines)
    if not found and has_prefix:
        for at in range(min(len(lines), 200)):
            count, said = quoting.attribution_at(lines, at)
            email, _ = quoting.address_in(said)
            if count and email:
                found[email.lower()] = MailAddress(email, _name_in(said, email))
                break
    return tuple(found.values())[:5]


def passed_on_words(text: str) -> str:
    """What stands below the outermost header block: the words of whoever wrote it, and not of whoever passes it on."""
    lines = quoting.lines_of(text)
    block = next(iter(quoting.blocks_of(lines)), None)
    return "\n".join(line.lstrip("> ") for line in lines[block.end :]) if block is not None else ""


def _one_line(lines: list[str]) -> dict[str, MailAddress]:
    """Yahoo: separator and labels without a line break."""
    for line in lines[:200]:
        told = _ONE_LINE.match(line[:900])
        if told is None or not quoting.is_separator(f"--- {told[1]} ---"):
            continue
        role, value = quoting.label_of(f"{told[2]}: {told[3]}")
        email, name = quoting.address_in(value)
        if role == "from" and email:
            return {email.lower(): MailAddress(email, name)}
    return {}


def _name_in(said: str, email: str) -> str:
    """The words right before the address, without date and time."""
    before = said[: said.find(email)].rstrip(" <([\"'«»“”")
    piece = re.split(r"[,:]\s+|\d{1,2}[:.]\d{2}(?::\d{2})?|[«\"“]", before)[-1]
    return " ".join(piece.strip(" \t\"'«»“”<>,").split())[:200]
