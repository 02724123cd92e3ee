"""Members follow what is so: people, units, duty, cells and places change, and live incidents are looked up again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from gateway.incidents.effects import Address
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.lifecycle import MembersResolved
from groups.vocabulary import AgencyId, IncidentCode
from poc_server.bridge.owed import Owed
from poc_server.bridge.parties import Parties, follows_place
from poc_server.bridge.step import Batch, Done
from poc_server.store import Change, DirectoryChange, Store
from poc_server.store.bridge import incidents
from poc_server.store.city import duty
from poc_server.store.sql.statements import in_parts
from poc_server.talk.slices import SLICE_S

AT_ONCE = 50
"""Incidents looked at together, and changed together where they must be."""
PLACES_EVERY_MS = 20_000
"""How often incidents that were dispatched to whoever is near are looked up again."""
ALL_EVERY_MS = 600_000
"""How often all live incidents are looked up: of those another node took it is not known which follow places, and that
node may be gone."""
Key = tuple[AgencyId, IncidentCode]
LIVE = frozenset({Address.OPEN, Address.PARKED, Address.CLOSING})


class Following:
    """Knows when the members of which incidents may be others now, and makes them so.

    Args:
        owed: for changes that phones are told of.
        parties: who is who just now, for an agency.
        batch: for changing what must be changed.
        told: given what changed, after the commit.
    """

    def __init__(
        self,
        store: Store,
        owed: Owed,
        parties: Callable[[AgencyId], Parties],
        batch: Callable[[Change, AgencyId], Batch],
        told: Callable[[Sequence[Done]], Awaitable[None]],
    ) -> None:
        self._store, self._owed = store, owed
        self._parties, self._batch, self._told = parties, batch, told
        self._again = True
        self._by_place: set[Key] = set()
        self._duty_due = 0
        self._places_due = 0
        self._looked = 0

    def directory_changed(self, change: DirectoryChange) -> None:
        """People, units, shifts or cells are others: every live incident may be concerned."""
        people = change.users and any(change.before.users.get(u) != change.after.users.get(u) for u in change.users)
        if change.everything or change.shifts:
            self._duty_due = 0
        if change.everything or people or change.units or change.shifts or change.cells:
            self._again = True

    def noted(self, agency: AgencyId, state: IncidentState) -> None:
        """An incident as it is now."""
        if state.address in LIVE and follows_place(state.incident):
            self._by_place.add((agency, state.code))
        else:
            self._by_place.discard((agency, state.code))

    async def follow(self) -> None:
        """Looks up again what may be different. Raises `StoreUnavailable`; what was not looked at then comes again."""
        now = self._store.clock()
        if now < self._looked:  # it was set back: what is due by it would be late by as much
            self._duty_due = self._places_due = 0
        self._looked = now
        if now >= self._duty_due:
            # A shift that begins or ends changes who is on duty, and nobody changes the directory for it.
            boundary = duty.next_boundary(self._store.directory.snapshot, now)
            self._duty_due = min(boundary or now + ALL_EVERY_MS, now + ALL_EVERY_MS)
            self._again = True
        if self._again:
            self._again = False
            try:
                async with self._store.reading() as connection:
                    keys = await incidents.live(connection)
                await self._look(keys)
            except BaseException:
                self._again = True
                raise
        elif self._by_place and now >= self._places_due:
            self._places_due = now + PLACES_EVERY_MS
            await self._look(sorted(self._by_place))

    async def _look(self, keys: Sequence[Key]) -> None:
        for agency in sorted({agency for agency, _ in keys}):
            codes = [code for each, code in keys if each == agency]
            for part in in_parts(codes, AT_ONCE):
                changed = await self._differing(agency, part)
                if changed:
                    await self._settle(agency, changed)

    async def _differing(self, agency: AgencyId, codes: Sequence[IncidentCode]) -> list[IncidentCode]:
        """Those whose parties are others than its members. Only reads, for nearly always there is none."""
        parties, loop, found = self._parties(agency), asyncio.get_running_loop(), []
        end = loop.time() + SLICE_S
        async with self._store.reading() as connection:
            for state in (await incidents.find_many(connection, agency, codes)).values():
                self.noted(agency, state)
                now = await parties.resolve(connection, state)
                if now != MembersResolved(state.members, state.unknown, state.near, state.empty):
                    found.append(state.code)
                if loop.time() > end:
                    await asyncio.sleep(0)
                    end = loop.time() + SLICE_S
        return found

    async def _settle(self, agency: AgencyId, codes: list[IncidentCode]) -> None:
        async with self._owed.change() as change:
            batch = self._batch(change, agency)
            await batch.load(codes)
            done = [await batch.resolve(code) for code in codes]
            await batch.write()
        await self._told(done)
        self._owed.told(change.version)
