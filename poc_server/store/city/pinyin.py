"""Pinyin initials of names, so that 王建国 is found by typing ``wjg``."""

from __future__ import annotations

import functools

MAX_INITIALS = 128

AS_SURNAME = {
    "单": "s", "單": "s", "仇": "q", "曾": "z", "解": "x", "区": "o", "區": "o", "查": "z", "乐": "y", "樂": "y",
    "佴": "n", "翟": "z", "覃": "q", "召": "s", "折": "s", "种": "c", "秘": "b", "繁": "p", "句": "g", "祭": "z",
    "么": "y", "乜": "n", "藏": "z", "隗": "w", "粘": "n", "阚": "k", "闞": "k", "炅": "g", "重": "c", "郇": "x",
    "番": "p",
}  # fmt: skip
"""Characters that begin otherwise as a surname than alone, as 单 (Shan, dan): the library knows no surnames."""


def prepare() -> None:
    """Load the dictionary, a quarter of a second and 55 MB: a server does so before it serves, who only reads never."""
    import pypinyin  # noqa: F401


@functools.lru_cache(maxsize=4_096)
def initials(name: str) -> str:
    """The first letter of each syllable; Latin letters and digits stay, the rest falls away.

    A surname that is read otherwise than alone comes first, and the other reading behind a space: ``stf dtf``. Either
    is found.
    """
    from pypinyin import Style, lazy_pinyin

    letters = "".join(lazy_pinyin(name[:MAX_INITIALS], style=Style.FIRST_LETTER)).lower()
    plain = "".join(c for c in letters if c.isascii() and c.isalnum())[:MAX_INITIALS]
    surname = AS_SURNAME.get(name[:1])
    if surname is None or plain.startswith(surname):
        return plain
    read = surname + plain[1:]
    both = f"{read} {plain}"
    return both if len(both) <= MAX_INITIALS else read
