"""Inputs to incidents inside one transaction: states, groups, members, events; what phones are told comes after.

Each machine is asked until it has nothing more to say; then all that a batch of them asked for is written at once, for
a city files hundreds of cases in an hour and each statement costs the loop that carries voice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from gateway.incidents.effects import (
    Address,
    AddressChanged,
    BringForward,
    Discarded,
    Effect,
    EventOut,
    LinkChanged,
    MembersChanged,
    ResolveParties,
    Rivals,
    WhyDiscarded,
)
from gateway.incidents.incident_state import IncidentState, Options, new_incident
from gateway.incidents.lifecycle import Input, Tick, handle
from groups.vocabulary import AgencyId, GroupId, IncidentCode, UserId
from poc_server.bridge import address
from poc_server.bridge.parties import Parties
from poc_server.store import SYSTEM, Actor, Change
from poc_server.store.bridge import incident_events, incident_groups, incidents, untold
from poc_server.store.bridge.untold import Untold
from poc_server.store.directory.snapshot import Snapshot
from poc_server.talk.slices import SLICE_S


@dataclass(slots=True)
class Done:
    """What a step came to, for those who are told after the commit.

    Attributes:
        version: of the change it is part of.
        events: how many it made.
    """

    version: int
    agency: AgencyId
    group: GroupId
    before: IncidentState
    after: IncidentState
    discarded: tuple[Discarded, ...] = ()
    rivals: tuple[Rivals, ...] = ()
    forward: list[BringForward] = field(default_factory=list)
    events: int = 0

    @property
    def left(self) -> frozenset[UserId]:
        """Who is no member any more."""
        return self.before.members - self.after.members


@dataclass(slots=True)
class _Line:
    """One incident of the batch: what it was in SQL, what it is now, and what is to be written."""

    first: IncidentState | None
    now: IncidentState
    actor: Actor = SYSTEM
    address: AddressChanged | None = None
    members: bool = False
    links: bool = False
    due: bool = False
    """Time was to change it: when it does so next is reckoned anew, also when nothing came of it."""

    def tells(self) -> bool:
        """Whether more came than that time went by; an event tells beside this."""
        first, now = self.first, self.now
        return first is None or self.links or (first.news, first.lamp) != (now.news, now.lamp)


class Batch:
    """Inputs to incidents of one agency, as of one directory, written together by `write`.

    Args:
        parties: looks up who is meant, as of ``snapshot``.
        now: ms since the epoch.
    """

    def __init__(
        self, change: Change, agency: AgencyId, snapshot: Snapshot, parties: Parties, options: Options, now: int
    ) -> None:
        self._change, self._agency, self._snapshot = change, agency, snapshot
        self._parties, self._options, self._now = parties, options, now
        self._lines: dict[IncidentCode, _Line] = {}
        self._events: list[tuple[IncidentCode, EventOut]] = []
        self._done: list[Done] = []
        self._slice_end = 0.0

    async def load(self, codes: Collection[IncidentCode]) -> None:
        """Reads these incidents and locks them; a step needs its own to be among them."""
        found = await incidents.load_many(self._change.connection, self._agency, codes)
        for code in codes:
            state = found.get(code)
            self._lines.setdefault(code, _Line(state, state or new_incident(code)))

    async def step(self, code: IncidentCode, make: Callable[[IncidentState], Input], actor: Actor = SYSTEM) -> Done:
        """Feeds the input that ``make`` gives for the incident as it stands."""
        line = self._lines[code]
        done = self._nothing(line)
        line.actor = actor
        await self._feed(line, done, make(line.now))
        self._done.append(done)
        await self._breathe()
        return done

    def again(self, code: IncidentCode) -> Done:
        """What told this was taken before, so nothing changes."""
        done = self._nothing(self._lines[code])
        done.discarded = (Discarded("", WhyDiscarded.REPEATED),)
        return done

    async def resolve(self, code: IncidentCode) -> Done:
        """Looks up again who the parties are. An incident nothing is known of stays so."""
        line = self._lines[code]
        if line.first is None:
            return self._nothing(line)
        found = await self._parties.resolve(self._change.connection, line.now)
        return await self.step(code, lambda _: found)

    async def write(self) -> None:
        """Everything that was asked for."""
        connection = self._change.connection
        lines = list(self._lines.items())
        wanted: dict[IncidentCode, incident_groups.Wanted] = {}
        for code, line in lines:
            if line.address is not None or line.members:
                wanted[code] = self._wanted(code, line)
                await self._breathe()
        groups = list(wanted.values())
        # Whose a case was when its group went, it stays: its people may be elsewhere by then.
        units = {code: each.unit for code, each in wanted.items() if each.unit and each.members is not None}
        if groups:
            await incident_groups.settle(self._change, groups)
        if self._events:
            await incident_events.append_many(connection, self._agency, self._events)
        # An incident that was only asked about is none: a link to nothing must not make one.
        new = [line.now for _, line in lines if line.first is None and line.now != new_incident(line.now.code)]
        known = [line.now for _, line in lines if line.first is not None and (line.due or line.now != line.first)]
        told = {code for code, _ in self._events}
        quiet = {code for code, line in lines if code not in told and not line.tells()}
        await incidents.save_many(connection, self._agency, new, known, self._now, self._options, units, quiet)
        await untold.note(connection, self._untold(), self._change.at_ms)
        for code, line in lines:
            if line.links:
                await incidents.save_links(connection, self._agency, line.now)
                self._change.actor = line.actor
                linked = {"groups": sorted(line.now.groups)}
                self._change.record("incident.link", "incident", code, linked, self._agency)

    def _nothing(self, line: _Line) -> Done:
        """What comes of an input that changes nothing."""
        group = incidents.group_of(self._agency, line.now.code)
        return Done(self._change.version, self._agency, group, line.now, line.now)

    def _untold(self) -> list[Untold]:
        """What phones are to learn of all this, should this node not come to tell them."""
        found: dict[IncidentCode, Untold] = {}
        for done in self._done:
            if done.after == done.before or not (done.after.members or done.left):
                continue
            code = done.after.code
            known = found.get(code, Untold(done.version, done.agency, code))
            forward = (*known.forward, *done.forward)
            found[code] = replace(known, gone=known.gone | done.left, forward=forward)
        return list(found.values())

    async def _feed(self, line: _Line, done: Done, given: Input) -> None:
        line.due |= isinstance(given, Tick)
        line.now, effects = handle(line.now, given, self._now, self._options)
        done.after = line.now
        for effect in effects:
            await self._take(line, done, effect)

    async def _take(self, line: _Line, done: Done, effect: Effect) -> None:
        match effect:
            case AddressChanged():
                line.address = effect
            case MembersChanged():
                line.members = True
            case LinkChanged():
                line.links = True
            case EventOut():
                self._events.append((line.now.code, effect))
                done.events += 1
            case BringForward():
                done.forward.append(effect)
            case Rivals():
                done.rivals += (effect,)
            case Discarded():
                done.discarded += (effect,)
            case ResolveParties():
                await self._feed(line, done, await self._parties.resolve(self._change.connection, line.now))
            case _:
                pass

    def _wanted(self, code: IncidentCode, line: _Line) -> incident_groups.Wanted:
        now, group = line.now, incidents.group_of(self._agency, code)
        asked = AddressChanged(now.address, now.name)
        members = frozenset() if now.address is Address.REMOVED else now.members
        before = line.first.members if line.first is not None else frozenset()
        return address.wanted(self._agency, group, asked, before, members, self._snapshot, line.actor)

    async def _breathe(self) -> None:
        """Lets the loop carry voice between two steps, when it has been held long enough."""
        loop = asyncio.get_running_loop()
        if loop.time() > self._slice_end:
            await asyncio.sleep(0)
            self._slice_end = loop.time() + SLICE_S
