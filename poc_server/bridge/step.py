"""One step of one incident inside a transaction: state, group, members, events; what phones are told comes after."""

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
from groups.vocabulary import AgencyId, GroupId, IncidentCode, Refusal, UnitId, UserId
from poc_server.bridge.address import change_address, change_members, root_unit
from poc_server.bridge.parties import Parties
from poc_server.refused import Refused
from poc_server.store import Change, incidents
from poc_server.store.places import Place
from poc_server.store.snapshot import Snapshot


@dataclass(slots=True)
class Done:
    """What a step came to, for those who are told after the commit. ``known``: there was such an incident before."""

    agency: AgencyId
    group: GroupId
    before: IncidentState
    after: IncidentState
    known: bool
    discarded: tuple[Discarded, ...] = ()
    forward: list[BringForward] = field(default_factory=list)
    left: set[UserId] = field(default_factory=set)
    events: int = 0


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
        group = incidents.group_of(self.agency, code)
        done = Done(self.agency, group, before, before, found is not None)
        await self._feed(change, done, make(before))
        if done.after != before or found is None:
            await incidents.save(change.connection, self.agency, done.after, self.now, self.options)
        return done

    async def resolve(self, change: Change, code: IncidentCode) -> Done | None:
        """Looks up again who the parties are; None when there is no such incident."""
        state = await incidents.load(change.connection, self.agency, code)
        if state is None:
            return None
        found = await self._parties().resolve(change.connection, state.incident)
        return await self.step(change, code, lambda _: MembersResolved(found.users, found.unknown))

    async def _feed(self, change: Change, done: Done, given: Input) -> None:
        done.after, effects = handle(done.after, given, self.now, self.options)
        done.discarded += tuple(effect for effect in effects if isinstance(effect, Discarded))
        events = [effect for effect in effects if isinstance(effect, EventOut)]
        if events:
            done.events += await incidents.append(change.connection, self.agency, done.after.code, events)
        for effect in effects:
            await self._carry_out(change, done, effect)

    async def _carry_out(self, change: Change, done: Done, effect: Effect) -> None:
        match effect:
            case AddressChanged():
                await change_address(change, self.agency, done.group, effect, self._root())
                if effect.address is Address.REMOVED:
                    done.left |= done.before.members
            case ResolveParties():
                found = await self._parties().resolve(change.connection, done.after.incident)
                await self._feed(change, done, MembersResolved(found.users, found.unknown))
            case MembersChanged():
                await change_members(change, self.agency, done.group, effect, self.snapshot)
                done.left |= effect.left
            case BringForward():
                done.forward.append(effect)
            case LinkChanged():
                told = {"groups": sorted(effect.groups)}
                change.record("incident.link", "incident", done.after.code, told, self.agency)
            case _:
                pass

    def _parties(self) -> Parties:
        return Parties(self.agency, self.snapshot, self.places, self.now)

    def _root(self) -> UnitId:
        found = root_unit(self.snapshot, self.agency)
        if found is None:
            raise Refused(Refusal.NOT_FOUND, "the agency has no unit")
        return found
