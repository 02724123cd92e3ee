"""PostgreSQL away under talk: a real server, simulated phones that talk all the while, and a database that is stopped.

``python -m tools.bench.journal_outage --seconds 60`` writes ``build/journal.json``: whether the rows are the bursts
that the phones were granted, none missing and none twice, and what access and the return of a known phone cost before,
during and after. Ends with 1 when rows and bursts differ, or when access was slower meanwhile than beside it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg

from loadtest.fleet import Fleet
from loadtest.identity import Identity
from loadtest.phone import Phone
from loadtest.scenarios.crowd import fleet_for, share_out
from loadtest.scenarios.talk import Talk, TalkOptions, bring_up
from loadtest.server import Target, started
from loadtest.speaking import Speaker, Spoken
from loadtest.speech import names, recording
from loadtest.stats import Series
from loadtest.traffic import Traffic
from loadtest.wire.dtls import Credentials
from tests.fixtures.databases import create_database
from tests.fixtures.postgres import Postgres

REPORT = Path("build/journal.json")
PATIENCE_S = 120.0
BUSY = Traffic(burst_s=1.2, session_s=6.0, pause_s=1.0, turn_s=0.3)
"""More bursts than people make, so that a minute holds hundreds."""
PHASES = ("before", "during", "after")
ENOUGH = 100
"""Presses of a phase from which on its times say something."""
SLOWER, NOISE_MS = 1.5, 5.0
"""Access is unchanged while it takes at most so many times what it took in the slower of the phases beside it, and so
many ms: what one run differs from the next on a machine that does other work."""


@dataclass(frozen=True)
class Options:
    """``seconds``: how long PostgreSQL is stopped; ``beside``: how long is talked before and after.

    ``first``: server and phones take the CPU before others, where that is allowed.
    """

    seconds: float = 60.0
    beside: float = 15.0
    phones: int = 80
    groups: int = 20
    first: bool = False


class Counting(Speaker):
    """Remembers every press."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[Spoken] = []

    async def speak(self, *given: Any, **more: Any) -> Spoken:
        """As a speaker does."""
        spoken = await super().speak(*given, **more)
        self.said.append(spoken)
        return spoken

    def has_spoken_since(self, at_ns: int) -> bool:
        """Whether a burst asked for since then was granted and is over."""
        return any(spoken.press.granted and spoken.press.requested_ns >= at_ns for spoken in self.said)


@dataclass
class Course:
    """When each phase began (ns since the epoch), and how long a known phone took to be ready in it (ms)."""

    began: dict[str, int] = field(default_factory=dict)
    return_ms: dict[str, list[float]] = field(default_factory=lambda: {phase: [] for phase in PHASES})
    stopped_s: float = 0.0
    caught_up_s: float = 0.0
    journal: dict[str, float] = field(default_factory=dict)

    def phase(self, at_ns: int) -> str:
        """The phase of a moment."""
        return [phase for phase in PHASES if self.began.get(phase, sys.maxsize) <= at_ns][-1]


async def run(options: Options) -> dict[str, Any]:
    """The whole course; returns the report."""
    cluster = await asyncio.to_thread(Postgres)
    try:
        await asyncio.to_thread(cluster.start)
        url = await create_database(cluster, "city")
        os.environ["POC_STORE__URL"] = url
        async with started(options.phones + 4, first=options.first) as target, fleet_for(target) as fleet:
            report = await _talk(options, cluster, target, fleet)
        rows = await _rows(url)
    finally:
        os.environ.pop("POC_STORE__URL", None)
        await asyncio.to_thread(cluster.remove)
    return report(rows)


async def _talk(
    options: Options, cluster: Postgres, target: Target, fleet: Fleet
) -> Callable[[Counter[tuple[str, int]]], dict[str, Any]]:
    for name in names():
        recording(name)
    fleet.speaker = speaker = Counting()
    shares = share_out(target.identities, options.groups, options.phones)
    groups = {group: fleet.make(people, closely_every=1_000) for group, people in shares.items()}
    taken = {phone.identity.user for phones in groups.values() for phone in phones}
    known = next(identity for identity in target.identities if identity.user not in taken)
    await bring_up(fleet, groups, options.phones, lambda *_: None)
    fleet.settle()
    course = Course()
    talk = Talk(fleet, TalkOptions(seconds=3_600, traffic=BUSY))
    talking = asyncio.create_task(talk.run(groups, []))
    await _pass(course, "before", options.beside, fleet, known, speaker)
    stopped = time.monotonic()
    await asyncio.to_thread(cluster.stop, "immediate")
    await _pass(course, "during", options.seconds, fleet, known, speaker)
    course.journal["waiting_at_return"] = _metric(target, "appended_total") - _metric(target, "applied_total")
    await asyncio.to_thread(cluster.start)
    course.stopped_s, back = time.monotonic() - stopped, time.monotonic()
    await _until(lambda: not _metric(target, "sql_away") and _behind(target) < options.groups)
    course.caught_up_s = time.monotonic() - back
    await _pass(course, "after", options.beside, fleet, known, speaker)
    talk.stop()
    await talking
    # What was said last is made into a file, then into a record, then into a row.
    await _until(lambda: _unfinished(target) == 0 and _behind(target) == 0)
    course.journal |= {name: _metric(target, f"{name}_total") for name in ("dead", "lost")}
    return lambda rows: _report(options, course, speaker.said, rows)


