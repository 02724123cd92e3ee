"""One talk burst of a simulated phone: press, speak at the pace of speech, release."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from loadtest.phone import ANSWER_TIMEOUT_S, Phone
from loadtest.press import Press
from loadtest.speech import Recording
from loadtest.stats import Series

RTP_RATE: Final = 48_000


@dataclass(slots=True)
class Spoken:
    """A press and what was sent for it. ``sent_bytes`` counts Opus payload."""

    press: Press
    packets: int = 0
    sent_bytes: int = 0


class Speaker:
    """Speaks through phones; ``late_ms`` is how long after its time each packet went out: this process' own fault."""

    def __init__(self) -> None:
        self.late_ms = Series()

    async def speak(
        self, phone: Phone, group: str, speech: Recording, *, seconds: float | None = None, patience_s: float = 10.0
    ) -> Spoken:
        """Press in ``group`` and speak for ``seconds`` (None: the recording to its end), repeating it when short.

        As a microphone does, the first packet comes one frame after the key. While queued nothing is sent; after
        ``patience_s`` in the queue the key is released.
        """
        press = phone.press_key(group)
        spoken = Spoken(press)
        try:
            await self._burst(phone, spoken, speech, seconds, patience_s)
        finally:
            if phone.press is press:
                phone.release_key()
        return spoken

    async def _burst(
        self, phone: Phone, spoken: Spoken, speech: Recording, seconds: float | None, patience_s: float
    ) -> None:
        press = spoken.press
        loop = asyncio.get_running_loop()
        frame_s = speech.frame_ms / 1000
        frames = len(speech.frames) if seconds is None else max(1, round(seconds / frame_s))
        start, base, n = loop.time(), int(loop.time() * RTP_RATE), 0
        while n < frames:
            due = start + (n + 1) * frame_s
            await asyncio.sleep(due - loop.time())
            if press.waiting:
                if not await _granted(press, patience_s):
                    return
                start, base, n = loop.time(), int(loop.time() * RTP_RATE), 0
                continue
            if press.revoked.done() or (press.settled.done() and not press.settled.result()):
                return
            if not press.granted and loop.time() - start > ANSWER_TIMEOUT_S:
                press.fail()
                return
            self.late_ms.add((loop.time() - due) * 1000)
            sent_ns = time.time_ns()
            packet = speech.frames[n % len(speech.frames)].marked(phone.number, press.number, n, sent_ns)
            phone.speak(packet, base + n * speech.step)
            n += 1
            spoken.packets += 1
            spoken.sent_bytes += len(packet)


async def _granted(press: Press, patience_s: float) -> bool:
    try:
        async with asyncio.timeout(patience_s):
            return await asyncio.shield(press.settled)
    except TimeoutError:
        return False
