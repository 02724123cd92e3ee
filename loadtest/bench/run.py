"""Runs the scenarios of the table one after the other, each against a fresh server, and the references beside them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from loadtest.reference import floor, murmur
from loadtest.reference.drain import NoReference
from loadtest.result import CannotRun, Progress
from loadtest.scenarios import data, emergency, fanout, idle, incidents, recorder, storm, talk
from loadtest.server import started
from loadtest.traffic import Traffic

GROWTH: Final = (100, 300, 1000)
"""Phones at which growth is drawn."""
KNEE: Final = 2000
"""Listeners of one talker, at 50 packets a second, among whom the end of a core or of the fleet is to be seen."""
STORM: Final = 1000
PEOPLE_PER_GROUP: Final = 10
LONGEST_S: Final = 400.0
"""A run that takes longer is given up."""
Tell = Callable[[str, Any], None]
"""Called with the name of a run and its figures, as each ends."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Seconds that each kind of run lasts."""

    talk: float = 30.0
    fanout: float = 8.0
    data: float = 15.0
    growth: float = 5.0


@dataclass(frozen=True, slots=True)
class Bench:
    """All runs by name; ``growth`` by count of phones; ``missing`` says what could not be measured, and why.

    ``took_s``: how long each run took, with the server's start.
    """

    runs: dict[str, dict[str, Any]]
    growth: dict[int, dict[str, dict[str, Any]]]
    missing: dict[str, str]
    notes: list[str]
    took_s: dict[str, float] = field(default_factory=dict)


async def bench(lengths: Lengths, progress: Progress, tell: Tell, *, only: frozenset[str] = frozenset()) -> Bench:
    """Take every figure there is; ``only`` names the runs wanted (empty: all)."""
    done = Bench({}, {}, {}, [])

    async def take(name: str, work: Callable[[], Any]) -> None:
        if only and name.split(maxsplit=1)[0] not in only:
            return
        began = time.monotonic()
        try:
            async with asyncio.timeout(LONGEST_S):
                found = await work()
        except Exception as problem:  # whatever broke this run, the others are worth having
            why = str(problem) if isinstance(problem, CannotRun | NoReference) else repr(problem)
            done.missing[name] = why
            tell(name, {"failed": why})
            return
        finally:
            done.took_s[name] = round(time.monotonic() - began, 1)
        done.runs[name] = found
        tell(name, {"took_s": done.took_s[name], **found})

    def scenario(module: Any, people: int, options: Any, **env: str) -> Callable[[], Any]:
        async def work() -> dict[str, Any]:
            async with started(people, first=True, env=env) as target:
                result = await module.run(target, options, progress)
            done.notes.extend(result.notes)
            figures: dict[str, Any] = result.figures
            return figures

        return work

    async def kernel() -> dict[str, Any]:
        return await asyncio.to_thread(floor.run, 500, 50, 80, lengths.fanout)

    async def mumble() -> dict[str, Any]:
        return await asyncio.to_thread(murmur.run, 500, 50, 80, lengths.fanout)

    await take("floor", kernel)
    await take("murmur", mumble)
    await take("fanout", scenario(fanout, 501, fanout.FanoutOptions(seconds=lengths.fanout)))
    options = fanout.FanoutOptions(seconds=lengths.fanout)
    await take("fanout python", scenario(fanout, 501, options, POC_MEDIA__KERNEL="python"))
    await take("floor again", kernel)
    _mean_floor(done.runs)
    await take("talk", scenario(talk, 500, talk.TalkOptions(seconds=lengths.talk)))
    await take("crowd", scenario(talk, 2500, talk.TalkOptions(seconds=lengths.talk, crowd=2000)))
    await take("storm", scenario(storm, STORM, storm.StormOptions(STORM)))
    await take("idle", scenario(idle, 1000, idle.IdleOptions(seconds=lengths.talk / 3)))
    await take("emergency", scenario(emergency, 1000, emergency.EmergencyOptions()))
    await take("incidents", scenario(incidents, 500, incidents.IncidentsOptions(seconds=lengths.talk / 3)))
    many = recorder.GroupsOptions(seconds=lengths.fanout / 2)
    await take("recorder", lambda: recorder.run(200, lengths.fanout, many, progress))
    await take("data", scenario(data, 10, data.DataOptions(seconds=lengths.data)))
    for phones in (*GROWTH, KNEE):
        options = fanout.FanoutOptions(phones, seconds=lengths.growth, keepalive=True)
        await take(f"growth fanout {phones}", scenario(fanout, phones + 1, options))
        if phones in GROWTH:
            chat = talk.TalkOptions(phones, phones // PEOPLE_PER_GROUP, 2 * lengths.growth, traffic=Traffic())
            await take(f"growth talk {phones}", scenario(talk, phones, chat))
        if phones == STORM and "storm" in done.runs:
            done.runs[f"growth storm {phones}"] = done.runs["storm"]
        elif phones in GROWTH:
            await take(f"growth storm {phones}", scenario(storm, phones, storm.StormOptions(phones)))
        done.growth[phones] = {
            kind: done.runs.pop(name)
            for kind in ("fanout", "talk", "storm")
            if (name := f"growth {kind} {phones}") in done.runs
        }
    return done


def _mean_floor(runs: dict[str, dict[str, Any]]) -> None:
    """The floor before and after the server's run: their mean is what this machine did meanwhile."""
    again = runs.pop("floor again", None)
    if again and "floor" in runs:
        both = (runs["floor"]["us_per_delivered"], again["us_per_delivered"])
        runs["floor"] = {**runs["floor"], "us_per_delivered": round(sum(both) / 2, 3), "before_and_after": list(both)}
