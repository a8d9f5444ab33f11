"""Numbers and words that stand where a number should be: withheld callers, masks, 999-99-99. They join nobody."""

from __future__ import annotations

#: What exchanges and providers write for a caller who hides the number (whole field, folded).
WITHHELD = frozenset(
    {
        "anonymous", "anonym", "unknown", "withheld", "restricted", "private", "unavailable", "hidden", "blocked",
        "no caller id", "no number", "not available", "none", "null", "undefined", "nan", "-", "0", "n/a", "na",
        "скрыт", "скрытый", "скрытый номер", "номер скрыт", "анонимный", "аноним", "неизвестный", "неизвестен",
        "неизвестно", "не определен", "не определён", "нет", "нет номера", "невідомий", "прихований", "asterisk",
    }
)  # fmt: skip

#: Words typed on a keypad, as Twilio sends them for "anonymous", "restricted", "blocked", "unknown", "unavailable".
#: The first is a well-formed number of Lesotho, the others are numbers only without the plus.
_ANONYMOUS = frozenset({"+266696687", "266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})

# The row of digits on a keyboard, and back. Runs across 0 are left alone: 901 234-56-78 is somebody's number.
_RUNS = ("1234567890", "0987654321", "9876543210")
_FRAME = " \t\r\n<>\"'()._"


def is_withheld(text: str) -> bool:
    """True for a whole field that says "no number"; also for an empty one."""
    folded = " ".join(text.strip(_FRAME).casefold().split())
    return not folded or folded in WITHHELD or folded in _ANONYMOUS


def is_placeholder(e164: str) -> bool:
    """Typed to get past a required field: at most two different digits in the last nine."""
    return len(set(e164[-9:])) <= 2


def is_run(e164: str) -> bool:
    """The last nine digits go up or down the keyboard. Mostly typed to get past a field, now and then a real number."""
    return any(e164[-9:] in run for run in _RUNS)
