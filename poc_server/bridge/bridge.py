"""The bridge: takes news and happenings, in batches that share a transaction, and tells phones and couriers after.

A batch is one change of the directory. When a piece in it fails, all are taken again one by one, so that it takes
nothing else with it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import structlog

from gateway.document import Document
from gateway.effects import EventType
from gateway.events import Event
from gateway.lifecycle import Happened, IncidentState, Input, Linked, NewsArrived, Tick
from gateway.rules import shown
from groups.model import User
from groups.vocabulary import AgencyId, GroupId, GroupKind, IncidentCode, Refusal
from poc_server.bridge.phones import TAPS, IncidentPhones
from poc_server.bridge.setup import Setup
from poc_server.bridge.step import Done, Stepper
from poc_server.refused import Refused, StoreUnavailable
from poc_server.store import SYSTEM, Actor, Change, DirectoryChange, Store, incidents
from poc_server.store.ids import now_ms
from signaling.messages import IncidentSummary
from signaling.messages.incident import Tap

log = structlog.get_logger(__name__)

TICK_S = 1.0
DUE_AT_ONCE = 200
RESOLVE_AT_ONCE = 50
LISTED_AT_MOST = 100


@dataclass(slots=True)
class _Job:
    """One input on its way, and who waits for what it comes to."""

    agency: AgencyId
    code: IncidentCode
    make: Callable[[IncidentState], Input]
    actor: Actor
    action: str
    future: asyncio.Future[Done]


class Bridge:
    """Incidents of this server.

    Attributes:
        on_committed: called after every commit that made events; couriers wake by it.
        open: news is taken once this is set.
    """

    def __init__(self, setup: Setup, store: Store, phones: IncidentPhones, batch: int, waiting_limit: int) -> None:
        self.setup = setup
        self.options = setup.options
        self.on_committed: list[Callable[[], None]] = []
        self.open = asyncio.Event()
        self.taken = self.discarded = 0
        self._store, self._phones = store, phones
        self._batch, self._waiting_limit = batch, waiting_limit
        self._jobs: deque[_Job] = deque()
        self._codes: dict[GroupId, IncidentCode] = {}
        self._wake = asyncio.Event()
        self._resolve_again = False
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to take news; needs a running loop."""
        self._unsubscribe = self._store.directory.subscribe(self._directory_changed)
        self._tasks = [
            asyncio.create_task(self._take_batches(), name="incidents"),
            asyncio.create_task(self._tick(), name="incident-ticks"),
        ]

    async def aclose(self) -> None:
        """Stop; what was not taken is refused, and comes again."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        while self._jobs:
            self._jobs.popleft().future.cancel()

    @property
    def waiting(self) -> int:
        """News on their way."""
        return len(self._jobs)

    def agency(self) -> AgencyId:
        """Whose incidents senders tell of. Refuses (unavailable) when the setup names none that there is."""
        agencies = self._store.directory.snapshot.agencies
        wanted = self.setup.file.agency
        found = [key for key, agency in agencies.items() if wanted in (key, agency.name)] if wanted else list(agencies)
        if len(found) != 1:
            # Not a fault of the sender: what it tells must come again.
            raise Refused(Refusal.UNAVAILABLE, "agency: name one in the bridge's file", retry_after_ms=5_000)
        return found[0]

    # --- what comes in -------------------------------------------------------------------------------------------

    async def news(self, agency: AgencyId, code: IncidentCode, document: Document, actor: Actor = SYSTEM) -> Done:
        """Takes a document about a case. Refuses: too_fast when too much waits, unavailable while SQL is away."""

        def make(state: IncidentState) -> Input:
            newest = max((one.version for one in state.news), default=state.base_order[0])
            return NewsArrived(document.news(now_ms(), newest))

        return await self._submit(agency, code, make, actor, "incident.news")

    async def report(self, user: User, code: IncidentCode, tap: Tap) -> Done:
        """An officer's tap. Refuses one who is not a member of the incident (not_found)."""
        group = incidents.group_of(user.agency, code)
        if self._store.directory.membership(group, user.id) is None:
            raise Refused(Refusal.NOT_FOUND, "incident")
        happened = Happened(f"{code}/{tap}/{user.id}", TAPS[tap], now_ms(), user.id, {"name": user.name})
        actor = Actor(user.id, user.agency)
        return await self._submit(user.agency, code, lambda _: happened, actor, "incident.report")

    async def happened(self, group: GroupId, happened: Happened) -> None:
        """Something was said, seen or done in a group: it goes to every incident the group belongs to."""
        async with self._store.reading() as connection:
            found = await incidents.of_group(connection, group)
        for agency, code in found:
            # An event's id is unique within the agency; several incidents may share a group.
            own = replace(happened, id=f"{code}/{happened.id}")
            await self._submit(agency, code, partial(_always, own), SYSTEM, "")

    async def link(
        self, agency: AgencyId, code: IncidentCode, group: GroupId, actor: Actor, linked: bool = True
    ) -> Done:
        """Ties an existing group to an incident by hand, or takes it off. Refuses strangers (not_found)."""
        found = self._store.directory.group(group)
        if found is None or found.agency != agency or found.kind is GroupKind.INCIDENT:
            raise Refused(Refusal.NOT_FOUND, "group")
        return await self._submit(agency, code, lambda _: Linked(group, linked), actor, "", known=True)

    async def tie(self, agency: AgencyId, code: IncidentCode, happened: Happened, actor: Actor) -> Done:
        """Ties a recorded burst to an incident later, audited."""
        return await self._submit(agency, code, lambda _: happened, actor, "incident.tie", known=True)

    def code_of(self, group: GroupId) -> IncidentCode | None:
        """The incident whose address a group is, from memory; None for any other group."""
        return self._codes.get(group)

    # --- what is asked ---------------------------------------------------------------------------------------------

    async def find(self, agency: AgencyId, code: IncidentCode) -> IncidentState:
        """One incident. Refuses not_found."""
        async with self._store.reading() as connection:
            found = await incidents.find(connection, agency, code)
        if found is None:
            raise Refused(Refusal.NOT_FOUND, "incident")
        return found

    async def events(self, agency: AgencyId, code: IncidentCode, after: int, limit: int) -> list[Event]:
        """The events of an incident after a sequence number."""
        async with self._store.reading() as connection:
            return await incidents.events_of(connection, agency, code, after, limit)

    async def of_user(self, user: User, limit: int) -> list[IncidentSummary]:
        """The few that matter to an officer, urgent first."""
        directory = self._store.directory
        mine = [key for key in directory.groups_of(user.id) if _is_incident(directory.group(key))]
        async with self._store.reading() as connection:
            states = await incidents.of_groups(connection, mine)
        by_code = {state.code: state for state in states}
        few = shown((state.incident for state in states), self.options.rules, limit)
        return [
            self._phones.summary(by_code[each.code], incidents.group_of(user.agency, each.code), user.id)
            for each in few
        ]

    def joined(self, user: User, group: GroupId) -> None:
        """Somebody affiliated with an incident's group: told once per incident and user."""
        happened = Happened(f"joined/{user.id}", EventType.JOINED, now_ms(), user.id, {"name": user.name})
        task = asyncio.create_task(self._joined(group, happened))
        self._tasks.append(task)
        task.add_done_callback(self._tasks.remove)

    # --- private ---------------------------------------------------------------------------------------------------

    async def _joined(self, group: GroupId, happened: Happened) -> None:
        try:
            await self.happened(group, happened)
        except Refused as problem:
            log.warning("incident_event_lost", id=happened.id, problem=str(problem))

    async def _submit(
        self,
        agency: AgencyId,
        code: IncidentCode,
        make: Callable[[IncidentState], Input],
        actor: Actor,
        action: str,
        known: bool = False,
    ) -> Done:
        if len(self._jobs) >= self._waiting_limit:
            raise Refused(Refusal.TOO_FAST, "too much news at once", retry_after_ms=2_000)
        if known:
            await self.find(agency, code)
        job = _Job(agency, code, make, actor, action, asyncio.get_running_loop().create_future())
        self._jobs.append(job)
        self._wake.set()
        return await job.future

    async def _take_batches(self) -> None:
        await self.open.wait()
        await self._learn_codes()
        while True:
            self._wake.clear()
            if not self._jobs:
                await self._wake.wait()
            jobs = [self._jobs.popleft() for _ in range(min(self._batch, len(self._jobs)))]
            try:
                if len(jobs) == 1 or not await self._take(jobs):
                    for job in jobs:
                        await self._take([job])
            except asyncio.CancelledError:
                for job in jobs:
                    job.future.cancel()
                raise

    async def _learn_codes(self) -> None:
        while True:
            try:
                async with self._store.reading() as connection:
                    self._codes = await incidents.codes(connection)
            except StoreUnavailable:
                await asyncio.sleep(TICK_S)
            else:
                return

    async def _take(self, jobs: list[_Job]) -> bool:
        """Takes them in one transaction. Of several that failed nobody is told: they are to be taken one by one."""
        try:
            async with self._store.change() as change:
                results = [await self._step(change, job) for job in jobs]
        except Exception as problem:
            if len(jobs) == 1 and not jobs[0].future.done():
                jobs[0].future.set_exception(self._told(problem, jobs[0]))
            return False
        for job, done in zip(jobs, results, strict=True):
            if not job.future.done():
                job.future.set_result(done)
        self._after(results)
        return True

    async def _step(self, change: Change, job: _Job) -> Done:
        change.actor = job.actor
        done = await self._stepper(job.agency).step(change, job.code, job.make)
        if job.action and not done.discarded and job.actor is not SYSTEM:
            change.record(job.action, "incident", job.code, {}, job.agency)
        return done

    def _told(self, problem: Exception, job: _Job) -> Refused:
        if isinstance(problem, Refused):
            return problem
        log.error("incident_step_failed", incident=job.code, exc_info=problem)
        return Refused(Refusal.INTERNAL, type(problem).__name__)

    def _stepper(self, agency: AgencyId) -> Stepper:
        return Stepper(agency, self._store.directory.snapshot, self._store.places.all, self.options, now_ms())

    def _after(self, results: list[Done]) -> None:
        """What phones and couriers learn once it is certain."""
        for done in results:
            self._codes[done.group] = done.after.code
            self.taken += 1
            self.discarded += bool(done.discarded)
            if done.after != done.before:
                self._phones.changed(done.after, done.group, done.left)
            for forward in done.forward:
                self._phones.bring_forward(done.after, done.group, forward.users, forward.attention)
        if any(done.events for done in results):
            for call in self.on_committed:
                call()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self._time_passed()
                if self._resolve_again:
                    self._resolve_again = False
                    await self._resolve_live()
            except StoreUnavailable:
                continue
            except Exception:
                log.exception("incident_tick_failed")

    async def _time_passed(self) -> None:
        async with self._store.reading() as connection:
            due = await incidents.due(connection, now_ms(), DUE_AT_ONCE)
        await asyncio.gather(
            *(self._submit(agency, code, lambda _: Tick(), SYSTEM, "") for agency, code in due), return_exceptions=True
        )

    async def _resolve_live(self) -> None:
        """People, units or shifts are different: the members of live incidents may be, too."""
        async with self._store.reading() as connection:
            live = await incidents.live(connection)
        for start in range(0, len(live), RESOLVE_AT_ONCE):
            results = []
            async with self._store.change() as change:
                for agency, code in live[start : start + RESOLVE_AT_ONCE]:
                    results.append(await self._stepper(agency).resolve(change, code))
            self._after([done for done in results if done is not None])

    def _directory_changed(self, change: DirectoryChange) -> None:
        people = change.users and any(change.before.users.get(u) != change.after.users.get(u) for u in change.users)
        if change.everything or people or change.units or change.shifts:
            self._resolve_again = True


def _always(given: Input, _state: IncidentState) -> Input:
    return given


def _is_incident(group: object) -> bool:
    return getattr(group, "kind", None) is GroupKind.INCIDENT
