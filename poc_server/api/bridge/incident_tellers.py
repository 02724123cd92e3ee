"""Who tells of cases over HTTP, and how far he reaches: a system that proves itself, or somebody who handles them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials

from gateway.incidents.document import Document
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.lifecycle import TakenBack
from gateway.webhooks import Received
from groups.model import Group, Unit
from groups.policy import Act
from groups.vocabulary import AgencyId, GroupId, GroupKind, IncidentCode, Refusal, UnitId
from poc_server.api import rights
from poc_server.api.services import Caller, Services, Use, address_of, bearer_of, bridge_of, caller_of
from poc_server.bridge import address
from poc_server.bridge.opened import OpenBridge
from poc_server.ground.refused import Refused
from poc_server.store import Actor
from poc_server.store.bridge import incidents
from poc_server.store.bridge.heard import Heard


@dataclass(frozen=True, slots=True)
class Teller:
    """One who may tell of cases and look at them. ``caller`` is None for a system: it reaches its whole agency.

    A person reaches the cases of his unit and those below. A case belongs to the lowest unit above all its members;
    one without members to the agency as a whole.
    """

    agency: AgencyId
    actor: Actor
    services: Services
    bridge: OpenBridge
    caller: Caller | None = None
    heard: Heard | None = None
    """The signed message by which a system tells."""

    @property
    def units(self) -> frozenset[UnitId] | None:
        """Whose cases are his; None: all."""
        if self.caller is None:
            return None
        found = self.services.directory.unit_subtree(self.caller.user.unit)
        return None if self._root() in found else found

    async def find(self, code: IncidentCode) -> IncidentState:
        """An incident he reaches. Refuses not_found, not_allowed."""
        state = await self.bridge.bridge.find(self.agency, code)
        self._allow(await self._unit_of(code))
        return state

    async def reach(self, code: IncidentCode, document: Document) -> None:
        """Refuses (not_allowed) to tell of a case beyond his units, or to send one of his to people beyond them."""
        if self.caller is None:
            return
        state, members = await self.bridge.bridge.meant(self.agency, code, document)
        if state is not None:
            self._allow(await self._unit_of(code))
        if state is None or document.parties is not None:
            self._allow(address.common_unit(self.services.directory.snapshot, members))

    async def reach_without(self, code: IncidentCode, wrong: TakenBack) -> None:
        """Refuses (not_allowed) to take back what brought one of his cases from people beyond his units to him."""
        if self.caller is None:
            return
        if members := await self.bridge.bridge.meant_without(self.agency, code, wrong):
            self._allow(address.common_unit(self.services.directory.snapshot, members))

    async def replay(self, code: IncidentCode) -> None:
        """Refuses (not_allowed) one who may not replay what is said in the group of this case, be it there or gone."""
        if self.caller is None:
            return
        group = incidents.group_of(self.agency, code)
        found = self.services.directory.group(group)
        unit = await self._unit_of(code) or self._root()
        was = Group(group, self.agency, unit or UnitId(""), code, GroupKind.INCIDENT, enabled=False)
        rights.allow(self.services, self.caller, Act.REPLAY, found or was)

    def reach_group(self, group: GroupId, unit: UnitId | None = None) -> None:
        """Refuses a group beyond his units (not_allowed). ``unit``: whose one was that is gone since, if that is known.

        One that never was is not his to judge.
        """
        found = self.services.directory.group(group)
        if found is not None and found.agency == self.agency:
            self._allow(found.unit)
        elif found is None and unit is not None:
            self._allow(unit)

    def _allow(self, unit: UnitId | None) -> None:
        # A unit may be deleted once its groups are archived: its cases are the agency's then.
        found = None if unit is None else self.services.directory.unit(unit)
        target = found or self.services.directory.unit(self._root() or UnitId(""))
        if self.caller is not None:
            if target is None:
                raise Refused(Refusal.NOT_ALLOWED)
            rights.allow(self.services, self.caller, Act.HANDLE_INCIDENT, target)

    async def _unit_of(self, code: IncidentCode) -> UnitId | None:
        group = self.services.directory.group(incidents.group_of(self.agency, code))
        if group is not None:
            return group.unit
        async with self.services.store.reading() as connection:
            return await incidents.unit_of(connection, self.agency, code)

    def _root(self) -> UnitId | None:
        return address.root_unit(self.services.directory.snapshot, self.agency)


async def _told_by(request: Request, services: Use) -> Teller:
    """A signed-in user who may handle incidents, or a system that proves itself."""
    bearer, bridge = bearer_of(request), await bridge_of(services)
    if bearer is not None and _is_token(bearer):
        caller = await caller_of(request, services, bearer)
        rights.allow(services, caller, Act.HANDLE_INCIDENT, _own_unit(services, caller))
        return Teller(caller.user.agency, caller.actor, services, bridge, caller)
    received = Received(request.headers, await request.body(), address_of(request))
    # All looking is one: several looks in one second may carry the same signature.
    target = "read" if request.method == "GET" else f"{request.method} {request.url.path}"
    sender, heard = await bridge.inbox.prove(received, target)
    actor = Actor(address=f"{sender.id} {address_of(request)}"[:64])
    return Teller(bridge.bridge.agency(), actor, services, bridge, heard=heard)


Told = Annotated[Teller, Depends(_told_by)]


def _own_unit(services: Services, caller: Caller) -> Unit:
    found = services.directory.unit(caller.user.unit)
    if found is None:
        raise Refused(Refusal.NOT_ALLOWED)
    return found


def _is_token(bearer: HTTPAuthorizationCredentials) -> bool:
    """An access token of ours is a JWT; a system's API key may come as a bearer, too, and is none."""
    return bearer.credentials.count(".") == 2
