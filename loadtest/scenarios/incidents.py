"""A case system dispatches a thousand cases at once while people talk: how long, and what talking costs meanwhile."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from loadtest.fleet import Fleet
from loadtest.phone import Phone
from loadtest.result import CannotRun, Progress, Result, fleet_figures
from loadtest.scenarios.crowd import calm, fleet_for, share_out
from loadtest.scenarios.talk import Talk, TalkOptions, bring_up
from loadtest.server import Target
from loadtest.speech import names, recording
from loadtest.stats import Series
from loadtest.traffic import Traffic
from signaling.messages import IncidentChanged

SINGLE_PAUSE_S: Final = 0.2
TOLD_TIMEOUT_S: Final = 30.0
OPENED_TIMEOUT_S: Final = 600.0
"""The last of thousands that come in one moment is answered when all before it are."""
CONNECTIONS: Final = 50
"""Of one HTTP client: its pool looks at all of them for each request, and thousands would keep it busy with itself."""
_LATER: Final = (429, 503)
DISPATCHER: Final = "dispatcher"


@dataclass(frozen=True, slots=True)
class IncidentsOptions:
    """``incidents`` of ``members`` are opened while ``phones`` in ``groups`` talk, who did so ``seconds`` before.

    ``singles`` cases come one by one before: how long until the last of their members' phones knows. ``at_once``:
    requests of the case system under way at the same time.
    """

    phones: int = 500
    groups: int = 50
    seconds: float = 20.0
    incidents: int = 1000
    members: int = 10
    singles: int = 30
    at_once: int = 32
    traffic: Traffic = field(default_factory=lambda: Traffic(burst_s=1.0, session_s=4.0, pause_s=1.0, turn_s=0.5))
    seed: int = 1


class _CaseSystem:
    """Tells of cases over HTTP, as one of the demo's dispatchers, from ``at_once`` connections."""

    def __init__(self, base: str, at_once: int) -> None:
        limits = httpx.Limits(max_connections=CONNECTIONS, max_keepalive_connections=CONNECTIONS)
        self._clients = [
            httpx.AsyncClient(base_url=base, timeout=OPENED_TIMEOUT_S, limits=limits, trust_env=False)
            for _ in range(-(-at_once // CONNECTIONS))
        ]
        self.began = time.time_ns() // 1_000_000
        self.told_to_wait = 0

    async def sign_in(self) -> None:
        """Raises `CannotRun` when the server has no demo people."""
        client = self._clients[0]
        answer = await client.get("/demo/people")
        people = answer.json() if answer.status_code == 200 else []
        found = next((each for each in people if DISPATCHER in each["roles"]), None)
        if found is None:
            raise CannotRun("needs a demo server: no dispatcher to step in as")
        signed = (await client.post(f"/demo/people/{found['id']}/step-in", json={})).json()
        for each in self._clients:
            each.headers["authorization"] = f"Bearer {signed['access_token']}"

    async def aclose(self) -> None:
        """Hangs up."""
        for each in self._clients:
            await each.aclose()

    def code(self, kind: str, number: int) -> str:
        """A code no run before had."""
        return f"{kind}{self.began}-{number}"

    async def dispatch(self, code: str, users: Sequence[str], connection: int = 0) -> None:
        """One case, open when this returns; told again later when the server wants that. Raises `CannotRun`."""
        case = {"title": "暴露垃圾", "parties": [{"kind": "user", "id": user} for user in users]}
        client = self._clients[connection // CONNECTIONS]
        while (answer := await client.put(f"/incidents/{code}", json=case)).status_code in _LATER:
            self.told_to_wait += 1
            await asyncio.sleep(float(answer.headers.get("retry-after", 1)))
        if answer.status_code != 200 or len(answer.json()["incident"]["members"]) != len(users):
            raise CannotRun(f"a case was not opened: {answer.status_code} {answer.text[:200]}")


async def run(target: Target, options: IncidentsOptions, progress: Progress) -> Result:
    """Raises `CannotRun`.

    ``told_ms``: a single case's request → the last member's phone knows. ``opened_s``: all of them, first request to
    last answer; ``told_to_wait``: how often the server said "later". ``access_ms``: of the talkers meanwhile, and
    before.
    """
    shares = share_out(target.identities, options.groups, options.phones)
    for name in names():
        recording(name)
    parts = urlsplit(target.url)
    base = f"{'https' if parts.scheme == 'wss' else 'http'}://{parts.netloc}/api/v1"
    async with fleet_for(target) as fleet, aclosing(_CaseSystem(base, options.at_once)) as cases:
        await cases.sign_in()
        groups = {group: fleet.make(people, closely_every=50) for group, people in shares.items()}
        await bring_up(fleet, groups, options.phones, progress)
        fleet.settle()
        await calm(target, options.phones)
        told_ms = await _singles(fleet, cases, options, progress)
        talk = Talk(fleet, TalkOptions(seconds=options.seconds + OPENED_TIMEOUT_S, traffic=options.traffic))
        talking = asyncio.create_task(talk.run(groups, []))
        await asyncio.sleep(options.seconds)
        before, talk.access_ms = talk.access_ms, Series()
        cost = target.cost()
        opened_s = await _open(cases, fleet.phones, options, progress)
        during, talk.access_ms = talk.access_ms, Series()
        cpu_s = target.cost().cpu_s - cost.cpu_s
        talk.stop()
        await talking
        notes: list[str] = []
        figures: dict[str, Any] = {
            "incidents": options.incidents,
            "at_once": options.at_once,
            "opened_s": round(opened_s, 2),
            "told_to_wait": cases.told_to_wait,
            "told_ms": told_ms.summary(),
            "access_before_ms": before.summary(),
            "access_ms": during.summary(),
            "cpu_ms_per_incident": round(cpu_s / options.incidents * 1000, 2),
            "double_talk": fleet.air.double_talk(),
            "fleet": fleet_figures(fleet, notes),
        }
        series = {"told, ms": told_ms, "access before, ms": before, "access meanwhile, ms": during}
        return Result(figures, series, notes)


async def _singles(fleet: Fleet, cases: _CaseSystem, options: IncidentsOptions, progress: Progress) -> Series:
    found, source = Series(), random.Random(options.seed)
    for number in range(options.singles):
        members = source.sample(fleet.phones, options.members)
        code = cases.code("S", number)
        told, stop = _told(members, code)
        asked = time.time_ns()
        await cases.dispatch(code, [phone.identity.user for phone in members])
        done, waiting = await asyncio.wait(told, timeout=TOLD_TIMEOUT_S)
        stop()
        if waiting:
            raise CannotRun(f"{len(waiting)} of {len(members)} phones were not told of a case")
        found.add((max(each.result() for each in done) - asked) / 1e6)
        progress("single cases", number + 1, options.singles)
        await asyncio.sleep(SINGLE_PAUSE_S)
    return found


def _told(phones: list[Phone], code: str) -> tuple[list[asyncio.Future[int]], Callable[[], None]]:
    """When each phone was first told of the case, and what ends the watching."""
    futures = []
    for phone in phones:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        phone.on_message = partial(_note, future, code)
        futures.append(future)

    def stop() -> None:
        for phone in phones:
            phone.on_message = None

    return futures, stop


def _note(future: asyncio.Future[int], code: str, message: object, stamp: int) -> None:
    if not future.done() and isinstance(message, IncidentChanged) and message.incident.code == code:
        future.set_result(stamp)


async def _open(cases: _CaseSystem, phones: list[Phone], options: IncidentsOptions, progress: Progress) -> float:
    source, numbers = random.Random(options.seed), iter(range(options.incidents))
    users = [phone.identity.user for phone in phones]
    began = time.monotonic()

    async def send(connection: int) -> None:
        for number in numbers:
            await cases.dispatch(cases.code("E", number), source.sample(users, options.members), connection)
            progress("cases", number + 1, options.incidents)

    await asyncio.gather(*(send(each) for each in range(min(options.at_once, options.incidents))))
    return time.monotonic() - began
