"""The one door to emergencies: owns alerts, calls and broadcasts of this node."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from groups.emergency.condition import Condition
from groups.model import User
from groups.rights import Right, has
from groups.vocabulary import GroupId
from poc_server.emergency import said_in
from poc_server.emergency.alerts import Alerts
from poc_server.emergency.broadcasts import Broadcasts
from poc_server.emergency.calls import EmergencyCalls
from poc_server.emergency.desk import Desk
from poc_server.emergency.settings import EmergencySettings
from poc_server.ground.metrics import Reading
from poc_server.store import Store
from poc_server.talk.phone import person
from poc_server.talk.slices import Slices
from signaling.connection import frame
from signaling.messages import EmergencyState, SosRules

if TYPE_CHECKING:
    from poc_server.emergency.field import Field
    from poc_server.talk.phone import Phone


class Emergency(Desk):
    """The desk with all that is led at it: alerts, calls and broadcasts of this node."""

    def __init__(self, settings: EmergencySettings, store: Store, field: Field) -> None:
        super().__init__(settings, store, field)
        self.alerts = Alerts(self)
        self.calls = EmergencyCalls(self)
        self.broadcasts = Broadcasts(self)
        self._slices = Slices()
        field.conditions.quiet_ms = settings.quiet_s * 1000
        field.conditions.on_tier.append(self._tier_changed)
        field.conditions.on_ended = self._ended
        field.desk_listeners.append(self.broadcasts)
        field.arrivals.on_came.append(self.came)

    async def start(self) -> bool:
        """Take up what went on when the server ended; while SQL is away (False), as soon as it is back.

        Alerts and leaders' calls that another node led until now are led on at once.
        """
        self.sql.begin()
        self.alerts.take_up()
        self.calls.take_up()
        return await self.later.load(self.store, self._load, "emergencies")

    async def _load(self) -> None:
        # What ended while SQL was away still stands there as going on, until the journal has said so.
        try:
            await self.store.journal.catch_up()
        finally:
            # An alert waits for no journal that is far behind: one that is over is taken back when this is done again.
            await self.alerts.load()
        await self.calls.load()
        await self.broadcasts.load()

    def rest(self) -> None:
        """Another node decides now (`poc_server.neighbours.desk.desk`): nothing ends, it is led from there."""
        self.sql.rest()
        self.later.rest()
        self.alerts.rest()
        self.calls.rest()
        self.broadcasts.rest()
        self.gatherings.rest()

    async def aclose(self) -> None:
        """Let what is under way come to its end."""
        await self.later.aclose()

    def came(self, phone: Phone) -> None:
        """A phone connected, new or again: it is brought into what concerns it, and told of it."""
        if has(phone.user, Right.SOS):
            phone.send(self._sos_rules(phone.user))
        self.gatherings.came(phone)
        self.alerts.came(phone)
        self.broadcasts.came(phone)
        for condition in self.field.conditions.all():
            if condition.group in phone.groups or phone.user.id in self.field.roster.members(condition.group):
                phone.send(self._state(condition))

    # --- private -----------------------------------------------------------------------------------------------------

    def _ended(self, group: GroupId, cause: str, timed_out: bool) -> None:
        self.calls.ended(cause, timed_out)

    def _tier_changed(self, condition: Condition) -> None:
        self._slices.add(self._tell_tier(condition.group, frame(self._state(condition))))

    def _tell_tier(self, group: GroupId, framed: bytes) -> Iterator[None]:
        members = self.field.roster.members(group)
        for phone in tuple(self.field.phones.values()):
            if phone.user.id in members or phone.has_group(group):
                phone.write(framed)
            yield

    def _state(self, condition: Condition) -> EmergencyState:
        first = condition.first
        user = None if first is None else self.field.roster.user(first.user)
        return EmergencyState(
            group=condition.group,
            tier=condition.tier,
            by=None if user is None else person(user),
            since_ms=None if first is None else first.since,
        )

    def _sos_rules(self, user: User) -> SosRules:
        settings = self.settings
        return SosRules(
            hold_ms=settings.hold_ms,
            countdown_ms=settings.countdown_ms,
            covert=settings.covert and settings.covert_allowed,
            phone=settings.centre_phone,
            microphone_ms=settings.microphone_ms,
            group=said_in.dedicated(self, user),
        )

    def readings(self) -> Iterable[Reading]:
        """For the metrics."""
        yield "poc_alerts_open", "Alerts that are not closed", len(self.alerts)
        yield "poc_emergency_calls", "Emergency calls going on", len(self.calls)
        yield "poc_broadcasts", "Broadcasts that some may still have to get", len(self.broadcasts)
