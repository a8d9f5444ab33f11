"""A reply's own words, without the history that its program carried along and without the signature's lines.

The whole text is always kept beside it. What cannot be told apart stays: a word too much costs less than one too few.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from connectors.mail.imap import quoting

_DASHED: Final = re.compile(r"^\s*(?:--|—|__)\s*$")
_RULER: Final = re.compile(r"^\s*([-_–—])(?:\s?\1){3,}\s*$")
_DELIMITER: Final = re.compile(r"^\s*(?:([-_=*#~+–—])(?:\s?\1){1,}|ᐧ)\s*$")  # the last is what a plug-in of Gmail leaves
_DEVICE: Final = re.compile(
    r"^\W{0,4}(?:(?:sent|from) (?:from|via|with|by|using|my)\b|from my (?:iphone|ipad|phone|mobile|android)|get \[?outlook for|download outlook|sent (?:by|on)\b|someone from mobile|"
    r"отправлено (?:с|из|через|от)\b|отправлено из|послано (?:с|из)|надіслано (?:з|із|від)|envoyé (?:depuis|de|à partir)|télécharger outlook|obtenir outlook|"
    r"von mein\w* .{0,40}gesendet|gesendet (?:von|mit|aus)|diese nachricht wurde von|outlook für|holen sie|enviado (?:desde|do|de|a partir)|enviada do|obtener outlook|"
    r"inviato da|scarica outlook|verzonden (?:vanaf|met|vanuit)|outlook voor|wysłan[eo] (?:z|ze|za)|pobierz|odesláno (?:z|ze)|odoslané z|sendt fra|hent outlook|skickat från|lähetetty|"
    r"hanki outlook|iphone'umdan|gönderild|从我的|從我的|发自我的|發自我的|iphoneから|私の|나의|내 .{0,12}에서 보냄)",
    re.IGNORECASE,
)
_DEVICE_CHARS: Final = 120
_QUOTED: Final = re.compile(r"^\s*(?:>|\|(?!\|)|[A-Z]{1,3}>(?:\s|$))")
_ORIGINAL_HEAD: Final = re.compile(
    r"^\s*(?:to respond, reply to this email|please reply above this line|-+ ?please (?:enter|type) your reply above)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class OwnWords:
    """`rule`: what cut the rest off; "" where nothing did."""

    text: str
    rule: str


def own_words(text: str) -> OwnWords:
    """What this sender wrote anew."""
    lines = quoting.lines_of(text)
    kinds = _kinds(lines)
    first = next((n for n, kind in enumerate(kinds) if kind), len(lines))
    head = any(line.strip() for line in lines[:first])
    if first == len(lines):
        return _finished(lines, "")
    hard = next((n for n, kind in enumerate(kinds) if kind in ("block", "separator")), len(lines))
    below = [n for n in range(first, hard) if not kinds[n] and lines[n].strip()]
    below = [n for n in below if not _is_end(lines, n)]
    quotes = [n for n in range(first, hard) if kinds[n] == "quote"]
    if below and quotes and any(n > quotes[0] for n in below):
        # Own words below a quotation: an answer in between, or under it. The quotations that it answers stay.
        kept = [line for n, line in enumerate(lines[:hard]) if kinds[n] != "attribution"]
        done = _finished(kept, "answer_in_between")
        return OwnWords("\n".join(_without_last_quote(done.text.split("\n"))), done.rule)
    if head:
        return _finished(lines[:first], kinds[first])
    if below and not quotes:
        return (
            _finished(lines[:first] + [lines[n] for n in below], kinds[first])
            if kinds[first] != "attribution"
            else _finished(lines, "")
        )
    return _nothing_own(lines, kinds)


def _kinds(lines: list[str]) -> list[str]:
    """Of each line: "" | quote | attribution | block | separator."""
    kinds = [""] * len(lines)
    for number, line in enumerate(lines):
        if _QUOTED.match(line):
            kinds[number] = "quote"
    at = 0
    while at < len(lines):
        count, _ = quoting.attribution_at(lines, at) if lines[at].strip() and not kinds[at] else (0, "")
        for number in range(at, at + count):
            kinds[number] = "attribution"
        at += count or 1
    # Below an attribution that nothing marks as quoted, everything is the quotation.
    for number, kind in enumerate(kinds):
        last = kind == "attribution" and (number + 1 == len(kinds) or kinds[number + 1] != "attribution")
        if last and not any(kind == "quote" for kind in kinds[number + 1 : number + 6]):
            if not any(kind == "quote" for kind in kinds[number + 1 :]):
                kinds[number + 1 :] = ["block"] * (len(kinds) - number - 1)
            break
    for block in quoting.blocks_of(lines):
        if kinds[block.start] != "quote" and (block.email or block.labels >= 4 or _ruled(lines, block.start)):
            start = block.start
            while start and (
                not lines[start - 1].strip() or quoting.is_rule(lines[start - 1]) or quoting.is_separator(lines[start - 1])
            ):
                start -= 1
            kinds[start:] = ["block"] * (len(kinds) - start)
            break
    for number, line in enumerate(lines):
        if kinds[number] == "" and (quoting.is_separator(line) or _ORIGINAL_HEAD.match(line)):
            kinds[number:] = ["separator"] * (len(kinds) - number)
            break
    return kinds


def _ruled(lines: list[str], at: int) -> bool:
    before = [line for line in lines[max(0, at - 3) : at] if line.strip()]
    return bool(before) and quoting.is_rule(before[-1])


def _is_end(lines: list[str], at: int) -> bool:
    """Whether this line belongs to a signature: nothing but it follows a delimiter."""
    return any(_DASHED.match(line) or _RULER.match(line) for line in lines[max(0, at - 12) : at + 1]) or _is_device(lines[at])


def _without_last_quote(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or _QUOTED.match(lines[end - 1])):
        end -= 1
    return lines[:end]


def _nothing_own(lines: list[str], kinds: list[str]) -> OwnWords:
    """A header block alone: what stands under it. Quotations alone: these."""
    block = next(iter(quoting.blocks_of(lines)), None)
    if block is not None and kinds[block.start] != "quote":
        under = lines[block.end :]
        if any(line.strip() for line in under):
            return _finished(under, "under_the_block")
    return OwnWords("\n".join(lines).strip(), "")


def _is_device(line: str) -> bool:
    return len(line) <= _DEVICE_CHARS and _DEVICE.match(line.strip().lstrip("<([*_")) is not None


def _finished(lines: list[str], rule: str) -> OwnWords:
    """Without a signature below: behind its delimiter, or the lines that a device writes by itself."""
    end = len(lines)
    for number, line in enumerate(lines):
        if not any(one.strip() for one in lines[:number]):
            continue
        if _DASHED.match(line) or (_RULER.match(line) and _closes(lines, number)):
            end = number
            rule = rule or "signature"
            break
    kept = lines[:end]
    while kept:
        last = kept[-1].strip()
        if last and not _is_device(last) and not _DELIMITER.match(last):
            break
        if len([one for one in kept if one.strip()]) <= 1 and last:
            break
        rule = rule or ("signature" if last else "")
        kept.pop()
    text = "\n".join(kept).strip("\n").rstrip()
    whole = "\n".join(lines).strip()
    return OwnWords(text, rule) if len(text.strip()) >= 2 or not whole else OwnWords(whole, "")


def _closes(lines: list[str], at: int) -> bool:
    """A line of signs ends a text where little follows."""
    rest = [line for line in lines[at + 1 :] if line.strip()]
    return len(rest) <= 8
