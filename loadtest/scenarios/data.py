"""What a phone costs its owner: bytes on the wire per hour, idle, listening, talking, with all headers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import NamedTuple

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


class Spent(NamedTuple):
    """Bytes of a phone so far, both ways, on the wire of an IPv4 network."""

    checks: int
    """Connectivity checks and their answers."""
    voice: int
    """Voice, and the reports on it: all of an idle phone's."""
    socket: int
    """The WebSocket: that it would hear, mostly."""


def spent(phone: Phone) -> Spent:
    """What it is by now."""
    traffic, overhead = phone.voice.traffic, phone.voice.overhead
    checks = traffic.check_bytes + traffic.checks * overhead
    datagrams = traffic.bytes_in + traffic.bytes_out + (traffic.packets_in + traffic.packets_out) * overhead
    return Spent(checks, datagrams - checks, sum(phone.link.wire_bytes()))


def per_hour(phone: Phone, before: Spent, seconds: float) -> dict[str, int]:
    """What it spent since ``before``, on this scale, by kind."""
    spans = zip(Spent._fields, before, spent(phone), strict=True)
    return {kind: round((now - then) / seconds * 3600) for kind, then, now in spans}


async def run(target: Target, options: DataOptions, progress: Progress) -> Result:
    """Raises `CannotRun`."""
    group, people = in_one_group(target.identities, 2)
    async with fleet_for(target) as fleet:
        talker, listener = fleet.make(people, closely_every=1)
        all_ready(await fleet.connect([talker, listener], at_once=AT_ONCE, progress=progress, then=group))
        fleet.settle()
        await calm(target, len(fleet.phones))
        loop = asyncio.get_running_loop()
        before = spent(listener)
        progress("idle", 0, 2)
        await asyncio.sleep(options.seconds)
        idle = per_hour(listener, before, options.seconds)
        progress("talking", 1, 2)
        counted, began = (spent(talker), spent(listener)), loop.time()
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
                "idle": sum(idle.values()),
                "listening": sum(per_hour(listener, counted[1], took).values()),
                "talking": sum(per_hour(talker, counted[0], took).values()),
            },
            "idle_made_of": idle,
            "fleet": fleet_figures(fleet, notes),
        }
        return Result(figures, {}, notes)
