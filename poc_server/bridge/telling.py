"""What phones and couriers learn of an incident once it is certain, one incident a turn of the loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

import structlog

from gateway.incidents.effects import BringForward
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.rules import Attention
from groups.vocabulary import AgencyId, GroupId, IncidentCode, UserId
from poc_server.bridge.address import GONE
from poc_server.bridge.codes import Codes
from poc_server.bridge.step import Done
from poc_server.store.bridge import incidents
from poc_server.store.bridge.untold import Untold
from signaling.messages import IncidentSummary

if TYPE_CHECKING:
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)


class PhonesPort(Protocol):
    """What the bridge has done to phones (`poc_server.bridge.phones.IncidentPhones`)."""

    def changed(self, state: IncidentState, group: GroupId, gone: Iterable[UserId] = ()) -> None:
        """An incident is different now, for its members and for those who are gone."""
        ...

    def bring_forward(
        self, state: IncidentState, group: GroupId, users: Iterable[UserId], to: Attention, version: int
    ) -> None:
        """It comes forward on these users' phones. ``version``: of the change it comes from."""
        ...

    def switch(self, phone: Phone, group: GroupId, code: IncidentCode, title: str, version: int) -> None:
        """Switches one phone of this node, unless that would disturb its user, or was done for this version before."""
        ...

    def summary(self, state: IncidentState, group: GroupId, user: UserId) -> IncidentSummary:
        """An incident as ``user`` sees it."""
        ...


class Telling:
    """Tells what came of inputs to incidents.

    Attributes:
        on_committed: called after every commit that made events; couriers wake by it.
        noted: called with each incident as it is now.
        taken: inputs that were taken since the start.
        discarded: those of them that changed nothing.
    """

    def __init__(self, phones: PhonesPort, codes: Codes) -> None:
        self.on_committed: list[Callable[[], None]] = []
        self.noted: list[Callable[[AgencyId, IncidentState], None]] = []
        self.taken = self.discarded = 0
        self._phones, self._codes = phones, codes

    def committed(self, results: Sequence[Done]) -> None:
        """These stand in SQL."""
        if any(done.events for done in results):
            for call in self.on_committed:
                call()

    async def followed(self, results: Sequence[Done]) -> None:
        """These stand in SQL, and nobody waits for an answer: members were looked up again."""
        self.committed(results)
        for done in results:
            await asyncio.sleep(0)
            self.told(done)

    def told(self, done: Done) -> None:
        """Phones learn of one. Never raises: what goes wrong on a phone ends neither an answer nor what comes after."""
        try:
            self._tell(done)
        except Exception:
            log.exception("incident_not_told", incident=done.after.code)

    def _tell(self, done: Done) -> None:
        self.taken += 1
        self.discarded += bool(done.discarded)
        if done.rivals:
            log.warning("news_of_one_version", incident=done.after.code, version=done.rivals[0].version)
        self._note(done.agency, done.group, done.after)
        if done.after != done.before:
            self._phones.changed(done.after, done.group, done.left)
        self._bring_forward(done.after, done.group, done.forward, done.version)

    def late(self, owed: Untold, state: IncidentState) -> None:
        """Phones learn, of an incident as it is by now, what they should have been told before."""
        group = incidents.group_of(owed.agency, owed.code)
        self._note(owed.agency, group, state)
        self._phones.changed(state, group, owed.gone - state.members)
        forward = [BringForward(each.users, min(each.attention, state.attention)) for each in owed.forward]
        self._bring_forward(state, group, forward, owed.version)

    def _note(self, agency: AgencyId, group: GroupId, state: IncidentState) -> None:
        if state.address in GONE:
            self._codes.forget(group)
        else:
            self._codes.know(group, state.code)
        for call in self.noted:
            call(agency, state)

    def _bring_forward(
        self, state: IncidentState, group: GroupId, forward: Sequence[BringForward], version: int
    ) -> None:
        for each in forward:
            # Dispatched anew and made urgent at once: it is no matter of those who were taken off by it.
            users = each.users & state.members
            self._phones.bring_forward(state, group, users, each.attention, version)
