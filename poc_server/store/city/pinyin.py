"""Names by their pinyin: 王建国 is found by ``wjg``, ``wangjianguo``, ``wangj`` or ``jianguo``."""

from __future__ import annotations

import functools
from typing import Any, cast

from poc_server.store.sql.lookup import typed

MAX_INITIALS = 128
MAX_SYLLABLES = 12
"""Of a name so many are written out; initials go on."""
MAX_SORTED = 32
"""Characters of a name that lists go by."""

AS_SURNAME = {
    "单": "shan", "單": "shan", "仇": "qiu", "曾": "zeng", "解": "xie", "区": "ou", "區": "ou", "查": "zha",
    "乐": "yue", "樂": "yue", "佴": "nai", "翟": "zhai", "覃": "qin", "召": "shao", "折": "she", "种": "chong",
    "秘": "bi", "繁": "po", "句": "gou", "祭": "zhai", "么": "yao", "乜": "nie", "藏": "zang", "隗": "wei",
    "粘": "nian", "阚": "kan", "闞": "kan", "炅": "gui", "重": "chong", "郇": "xun", "番": "pan", "朴": "piao",
    "盖": "ge", "牟": "mu", "缪": "miao", "繆": "miao", "员": "yun", "黑": "he", "洗": "xian", "薄": "bo",
}  # fmt: skip
"""Characters that are read otherwise as a surname than alone, as 单 (shan, dan): the library knows no surnames."""


def prepare() -> None:
    """Load the dictionary, a quarter of a second and 55 MB: a server does so before it serves, who only reads never."""
    import pypinyin  # noqa: F401


def initials(name: str) -> str:
    """The first letter of each syllable; Latin letters and digits stay, the rest falls away.

    A surname that is read otherwise than alone comes first, and the other reading behind a space: ``stf dtf``. Either
    is found.
    """
    found = dict.fromkeys("".join(part[0] for part in syllables)[:MAX_INITIALS] for syllables in _readings(name))
    both = " ".join(found)
    return both if len(both) <= MAX_INITIALS else next(iter(found))


def spelled(name: str) -> str:
    """The name as it may be typed, from any syllable on: some written out, and of those after them the first letter.

    Each way stands behind a space: `` wangjg wangjiang wangjianguo jiang jianguo guo``. A word is looked for with a
    space before it, so that ``an`` finds 安 and not 王.
    """
    ways: dict[str, None] = {}
    for syllables in _readings(name):
        parts = syllables[:MAX_SYLLABLES]
        for first in range(len(parts)):
            for last in range(first + 1, len(parts) + 1):
                ways["".join(parts[first:last]) + "".join(part[0] for part in parts[last:])] = None
    return "".join(f" {way}" for way in ways)


@functools.lru_cache(maxsize=16_384)
def sorted_as(name: str) -> str:
    """What lists go by: pinyin and tone, and of one sound the same characters together: 王建 is ``wang2王jian4建``.

    Other letters stand among the sounds as a dictionary has them, large and small alike.
    """
    from pypinyin import Style, lazy_pinyin

    begin = name[:MAX_SORTED]
    sounds = lazy_pinyin(begin, style=Style.TONE3, errors=cast("Any", list))
    if len(sounds) != len(begin):  # what the library takes for one of several characters
        return begin.lower()
    surname = AS_SURNAME.get(begin[:1])
    if surname is not None and surname != sounds[0].rstrip("12345"):
        sounds[0] = surname
    return "".join(char.lower() if char == sound else sound + char for char, sound in zip(begin, sounds, strict=True))


def sounds(name: str, text: str) -> bool:
    """Whether ``text`` is pinyin of ``name``."""
    word = typed(text)
    if not word:
        return False
    return word in initials(name) or any(_spells(each[:MAX_SYLLABLES], word) for each in _readings(name))


def _spells(syllables: tuple[str, ...], word: str) -> bool:
    """Whether one of the ways of `spelled` begins with ``word``: without writing them all, for each group of a city."""
    letters = "".join(part[0] for part in syllables)
    for first in range(len(syllables)):
        whole = ""
        for last in range(first, len(syllables)):
            whole += syllables[last]
            if whole.startswith(word):
                return True
            if not word.startswith(whole):
                break
            if letters.startswith(word[len(whole) :], last + 1):
                return True
    return False


@functools.lru_cache(maxsize=16_384)
def _readings(name: str) -> tuple[tuple[str, ...], ...]:
    """Its syllables; where it begins with a surname that is read otherwise, first so. A Latin letter is one."""
    from pypinyin import lazy_pinyin

    # Of what is not Chinese each character by itself, which the library's types do not say it can.
    letters = lazy_pinyin(name[:MAX_INITIALS], errors=cast("Any", list))
    plain = tuple(part.lower() for part in letters if part.isascii() and part.isalnum())
    surname = AS_SURNAME.get(name[:1])
    return (plain,) if surname is None or surname == plain[0] else ((surname, *plain[1:]), plain)
