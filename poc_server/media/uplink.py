"""A phone's uplink: checks its voice, holds what comes before the grant, and relays it at the talker's own pace.

It may feed several bursts at once: a dispatcher talks into several groups, or presses a key while he is in a full
duplex call.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from codec import opus, red
from codec.opus import CLOCK_HZ
from codec.packet import VoicePacket
from codec.rtp import SEQUENCE_MODULUS, TIMESTAMP_MODULUS, RtpPacket, Unwrapper, audio_level
from poc_server.media.sdp import OPUS, RED

if TYPE_CHECKING:
    from poc_server.media.shared import Shared

MAX_HELD_PACKETS = 64
SILENT_LEVEL = 127
"""RFC 6464 §3: digital silence."""
MAX_AHEAD_S = 2.0
"""Voice a phone may send faster than it can have been spoken, after an outage; more is a flood."""
PACE_FACTOR = 1.25
MAX_JUMP_S = 10.0
"""A burst's timestamps may be so far ahead of the time that has really gone since its first packet: that one may have
been late, and clocks differ. More is a jump, by which every listener's slot would be ahead for as long; so what a burst
was ahead counts for the talker's next ones, too, until time has caught up with it. Several talkers' jumps add up."""
MAX_PACKETS_PER_S = 400
"""Of the shortest frames, 2.5 ms. What skips more numbers than can have been lost of these in `MAX_JUMP_S` is refused:
a listener who missed some of such packets could no longer tell which turn of 2^16 the next one is of (RFC 3711 §3.3.1),
and his slot would be silent until he connects anew."""
MAX_SMOOTHED_S = 0.06
"""What is further ahead of the pace of its burst than that is not made to wait: the pace was wrong."""
WORTH_WAITING_S = 0.005
"""What is due sooner is relayed at once: jitter buffers do not see the difference."""
WITHOUT_FLOOR_EVERY_S = 1.0
TAIL_S = 1.0
"""For so long after a burst its last packets may still be under way: no reason to complain."""


class Onward(Protocol):
    """Where the voice of a burst goes (`poc_server.media.relay.Route`)."""

    def push(self, packet: VoicePacket) -> None:
        """One packet, in its time."""


class Pacer:
    """Relays one burst's voice at the pace it was spoken in, as late as its first packet: the burst's constant delay.

    A packet that came quicker over the uplink than the first did waits for its time. No jitter buffer would play it
    sooner, but to one that hears burst after burst, each begun by a packet of another lateness, early packets make all
    others look late, and it grows.
    """

    __slots__ = ("_base", "_delay", "_detach", "_done", "_loop", "_queue", "_route", "_timer")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        route: Onward,
        held: deque[tuple[float, VoicePacket]],
        detach: Callable[[Pacer], None],
    ) -> None:
        self._loop = loop
        self._route = route
        self._detach = detach
        self._delay = loop.time() - held[0][0] if held else 0.0
        """How long the first packet waited for the grant."""
        self._base: float | None = None
        """When the packet with timestamp 0 would have been due, on the loop's clock."""
        self._queue = deque(sorted((packet for _, packet in held), key=_spoken))
        """What waits, in the order it was spoken in; whenever there is any, there is a timer."""
        self._done: Callable[[], None] | None = None
        for arrived, packet in held:
            self._due(packet, arrived)
        # The first packet is due now, but after the caller's turn, in which it sets the audience.
        self._timer: asyncio.Handle | None = loop.call_soon(self._pace) if held else None

    def voice(self, packet: VoicePacket, now: float) -> None:
        """A packet that arrived ``now`` (the loop's clock)."""
        queue, base = self._queue, self._base
        due = self._due(packet, now)
        if not queue and due - now <= WORTH_WAITING_S:
            self._route.push(packet)
            return
        at = len(queue)
        while at and queue[at - 1].timestamp > packet.timestamp:  # others overtook it on the way
            at -= 1
        queue.insert(at, packet)
        if at == 0 or due - now <= WORTH_WAITING_S or base != self._base or self._timer is None:
            self._pace()  # it goes first, or at once, or a new pace has begun

    def finish(self, done: Callable[[], None]) -> None:
        """Nothing more comes: relay what waits, in its time, then call ``done``."""
        self._done = done
        self._detach(self)
        if not self._queue:
            self._finished()

    def cut(self) -> None:
        """Relay nothing more; what waits is forgotten."""
        self._queue.clear()
        self._finished()

    def _due(self, packet: VoicePacket, arrived: float) -> float:
        """When ``packet`` is to be relayed. One far ahead of its time begins a new pace: the first was an outlier."""
        spoken, soonest = packet.timestamp / CLOCK_HZ, arrived + self._delay
        if self._base is None or self._base + spoken > soonest + MAX_SMOOTHED_S:
            self._base = soonest - spoken
        return self._base + spoken

    def _pace(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        queue, base = self._queue, self._base or 0.0
        soon = self._loop.time() + WORTH_WAITING_S
        while queue and base + queue[0].timestamp / CLOCK_HZ <= soon:
            self._route.push(queue.popleft())
        if queue:
            self._timer = self._loop.call_at(base + queue[0].timestamp / CLOCK_HZ, self._pace)
        elif self._done is not None:
            self._finished()

    def _finished(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        done, self._done = self._done, None
        if done is not None:
            done()


class Uplink:
    """The voice of one phone. ``complain`` is called, at most once a second, when it sends without the floor."""

    __slots__ = (
        "_ahead_before",
        "_caught_up_at",
        "_complain",
        "_complained_at",
        "_counters",
        "_credit",
        "_credit_at",
        "_draining",
        "_ended_at",
        "_fence",
        "_first_at",
        "_first_timestamp",
        "_held",
        "_hold_s",
        "_opening",
        "_opening_at",
        "_pacers",
        "_sequences",
        "_shared",
        "_skipped_until",
        "_timestamps",
        "highest",
        "last_at",
        "level_id",
    )

    def __init__(self, shared: Shared, complain: Callable[[], None]) -> None:
        self._shared = shared
        self._counters = shared.counters
        self._complain = complain
        self._hold_s = shared.settings.hold_ms / 1000
        self._held: deque[tuple[float, VoicePacket]] = deque()
        self._pacers: tuple[Pacer, ...] = ()
        self._draining: tuple[Pacer, ...] = ()
        self._opening: deque[tuple[float, VoicePacket]] = deque()
        """What was said since the key went down, while that is so short ago that another grant may still come."""
        self._opening_at: float | None = None
        self._sequences = Unwrapper(SEQUENCE_MODULUS)
        self._timestamps = Unwrapper(TIMESTAMP_MODULUS)
        self._fence = -1
        """Nothing up to this number is ever relayed again: it belongs to a burst that has ended."""
        self._first_at: float | None = None
        self._first_timestamp = 0
        """When the first packet of what is fed came, and its timestamp: what follows is held against them."""
        self._ahead_before = 0.0
        """How far earlier bursts were ahead of the time that had gone, when that packet came (s)."""
        self._caught_up_at = 0.0
        """When time has caught up with the timestamps of all that was fed (the loop's clock)."""
        self._skipped_until = float("-inf")
        """When time has caught up with the numbers that were skipped, `MAX_PACKETS_PER_S` each second."""
        self.highest = -1
        self.level_id: int | None = None
        """Number of the header extension with RFC 6464 levels, where the phone sends them."""
        self.last_at = 0.0
        self._ended_at = float("-inf")
        self._complained_at = float("-inf")
        self._credit = MAX_AHEAD_S * CLOCK_HZ
        self._credit_at = shared.loop.time()

    def received(self, packet: RtpPacket, now: float) -> tuple[int, int] | None:
        """A packet that passed SRTP, at ``now`` of the loop's clock; its extended numbers, or ``None`` if refused."""
        payload, before = packet.payload, None
        if packet.payload_type == RED:
            doubled = red.parse(payload, OPUS)
            payload = doubled.primary if doubled is not None else b""
            before = doubled.redundant[-1] if doubled is not None and doubled.redundant else None
        elif packet.payload_type != OPUS:
            payload = b""
        samples = opus.samples(payload)
        if samples == 0 or not self._afford(samples, now):
            self._counters.bad_voice += 1
            return None
        sequence = self._sequences.unwrap(packet.sequence)
        timestamp = self._timestamps.unwrap(packet.timestamp)
        if sequence > self._fence and self._jumped(sequence, timestamp, now):
            self._counters.bad_voice += 1
            return None
        if before is not None and 0 < self.highest < sequence - 1 and opus.samples(before.payload):
            # The packet just before was lost, and here is its frame again.
            self._counters.voice_recovered += 1
            self._carry(VoicePacket(sequence - 1, timestamp - before.offset, before.payload, self._shared.clock()), now)
        self._counters.voice_in += 1
        self.last_at = now
        self.highest = max(self.highest, sequence)
        level = None if self.level_id is None else audio_level(packet, self.level_id)
        if level is not None:
            self._counters.voice_levelled += 1
            self._counters.voice_silent += level == SILENT_LEVEL
        self._carry(VoicePacket(sequence, timestamp, payload, self._shared.clock(), level), now)
        return sequence, timestamp

    def _carry(self, voice: VoicePacket, now: float) -> None:
        if voice.sequence <= self._fence:
            self._counters.stale_voice += 1
        elif self._pacers:
            if self._opening_at is not None:
                self._open(voice, now)
            for pacer in self._pacers:
                pacer.voice(voice, now)
        else:
            self._hold(voice, now)

    def begin(self, route: Onward) -> Pacer:
        """This phone has the floor: relay what is held and what comes, to ``route``, beside those it feeds already.

        A burst that begins while the first words of another are not yet old (the keys of several groups went down
        together) gets these words too; one that begins later gets nothing that was said before it.
        """
        now = self._shared.loop.time()
        for pacer in self._draining:
            pacer.cut()
        self._draining = ()
        if self._pacers:
            held = deque(self._opening) if self._opening_at is not None else deque()
            while held and held[0][0] < now - self._hold_s:
                held.popleft()
        else:
            self._counters.without_floor += self._drop_old(now)
            held, self._held = self._held, deque()
            self._opening = deque(held)
            self._opening_at = held[0][0] if held else now
            self._first_at = None
            if held:
                self._begins(held[0][0], held[0][1].timestamp)
        pacer = Pacer(self._shared.loop, route, held, self._detach)
        self._pacers = (*self._pacers, pacer)
        return pacer

    def discard(self) -> None:
        """Forget what is held: the request was queued or denied, the phone sends again at the grant."""
        self._counters.without_floor += len(self._held)
        self._held.clear()

    def expire(self, now: float) -> None:
        """Drop what has been held for longer than a grant may take."""
        if not self._held:
            return
        dropped = self._drop_old(now)
        if dropped:
            self._dropped(dropped, now)

    def _drop_old(self, now: float) -> int:
        held, dropped = self._held, 0
        while held and held[0][0] < now - self._hold_s:
            held.popleft()
            dropped += 1
        return dropped

    def _hold(self, voice: VoicePacket, now: float) -> None:
        self._held.append((now, voice))
        if len(self._held) > MAX_HELD_PACKETS:
            self._held.popleft()
            self._dropped(1, now)
        self.expire(now)

    def _dropped(self, packets: int, now: float) -> None:
        self._counters.without_floor += packets
        if now - self._ended_at > TAIL_S and now - self._complained_at >= WITHOUT_FLOOR_EVERY_S:
            self._complained_at = now
            self._complain()

    def _open(self, voice: VoicePacket, now: float) -> None:
        """Keep the first words for a grant that comes a moment later."""
        if self._opening_at is not None and now - self._opening_at > self._hold_s:
            self._opening_at = None
            self._opening.clear()
        else:
            self._opening.append((now, voice))

    def _detach(self, pacer: Pacer) -> None:
        """The burst of ``pacer`` has ended; after the last, what this phone sent up to now is never heard again."""
        if pacer not in self._pacers:
            return
        self._pacers = tuple(each for each in self._pacers if each is not pacer)
        self._draining = (*self._draining, pacer)
        if not self._pacers:
            self._opening_at = None
            self._opening.clear()
            self._fence = self.highest
            self._ended_at = self._shared.loop.time()

    def _jumped(self, sequence: int, timestamp: int, now: float) -> bool:
        """Whether ``timestamp`` is further ahead of the burst's first than time can have gone, or ``sequence`` too far.

        Only within a burst: each burst joins a slot anew, so between two of them a phone may count on from anywhere.
        """
        if not self._pacers:
            if self._held:
                at, voice = self._held[0]
                if _ahead(timestamp - voice.timestamp, now - at) or self._skipped(sequence, now):
                    self.discard()  # it counts on from elsewhere; what waits cannot be of the same burst
            return False
        if self._first_at is None:
            self._begins(now, timestamp)
            return False
        passed = now - self._first_at
        ahead = self._ahead_before + (timestamp - self._first_timestamp) / CLOCK_HZ - passed
        if ahead > MAX_JUMP_S + passed * (PACE_FACTOR - 1) or self._skipped(sequence, now):
            return True
        self._caught_up_at = max(self._caught_up_at, now + ahead)
        return False

    def _skipped(self, sequence: int, now: float) -> bool:
        """Whether more packets are missing before ``sequence`` than can have been lost."""
        missing = sequence - self.highest - 1
        if missing <= 0:
            return False
        until = max(self._skipped_until, now - MAX_JUMP_S) + missing / MAX_PACKETS_PER_S
        if until > now:
            return True
        self._skipped_until = until
        return False

    def _begins(self, at: float, timestamp: int) -> None:
        """The first packet of what is fed from now on came then, with this timestamp."""
        self._first_at, self._first_timestamp = at, timestamp
        self._ahead_before = max(0.0, self._caught_up_at - at)

    def _afford(self, samples: int, now: float) -> bool:
        """Whether that much voice can have been spoken by now."""
        earned = (now - self._credit_at) * CLOCK_HZ * PACE_FACTOR
        self._credit = min(MAX_AHEAD_S * CLOCK_HZ, self._credit + earned)
        self._credit_at = now
        if samples > self._credit:
            return False
        self._credit -= samples
        return True


def _spoken(packet: VoicePacket) -> int:
    return packet.timestamp


def _ahead(samples: int, passed_s: float) -> bool:
    return samples > (MAX_JUMP_S + passed_s * PACE_FACTOR) * CLOCK_HZ
