"""All phones connect at once, as after an outage."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from loadtest.result import CannotRun, Progress, Result
from loadtest.scenarios.crowd import NOT_AT_REST, calm, fleet_for, share_out
from loadtest.server import Target
from loadtest.stats import Series


@dataclass(frozen=True, slots=True)
class StormOptions:
    """How many phones come, and over how many groups they spread."""

    phones: int = 1000
    groups: int = 1


async def run(target: Target, options: StormOptions, progress: Progress) -> Result:
    """Ready is: signed on, SRTP keys there, group selected. Raises `CannotRun`.

    ``cpu_ms_per_phone`` counts on until the server is calm again: what it puts off is part of what a storm costs.
    """
    shares = share_out(target.identities, options.groups, options.phones)
    ready = Series()
    async with fleet_for(target) as fleet:
        loop = asyncio.get_running_loop()
        phones = {group: fleet.make(people, closely_every=options.phones) for group, people in shares.items()}
        before, start, done = target.cost(), loop.time(), 0

        def note(_what: str, _done: float, _of: float) -> None:
            nonlocal done
            done += 1
            ready.add((loop.time() - start) * 1000)
            progress("connecting", done, options.phones)

        failures: list[str] = []
        for failed in await asyncio.gather(
            *(fleet.connect(some, at_once=options.phones, progress=note, then=g) for g, some in phones.items())
        ):
            failures += failed
        took, ready_cost = loop.time() - start, target.cost()
        rest = await calm(target, options.phones)
        after = target.cost()
        if len(failures) == options.phones:
            raise CannotRun(f"no phone connected: {failures[0]}")
        notes = [f"{len(failures)} phones failed: {', '.join(sorted(set(failures))[:5])}"] if failures else []
        figures = {
            "ready_s": round(took, 3),
            # Not what phones cost that are there, while it was waited for that.
            "cpu_ms_per_phone": round(
                (after.cpu_s - before.cpu_s - rest.share * rest.waited_s) / options.phones * 1000, 3
            ),
            "cpu_ms_until_ready": round((ready_cost.cpu_s - before.cpu_s) / options.phones * 1000, 3),
            "failed": len(failures),
            "ready_ms": ready.summary(),
            "kb_per_phone": round((after.rss_bytes - before.rss_bytes) / 1024 / options.phones, 1),
        }
        if not rest.reached:
            notes.append(NOT_AT_REST)
        return Result(figures, {"phone ready after, ms": ready}, notes)
