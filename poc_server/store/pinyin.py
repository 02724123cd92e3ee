"""Pinyin initials of names, so that 王建国 is found by typing ``wjg``."""

from __future__ import annotations

import functools

from pypinyin import Style, lazy_pinyin

MAX_INITIALS = 128


@functools.lru_cache(maxsize=4_096)
def initials(name: str) -> str:
    """The first letter of each syllable; Latin letters and digits stay, the rest falls away."""
    letters = "".join(lazy_pinyin(name[:MAX_INITIALS], style=Style.FIRST_LETTER)).lower()
    return "".join(c for c in letters if c.isascii() and c.isalnum())[:MAX_INITIALS]
