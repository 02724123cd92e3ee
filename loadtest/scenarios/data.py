"""What a phone costs its owner: bytes on the wire per hour, idle, listening, talking, with all headers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from loadtest.phone import Phone
from loadtest.result import Progress, Result, fleet_figures
from loadtest.scenarios.crowd import AT_ONCE, all_ready, calm, fleet_for, in_one_group
from loadtest.server import Target
from loadtest.speech import recording


@dataclass(frozen=True, slots=True)
class DataOptions:
    """Each state is watched for so long; the talker releases for a moment after each burst."""

    seconds: float = 30.0
    burst_s: float = 10.0
    pause_s: float = 0.2


def wire_bytes(phone: Phone) -> int:
    """All bytes of ``phone`` so far, both ways, on the wire of an IPv4 network."""
    traffic = phone.voice.traffic
    packets = traffic.packets_in + traffic.packets_out
    return traffic.bytes_in + traffic.bytes_out + packets * phone.voice.overhead + sum(phone.link.wire_bytes())


async def run(target: Target, options: DataOptions, progress: Progress) -> Result:
    """Raises `CannotRun`."""
    group, people = in_one_group(target.identities, 2)
    async with fleet_for(target) as fleet:
        talker, listener = fleet.make(people, closely_every=1)
        all_ready(await fleet.connect([talker, listener], at_once=AT_ONCE, progress=progress, then=group))
        fleet.settle()
        await calm(target, len(fleet.phones))
        loop = asyncio.get_running_loop()
        start = wire_bytes(listener)
        progress("idle", 0, 2)
        await asyncio.sleep(options.seconds)
        idle = (wire_bytes(listener) - start) / options.seconds
        progress("talking", 1, 2)
        counted, began = (wire_bytes(talker), wire_bytes(listener)), loop.time()
        while loop.time() - began < options.seconds:
            fleet.air.begin(talker.number, talker.presses + 1, group)
            await fleet.speaker.speak(
                talker, group, recording("zh-report"), seconds=min(options.burst_s, options.seconds)
            )
            await asyncio.sleep(options.pause_s)
        took = loop.time() - began
        notes: list[str] = []
        figures = {
            "bytes_per_hour": {
                "idle": round(idle * 3600),
                "listening": round((wire_bytes(listener) - counted[1]) / took * 3600),
                "talking": round((wire_bytes(talker) - counted[0]) / took * 3600),
            },
            "fleet": fleet_figures(fleet, notes),
        }
        return Result(figures, {}, notes)
