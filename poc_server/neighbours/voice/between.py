"""Voice between nodes: packets of this node's talkers go out, those of others come in to the burst they belong to."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from codec.packet import VoicePacket
from groups.vocabulary import BurstEnd, BurstId, GroupId
from poc_server.neighbours.voice.backlog import Backlog
from poc_server.neighbours.voice.losses import Losses

if TYPE_CHECKING:
    from poc_server.fabric.redis.voice import VoiceLine
    from poc_server.media.relay import Route
    from poc_server.neighbours.known.this_node import ThisNode

HEAD = struct.Struct("!BQqqQbB")
"""Kind, burst, sequence, timestamp, when it left in ms, level (-1: none), bytes of the group's id, which follows."""
VOICE, END = 0, 1
EARLY_PACKETS = 16
EARLY_BURSTS = 256
EVERYWHERE_PACKETS = 10
"""So many of a burst's first packets go to every node: one whose phone has just come to the group may not have said so
yet, and a first word is not to be lost for that. Who has nobody there drops them."""
LAST_WORDS_S = 0.4
"""A burst that ended is relayed at its talker's pace till its node says that nothing more comes, or no packet has come
for so long."""


class FarFeed:
    """Feeds a burst whose talker is on another node (`poc_server.media.relay.Feed`)."""

    def __init__(self, route: Route, over: Callable[[FarFeed], None]) -> None:
        self._route = route
        self._over = over
        self._done: Callable[[], None] | None = None
        self._told = False
        self._timer: asyncio.TimerHandle | None = None

    def push(self, packet: VoicePacket) -> None:
        """A packet of its talker."""
        self._told = False  # if so, of his voice on the connection that he had before
        self._route.push(packet)
        if self._timer is not None:
            self._wait()

    def finish(self, done: Callable[[], None]) -> None:
        """The floor is over: what is under way may still come."""
        self._done = done
        if self._told:
            self._finished()
        else:
            self._wait()

    def last(self) -> None:
        """Its node said that nothing more comes."""
        self._told = True
        if self._timer is not None:
            self._finished()

    def _wait(self) -> None:
        self._stop_waiting()
        self._timer = asyncio.get_running_loop().call_later(LAST_WORDS_S, self._finished)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _finished(self) -> None:
        self._stop_waiting()
        self._over(self)
        done, self._done = self._done, None
        if done is not None:
            done()


class _Outward:
    """Hears a burst of this node's talker (`poc_server.talk.burst.BurstTap`)."""

    __slots__ = ("_between", "_burst", "_everywhere", "_group", "_name")

    def __init__(self, between: Between, group: GroupId, burst: BurstId) -> None:
        self._between, self._group, self._burst, self._name = between, group, burst, group.encode()
        self._everywhere = EVERYWHERE_PACKETS

    def voice(self, packet: VoicePacket) -> None:
        """One packet, to the nodes that hear the group; of the first ones, to all."""
        if self._everywhere:
            self._everywhere -= 1
            hearing: Collection[str] | None = self._between.nodes
        else:
            hearing = self._between.heard_by.get(self._group)
        if hearing:
            level = -1 if packet.level is None else packet.level
            # Not when it arrived: it may have waited here for its time, for as long as its talker's uplink stood still.
            now = self._between.now()
            head = HEAD.pack(VOICE, self._burst, packet.sequence, packet.timestamp, now, level, len(self._name))
            self._send(hearing, head + self._name + packet.payload)

    def end(self, outcome: BurstEnd) -> None:
        """Nothing more comes."""
        hearing = self._between.heard_by.get(self._group)
        if hearing:
            self._send(hearing, HEAD.pack(END, self._burst, 0, 0, 0, -1, len(self._name)) + self._name)

    def _send(self, hearing: Iterable[str], message: bytes) -> None:
        """To each node that hears the group by its own channel: a channel of the group would bring it back here too."""
        for node in hearing:
            self._between.line.publish(self._between.channel(node), message)


class Between:
    """All voice between this node and the others.

    Attributes:
        nodes: the other nodes by their names.
        heard_by: which of them hear a group.
        losses: what phones of this node say that they lost.
        stale: packets that were under way for too long.
    """

    def __init__(self, node: ThisNode, prefix: str, nodes: Collection[str], lease_ms: int) -> None:
        self._node = node
        self._prefix = f"{prefix}:v:"
        self.nodes = nodes
        self.losses = Losses(node)
        self.heard_by: dict[GroupId, set[str]] = {}
        self.line: VoiceLine
        self.stale = 0
        self._backlog = Backlog(lease_ms)
        # By both: bursts of two groups that began in one millisecond have one number.
        self._feeds: dict[tuple[GroupId, BurstId], FarFeed] = {}
        self._early: dict[tuple[GroupId, BurstId], list[VoicePacket]] = {}

    def now(self) -> int:
        """The fabric's clock, in ms."""
        return self._node.fabric.now()

    def channel(self, node: str) -> bytes:
        """Where the voice for a node is."""
        return f"{self._prefix}{node}".encode()

    def outward(self, group: GroupId, burst: BurstId) -> _Outward:
        """The tap of a burst of this node's talker."""
        self.losses.begun(group)
        return _Outward(self, group, burst)

    def inward(self, group: GroupId, burst: BurstId, route: Route) -> FarFeed:
        """The feed of another node's burst: fills ``route`` until it is over."""

        def over(ended: FarFeed) -> None:
            if self._feeds.get((group, burst)) is ended:  # a talker who came back on another connection has a new one
                del self._feeds[group, burst]

        feed = self._feeds[group, burst] = FarFeed(route, over)
        return feed

    def begun(self, group: GroupId, burst: BurstId) -> None:
        """Its route is open: what came before the floor's event did is relayed now."""
        self.losses.begun(group)
        for packet in self._early.pop((group, burst), ()):
            self._push(group, burst, packet)

    def heard(self, channel: bytes, packet: bytes) -> None:
        """A packet of another node. One of a burst that has no floor here is not relayed (the burst id fences)."""
        if len(packet) < HEAD.size:
            return
        kind, number, sequence, timestamp, left_ms, level, length = HEAD.unpack_from(packet)
        begin = HEAD.size + length
        burst, group = BurstId(number), GroupId(packet[HEAD.size : begin].decode())
        if kind == END:
            feed = self._feeds.get((group, burst))
            if feed is not None:
                feed.last()
            return
        if kind != VOICE:
            return  # of a later version
        if self._backlog.stale(left_ms, self.now()):
            self.stale += 1
            return
        voice = VoicePacket(sequence, timestamp, packet[begin:], left_ms, None if level < 0 else level)
        if not self._push(group, burst, voice):
            self._keep(group, burst, voice)

    def _push(self, group: GroupId, burst: BurstId, voice: VoicePacket) -> bool:
        feed = self._feeds.get((group, burst))
        if feed is None:
            return False
        feed.push(voice)
        return True

    def _keep(self, group: GroupId, burst: BurstId, voice: VoicePacket) -> None:
        """The floor's event comes another way and may be a moment later; a burst older than one that began never comes.

        What the floor's state knows already is no measure: its events may still wait for one that came before them.
        """
        talkgroup = self._node.talkgroups.get(group)
        if talkgroup is None or burst <= talkgroup.bursts.newest:
            return
        early = self._early.setdefault((group, burst), [])
        if len(early) < EARLY_PACKETS:
            early.append(voice)
        while len(self._early) > EARLY_BURSTS:
            self._early.pop(next(iter(self._early)))
