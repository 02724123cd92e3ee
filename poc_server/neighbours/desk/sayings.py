"""What nodes said was decided, in order, until it is known which of them has the desk."""

from __future__ import annotations

from collections import deque
from typing import Any


class Sayings:
    """Who holds the desk's lease is asked after something was said: an answer that is older tells nothing of it.

    Attributes:
        came: how many there were so far; whoever asks keeps it, and gives it to `of_holder` with the answer.
    """

    def __init__(self) -> None:
        self.came = 0
        self._waiting: deque[tuple[str, dict[str, Any]]] = deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, sender: str, said: dict[str, Any]) -> None:
        """A node said something."""
        self.came += 1
        self._waiting.append((sender, said))

    def of_holder(self, came: int, holder: str | None) -> list[dict[str, Any]]:
        """What ``holder`` said among the first ``came``; what others said there is of no use any more."""
        taken = [self._waiting.popleft() for _ in range(len(self._waiting) - (self.came - came))]
        return [said for sender, said in taken if sender == holder]
