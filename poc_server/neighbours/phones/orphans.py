"""Floors whose holder is on no node that lives: they are taken back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from groups.floor.inputs import Left
from groups.vocabulary import BurstId, GroupId
from poc_server.neighbours.known.far_phone import FarPhone
from poc_server.neighbours.phones.moving import user_of

if TYPE_CHECKING:
    from poc_server.neighbours.known.this_node import ThisNode
    from poc_server.talk.talkgroup import Talkgroup

STRIKES = 2
"""One that was seen so often in a row: the word where its holder is now may be under way."""


class Orphans:
    """Those of the groups this node follows."""

    def __init__(self, node: ThisNode) -> None:
        self._node = node
        self._strikes: dict[tuple[GroupId, BurstId], int] = {}

    def look(self) -> None:
        """With each heartbeat."""
        seen = {}
        for talkgroup, burst, holder in self._all():
            this = talkgroup.id, burst
            seen[this] = self._strikes.get(this, 0) + 1
            if seen[this] >= STRIKES:
                _take_back(talkgroup, holder)
        self._strikes = seen

    def take_back_all(self) -> None:
        """A node is dead, so it is certain at once."""
        for talkgroup, _, holder in self._all():
            _take_back(talkgroup, holder)

    def _all(self) -> Iterator[tuple[Talkgroup, BurstId, str]]:
        for talkgroup in self._node.talkgroups.values():
            for burst, holder in talkgroup.holders():
                phone = self._node.phones.get(holder)
                if phone is None or (isinstance(phone, FarPhone) and phone.neighbour is None):
                    yield talkgroup, burst, holder


def _take_back(talkgroup: Talkgroup, key: str) -> None:
    talkgroup.submit(Left(user_of(key), key))
