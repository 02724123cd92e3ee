"""One step of one incident inside a transaction: state, group, members, events; what phones are told comes after.

The machine is asked until it has nothing more to say; then everything is written at once, for a city files hundreds of
cases in an hour and each statement costs the loop that carries voice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from gateway.effects import (
    Address,
    AddressChanged,
    BringForward,
    Discarded,
    Effect,
    EventOut,
    LinkChanged,
    MembersChanged,
    ResolveParties,
)
from gateway.lifecycle import IncidentState, Input, MembersResolved, Options, handle, new_incident
from groups.vocabulary import AgencyId, GroupId, IncidentCode, UserId
from poc_server.bridge.address import change_group
from poc_server.bridge.parties import Parties
from poc_server.store import Change, incidents
from poc_server.store.places import Place
from poc_server.store.snapshot import Snapshot


@dataclass(slots=True)
class Done:
    """What a step came to, for those who are told after the commit. ``events``: how many new ones there are."""

    agency: AgencyId
    group: GroupId
    before: IncidentState
    after: IncidentState
    discarded: tuple[Discarded, ...] = ()
    forward: list[BringForward] = field(default_factory=list)
    left: frozenset[UserId] = frozenset()
    events: int = 0


@dataclass(slots=True)
class _Asked:
    """What the machine asked for in one step."""

    address: AddressChanged | None = None
    members: bool = False
    links: bool = False
    events: list[EventOut] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Stepper:
    """Takes inputs to incidents of one agency, as of one directory."""

    agency: AgencyId
    snapshot: Snapshot
    places: Callable[[], Iterable[Place]]
    options: Options
    now: int

    async def step(self, change: Change, code: IncidentCode, make: Callable[[IncidentState], Input]) -> Done:
        """Feeds the input that ``make`` gives for the incident as it stands; everything in ``change``'s transaction."""
        found = await incidents.load(change.connection, self.agency, code)
        before = found or new_incident(code)
        done = Done(self.agency, incidents.group_of(self.agency, code), before, before)
        asked = _Asked()
        await self._feed(change, done, asked, make(before))
        await self._write(change, done, asked, new=found is None)
        return done

    async def resolve(self, change: Change, code: IncidentCode) -> Done | None:
        """Looks up again who the parties are; None when there is no such incident."""
        state = await incidents.load(change.connection, self.agency, code)
        if state is None:
            return None
        found = await self._parties().resolve(change.connection, state.incident)
        if found.users == state.members and found.unknown == state.unknown:
            return Done(self.agency, incidents.group_of(self.agency, code), state, state)
        return await self.step(change, code, lambda _: MembersResolved(found.users, found.unknown))

    async def _feed(self, change: Change, done: Done, asked: _Asked, given: Input) -> None:
        done.after, effects = handle(done.after, given, self.now, self.options)
        for effect in effects:
            await self._take(change, done, asked, effect)

    async def _take(self, change: Change, done: Done, asked: _Asked, effect: Effect) -> None:
        match effect:
            case AddressChanged():
                asked.address = effect
            case MembersChanged():
                asked.members = True
            case LinkChanged():
                asked.links = True
            case EventOut():
                asked.events.append(effect)
            case BringForward():
                done.forward.append(effect)
            case Discarded():
                done.discarded += (effect,)
            case ResolveParties():
                found = await self._parties().resolve(change.connection, done.after.incident)
                await self._feed(change, done, asked, MembersResolved(found.users, found.unknown))
            case _:
                pass

    async def _write(self, change: Change, done: Done, asked: _Asked, *, new: bool) -> None:
        connection, after = change.connection, done.after
        if asked.address is not None or asked.members:
            address = asked.address or AddressChanged(after.address, after.name)
            members = frozenset() if address.address is Address.REMOVED else after.members
            await change_group(change, self.agency, done.group, address, done.before.members, members, self.snapshot)
            done.left = done.before.members - members
        if asked.events:
            done.events = await incidents.append(connection, self.agency, after.code, asked.events)
        if new or after != done.before:
            await incidents.save(connection, self.agency, after, self.now, self.options, new=new)
        if asked.links:
            await incidents.save_links(connection, self.agency, after)
            told = {"groups": sorted(after.groups)}
            change.record("incident.link", "incident", after.code, told, self.agency)

    def _parties(self) -> Parties:
        return Parties(self.agency, self.snapshot, self.places, self.now)
