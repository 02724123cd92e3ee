"""When a node that was on its own is one of the city again: when all hear what is said on it, from the first word on.

Redis being back is not enough: the others come back to it in their own time, and voice has a connection of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Other(Protocol):
    """Another node (`poc_server.neighbours.known.neighbour`)."""

    hears: bool

    @property
    def name(self) -> str:
        """What it is called in each of its lives."""

    @property
    def known(self) -> bool:
        """Whether all it has is known here."""


class Reunion:
    """One node's way back to the others. ``patience_s``: so long others are waited for once Redis is back.

    Attributes:
        apart: this node is on its own.
    """

    def __init__(self, patience_s: float) -> None:
        self.apart = False
        self._patience_s = patience_s
        self._missing: set[str] = set()
        self._until: float | None = None

    def parted(self, others: Iterable[str]) -> None:
        """From now on it is on its own; ``others``: the names of those it was with until now."""
        self.apart, self._until = True, None
        self._missing |= set(others)

    def began(self, now: float) -> None:
        """It has Redis again, or has had it all the time. ``now``: in seconds of any clock."""
        if self._until is None:
            self._until = now + self._patience_s

    def over(self, now: float, *, voice: bool, desk: bool, others: Iterable[Other]) -> bool:
        """Whether it is one of the city again; then it is not apart any more.

        Args:
            now: as in `began`.
            voice: its own way for voice is open; without that it stays apart however long it takes.
            desk: it knows who leads calls and emergencies. Like the others this is not waited for without end: one
                that was lost meanwhile, or hears nothing itself, holds up nobody for longer than a lease.
            others: the other nodes, as they are known here.
        """
        if not self.apart or self._until is None or not voice:
            return False
        there = tuple(others)
        complete = desk and all(each.known and each.hears for each in there)
        complete = complete and self._missing <= {each.name for each in there}
        if complete or now >= self._until:
            self.apart = False
            self._missing.clear()
            return True
        return False
