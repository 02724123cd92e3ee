"""Voice of another node that is quicker than its floor's event: kept for its burst, or of no use."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from groups.vocabulary import BurstId, GroupId
from poc_server.neighbours.between import EARLY_PACKETS, HEAD, VOICE, Between

GROUP = GroupId("g")


class Floor:
    """What a node has of one group: the routes of bursts that were told, and what its state already knows."""

    def __init__(self) -> None:
        self.relayed: list[int] = []
        self.routes: dict[BurstId, Any] = {}
        self.bursts = SimpleNamespace(newest=BurstId(0), far_route=self.routes.get)
        node: Any = SimpleNamespace(
            talkgroups={GROUP: self}, phones={}, conditions=SimpleNamespace(only_talker=lambda _: None)
        )
        self.between = Between(node, "t", ())

    def says(self, burst: int, sequence: int) -> None:
        head = HEAD.pack(VOICE, burst, sequence, 0, 0, -1, len(GROUP))
        self.between.heard(b"", head + GROUP.encode() + b"\x08")

    def begins(self, burst: int) -> None:
        number = BurstId(burst)
        self.bursts.newest = number
        self.between.inward(number)
        self.routes[number] = SimpleNamespace(push=lambda packet: self.relayed.append(packet.sequence))
        self.between.begun(GROUP, number)


def test_the_first_packets_wait_for_the_event_of_their_burst() -> None:
    floor = Floor()
    for sequence in range(EARLY_PACKETS + 5):
        floor.says(7, sequence)
    floor.begins(7)
    floor.says(7, 99)
    assert floor.relayed == [*range(EARLY_PACKETS), 99]


def test_what_comes_late_of_an_older_burst_is_not_heard() -> None:
    floor = Floor()
    floor.begins(7)
    floor.says(6, 1)
    floor.begins(8)
    assert floor.relayed == []
