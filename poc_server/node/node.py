"""One node: makes the parts of the talk of one process and joins them. Composed into a server by `poc_server.app`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gateway.waking.notice import Notice
from groups.model import Group
from groups.vocabulary import GroupKind, UserId
from poc_server.node.parts import Parts
from poc_server.requests import reception
from poc_server.requests.floor import floor_request
from poc_server.requests.incident import IncidentDesk
from poc_server.requests.reception import FrontDoor, Reception
from poc_server.talk import floor_effects
from poc_server.talk.affiliation import Affiliation
from poc_server.talk.arrivals import Arrivals
from poc_server.talk.audit import Audit
from poc_server.talk.burst import BurstListener
from poc_server.talk.bursts import Air
from poc_server.talk.calls.call_city import CallCity
from poc_server.talk.calls.calls import Calls
from poc_server.talk.conditions import Conditions
from poc_server.talk.drain import Drain
from poc_server.talk.ears import Ears
from poc_server.talk.following import Following
from poc_server.talk.later import Later
from poc_server.talk.media_of import MediaOf
from poc_server.talk.monitoring import Monitoring
from poc_server.talk.overview import Overview
from poc_server.talk.patch import Joined
from poc_server.talk.patches import Patches
from poc_server.talk.phone import Phone
from poc_server.talk.phones import Phones
from poc_server.talk.presence import Presence
from poc_server.talk.roster import Roster
from poc_server.talk.talkgroup import Talkgroup
from poc_server.talk.talkgroups import Talkgroups
from signaling.endpoint import Endpoint

if TYPE_CHECKING:
    from groups.model import User
    from poc_server.dispatch import DispatchDesk
    from poc_server.emergency import Emergency
    from poc_server.neighbours.elsewhere import Elsewhere
    from poc_server.texts import TextDesk
    from signaling.messages import Hello
    from signaling.passing import Address

SWEEP_S = 1.0
"""Places of lost phones, and groups in which nothing goes on, are looked for so often."""


class Node:
    """The parts of one process, held together.

    Attributes:
        elsewhere: the other nodes, None where there is only this one.
        incidents: where incidents are kept, None while there is no bridge.
        texts: where written messages are kept; ``dispatch``: talk bans and shift handovers.
        desk_listeners: who hears every burst on the node that decides about calls and emergencies.
        wake: wakes people who have no phone connected.
        on_drain: what else is to be done when the node begins to go.
    """

    def __init__(self, parts: Parts) -> None:
        self.fabric = fabric = parts.fabric
        self.settings = parts.talk
        self.places = parts.places
        self.audit = Audit(parts.journal, parts.fabric.wall)
        self.later = Later()
        self.roster = Roster(parts.directory)
        self.phones = Phones()
        self.joined = Joined()
        self.ears = Ears()
        self.talkgroups = Talkgroups(self.roster, self.joined, self._talkgroup)
        self.conditions = Conditions(self.roster, self.phones, self.talkgroups, self.joined, fabric.now)
        self.air = Air(parts.media.relay, self.ears, self.roster, self.joined, self.conditions, self._listeners)
        self.presence = Presence(self.roster, self.talkgroups, self.joined)
        self.overview = Overview(self.roster, self.talkgroups, self.joined, self.presence, parts.talk)
        self.affiliation = Affiliation(self.roster, self.talkgroups, self.joined, self.ears, self.presence)
        self.affiliation.on_joined.append(self._joined_incident)
        self.patches = Patches(self.roster, self.phones, self.talkgroups, self.joined, self.affiliation, self.audit)
        city = CallCity(fabric, self.roster, self.phones, self.talkgroups, self.affiliation)
        self.calls = Calls(city, self.conditions, parts.journal, self.audit, parts.name)
        self.monitoring = Monitoring(
            parts.directory, self.roster, self.affiliation, self.presence, self.overview, self.audit
        )
        self.arrivals = self._arrivals(parts)
        self.following = self._following(parts)
        door = FrontDoor(parts.auth, parts.directory, self.arrivals, self._received, self._placed)
        self.endpoint = Endpoint(lambda connection: Reception(door, connection))
        self.emergency: Emergency | None = None
        self.elsewhere: Elsewhere | None = None
        self.incidents: IncidentDesk | None = None
        self.texts: TextDesk | None = None
        self.dispatch: DispatchDesk | None = None
        self.desk_listeners: list[BurstListener] = [self.calls]
        self.draining = False
        self.on_drain: list[Callable[[], None]] = []
        self._wake: Callable[[Iterable[UserId], Notice], None] = lambda _users, _notice: None
        self._parts = parts
        self._sweeper: asyncio.Task[None] | None = None
        self._let_parts_hear()

    # --- life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin serving."""
        self.presence.start()
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())
        self._parts.directory.subscribe(self.following.changed)

    def join(self, elsewhere: Elsewhere) -> None:
        """This node is one of several from now on."""
        self.elsewhere = elsewhere
        self.talkgroups.on_opened, self.talkgroups.on_closed = elsewhere.follow, elsewhere.unfollow
        self.presence.abroad, self.presence.on_phone = elsewhere.abroad, elsewhere.tell
        self.arrivals.decides_here, self.arrivals.take_over = lambda: elsewhere.desk.here, elsewhere.take_over
        self.air.far = elsewhere.between
        self.calls.desk = elsewhere.desk

    async def drain(self, within_s: float) -> None:
        """Refuse new phones, let bursts on air come to their end, then say goodbye to every phone."""
        self.draining = True
        self.endpoint.accepting = False
        for each in self.on_drain:
            each()
        await Drain(self.phones, self.talkgroups, self.endpoint, self._others_take).run(within_s)

    def stop(self) -> None:
        """Stop at once."""
        self.presence.stop()
        self.conditions.stop()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for group in tuple(self.talkgroups.values()):
            group.close()
        self.endpoint.stop()

    def not_ready(self) -> str | None:
        """Why no phone should come, None when they may."""
        if self.draining:
            return "draining"
        return None if self.elsewhere is None or self.elsewhere.joined else "joining the other nodes"

    def wake(self, users: Iterable[UserId], notice: Notice) -> None:
        """Wake people who have no phone connected."""
        self._wake(users, notice)

    def wake_by(self, wake: Callable[[Iterable[UserId], Notice], None]) -> None:
        """How they are woken."""
        self._wake = self.calls.wake = wake

    # --- what joins the parts ----------------------------------------------------------------------------------------

    def _arrivals(self, parts: Parts) -> Arrivals:
        return Arrivals(
            phones=self.phones,
            talkgroups=self.talkgroups,
            joined=self.joined,
            affiliation=self.affiliation,
            ears=self.ears,
            presence=self.presence,
            overview=self.overview,
            media=parts.media,
            owner_of=lambda phone: MediaOf(phone, self.ears, self.calls, self.presence, self.talkgroups),
            ice_servers=parts.ice_servers,
            now=parts.fabric.now,
            on_came=[self.calls.came],
            on_leaves=self.monitoring.leaves,
            on_gone=self.calls.gone,
        )

    def _following(self, parts: Parts) -> Following:
        return Following(
            directory=parts.directory,
            arrivals=self.arrivals,
            talkgroups=self.talkgroups,
            affiliation=self.affiliation,
            monitoring=self.monitoring,
            conditions=self.conditions,
            patches=self.patches,
            on_people=self.calls.follow_bans,
            on_members=self.calls.follow_members,
        )

    def _let_parts_hear(self) -> None:
        """What a part tells one that was made after it."""
        self.affiliation.keeping.append(self.calls.keeps)
        self.air.on_read = self.calls.floor_read
        self.calls.press_again = lambda phone, message: floor_request(self, phone, message, up=True)
        self.roster.on_passing = self.following.passing

    def _talkgroup(self, group: Group) -> Talkgroup:
        access = self._parts.metrics.access
        return Talkgroup(
            group, self.fabric, self.air, floor_effects.carry_out, lambda outcome, s: access.labels(outcome).observe(s)
        )

    def _listeners(self, talker_is_here: bool) -> tuple[BurstListener, ...]:
        """Who hears a burst beside the phones: on its talker's node whoever keeps it, at the desk who judges it."""
        at_desk = self.desk_listeners if self.arrivals.decides_here() else ()
        return (*at_desk, *(self._parts.burst_listeners if talker_is_here else ()))

    def _joined_incident(self, phone: Phone, talkgroup: Talkgroup) -> None:
        if self.incidents is not None and talkgroup.group.kind is GroupKind.INCIDENT:
            self.incidents.joined(phone.user, talkgroup.id)

    def _received(self, phone: Phone, message: Any) -> None:
        """What concerns the whole city goes to the desk, wherever it is; everything else is done here."""
        if self.elsewhere is None or not self.elsewhere.desk.asked.takes(phone, message):
            reception.carry_out(self, phone, message)

    def _placed(self, user: User, hello: Hello, group: str) -> Address | None:
        """The other node that is to serve a phone that comes."""
        return None if self.elsewhere is None else self.elsewhere.placing.of(user, hello, group)

    def _others_take(self) -> bool:
        return self.elsewhere is not None and any(not each.draining for each in self.elsewhere.nodes.values())

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(SWEEP_S)
            self.arrivals.remove_lost()
            self.talkgroups.close_idle()
