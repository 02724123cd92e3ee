"""What all phones of an edge share: settings, counts, the certificate, the clocks and the fan-out."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable

from codec.opus import CLOCK_HZ
from poc_server.media.counters import MediaCounters
from poc_server.media.downlink.fanout import Fanout
from poc_server.media.memory import Trimmer
from poc_server.media.native import Fan, fan
from poc_server.media.settings import MediaSettings
from poc_server.media.wire.dtls import HandshakeGate, Identity


def wall_ms() -> int:
    """Unix time in milliseconds."""
    return time.time_ns() // 1_000_000


class Shared:
    """Made once per edge. ``clock`` is floor control's clock in ms; intervals are measured on the loop's own."""

    def __init__(self, settings: MediaSettings, clock: Callable[[], int] = wall_ms) -> None:
        self.settings = settings
        self.clock = clock
        self.loop = asyncio.get_running_loop()
        self.counters = MediaCounters()
        self.identity = Identity()
        self.gate = HandshakeGate(settings.handshakes_per_tick)
        self.trimmer = Trimmer()
        self._busy_at = 0.0
        self._timestamp_origin = secrets.randbits(32)
        kernel = _kernel(settings)
        self.kernel = "python" if kernel is None else "native"
        """Who carries voice to audiences."""
        self.fanout = Fanout(self.loop, self.counters, self.timestamp, settings.slice_us, kernel)

    def busy(self, now: float) -> None:
        """There was voice, or a phone connected, at ``now`` of the loop's clock."""
        self._busy_at = now

    def quiet_s(self) -> float:
        """For how many seconds nobody has spoken and no phone has connected; exact to a fraction of ``report_s``."""
        return self.loop.time() - self._busy_at

    def timestamp(self) -> int:
        """Now, on the one 48 kHz clock that the timestamps of all slots follow; extended."""
        return self._timestamp_origin + int(self.loop.time() * CLOCK_HZ)


def _kernel(settings: MediaSettings) -> Fan | None:
    if settings.kernel == "native" and fan is None:
        raise RuntimeError("media.kernel is native, but the native kernel was not built (a C compiler, libcrypto 3)")
    return None if settings.kernel == "python" else fan
