"""What is different since an answer that somebody got: each answer carries a mark, which is named the next time."""

from __future__ import annotations

import secrets
from collections.abc import Container
from typing import Generic, TypeVar

Key = TypeVar("Key")
GONE_KEPT = 10_000
"""Those remembered who are there no more: who asks of before the first of them is told everything."""


class Marks(Generic[Key]):
    """Remembers of each key when it was different last, in steps."""

    __slots__ = ("_changed", "_forgotten", "_name", "_number")

    def __init__(self) -> None:
        self._name = secrets.token_hex(4)
        """A mark of another node, or of before this one was started, says nothing here."""
        self._changed: dict[Key, int] = {}
        """The step at which each was different last; who was so last stands last."""
        self._number = 0
        self._forgotten = 0

    @property
    def mark(self) -> str:
        """Names this moment."""
        return f"{self._name}.{self._number}"

    def step(self) -> None:
        """What is noted from now on is news to all who were answered before."""
        self._number += 1

    def note(self, key: Key) -> None:
        """This one is different, or there no more."""
        self._changed.pop(key, None)
        self._changed[key] = self._number

    def since(self, mark: str) -> list[Key] | None:
        """Who is different since ``mark``; None where it says nothing here."""
        name, _, number = mark.partition(".")
        if name != self._name or not (number.isascii() and number.isdigit()):
            return None
        known = int(number)
        if not self._forgotten <= known <= self._number:
            return None
        found = []
        for key in reversed(self._changed):
            if self._changed[key] <= known:
                break
            found.append(key)
        return found[::-1]

    def forget_gone(self, here: Container[Key], count: int) -> None:
        """When there are many who are not among the ``count`` who are ``here`` any more, they are forgotten."""
        if len(self._changed) > count + GONE_KEPT:
            self._changed = {key: at for key, at in self._changed.items() if key in here}
            self._forgotten = self._number
