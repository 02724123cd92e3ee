"""The fan-out: one packet of a burst to every slot that hears it, in slices, in order.

Everything that is sent to slots goes through one queue, so that each slot gets its packets in order however large an
audience is, and so that no audience holds up floor control: after each slice the loop does other work. Per slot only
what differs is done: offsets added, header packed, payload sealed, datagram sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TYPE_CHECKING

from codec import opus, red
from codec.continuity import Position
from poc_server.media.counters import MediaCounters
from poc_server.media.downlink.slot import FAST_PAYLOAD_BYTES
from poc_server.media.native import Fan
from poc_server.media.wire.batch import CAPACITY, Batch
from poc_server.media.wire.sdp import OPUS, RED
from poc_server.media.wire.srtp import OVERHEAD_BYTES

if TYPE_CHECKING:
    from codec.packet import VoicePacket
    from poc_server.media.downlink.slot import Burst, Slot

MARKER = 0x80
MAX_LAG_S = 0.3
"""A packet that could not leave for so long is dropped: listeners would conceal it anyway, and the queue must end."""
MAX_AHEAD_S = 1.0
"""A slot whose timestamps are further ahead of the clock joins no burst until time has caught up. Those of one burst
may be ahead by a third of a second (its first packet was late), and of the next, begun at once, by as much again;
without a bound, voice of ever new talkers would wait in jitter buffers for ever longer."""
CHUNK = CAPACITY
"""Slots sent to between two looks at the clock."""


class Job:
    """A packet on its way to an audience, or the end of a burst on it when ``packet`` is ``None``."""

    __slots__ = ("at", "born", "end_timestamp", "entry", "octets", "packet", "packets", "previous", "route", "slots")

    def __init__(
        self,
        route: Burst,
        slots: tuple[Slot, ...],
        packet: VoicePacket | None,
        previous: VoicePacket | None = None,
        *,
        entry: bool = False,
    ) -> None:
        self.route = route
        self.slots = slots
        self.packet = packet
        self.previous = previous
        """The packet just before, where there is one: its frame goes to those who lose packets once more."""
        # As the burst stood when the job was made: more may have been pushed before it is done.
        self.end_timestamp, self.packets, self.octets = route.end_timestamp, route.packets, route.octets
        self.entry = entry
        """Sent again, for those only who have entered meanwhile."""
        self.at = 0
        """How many slots it was done for."""
        self.born = 0.0
        """When it was submitted, on the loop's clock."""

    def doubled(self, packet: VoicePacket) -> bytes | None:
        """Payload for those who get each frame twice; ``None`` where that cannot be."""
        if self.previous is None:
            return None
        back = red.Block(packet.timestamp - self.previous.timestamp, self.previous.payload)
        return red.build(OPUS, packet.payload, (back,))


