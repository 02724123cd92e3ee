"""A phone's uplink: checks its voice, holds what comes before the grant, and relays it at the talker's own pace.

It may feed several bursts at once: a dispatcher talks into several groups, or presses a key while he is in a full
duplex call.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from codec import opus, red
from codec.opus import CLOCK_HZ
from codec.packet import VoicePacket
from codec.rtp import SEQUENCE_MODULUS, TIMESTAMP_MODULUS, RtpPacket, Unwrapper, audio_level
from poc_server.media.uplink.allowance import Allowance
from poc_server.media.uplink.pacer import Onward, Pacer
from poc_server.media.wire.sdp import OPUS, RED

if TYPE_CHECKING:
    from poc_server.media.shared import Shared

SILENT_LEVEL = 127
"""RFC 6464 §3: digital silence."""
WITHOUT_FLOOR_EVERY_S = 1.0
TAIL_S = 1.0
"""For so long after a burst its last packets may still be under way: no reason to complain."""


class Uplink:
    """The voice of one phone. ``complain`` is called, at most once a second, when it sends without the floor."""

    __slots__ = (
        "_allowance",
        "_anew",
        "_backlog_s",
        "_complain",
        "_complained_at",
        "_counters",
        "_draining",
        "_ended_at",
        "_fence",
        "_held",
        "_hold_s",
        "_opening",
        "_opening_at",
        "_pacers",
        "_sequences",
        "_shared",
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
        self._backlog_s = shared.settings.backlog_s
        self._allowance = Allowance(self._backlog_s, shared.loop.time())
        self._held: deque[tuple[float, VoicePacket]] = deque()
        """What waits for the grant: at most ``hold_ms`` of arrivals, and of voice what `Allowance` lets in."""
        self._pacers: tuple[Pacer, ...] = ()
        self._draining: tuple[Pacer, ...] = ()
        self._opening: deque[tuple[float, VoicePacket]] = deque()
        """What was said since the key went down, while that is so short ago that another grant may still come."""
        self._opening_at: float | None = None
        self._sequences = Unwrapper(SEQUENCE_MODULUS)
        self._timestamps = Unwrapper(TIMESTAMP_MODULUS)
        self._anew = True
        """The next packet is the first of what is held or fed: a phone may count on from anywhere, and what it says
        was just before may be of another burst. So a copy of what was lost before it is not taken: the first frame of
        this burst is not told from the last of the one before."""
        self._fence = -1
        """Nothing up to this number is ever relayed again: it belongs to a burst that has ended."""
        self.highest = -1
        self.level_id: int | None = None
        """Number of the header extension with RFC 6464 levels, where the phone sends them."""
        self.last_at = 0.0
        self._ended_at = float("-inf")
        self._complained_at = float("-inf")

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
        if samples == 0 or not self._allowance.speaks(samples, now):
            self._counters.bad_voice += 1
            return None
        sequence = self._sequences.unwrap(packet.sequence)
        timestamp = self._timestamps.unwrap(packet.timestamp)
        missing = sequence - self.highest - 1
        if missing > 0 and not self._anew:
            if not self._allowance.skips(missing, now):
                if self._pacers:
                    self._counters.bad_voice += 1
                    return None
                self.discard()  # it counts on from elsewhere; what waits cannot be of the same burst
            elif before is not None and opus.samples(before.payload):
                self._recover(sequence - 1, timestamp - before.offset, before.payload, now)
        self._counters.voice_in += 1
        self.last_at = now
        self.highest = max(self.highest, sequence)
        level = None if self.level_id is None else audio_level(packet, self.level_id)
        if level is not None:
            self._counters.voice_levelled += 1
            self._counters.voice_silent += level == SILENT_LEVEL
        self._carry(VoicePacket(sequence, timestamp, payload, self._shared.clock(), level), now)
        return sequence, timestamp

    def _recover(self, sequence: int, timestamp: int, payload: bytes, now: float) -> None:
        """The packet just before was lost, and here is its frame again."""
        self._counters.voice_recovered += 1
        self._carry(VoicePacket(sequence, timestamp, payload, self._shared.clock()), now)

    def _carry(self, voice: VoicePacket, now: float) -> None:
        if voice.sequence <= self._fence:
            self._counters.stale_voice += 1
            return
        if self._pacers:
            if self._opening_at is not None:
                self._open(voice, now)
            for pacer in self._pacers:
                if not pacer.voice(voice, now):
                    self._counters.bad_voice += 1
        else:
            self._hold(voice, now)
        self._anew = False

    def begin(self, route: Onward, *, catches_up: bool = False) -> Pacer:
        """This phone has the floor: relay what is held and what comes, to ``route``, beside those it feeds already.

        A burst that begins while the first words of another are not yet old (the keys of several groups went down
        together) gets these words too; one that begins later gets nothing that was said before it. ``catches_up``: as
        `Pace` has it.
        """
        now = self._shared.loop.time()
        for before in (*self._draining, *self._pacers):
            before.cut()
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
            self._anew = not held
        pacer = Pacer(self._shared.loop, route, held, self._detach, self._backlog_s, catches_up=catches_up)
        self._pacers = (*self._pacers, pacer)
        return pacer

    def discard(self) -> None:
        """Forget what is held: the request was queued or denied, the phone sends again at the grant."""
        self._counters.without_floor += len(self._held)
        self._held.clear()
        self._anew = self._anew or not self._pacers

    def expire(self, now: float) -> None:
        """Drop what has been held for longer than a grant may take."""
        if not self._held:
            return
        dropped = self._drop_old(now)
        if dropped:
            self._anew = not self._held
            self._dropped(dropped, now)

    def _drop_old(self, now: float) -> int:
        held, dropped = self._held, 0
        while held and held[0][0] < now - self._hold_s:
            held.popleft()
            dropped += 1
        return dropped

    def _hold(self, voice: VoicePacket, now: float) -> None:
        if self._held:
            at, first = self._held[0]
            if voice.timestamp - first.timestamp > (self._backlog_s + now - at) * CLOCK_HZ:
                self.discard()  # no standstill kept so much back: it counts on from elsewhere
        self._held.append((now, voice))
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
        self._counters.standstills += pacer.standstills
        if not self._pacers:
            self._opening_at = None
            self._opening.clear()
            self._fence = self.highest
            self._anew = True
            self._ended_at = self._shared.loop.time()
