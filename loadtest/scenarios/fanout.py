"""One talker, many listeners: what the server spends per delivered packet. Same work and counting as the reference."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Final

from codec.coding import FRAME_LENGTHS_MS
from loadtest.fleet import Fleet
from loadtest.phone import Phone
from loadtest.press import Press
from loadtest.result import CannotRun, Progress, Result, fleet_figures
from loadtest.scenarios.crowd import AT_ONCE, NOT_AT_REST, all_ready, calm, fleet_for, in_one_group
from loadtest.server import Target
from loadtest.speech import Recording, recording

SETTLE_S: Final = 0.5
"""After the last packet, as in the reference, so that the tail is counted."""
QUIET_S: Final = 4.0
"""Before the first word: what a server costs, and phones that are merely there, is told beside what voice costs."""
BURST_S: Final = 25.0
"""The talker releases and presses again before the server's transmit time limit (30 s)."""


@dataclass(frozen=True, slots=True)
class FanoutOptions:
    """``keepalive``: phones also prove consent and say that they listen meanwhile, which the reference does not."""

    listeners: int = 500
    pps: float = 50.0
    payload: int = 80
    seconds: float = 10.0
    closely_every: int = 50
    keepalive: bool = False


def frame_length(pps: float) -> int:
    """The frame length in ms that makes ``pps`` packets a second. Raises `CannotRun` for a rate Opus frames do not."""
    for frame_ms in FRAME_LENGTHS_MS:
        if abs(pps * frame_ms - 1000) < 20:
            return frame_ms
    raise CannotRun(f"{pps:g} packets a second are none of {', '.join(f'{1000 / f:.4g}' for f in FRAME_LENGTHS_MS)}")


async def run(target: Target, options: FanoutOptions, progress: Progress) -> Result:
    """Raises `CannotRun`.

    ``us_per_delivered`` is all that the server spent meanwhile, by packet; ``standing_percent`` of a core is what it
    spends with all phones there and nobody talking; ``voice_us_per_delivered`` is the one without the other.
    """
    frame_ms = frame_length(options.pps)
    try:
        speech = recording("en-order", frame_ms, options.payload)
    except ValueError as problem:
        raise CannotRun(f"no speech fits into {options.payload} bytes: {problem}") from None
    group, people = in_one_group(target.identities, options.listeners + 1)
    async with fleet_for(target) as fleet:
        phones = fleet.make(people, closely_every=options.closely_every, frame_ms=frame_ms, chatty=options.keepalive)
        all_ready(await fleet.connect(phones, at_once=AT_ONCE, progress=progress, then=group))
        fleet.settle()
        rest = await calm(target, len(fleet.phones))
        talker, loop = phones[0], asyncio.get_running_loop()
        quiet, began = target.cost().cpu_s, loop.time()
        await asyncio.sleep(min(QUIET_S, options.seconds))
        standing = (target.cost().cpu_s - quiet) / (loop.time() - began)
        press = await _floor(fleet, talker, group)
        heard, before, began = fleet.packets_heard(), target.cost(), loop.time()
        sent = await _talk(fleet, talker, press, speech, options.seconds, progress)
        await asyncio.sleep(SETTLE_S)
        took = loop.time() - began
        cpu, delivered = target.cost().cpu_s - before.cpu_s, fleet.packets_heard() - heard
        talker.release_key()
        notes = [] if rest.reached else [NOT_AT_REST]
        figures = {
            "sent": sent,
            "delivered": delivered,
            "expected": sent * options.listeners,
            "cpu_s": round(cpu, 3),
            "us_per_delivered": round(cpu / delivered * 1e6, 3) if delivered else None,
            "standing_percent": round(100 * standing, 2),
            "voice_us_per_delivered": round((cpu - standing * took) / delivered * 1e6, 3) if delivered else None,
            "relay_ms": fleet.air.relay_ms.summary(),
            "fleet": fleet_figures(fleet, notes),
        }
        series = {"relay, ms": fleet.air.relay_ms, "fleet sends late, ms": fleet.speaker.late_ms}
        return Result(figures, series, notes)


async def _floor(fleet: Fleet, talker: Phone, group: str) -> Press:
    press = talker.press_key(group)
    fleet.air.begin(talker.number, press.number, group)
    if not await press.settled:
        raise CannotRun(f"the floor was not granted: {press.cause}")
    return press


async def _talk(
    fleet: Fleet, talker: Phone, press: Press, speech: Recording, seconds: float, progress: Progress
) -> int:
    """Packets sent at the pace of speech."""
    loop = asyncio.get_running_loop()
    frame_s, sent, group = speech.frame_ms / 1000, 0, press.group
    start = pressed = loop.time()
    base = int(start * 48_000)
    while (now := loop.time()) - start < seconds:
        if now - pressed > BURST_S or press.revoked.done():
            talker.release_key()
            press, pressed = await _floor(fleet, talker, group), loop.time()
        fleet.speaker.late_ms.add((now - start - sent * frame_s) * 1000)
        talker.speak(
            speech.frames[sent % len(speech.frames)].marked(talker.number, press.number, sent, time.time_ns()),
            base + sent * speech.step,
        )
        sent += 1
        if sent % 25 == 0:
            progress("talking", now - start, seconds)
        await asyncio.sleep(max(0.0, start + sent * frame_s - loop.time()))
    return sent
