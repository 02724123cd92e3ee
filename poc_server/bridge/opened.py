"""The bridge of a running process, opened and closed as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from gateway.incidents.incident_state import IncidentState
from gateway.incidents.lifecycle import Happened
from groups.vocabulary import AgencyId, GroupId, IncidentCode, Refusal, UnitId, UserId
from poc_server.bridge import phones
from poc_server.bridge.bridge import Bridge
from poc_server.bridge.burst_facts import BurstFacts
from poc_server.bridge.couriers import Couriers
from poc_server.bridge.links import Links
from poc_server.bridge.materials import Gatherer
from poc_server.bridge.senders import Inbox
from poc_server.bridge.settings import BridgeSettings
from poc_server.bridge.setup import load
from poc_server.ground.refused import Refused
from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.layout import has_file
from poc_server.recording.replaying.listening import disk_away
from poc_server.store import Actor, Store
from poc_server.store.bridge import incident_bursts, incidents
from poc_server.store.bridge.incident_bursts import Recording
from poc_server.store.bridge.incidents import Asked
from poc_server.store.records import materials
from signaling.messages import GroupPresence

if TYPE_CHECKING:
    from poc_server.fabric.interface import Fabric
    from poc_server.talk.calls.calls import Calls
    from poc_server.talk.presence import Presence


JUDGED_AT_ONCE = 16
"""People whose right to tell of a case is looked up at the same time."""


class Field(phones.Field, Protocol):
    """What the whole bridge sees of a node (`poc_server.node`)."""

    fabric: Fabric
    calls: Calls
    presence: Presence


@dataclass(frozen=True, slots=True)
class Photo:
    """The file of a photo, its media type, and whose it is."""

    path: Path
    media_type: str
    agency: AgencyId
    group: GroupId


@dataclass(frozen=True, slots=True)
class OpenBridge:
    """Everything of the bridge in one hand, for the API and the app.

    Attributes:
        presence: how many have a group open on this node, and would hear.
        entrance: who asks SQL whether he may tell of a case waits here for his turn, not there for a connection, where
            thousands at once would all be turned away and all come again.
    """

    bridge: Bridge
    inbox: Inbox
    couriers: Couriers
    links: Links
    store: Store
    recordings: RecordingsFolder
    facts: BurstFacts
    presence: Callable[[GroupId], GroupPresence]
    entrance: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(JUDGED_AT_ONCE))

    @classmethod
    def open(
        cls, settings: BridgeSettings, node: Field, store: Store, keys: Path, recordings: RecordingsFolder
    ) -> OpenBridge:
        """Read the setup and begin; needs a running loop. Raises `poc_server.bridge.setup.BadSetup`."""
        bridge = Bridge(
            load(settings.file),
            store,
            phones.IncidentPhones(node),
            settings.batch,
            settings.waiting_limit,
            tell_late_s=settings.tell_late_s,
        )
        links = Links.open(keys, settings.public_url, settings.link_life_s)
        inbox = Inbox(bridge, store)
        gatherer = Gatherer(store, links, recordings.path, recordings.is_there)
        couriers = Couriers(bridge, inbox, store, gatherer, settings.delivered_days)
        bridge.start()
        couriers.start()
        facts = BurstFacts(bridge, store.places, node.fabric.now)
        facts.calls.append(node.calls.of_group)
        return cls(bridge, inbox, couriers, links, store, recordings, facts, node.presence.counts)

    async def aclose(self) -> None:
        """Stop carrying and polling, then taking."""
        await self.couriers.aclose()
        await self.bridge.aclose()

    async def page(self, agency: AgencyId, limit: int, asked: Asked) -> list[IncidentState]:
        """Incidents, those that changed last first."""
        async with self.store.reading() as connection:
            return await incidents.page(connection, agency, limit, asked)

    async def burst(
        self, agency: AgencyId, code: IncidentCode, recording: str, actor: Actor
    ) -> tuple[Happened, GroupId, UnitId | None]:
        """A recorded burst as an incident is told of it when it is tied to it later, its group, and whose that was.

        Refuses not_found.
        """
        async with self.store.reading() as connection:
            row = await incident_bursts.burst_row(connection, agency, recording)
        if row is None:
            raise Refused(Refusal.NOT_FOUND, "recording")
        told = incident_bursts.happened(row._asdict())
        data = {**(told.data or {}), "tied_by": actor.user}
        tied = Happened(f"{code}/{told.id}", told.type, told.at, told.user, data)
        return tied, GroupId(row.group_id), None if row.unit_id is None else UnitId(row.unit_id)

    def file_of(self, found: Recording) -> Path | None:
        """The file of a recording, None when there is none; never one outside the recordings' folder.

        Refuses (unavailable) while their disk is not there.
        """
        return self._kept(found.file)

    async def photo(self, photo: str) -> Photo | None:
        """A photo; None when there is none. Refuses (unavailable) while its disk is not there."""
        async with self.store.reading() as connection:
            row = await materials.find(connection, photo)
        path = None if row is None else self._kept(row.file)
        return None if row is None or path is None else Photo(path, row.media_type, row.agency_id, row.group_id)

    def _kept(self, file: str) -> Path | None:
        path = (self.recordings.path / file).resolve()
        if not file or not path.is_relative_to(self.recordings.path.resolve()):
            return None
        if has_file(path):
            return path
        if not self.recordings.is_there():
            raise disk_away()
        return None

    def names(self) -> Callable[[str], str]:
        """What people are called, by id."""
        users = self.store.directory.snapshot.users

        def name(user: str) -> str:
            found = users.get(UserId(user))
            return found.name if found else user

        return name
