"""Runs the scenarios of the table one after the other, each against a fresh server, and the references beside them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from loadtest.reference import floor, murmur
from loadtest.reference.drain import NoReference
from loadtest.result import CannotRun, Progress
from loadtest.scenarios import data, emergency, fanout, idle, incidents, recorder, storm, talk
from loadtest.server import started
from loadtest.traffic import Traffic

GROWTH: Final = (100, 300, 1000)
"""Phones at which growth is drawn."""
PEOPLE_PER_GROUP: Final = 10
Tell = Callable[[str, Any], None]
"""Called with the name of a run and its figures, as each ends."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Seconds that each kind of run lasts."""

    talk: float = 60.0
    fanout: float = 10.0
    data: float = 30.0


@dataclass(frozen=True, slots=True)
class Bench:
    """All runs by name; ``growth`` by count of phones; ``missing`` says what could not be measured, and why."""

    runs: dict[str, dict[str, Any]]
    growth: dict[int, dict[str, dict[str, Any]]]
    missing: dict[str, str]
    notes: list[str]


async def bench(lengths: Lengths, progress: Progress, tell: Tell, *, only: frozenset[str] = frozenset()) -> Bench:
    """Take every figure there is; ``only`` names the runs wanted (empty: all)."""
    done = Bench({}, {}, {}, [])

    async def take(name: str, work: Callable[[], Any]) -> None:
        if only and name.split(maxsplit=1)[0] not in only:
            return
        try:
            found = await work()
        except (CannotRun, NoReference) as problem:
            done.missing[name] = str(problem)
            tell(name, {"failed": str(problem)})
            return
        done.runs[name] = found
        tell(name, found)

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
    await take("storm", scenario(storm, 1000, storm.StormOptions()))
    await take("idle", scenario(idle, 1000, idle.IdleOptions(seconds=lengths.talk / 3)))
    await take("emergency", scenario(emergency, 1000, emergency.EmergencyOptions()))
    await take("incidents", scenario(incidents, 500, incidents.IncidentsOptions(seconds=lengths.talk / 3)))
    await take("recorder", lambda: recorder.cost_of_recording(200, lengths.fanout * 1.5, progress))
    await take("groups", scenario(recorder, 2000, recorder.GroupsOptions()))
    await take("data", scenario(data, 10, data.DataOptions(seconds=lengths.data)))
    for phones in GROWTH:
        options = fanout.FanoutOptions(phones, seconds=lengths.fanout, keepalive=True)
        await take(f"growth fanout {phones}", scenario(fanout, phones + 1, options))
        groups = phones // PEOPLE_PER_GROUP
        chat = talk.TalkOptions(phones, groups, lengths.talk / 2, traffic=Traffic())
        await take(f"growth talk {phones}", scenario(talk, phones, chat))
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