class Fanout:
    """Sends jobs to slots. ``timestamp`` is the 48 kHz clock of all slots, ``fan`` the native kernel or none."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        counters: MediaCounters,
        timestamp: Callable[[], int],
        slice_us: int,
        fan: Fan | None = None,
    ) -> None:
        self._loop = loop
        self._counters = counters
        self._timestamp = timestamp
        self._slice_s = slice_us / 1e6
        self._fan = fan
        self._jobs: deque[Job] = deque()
        self._armed = False

    def submit(self, job: Job) -> None:
        """Do ``job`` after all that were submitted before, beginning with this turn of the loop."""
        job.born = self._loop.time()
        self._jobs.append(job)
        if not self._armed:
            self._armed = True
            self._loop.call_soon(self._run)

    def fill(self, slot: Slot, payload: bytes) -> bool:
        """Send one packet of silence on a slot that carries no burst; false when that cannot be.

        It follows at once on what the slot carried last, but is never behind the clock by more than a packet.
        """
        samples = opus.samples(payload)
        if slot.stream is None or slot.route is not None or slot.sendto is None:
            return False
        timestamp, clock = slot.position.timestamp, self._timestamp()
        if clock - timestamp > samples:
            timestamp = clock
        self._counters.warming_out += self._send(slot, OPUS, slot.position.sequence, timestamp, payload)
        slot.position = Position(slot.position.sequence + 1, timestamp + samples)
        slot.packets += 1
        slot.octets += len(payload)
        slot.reported = slot.packets  # a report on silence would tell a phone nothing
        return True

    def _run(self) -> None:
        jobs = self._jobs
        until = perf_counter() + self._slice_s
        try:
            while jobs:
                job = jobs[0]
                if job.at >= len(job.slots):
                    jobs.popleft()
                    continue
                if job.packet is None:
                    self._close_some(job)
                elif job.at == 0 and self._loop.time() - job.born > MAX_LAG_S:
                    self._counters.fanout_late += len(job.slots)
                    job.at = len(job.slots)
                else:
                    self._send_some(job, job.packet)
                if perf_counter() >= until:
                    break
        finally:
            self._armed = bool(jobs)
            if jobs:
                self._loop.call_soon(self._run)

    def _send_some(self, job: Job, packet: VoicePacket) -> None:
        at = job.at
        job.at += CHUNK
        if self._fan is None:
            self._send_each(job, packet, job.slots[at : at + CHUNK])
            return
        tried, refused, rest = self._fan(
            job.slots, at, job.route, packet.sequence, packet.timestamp, packet.payload, OPUS, job.entry,
            job.previous is not None,
        )  # fmt: skip
        self._counters.voice_out += tried - refused
        self._counters.send_refused += refused
        if rest is not None:
            self._send_each(job, packet, rest)

    def _send_each(self, job: Job, packet: VoicePacket, slots: Sequence[Slot]) -> None:
        """Slot by slot: where there is no kernel, and what it gives back (who joins, who gets frames twice)."""
        route, entry = job.route, job.entry
        sequence, timestamp, payload = packet.sequence, packet.timestamp, packet.payload
        fast, length = len(payload) <= FAST_PAYLOAD_BYTES, len(payload) + OVERHEAD_BYTES
        sent = 0
        doubled: bytes | None = None
        batch: Batch | None = None
        batches: list[Batch] = []
        for slot in slots:
            if slot.route is not route:
                if not self._join(slot, job, packet):
                    continue
            elif entry:
                continue
            first = slot.first
            if sequence < first:
                continue
            if sequence > slot.last:
                slot.last = sequence
            index, clock = sequence + slot.add_sequence, timestamp + slot.add_timestamp
            kind = OPUS if sequence != first else OPUS | MARKER
            if slot.lossy and kind == OPUS and (doubled or (doubled := job.doubled(packet))):
                sent += self._send_doubled(slot, index, clock, doubled)
            elif fast and slot.place is not None:
                if slot.place(kind, index, clock, payload):
                    slot.resize(length)
                if slot.batch is not batch:
                    batch = slot.batch
                    batches.append(batch)
                batch.add(slot.message)
                sent += 1
            else:
                sent += self._send(slot, kind, index, clock, payload)
        for one in batches:
            refused = one.flush()
            sent -= refused
            self._counters.send_refused += refused
        self._counters.voice_out += sent

    def _send_doubled(self, slot: Slot, index: int, timestamp: int, body: bytes) -> int:
        sent = self._send(slot, RED, index, timestamp, body)
        self._counters.red_out += sent
        return sent

    def _send(self, slot: Slot, kind: int, index: int, timestamp: int, body: bytes) -> int:
        stream = slot.stream
        if stream is None:
            return 0
        try:
            slot.sendto(stream.seal(kind, index, timestamp, body), slot.address)
        except OSError:
            self._counters.send_refused += 1
            return 0
        return 1

    def _join(self, slot: Slot, job: Job, packet: VoicePacket) -> bool:
        """Make ``slot`` carry the burst of ``job`` from ``packet`` on; false if it may not or cannot."""
        route = job.route
        if slot.stream is None or slot.claim is not route:
            return False
        if job.entry and slot.left is route and packet.sequence <= slot.left_at:
            return False  # it was away for a moment, and has heard this one
        other = slot.route
        if other is not None:
            self._close(slot, other, other.end_timestamp, other.packets, other.octets)
        clock = self._timestamp()
        if slot.position.timestamp - clock > MAX_AHEAD_S * opus.CLOCK_HZ:
            return False
        slot.join(route, slot.position.begin(packet.sequence, packet.timestamp, clock))
        slot.packets_mark, slot.octets_mark = job.packets - 1, job.octets - len(packet.payload)
        return True

    def _close_some(self, job: Job) -> None:
        at = job.at
        job.at += CHUNK
        for slot in job.slots[at : at + CHUNK]:
            if slot.route is job.route:
                self._close(slot, job.route, job.end_timestamp, job.packets, job.octets)

    def _close(self, slot: Slot, route: Burst, end_timestamp: int, packets: int, octets: int) -> None:
        """End a burst on ``slot`` with a silent frame: without it the last sound is smeared for 0.2 s."""
        position = slot.offsets.after(slot.last, end_timestamp)
        silence = route.silence
        if self._send(slot, OPUS, position.sequence, position.timestamp, silence):
            self._counters.silence_out += 1
        slot.carried_loss = route.loss
        slot.position = position.advance(1, opus.samples(silence))
        slot.packets += packets - slot.packets_mark + 1
        slot.octets += octets - slot.octets_mark + len(silence)
        slot.left, slot.left_at, slot.route = route, slot.last, None
