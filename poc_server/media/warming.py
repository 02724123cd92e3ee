"""Silence on the slots of a phone that has just connected, so that its jitter buffers settle before the first burst.

A browser's jitter buffer begins with a delay of 80 ms and learns only from packets, for half a second, how quick the
path really is. Were those packets the first words somebody says, they would be stretched by 60 ms and squeezed again
(measured: waveform correlation of the first second 0.48 instead of 0.95).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from codec import opus

if TYPE_CHECKING:
    from poc_server.media.downlink.slot import Slot
    from poc_server.media.shared import Shared


class Warming:
    """Sends at the pace of voice until ``warm_up_ms`` are over; a slot that gets a burst meanwhile needs no more."""

    def __init__(self, shared: Shared, slots: Sequence[Slot]) -> None:
        self._fanout, self._loop = shared.fanout, shared.loop
        self._slots = list(slots)
        frame_ms = shared.settings.ptime_ms
        self._silence = opus.plain_silence(frame_ms)
        self._pace_s = frame_ms / 1000
        self._due = self._loop.time()
        self._left = shared.settings.warm_up_ms // frame_ms
        self._timer: asyncio.TimerHandle | None = None
        self._step()

    def cancel(self) -> None:
        """Send nothing more."""
        self._left = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _step(self) -> None:
        self._timer = None
        if self._left <= 0:
            return
        self._left -= 1
        self._slots = [slot for slot in self._slots if self._fanout.fill(slot, self._silence)]
        if self._slots:
            self._due += self._pace_s
            self._timer = self._loop.call_at(self._due, self._step)
