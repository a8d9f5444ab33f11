r"""Regular expressions for RE2, whose time grows with the text alone: no pattern, however made, can think for long.

Its `\w`, `\d` and `\s` know ASCII only. Here they are spelt out, so that they mean what they mean to Python: letters and digits
of all scripts. `\b` cannot be spelt out, and stays what RE2 takes it for: a border of ASCII words.
"""

from __future__ import annotations

import re
from typing import Final

#: What `\w` stands for: letters and numbers of all scripts. A thousand states each time it stands in a pattern.
WORD: Final = r"\p{L}\p{N}_"
_LAST_EUROPEAN: Final = 0x52F
_SPACE: Final = r"\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_NO_SPACE: Final = (
    r"\x{0}-\x{8}\x{e}-\x{1b}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}\x{202a}-\x{202e}"
    r"\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}"
)
#: All that is no letter, number or _; the last are the other signs that join words.
_NO_WORD: Final = (
    r"\p{M}\p{S}\p{Z}\p{C}\p{Pd}\p{Ps}\p{Pe}\p{Pi}\p{Pf}\p{Po}\x{203f}\x{2040}\x{2054}\x{fe33}\x{fe34}\x{fe4d}-\x{fe4f}\x{ff3f}"
)
#: An escape, a class of POSIX's kind, the beginning of a class (whose first ] is itself), or one sign.
_TOKEN: Final = re.compile(r"\\.|\[:\^?\w+:\]|\[\^?\]?|.", re.DOTALL)


def _ranges(last: int) -> str:
    """The letters and numbers up to a sign, as ranges."""
    parts, first = [], -1
    for code in range(last + 2):
        if code <= last and (chr(code).isalnum() or code == 0x5F):
            first = code if first < 0 else first
        elif first >= 0:
            parts.append(rf"\x{{{first:x}}}-\x{{{code - 1:x}}}")
            first = -1
    return "".join(parts)


#: `\w` for texts of Latin, Greek and Cyrillic letters: some forty states, and a sixth of the memory.
EUROPEAN_WORD: Final = _ranges(_LAST_EUROPEAN)


def unicode_classes(pattern: str, word: str = WORD) -> str:
    r"""The pattern with its `\w \W \d \D \s \S` spelt out."""
    in_class = {"w": word, "W": _NO_WORD, "d": r"\p{Nd}", "D": r"\P{Nd}", "s": _SPACE, "S": _NO_SPACE}
    alone = {"w": f"[{word}]", "W": f"[^{word}]", "d": r"\p{Nd}", "D": r"\P{Nd}", "s": f"[{_SPACE}]", "S": f"[^{_SPACE}]"}
    parts, is_inside = [], False
    for token in _TOKEN.findall(pattern):
        if token[0] == "\\":
            parts.append((in_class if is_inside else alone).get(token[1:], token))
            continue
        parts.append(token)
        if not is_inside:
            is_inside = token[0] == "["
        elif token[-1] == "]" and not token.startswith("[:"):
            is_inside = False
    return "".join(parts)
