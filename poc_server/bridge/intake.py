"""Inputs to incidents on their way into SQL, in batches that share a transaction; who waits for one is answered then.

A batch is one change of the directory. When a piece in it fails, all are taken again one by one, so that it takes
nothing else with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from gateway.incidents.incident_state import IncidentState
from gateway.incidents.lifecycle import Input
from groups.vocabulary import AgencyId, IncidentCode, Refusal
from poc_server.bridge.owed import Owed
from poc_server.bridge.step import Batch, Done
from poc_server.bridge.telling import Telling
from poc_server.ground.refused import Refused
from poc_server.store import SYSTEM, Actor, Change
from poc_server.store.bridge import heard
from poc_server.store.bridge.heard import Heard

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Job:
    """One input on its way, and who waits for what it comes to.

    Attributes:
        make: the input, for the incident as it stands.
        action: what the audit calls it, with ``detail``, when somebody did it and it changed something; empty: nothing.
        heard: the piece of a signed message that it is; when that was taken before, nothing is changed.
    """

    agency: AgencyId
    code: IncidentCode
    make: Callable[[IncidentState], Input]
    actor: Actor = SYSTEM
    action: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)
    heard: Heard | None = None
    future: asyncio.Future[Done] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class Intake:
    """Takes inputs one batch after the other.

    Args:
        batch: begins a batch within a change.
        size: most inputs of one batch.
        limit: most inputs that may wait.
    """

    def __init__(
        self, owed: Owed, telling: Telling, batch: Callable[[Change, AgencyId], Batch], size: int, limit: int
    ) -> None:
        self._owed, self._telling, self._batch = owed, telling, batch
        self._size, self._limit = size, limit
        self._jobs: deque[Job] = deque()
        self._wake = asyncio.Event()

    @property
    def waiting(self) -> int:
        """Inputs on their way."""
        return len(self._jobs)

    async def take(self, job: Job) -> Done:
        """What becomes of it, once it stands in SQL. Refuses: too_fast when too much waits, unavailable without SQL."""
        if len(self._jobs) >= self._limit:
            raise Refused(Refusal.TOO_FAST, "too much news at once", retry_after_ms=2_000)
        self._jobs.append(job)
        self._wake.set()
        return await job.future

    async def run(self) -> None:
        """Takes what comes until it is cancelled."""
        while True:
            self._wake.clear()
            if not self._jobs:
                await self._wake.wait()
            jobs = [self._jobs.popleft() for _ in range(min(self._size, len(self._jobs)))]
            try:
                if len(jobs) == 1 or not await self._take(jobs):
                    for job in jobs:
                        await self._take([job])
            except asyncio.CancelledError:
                for job in jobs:
                    job.future.cancel()
                raise

    def refuse_all(self) -> None:
        """What was not taken is not; it comes again."""
        while self._jobs:
            self._jobs.popleft().future.cancel()

    async def _take(self, jobs: list[Job]) -> bool:
        """Takes them in one transaction. Of several that failed nobody is told: they are to be taken one by one."""
        try:
            async with self._owed.change() as change:
                results = await self._steps(change, jobs)
        except Exception as problem:
            if len(jobs) == 1 and not jobs[0].future.done():
                jobs[0].future.set_exception(self._told(problem, jobs[0]))
            return False
        self._telling.committed(results)
        for job, done in zip(jobs, results, strict=True):
            # One incident a turn of the loop: to tell its phones and to answer costs a millisecond or two each, and
            # voice waits for none of the others.
            await asyncio.sleep(0)
            self._telling.told(done)
            if not job.future.done():
                job.future.set_result(done)
        self._owed.told(change.version)
        return True

    async def _steps(self, change: Change, jobs: list[Job]) -> list[Done]:
        batches = {agency: self._batch(change, agency) for agency in {job.agency for job in jobs}}
        for agency, batch in batches.items():
            await batch.load({job.code for job in jobs if job.agency == agency})
        marks = [job.heard for job in jobs if job.heard is not None]
        before = await heard.taken(change.connection, marks)
        await heard.note(change.connection, set(marks) - before, change.at_ms)
        results = []
        for job in jobs:
            if job.heard in before:
                results.append(batches[job.agency].again(job.code))
                continue
            if job.heard is not None:
                before.add(job.heard)
            done = await batches[job.agency].step(job.code, job.make, job.actor)
            if job.action and not done.discarded and job.actor is not SYSTEM:
                change.actor = job.actor
                change.record(job.action, "incident", job.code, job.detail, job.agency)
            results.append(done)
        for batch in batches.values():
            await batch.write()
        return results

    def _told(self, problem: Exception, job: Job) -> Refused:
        if isinstance(problem, Refused):
            return problem
        log.error("incident_step_failed", incident=job.code, exc_info=problem)
        return Refused(Refusal.INTERNAL, type(problem).__name__)
