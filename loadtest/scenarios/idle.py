"""Phones that are there and say nothing: what each costs the server all day."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from loadtest.result import Progress, Result
from loadtest.scenarios.crowd import AT_ONCE, NOT_AT_REST, all_ready, calm, fleet_for, share_out
from loadtest.server import Target

SETTLE_S = 3.0
"""After the last phone came, before the watch begins: presence is told once more."""


@dataclass(frozen=True, slots=True)
class IdleOptions:
    """How many phones, over how many groups, for how long."""

    phones: int = 1000
    groups: int = 100
    seconds: float = 20.0


async def run(target: Target, options: IdleOptions, progress: Progress) -> Result:
    """Raises `CannotRun`."""
    shares = share_out(target.identities, options.groups, options.phones)
    empty = target.cost()
    async with fleet_for(target) as fleet:
        for group, people in shares.items():
            phones = fleet.make(people, closely_every=options.phones)
            all_ready(await fleet.connect(phones, at_once=AT_ONCE, progress=_quiet, then=group))
            progress("connecting", len(fleet.phones), options.phones)
        fleet.settle()
        await asyncio.sleep(SETTLE_S)
        rest = await calm(target, len(fleet.phones))
        before = target.cost()
        await asyncio.sleep(options.seconds)
        after = target.cost()
        cpu = after.cpu_s - before.cpu_s
        figures = {
            "cpu_percent": round(100 * cpu / options.seconds, 2),
            "cpu_us_per_phone_second": round(cpu / options.seconds / options.phones * 1e6, 1),
            "kb_per_phone": round((after.rss_bytes - empty.rss_bytes) / 1024 / options.phones, 1),
            "rss_mb": round(after.rss_bytes / 2**20, 1),
        }
        return Result(figures, notes=[] if rest.reached else [NOT_AT_REST])


def _quiet(_what: str, _done: float, _of: float) -> None:
    """Progress is told per group."""
