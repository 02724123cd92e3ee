"""The relay: carries the voice of a talk burst from its talker to the slots that hear it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from codec import opus
from codec.packet import VoicePacket
from poc_server.media.downlink.fanout import Job

if TYPE_CHECKING:
    from poc_server.media.downlink.slot import Slot
    from poc_server.media.peer import Peer
    from poc_server.media.shared import Shared

LATE_ENTRY_S = 0.2
"""A last packet older than this is not worth sending again to one who enters late."""
REORDER_WINDOW = 64
_SEEN = (1 << REORDER_WINDOW) - 1


class BurstObserver(Protocol):
    """Who wants to know whether a burst has voice: floor control, for its timers T1 and T2."""

    def media_started(self, at_ms: int) -> None:
        """The first packet, or the first after a stop, arrived at ``at_ms``."""

    def media_stopped(self, last_packet_ms: int) -> None:
        """No packet for half a second; the last arrived at ``last_packet_ms``."""


class Tap(Protocol):
    """Who hears a burst inside the server: recorder, other nodes, level meter."""

    def voice(self, packet: VoicePacket) -> None:
        """One packet of the burst, at the pace it is relayed. Must only append to memory."""


class Feed(Protocol):
    """Where the voice of a burst comes from: the talker's uplink here, or another node."""

    def finish(self, done: Callable[[], None]) -> None:
        """The burst ends: relay what waits, in its time, then call ``done``."""


