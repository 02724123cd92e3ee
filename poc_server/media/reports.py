"""RTCP of one phone: what we tell it of its voice and of our streams, and what it tells us of loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from codec.opus import CLOCK_HZ
from poc_server.media.wire import rtcp

if TYPE_CHECKING:
    from collections.abc import Sequence

    from poc_server.media.downlink.slot import Slot
    from poc_server.media.shared import Shared

BURST_GAP_SAMPLES = CLOCK_HZ // 2
"""A pause this long lies between bursts: the talker's timestamps stood still, so no jitter is taken over it."""


class Reporter(Protocol):
    """The phone that is reported to, and of (`poc_server.media.peer`)."""

    @property
    def slots(self) -> Sequence[Slot]:
        """Its slots."""

    def look_after(self, at: float) -> None:
        """There will be something to report at ``at`` of the loop's clock."""

    def send_rtcp(self, packet: bytes) -> None:
        """One report, sealed and sent."""


class Reports:
    """The RTCP side of a peer."""

    __slots__ = ("_arrived", "_peer", "_reception", "_rests", "_sender_report", "_sender_report_at", "_shared")

    def __init__(self, shared: Shared, peer: Reporter) -> None:
        self._shared = shared
        self._peer = peer
        self._reception: rtcp.Reception | None = None
        self._rests = True
        """There was no voice since the last report."""
        self._arrived = 0.0
        self._sender_report = 0
        self._sender_report_at = 0.0

    def voice(self, ssrc: int, sequence: int, timestamp: int, clock: float) -> None:
        """A voice packet arrived at ``clock``, in samples."""
        reception = self._reception
        if reception is None:
            self._reception = reception = rtcp.Reception(ssrc)
        reception.received(sequence, timestamp, clock, contiguous=clock - self._arrived < BURST_GAP_SAMPLES)
        self._arrived = clock
        if self._rests:
            self._rests = False
            self._peer.look_after(clock / CLOCK_HZ + self._shared.settings.report_s)

    def received(self, packet: bytes) -> None:
        """An RTCP packet of the phone, already opened."""
        counters = self._shared.counters
        compound = rtcp.parse(packet)
        if compound is None:
            counters.bad_rtcp += 1
            return
        counters.rtcp_in += 1
        now = self._shared.loop.time()
        if compound.sender is not None:
            self._sender_report, self._sender_report_at = compound.sender.ntp_middle, now
        for block in compound.blocks:
            for slot in self._peer.slots:
                if slot.ssrc == block.ssrc:
                    slot.total_lost, slot.report_came = block.total_lost, now
                    self._loss(slot, block.fraction_lost, now)

    def tick(self, now: float) -> float:
        """Send what is due; when to look again at the latest."""
        settings = self._shared.settings
        again = now + settings.sender_report_s
        if self._reception is not None and not self._rests:
            delay = int((now - self._sender_report_at) * 65_536) if self._sender_report else 0
            block = self._reception.report(self._sender_report, delay)
            if block is None:
                self._rests = True
            else:
                self._peer.send_rtcp(rtcp.receiver_report(self._peer.slots[0].ssrc, block))
                again = min(again, now + settings.report_s)
        for slot in self._peer.slots:
            if slot.lossy:
                slot.lossy = now <= slot.lossy_until
                again = min(again, slot.lossy_until) if slot.lossy else again
            if (slot.packets != slot.reported or slot.route is not None) and now >= slot.report_at:
                self._report(slot, now)
        return again

    def _report(self, slot: Slot, now: float) -> None:
        if slot.stream is None:
            return
        packets, octets = slot.packets, slot.octets
        if slot.route is not None:
            packets += slot.route.packets - slot.packets_mark
            octets += slot.route.octets - slot.octets_mark
        if packets == slot.reported:
            return
        slot.reported = packets
        slot.report_at = now + self._shared.settings.sender_report_s
        report = rtcp.sender_report(slot.ssrc, self._shared.clock(), self._shared.timestamp(), packets, octets)
        self._peer.send_rtcp(report)

    def _loss(self, slot: Slot, fraction_lost: int, now: float) -> None:
        """Send a listener each frame twice while it loses more than what its talker's own path has lost."""
        settings = self._shared.settings
        carried = slot.route.loss if slot.route is not None else slot.carried_loss
        lost = 100 * (fraction_lost / 256 - carried)
        if slot.red and lost > 0 and lost >= settings.red_loss_percent:
            slot.lossy = True
            slot.lossy_until = now + settings.red_hold_s
            self._peer.look_after(slot.lossy_until)
