"""What belongs to a talk burst beside the floor: the call and incident it is said in, and where its talker is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from groups.model import User
from groups.vocabulary import CallId, GroupId
from poc_server.bridge.bridge import Bridge
from poc_server.recording.model import Place
from poc_server.recording.recordings import Facts
from poc_server.store.places import Places


class LiveCall(Protocol):
    """A call that goes on."""

    @property
    def id(self) -> str:
        """Its id."""


CallOf = Callable[[GroupId], LiveCall | None]


class BurstFacts:
    """Asked at each burst's begin (`poc_server.recording.recordings.FactsOf`); looks only into memory.

    Args:
        clock: ms since the epoch.

    ``calls`` are asked for the call that goes on in a group, one after the other.
    """

    def __init__(self, bridge: Bridge, places: Places, clock: Callable[[], int]) -> None:
        self.calls: list[CallOf] = []
        self._bridge, self._places, self._clock = bridge, places, clock

    def __call__(self, group: GroupId, talker: User, /) -> Facts:
        """Call, incident and place."""
        calls = (live.id for of_group in self.calls if (live := of_group(group)) is not None)
        call = next(calls, None)
        return Facts(
            call=None if call is None else CallId(call),
            incident=self._bridge.code_of(group),
            place=self.place_of(talker),
        )

    def place_of(self, talker: User) -> Place | None:
        """Where a user was last, with who says so and how old that is."""
        found = self._places.of(talker.id)
        if found is None or found.position is None:
            return None
        position = found.position
        return Place(
            longitude=position.longitude,
            latitude=position.latitude,
            source=position.source.value,
            age_ms=max(0, self._clock() - position.at_ms),
            accuracy_m=position.accuracy_m,
            datum=position.datum.value,
        )
