"""The one door to emergencies: owns alerts, calls and broadcasts of this node, and what they share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from gateway.notice import Notice
from groups.emergency.condition import Condition
from groups.model import User
from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import AgencyId, GroupId, Refusal, UserId
from poc_server.emergency.alerts import Alerts
from poc_server.emergency.broadcasts import Broadcasts
from poc_server.emergency.calls import EmergencyCalls
from poc_server.emergency.gatherings import Gatherings
from poc_server.emergency.settings import EmergencySettings
from poc_server.emergency.spoken import SpokenMessages
from poc_server.metrics import Reading
from poc_server.refused import Refused
from poc_server.store import Actor, Store, audit
from poc_server.store.audit import SYSTEM, AuditEntry
from poc_server.store.ids import now_ms
from poc_server.talk.later import Later
from poc_server.talk.phone import person
from poc_server.talk.slices import Slices
from signaling.endpoint import frame
from signaling.messages import EmergencyState, SosRules

if TYPE_CHECKING:
    from poc_server.emergency.field import Field
    from poc_server.talk.phone import Phone

Wake = Callable[[Iterable[UserId], Notice], None]
log = structlog.get_logger(__name__)
LOAD_AGAIN_S = 1.0
"""While SQL is away, what was open is looked for so often."""


class Emergency:
    """Emergencies of one node.

    Attributes:
        wake: wakes people who have no phone connected.
        spoken: recorded messages; None where nothing is recorded, for then there is no worker to make them.
    """

    def __init__(self, settings: EmergencySettings, store: Store, node: Field) -> None:
        self.settings = settings
        self.store = store
        self.node = node
        self.gatherings = Gatherings(node)
        self.alerts = Alerts(self)
        self.calls = EmergencyCalls(self)
        self.broadcasts = Broadcasts(self)
        self.spoken: SpokenMessages | None = None
        self.wake: Wake = lambda _users, _notice: None
        self.later = Later()
        self._slices = Slices()
        node.conditions.quiet_ms = settings.quiet_s * 1000
        node.conditions.on_tier.append(self._tier_changed)
        node.conditions.on_ended = self._ended
        node.desk_listeners.append(self.broadcasts)
        node.arrivals.on_came.append(self.came)

    async def start(self) -> None:
        """Take up what went on when the server ended; while SQL is away, as soon as it is back."""
        if not await self._load():
            self.spawn(self._load_later())

    async def _load(self) -> bool:
        try:
            await self.alerts.load()
            await self.calls.load()
            await self.broadcasts.load()
        except Refused as refused:
            log.error("emergencies_not_loaded", code=refused.code)
            return False
        return True

    async def _load_later(self) -> None:
        while True:
            await asyncio.sleep(LOAD_AGAIN_S)
            # What is open there is judged by the directory of the same SQL, not by an old copy of it.
            if self.store.ready and await self._load():
                log.info("emergencies_loaded", alerts=len(self.alerts), broadcasts=len(self.broadcasts))
                return

    def rest(self) -> None:
        """Another node decides now (`poc_server.neighbours.desk`): nothing ends, it is led from there."""
        self.later.cancel()
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
            phone.send(self._sos_rules())
        self.gatherings.came(phone)
        self.alerts.came(phone)
        self.broadcasts.came(phone)
        for condition in self.node.conditions.all():
            if condition.group in phone.groups or phone.user.id in self.node.roster.members(condition.group):
                phone.send(self._state(condition))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something in the background; it is kept from being forgotten, and its failure from being silent."""
        self.later.spawn(work)

    def answer(self, phone: Phone, request: str, work: Coroutine[Any, Any, Any]) -> None:
        """Do what a phone asked; a refusal is its answer."""
        self.later.answer(phone, request, work)

    # --- rights ------------------------------------------------------------------------------------------------------

    def may_claim(self, user: User, officer: User) -> bool:
        """Whether an alert of ``officer`` rings at ``user``."""
        return (
            has(user, Right.ALERTS)
            and user.id != officer.id
            and may(Act.CLAIM_ALERT, user, officer, self.node.roster) is None
        )

    def claimers(self, officer: User) -> frozenset[UserId]:
        """Everybody at whom an alert of ``officer`` rings, connected or not."""
        users = self.store.directory.snapshot.users.values()
        return frozenset(user.id for user in users if self.may_claim(user, officer))

    def wake_away(self, users: Iterable[UserId], notice: Notice) -> None:
        """Wake those of these who have no phone connected."""
        here = {phone.user.id for phone in self.node.phones.values() if phone.connection is not None}
        self.wake([user for user in users if user not in here], notice)

    def online(self, users: frozenset[UserId]) -> int:
        """How many of these have a phone connected."""
        return len({p.user.id for p in self.node.phones.values() if p.connection is not None and p.user.id in users})

    # --- audit -------------------------------------------------------------------------------------------------------

    def entry(
        self,
        user: User | None,
        action: str,
        kind: str,
        target: str,
        detail: Mapping[str, Any],
        agency: AgencyId | None = None,
    ) -> AuditEntry:
        """An entry for the audit; ``user`` None: the system itself."""
        actor = SYSTEM if user is None else Actor(user.id, user.agency)
        return audit.entry(actor, now_ms(), action, kind, target, detail, agency)

    def audit_refused(self, user: User, act: Act, target: Any, code: Refusal) -> None:
        """Who tried what he may not: kept without waiting."""
        detail = {"refused": code.value}
        kind = type(target).__name__.lower()
        self.store.journal.audit(self.entry(user, f"{act.value}.refused", kind, target.id, detail))

    # --- private -----------------------------------------------------------------------------------------------------

    def _ended(self, group: GroupId, cause: str, timed_out: bool) -> None:
        self.calls.ended(cause, timed_out)

    def _tier_changed(self, condition: Condition) -> None:
        framed = frame(self._state(condition))
        members = self.node.roster.members(condition.group)
        for phone in self.node.phones.values():
            if condition.group in phone.groups or phone.user.id in members:
                phone.write(framed)

    def _state(self, condition: Condition) -> EmergencyState:
        first = condition.first
        user = None if first is None else self.node.roster.user(first.user)
        return EmergencyState(
            group=condition.group,
            tier=condition.tier,
            by=None if user is None else person(user),
            since_ms=None if first is None else first.since,
        )

    def _sos_rules(self) -> SosRules:
        settings = self.settings
        return SosRules(
            hold_ms=settings.hold_ms,
            countdown_ms=settings.countdown_ms,
            covert=settings.covert and settings.covert_allowed,
            phone=settings.centre_phone,
        )

    def readings(self) -> Iterable[Reading]:
        """For the metrics."""
        yield "poc_alerts_open", "Alerts that are not closed", len(self.alerts)
        yield "poc_emergency_calls", "Emergency calls going on", len(self.calls)
        yield "poc_broadcasts", "Broadcasts that some may still have to get", len(self.broadcasts)
