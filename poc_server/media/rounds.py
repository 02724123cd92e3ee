"""Who is to be looked after, and when. Pure; time is an argument.

Nearly all phones of a node are at rest: a look at each of them every second, to find that nothing is due, would be
most of what they cost it.
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop, heappush
from itertools import count
from typing import Generic, TypeVar

Who = TypeVar("Who")


class Rounds(Generic[Who]):
    """Each is looked after once, at the earliest time that was asked for; then it has to be asked for again."""

    __slots__ = ("_due", "_numbers", "_wanted")

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Who]] = []
        """A heap. What is not at its time of `_wanted` any more is passed over."""
        self._wanted: dict[Who, float] = {}
        self._numbers = count()

    def __iter__(self) -> Iterator[Who]:
        return iter(self._wanted)

    def want(self, who: Who, at: float) -> None:
        """Look after ``who`` at ``at`` (s), unless that is to be done sooner."""
        known = self._wanted.get(who)
        if known is None or at < known:
            self._wanted[who] = at
            heappush(self._due, (at, next(self._numbers), who))

    def forget(self, who: Who) -> None:
        """Not any more."""
        self._wanted.pop(who, None)

    def due(self, now: float) -> Who | None:
        """Whose time has come, the longest due first; he has to be asked for again."""
        due, wanted = self._due, self._wanted
        while due and due[0][0] <= now:
            at, _, who = heappop(due)
            if wanted.get(who) == at:
                del wanted[who]
                return who
        return None