async def _pass(course: Course, phase: str, seconds: float, fleet: Fleet, known: Identity, speaker: Counting) -> None:
    """Let a phase go by, and somebody talk in it; meanwhile a phone that was here before comes back again and again."""
    course.began[phase] = time.time_ns()
    end = time.monotonic() + seconds
    latest = end + PATIENCE_S
    while (now := time.monotonic()) < end or (now < latest and not speaker.has_spoken_since(course.began[phase])):
        began = time.monotonic()
        phone = Phone(fleet.reactor, Credentials(), known, 60_000)
        await phone.connect(fleet.url)
        course.return_ms[phase].append((time.monotonic() - began) * 1000)
        phone.close()
        await asyncio.sleep(min(2.0, max(0.1, end - time.monotonic())))


async def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not await asyncio.to_thread(true):
        if time.monotonic() > end:
            raise TimeoutError("the journal did not catch up")
        await asyncio.sleep(0.05)


def _behind(target: Target) -> float:
    return _metric(target, "appended_total") - _metric(target, "applied_total")


def _unfinished(target: Target) -> float:
    finished = _metric(target, "finished_total", "recorder") + _metric(target, "failed_total", "recorder")
    return _metric(target, "bursts_total", "recorder") - finished


def _metric(target: Target, name: str, part: str = "journal") -> float:
    url = target.url.replace("ws://", "http://").removesuffix("/ws") + "/metrics"
    with urllib.request.urlopen(url, timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return float(next(line for line in lines if line.startswith(f"poc_{part}_{name} ")).split()[1])


async def _rows(url: str) -> Counter[tuple[str, int]]:
    connection = await asyncpg.connect(url)
    try:
        return Counter((row["group_id"], row["id"]) for row in await connection.fetch("SELECT group_id, id FROM burst"))
    finally:
        await connection.close()


def _report(options: Options, course: Course, said: list[Spoken], rows: Counter[tuple[str, int]]) -> dict[str, Any]:
    granted = {(spoken.press.group, spoken.press.burst): spoken for spoken in said if spoken.press.burst is not None}
    missing = {key: spoken for key, spoken in granted.items() if key not in rows}
    access = {phase: Series() for phase in PHASES}
    of_phase: Counter[str] = Counter()
    for spoken in said:
        phase = course.phase(spoken.press.requested_ns)
        of_phase[phase] += spoken.press.granted
        if spoken.press.access_ms is not None:
            access[phase].add(spoken.press.access_ms)
    return {
        "stopped_s": round(course.stopped_s, 1),
        "phones": options.phones,
        "groups": options.groups,
        "bursts": len(granted),
        "bursts_of_phase": {phase: of_phase[phase] for phase in PHASES},
        "rows": rows.total(),
        "missing": len(missing),
        "missing_of": [
            {
                "group": group,
                "burst": burst,
                "phase": course.phase(spoken.press.requested_ns),
                "packets": spoken.packets,
            }
            for (group, burst), spoken in missing.items()
        ],
        "unknown": len(rows.keys() - granted.keys()),
        "twice": rows.total() - len(rows),
        "failed_presses": sum(spoken.press.outcome == "failed" for spoken in said),
        "caught_up_s": round(course.caught_up_s, 2),
        **{name: int(value) for name, value in course.journal.items()},
        "access_ms": {phase: access[phase].summary() for phase in PHASES},
        "return_ms": {phase: _median(course.return_ms[phase]) for phase in PHASES},
    }


def _median(samples: list[float]) -> float:
    return round(sorted(samples)[len(samples) // 2], 1)


def wrong(report: dict[str, Any]) -> list[str]:
    """What must not be.

    A burst without its row, a row without its burst, a burst twice, a dead or lost record; and, where enough was talked
    to tell, access that was slower than before and after.
    """
    names = ("missing", "unknown", "twice", "dead", "lost", "failed_presses")
    return [f"{name}: {report[name]}" for name in names if report[name]] + _slower(report["access_ms"])


def _slower(access: dict[str, dict[str, Any]]) -> list[str]:
    if min(access[phase]["count"] for phase in PHASES) < ENOUGH:
        return []
    found = []
    for name in ("p50", "p95"):
        beside = max(access[phase][name] for phase in ("before", "after"))
        during = access["during"][name]
        if during > beside * SLOWER + NOISE_MS:
            found.append(f"access {name}: {during} ms, beside it {beside} ms")
    return found


def main(work: Callable[[Options], Awaitable[dict[str, Any]]] = run) -> None:
    """Run it, write it, say it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=Options.seconds, help="PostgreSQL is stopped so long")
    parser.add_argument("--beside", type=float, default=Options.beside, help="talk before and after, seconds each")
    parser.add_argument("--phones", type=int, default=Options.phones)
    parser.add_argument("--groups", type=int, default=Options.groups)
    report: dict[str, Any] = asyncio.run(work(Options(**vars(parser.parse_args()), first=True)))  # type: ignore[arg-type]
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report, indent=2))
    problems = wrong(report)
    if problems:
        raise SystemExit("; ".join(problems))


if __name__ == "__main__":
    main()
