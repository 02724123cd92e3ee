"""The bridge: takes news and happenings, has phones and couriers told, and answers what is asked of incidents."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import structlog

from gateway.delivery.events import Event
from gateway.incidents.document import Document
from gateway.incidents.effects import WhyDiscarded
from gateway.incidents.incident_state import IncidentState, new_incident
from gateway.incidents.lifecycle import Happened, Input, Linked, NewsArrived, TakenBack, Tick, handle
from groups.model import User
from groups.vocabulary import AgencyId, GroupId, GroupKind, IncidentCode, Refusal, UserId
from poc_server.bridge.codes import Codes
from poc_server.bridge.following import Following
from poc_server.bridge.intake import Intake, Job
from poc_server.bridge.owed import Owed
from poc_server.bridge.parties import Parties, Roll
from poc_server.bridge.phones import TAPS
from poc_server.bridge.setup import Setup
from poc_server.bridge.step import Batch, Done
from poc_server.bridge.telling import PhonesPort, Telling
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import SYSTEM, Actor, Change, DirectoryChange, IncidentJoined, Store
from poc_server.store.bridge import incident_events, incidents
from poc_server.store.bridge.heard import Heard
from signaling.messages import IncidentSummary
from signaling.messages.incident import Tap

if TYPE_CHECKING:
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)

TICK_S = 1.0
TELL_LATE_S = 10.0
DUE_AT_ONCE = 200


class Bridge:
    """Incidents of this server.

    Attributes:
        telling: what phones and couriers learn of it, and how much was taken.
        open: news is taken once this is set.
    """

    def __init__(
        self,
        setup: Setup,
        store: Store,
        phones: PhonesPort,
        batch: int,
        waiting_limit: int,
        tick_s: float = TICK_S,
        tell_late_s: float = TELL_LATE_S,
    ) -> None:
        self.setup = setup
        self.options = setup.options
        self.open = asyncio.Event()
        self._store, self._phones = store, phones
        self._tick_s = tick_s
        self._codes = Codes(store)
        self._rolls: dict[AgencyId, Roll] = {}
        self.telling = Telling(phones, self._codes)
        self._owed = Owed(store, self.telling, tell_late_s, tick_s)
        self._intake = Intake(self._owed, self.telling, self._new_batch, batch, waiting_limit)
        self._following = Following(store, self._owed, self._parties, self._new_batch, self.telling.followed)
        self.telling.noted.append(self._following.noted)
        self._tasks: list[asyncio.Task[None]] = []
        self._unsubscribe: Callable[[], None] | None = None

    def start(self) -> None:
        """Begin to take news; needs a running loop."""
        self._unsubscribe = self._store.directory.subscribe(self._directory_changed)
        self._owed.start()
        self._tasks = [
            asyncio.create_task(self._take_news(), name="incidents"),
            # Not behind the looks: of what is not said to be told in time, another node tells once more.
            asyncio.create_task(self._tick(self._owed.settle), name="incidents-owed"),
            asyncio.create_task(self._tick(self._look), name="incident-ticks"),
        ]

    async def aclose(self) -> None:
        """Stop; what was not taken is refused, and comes again."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._owed.aclose()
        self._intake.refuse_all()

    @property
    def waiting(self) -> int:
        """News on their way."""
        return self._intake.waiting

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

    async def news(
        self,
        agency: AgencyId,
        code: IncidentCode,
        document: Document,
        actor: Actor = SYSTEM,
        heard: Heard | None = None,
    ) -> Done:
        """Takes a document about a case. Refuses: too_fast when too much waits, unavailable while SQL is away.

        ``heard``: the piece of a signed message that it is; when that was taken before, nothing is changed.
        """

        def make(state: IncidentState) -> Input:
            newest = max((one.version for one in state.news), default=state.base_order[0])
            told = document
            if document.version is None:
                # A repetition is known by the id that its sender gave it, whatever came in between.
                known = (*((one.version, one.id) for one in state.news), *state.taken_back)
                again = next((version for version, name in known if name == document.id), None)
                told = replace(document, version=again)
            return NewsArrived(told.news(self._store.clock(), newest))

        return await self._intake.take(Job(agency, code, make, actor, "incident.news", heard=heard))

    async def take_back(
        self, agency: AgencyId, code: IncidentCode, wrong: TakenBack, actor: Actor, heard: Heard | None = None
    ) -> Done:
        """That was told wrongly: the case stands as if it had never come; audited.

        Refuses what is not kept (not_found).
        """
        await self.find(agency, code)
        detail = {"version": str(wrong.version)} | ({"id": wrong.id} if wrong.id else {})
        done = await self._intake.take(Job(agency, code, lambda _: wrong, actor, "incident.take_back", detail, heard))
        if any(each.why is WhyDiscarded.UNKNOWN for each in done.discarded):
            raise Refused(Refusal.NOT_FOUND, "news")
        return done

    async def report(self, user: User, code: IncidentCode, tap: Tap) -> Done:
        """An officer's tap. Refuses one who is not a member of the incident (not_found)."""
        group = incidents.group_of(user.agency, code)
        if self._store.directory.membership(group, user.id) is None:
            raise Refused(Refusal.NOT_FOUND, "incident")
        tapped = Happened(f"{code}/{tap}/{user.id}", TAPS[tap], self._store.clock(), user.id, {"name": user.name})

        def make(state: IncidentState) -> Input:
            return replace(tapped, id=f"{tapped.id}/{state.round}") if state.round else tapped

        return await self._intake.take(Job(user.agency, code, make, Actor(user.id, user.agency), "incident.report"))

    async def link(
        self,
        agency: AgencyId,
        code: IncidentCode,
        group: GroupId,
        actor: Actor,
        linked: bool = True,
        heard: Heard | None = None,
    ) -> Done:
        """Ties an existing group to an incident by hand, or takes it off. Refuses strangers (not_found)."""
        found = self._store.directory.group(group)
        if found is None or found.agency != agency or found.kind is GroupKind.INCIDENT:
            raise Refused(Refusal.NOT_FOUND, "group")
        await self.find(agency, code)
        return await self._intake.take(Job(agency, code, lambda _: Linked(group, linked), actor, heard=heard))

    async def tie(
        self, agency: AgencyId, code: IncidentCode, happened: Happened, actor: Actor, heard: Heard | None = None
    ) -> Done:
        """Ties a recorded burst to an incident later, audited."""
        await self.find(agency, code)
        return await self._intake.take(Job(agency, code, lambda _: happened, actor, "incident.tie", heard=heard))

    def code_of(self, group: GroupId) -> IncidentCode | None:
        """The incident whose address a group is, from memory; None for any other group."""
        return self._codes.of(group)

    # --- what is asked ---------------------------------------------------------------------------------------------

    async def known(self, agency: AgencyId, code: IncidentCode) -> IncidentState | None:
        """One incident; None when nothing is known of it."""
        async with self._store.reading() as connection:
            return await incidents.find(connection, agency, code)

    async def meant(
        self, agency: AgencyId, code: IncidentCode, document: Document
    ) -> tuple[IncidentState | None, frozenset[UserId]]:
        """An incident as it is known, and who would be members if this were told now."""
        async with self._store.reading() as connection:
            state = await incidents.find(connection, agency, code)
            news = NewsArrived(document.news(self._store.clock()))
            after, _ = handle(state or new_incident(code), news, self._store.clock(), self.options)
            told = {name: getattr(document, name) for name in ("parties", "point", "cell") if getattr(document, name)}
            asked = replace(after, incident=replace(after.incident, **told), near=frozenset())
            return state, (await self._parties(agency).resolve(connection, asked)).users

    async def meant_without(self, agency: AgencyId, code: IncidentCode, wrong: TakenBack) -> frozenset[UserId]:
        """To whom an incident would go if this were taken back; nobody where its parties stay as they are."""
        state = await self.find(agency, code)
        after, _ = handle(state, wrong, self._store.clock(), self.options)
        if after.incident.parties == state.incident.parties:
            return frozenset()
        async with self._store.reading() as connection:
            return (await self._parties(agency).resolve(connection, replace(after, near=frozenset()))).users

    async def find(self, agency: AgencyId, code: IncidentCode) -> IncidentState:
        """One incident. Refuses not_found."""
        found = await self.known(agency, code)
        if found is None:
            raise Refused(Refusal.NOT_FOUND, "incident")
        return found

    async def events(self, agency: AgencyId, code: IncidentCode, after: int, limit: int) -> list[Event]:
        """The events of an incident after a sequence number."""
        async with self._store.reading() as connection:
            return await incident_events.events_of(connection, agency, code, after, limit)

    async def newest(self, agency: AgencyId, code: IncidentCode, before: int, limit: int) -> list[Event]:
        """The newest events of an incident before a sequence number, the oldest of them first."""
        async with self._store.reading() as connection:
            return await incident_events.newest_of(connection, agency, code, before, limit)

    async def of_user(self, user: User, limit: int, text: str = "") -> tuple[list[IncidentSummary], bool]:
        """The few that matter to an officer, urgent first, and whether there are more. ``text``: in title or code."""
        directory = self._store.directory
        mine = [key for key in directory.groups_of(user.id) if _is_incident(directory.group(key))]
        async with self._store.reading() as connection:
            states = await incidents.that_matter(connection, mine, limit + 1, text)
        few = [
            self._phones.summary(each, incidents.group_of(user.agency, each.code), user.id) for each in states[:limit]
        ]
        return few, len(states) > limit

    def joined(self, user: User, group: GroupId) -> None:
        """Somebody affiliated with an incident's group: told once per incident and user, though SQL be away now."""
        joined = IncidentJoined(group=group, user=user.id, user_name=user.name, at_ms=self._store.clock())
        self._store.journal.append(joined)

    def switch(self, phone: Phone, group: GroupId, code: IncidentCode, title: str, version: int) -> None:
        """Another node took news that bring an incident forward on a phone of this one."""
        self._codes.know(group, code)
        self._phones.switch(phone, group, code, title, version)

    # --- private ---------------------------------------------------------------------------------------------------

    async def _take_news(self) -> None:
        await self.open.wait()
        await self._begin()
        await self._intake.run()

    def _directory_changed(self, change: DirectoryChange) -> None:
        self._following.directory_changed(change)
        self._codes.directory_changed(change)

    async def _begin(self) -> None:
        while True:
            try:
                await self._codes.load()
                async with self._store.writing() as connection:
                    await incidents.due_at_once(connection, self._store.clock())
            except StoreUnavailable:
                await asyncio.sleep(TICK_S)
            else:
                return

    def _parties(self, agency: AgencyId) -> Parties:
        snapshot = self._store.directory.snapshot
        roll = self._rolls.setdefault(agency, Roll(agency)).of(snapshot)
        return Parties(agency, snapshot, roll, self._store.places.all, self._store.clock())

    def _new_batch(self, change: Change, agency: AgencyId) -> Batch:
        snapshot = self._store.directory.snapshot
        return Batch(change, agency, snapshot, self._parties(agency), self.options, self._store.clock())

    async def _tick(self, work: Callable[[], Awaitable[None]]) -> None:
        await self.open.wait()
        while True:
            try:
                await work()
            except StoreUnavailable:
                await asyncio.sleep(self._tick_s)
            except Exception:
                log.exception("incident_tick_failed")
                await asyncio.sleep(self._tick_s)

    async def _look(self) -> None:
        """Takes long where thousands of pieces of news wait, or there are thousands of cases to look up again."""
        await self._time_passed()
        await self._codes.learn()
        await self._following.follow()

    async def _time_passed(self) -> None:
        due = await self._store.looks.ask(
            lambda connection: incidents.due(connection, self._store.clock(), DUE_AT_ONCE), self._tick_s
        )
        await asyncio.gather(
            *(self._intake.take(Job(agency, code, lambda _: Tick())) for agency, code in due),
            return_exceptions=True,
        )


def _is_incident(group: object) -> bool:
    return getattr(group, "kind", None) is GroupKind.INCIDENT
