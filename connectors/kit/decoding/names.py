"""Names of character sets as people and programs write them, and Python's for them. A table only."""

from __future__ import annotations

from typing import Final

#: Names found in real mail and forms that Python does not know, or knows too narrowly.
ALIASES: Final = {
    "uft-8": "utf-8", "utf8mb4": "utf-8", "utf-8-sig": "utf-8", "unicode-1-1-utf-8": "utf-8",
    "cp-1251": "cp1251", "win-1251": "cp1251", "windows1251": "cp1251", "win1251": "cp1251", "ansi-1251": "cp1251",
    "cp-866": "cp866", "ibm-866": "cp866", "koi8": "koi8-r", "koi-8-r": "koi8-r", "koi8r": "koi8-r",
    "x-mac-cyrillic": "mac_cyrillic", "x-mac-roman": "mac_roman", "macintosh": "mac_roman",
    "unicode-1-1-utf-7": "utf-7", "x-unknown": "", "unknown-8bit": "", "8bit": "", "binary": "", "default": "",
    "iso-8859-8-i": "iso-8859-8", "ansi_x3.110-1983": "cp1252", "x-user-defined": "cp1252",
    "gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "ks_c_5601-1987": "cp949", "euc-kr": "cp949",
    "shift_jis": "cp932", "x-sjis": "cp932", "iso-2022-jp": "iso2022_jp_ext",
}  # fmt: skip