class Route:
    """One talk burst on the air of this node. Made by `Relay.begin`."""

    __slots__ = (
        "_audience",
        "_ended",
        "_ending",
        "_feed",
        "_first",
        "_frame",
        "_highest",
        "_last",
        "_last_at",
        "_observer",
        "_outward",
        "_seen",
        "_shared",
        "_started",
        "_taps",
        "_watch",
        "burst",
        "end_timestamp",
        "octets",
        "packets",
        "silence",
    )

    def __init__(
        self,
        shared: Shared,
        burst: int,
        observer: BurstObserver,
        taps: tuple[Tap, ...],
        outward: Tap | None = None,
    ) -> None:
        self.burst = burst
        self.packets = 0
        self.octets = 0
        self.end_timestamp = 0
        """Uplink timestamp at which the burst so far ends: nothing of it lies beyond."""
        self.silence = b""
        """The frame each slot is closed with: in the mode of the burst's own packets."""
        self._shared = shared
        self._observer = observer
        self._outward = outward
        self._taps = taps if outward is None else (*taps, outward)
        self._feed: Feed | None = None
        self._audience: tuple[Slot, ...] = ()
        self._first = -1
        self._frame = (-1, 0)
        """TOC and samples of the packets `silence` is made for."""
        self._highest = -1
        self._seen = 0
        self._last: VoicePacket | None = None
        self._last_at = 0.0
        self._started = False
        self._ending = False
        self._ended = False
        self._watch: asyncio.TimerHandle | None = None

    def set_audience(self, slots: tuple[Slot, ...]) -> None:
        """Who hears the burst from now on, each slot once.

        Who enters late gets the last packet at once, who leaves gets the closing silent frame. A slot that carries
        another burst is taken from it with the first packet: the burst it entered last has it. A burst that ends
        keeps the audience it had, till its last packets are relayed or another burst sounds on its slots.
        """
        if self._ending:
            return
        before, after = set(self._audience), set(slots)
        leaving = tuple(slot for slot in self._audience if slot not in after)
        entering = tuple(slot for slot in slots if slot not in before)
        self._audience = slots
        for slot in entering:
            slot.claim = self
        fanout = self._shared.fanout
        if leaving:
            fanout.submit(Job(self, leaving, None))
        last = self._last
        if entering and last is not None and self._shared.loop.time() - self._last_at < LATE_ENTRY_S:
            fanout.submit(Job(self, entering, last, entry=True))

    def push(self, packet: VoicePacket) -> None:
        """Voice of this burst, at its own pace: from the talker's uplink, another node, or the server itself."""
        sequence, timestamp, payload = packet.sequence, packet.timestamp, packet.payload
        samples, shared, previous = opus.samples(payload), self._shared, self._last
        if samples == 0:
            shared.counters.bad_voice += 1
            return
        if self._ended:
            shared.counters.stale_voice += 1
            return
        if not self._claim(sequence):
            shared.counters.repeated_voice += 1
            return
        if previous is not None and previous.sequence + 1 != sequence:
            previous = None
        self.packets += 1
        self.octets += len(payload)
        if sequence == self._highest:
            self._last = packet
            # Its timestamps may have jumped ahead and back: the next burst on a slot begins behind all that was sent.
            ends = timestamp + samples
            self.end_timestamp = max(self.end_timestamp, ends) if self.packets > 1 else ends
            frame = (payload[0], samples)
            if frame != self._frame:
                self._frame, self.silence = frame, opus.silent_frame(payload)
        self._last_at = shared.loop.time()
        shared.fanout.submit(Job(self, self._audience, packet, previous))
        for tap in self._taps:
            tap.voice(packet)
        if not self._started:
            self._media_started(packet.arrived_ms)

    def end(self, done: Callable[[], None] | None = None) -> None:
        """End the burst: each slot ends with an encoded silent frame, in its time.

        Where the grant came after the first word, the talker's last packets still wait here for their time (at most
        ``hold_ms``); they are relayed first, unless the slots are claimed by another burst before. ``done`` is called
        when the last packet has gone to the taps.
        """
        self._ending = True
        feed, self._feed = self._feed, None
        self._stop_watching()
        if feed is None:
            self._end(done)
        else:
            feed.finish(lambda: self._end(done))

    def leave_air(self) -> None:
        """Its group hears another burst now: what is still to be relayed of this one goes to recorders alone.

        The slots that burst takes would refuse it anyway; its talker's own, which it does not take, would not. Nor do
        other nodes get it: it may come in one go, and listeners there would have it ahead of their clock.
        """
        if self._ending and not self._ended:
            self._shared.fanout.submit(Job(self, self._audience, None))
            self._audience = ()
            self._taps = tuple(tap for tap in self._taps if tap is not self._outward)

    def fed_by(self, feed: Feed) -> None:
        """Where its voice comes from; asked at its end when the last packet has come."""
        self._feed = feed

    @property
    def loss(self) -> float:
        """The part of the burst's packets that never came from the talker, 0 to 1."""
        return 1 - self.packets / (self._highest - self._first + 1) if self.packets else 0.0

    def _end(self, done: Callable[[], None] | None) -> None:
        if not self._ended:
            self._ended = True
            self._stop_watching()
            lasts = opus.samples(self._last.payload) if self._last is not None else 0
            loop, over = self._shared.loop, self._last_at + lasts / opus.CLOCK_HZ
            if loop.time() < over:
                loop.call_at(over, self._fall_silent)
            else:
                self._fall_silent()
        if done is not None:
            done()

    def _fall_silent(self) -> None:
        """Close each slot, when its last frame is over and not before.

        A listener's jitter buffer measures each packet against the quickest of the last two seconds: a closing frame
        that comes early makes every packet of the next burst look late, and the buffer grow to 60 ms and more.
        """
        self._shared.fanout.submit(Job(self, self._audience, None))
        self._audience = ()

    def _claim(self, sequence: int) -> bool:
        """Whether ``sequence`` has not been carried yet, as far back as the window of reordering goes."""
        ahead = sequence - self._highest
        if ahead == 1 and self._highest >= 0:
            self._seen = (self._seen << 1 | 1) & _SEEN
            self._highest = sequence
            return True
        if ahead > 0 or self._highest < 0:
            self._seen = (self._seen << ahead | 1) & _SEEN if ahead < REORDER_WINDOW else 1
            self._first = sequence if self._highest < 0 else self._first
            self._highest = sequence
            return True
        bit = 1 << -ahead if -ahead < REORDER_WINDOW else 0
        if not bit or self._seen & bit:
            return False
        self._seen |= bit
        self._first = min(self._first, sequence)
        return True

    def _media_started(self, at_ms: int) -> None:
        self._started = True
        self._watch = self._shared.loop.call_later(self._shared.settings.end_of_media_ms / 1000, self._look)
        self._observer.media_started(at_ms)

    def _look(self) -> None:
        limit = self._shared.settings.end_of_media_ms / 1000
        due = self._last_at + limit
        if due > self._shared.loop.time():
            self._watch = self._shared.loop.call_at(due, self._look)
            return
        self._watch = None
        self._started = False
        if self._last is not None:
            self._observer.media_stopped(self._last.arrived_ms)

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


class Relay:
    """Makes routes. One per edge."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def begin(
        self,
        burst: int,
        talker: Peer | None,
        observer: BurstObserver,
        taps: tuple[Tap, ...] = (),
        *,
        outward: Tap | None = None,
        catches_up: bool = False,
    ) -> Route:
        """Put ``burst`` on the air. What ``talker``'s phone sent just before is relayed at its own pace.

        The first packet goes out with the next turn of the loop: set the audience in this one. Without ``talker``
        the voice comes by `Route.push`. ``outward``: the other nodes, which hear it as long as it is on air here.
        ``catches_up``: somebody answers; seconds that stood still are not kept.
        """
        route = Route(self._shared, burst, observer, taps, outward)
        if talker is not None:
            route.fed_by(talker.uplink.begin(route, catches_up=catches_up))
        return route
