"""Which listening is a play of its own, and so a row of the audit: a player fetches one recording in many pieces."""

from __future__ import annotations

from dataclasses import dataclass

MOST_PLAYS = 10_000
"""Plays that are remembered at once; one that is forgotten when it goes on is told once more, never passed over."""


@dataclass(frozen=True, slots=True)
class Play:
    """Who hears what: a person or the name of a link, the address it comes from, and the recording in its form."""

    who: str
    address: str
    what: str
    form: str = ""


class Plays:
    """Remembers what was told of, and for how long a listener who goes on is not told of again.

    Whatever is handed out was told of at most ``within_ms`` before. One node's memory: another node, or this one
    after a restart, tells again.
    """

    def __init__(self, within_ms: int, most: int = MOST_PLAYS) -> None:
        self._within_ms = within_ms
        self._most = most
        self._begun: dict[Play, int] = {}

    def begins(self, play: Play, now_ms: int, *, goes_on: bool) -> bool:
        """Whether this is to be told of. ``goes_on``: it may belong to the play before it."""
        begun = self._begun.pop(play, None)
        if goes_on and begun is not None and 0 <= now_ms - begun < self._within_ms:
            self._begun[play] = begun
            return False
        self._begun[play] = now_ms
        if len(self._begun) > self._most:
            del self._begun[next(iter(self._begun))]
        return True
