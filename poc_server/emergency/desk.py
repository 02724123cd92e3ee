"""What alerts, emergency calls and broadcasts share: who may take an alert on, who is woken, how it is audited."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.waking.notice import Notice
from groups.model import User
from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import AgencyId, Refusal, UserId
from poc_server.emergency.gatherings import Gatherings
from poc_server.emergency.settings import EmergencySettings
from poc_server.emergency.spoken import SpokenMessages
from poc_server.emergency.sql_watch import SqlWatch
from poc_server.store import Actor, Store, audit
from poc_server.store.audit import SYSTEM, AuditEntry
from poc_server.store.journal import (
    AlertKept,
    BroadcastKept,
    BroadcastOver,
    EmergencyCallKept,
    EmergencyCallOver,
    ReceiptsKept,
)
from poc_server.talk.later import Later

if TYPE_CHECKING:
    from poc_server.emergency.field import Field
    from poc_server.store.directory import DirectoryChange

Noted = AlertKept | EmergencyCallKept | EmergencyCallOver | BroadcastKept | ReceiptsKept | BroadcastOver
Standing = AlertKept | EmergencyCallKept
S = TypeVar("S", AlertKept, EmergencyCallKept)
Wake = Callable[[Iterable[UserId], Notice], None]


class Desk:
    """The desk at which emergencies are led.

    Attributes:
        wake: wakes people who have no phone connected.
        tell_noted: tells the other nodes, where there are some, what SQL does not say yet.
        tell_standing: tells them how an alert or a leader's call stands, whether SQL says so or not.
        heard: those that are open, by kind and id, as the node that leads them told them last.
        sql: whether SQL answers in time.
        spoken: recorded messages; None where nothing is recorded, for then there is no worker to make them.
    """

    def __init__(self, settings: EmergencySettings, store: Store, field: Field) -> None:
        self.settings = settings
        self.store = store
        self.field = field
        self.gatherings = Gatherings(field)
        self.spoken: SpokenMessages | None = None
        self.wake: Wake = lambda _users, _notice: None
        self.tell_noted: Callable[[Noted], None] = lambda _: None
        self.tell_standing: Callable[[Standing], None] = lambda _: None
        self.heard: dict[tuple[str, str], Standing] = {}
        self.later = Later()
        self.sql = SqlWatch(store, self.later)
        self._ring: set[UserId] = set()
        self._look_at(store.directory.snapshot.users, store.directory.snapshot.users.keys())
        store.directory.subscribe(self._people_changed)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Do something in the background; it is kept from being forgotten, and its failure from being silent."""
        self.later.spawn(work)

    # --- rights ------------------------------------------------------------------------------------------------------

    def may_claim(self, user: User, officer: User) -> bool:
        """Whether an alert of ``officer`` rings at ``user``."""
        return (
            has(user, Right.ALERTS)
            and user.id != officer.id
            and may(Act.CLAIM_ALERT, user, officer, self.field.roster) is None
        )

    def claimers(self, officer: User) -> frozenset[UserId]:
        """Everybody at whom an alert of ``officer`` rings, connected or not."""
        found = (self.store.directory.user(key) for key in self._ring)
        return frozenset(user.id for user in found if user is not None and self.may_claim(user, officer))

    def _people_changed(self, change: DirectoryChange) -> None:
        if change.everything:
            self._ring.clear()
        self._look_at(change.after.users, change.after.users.keys() if change.everything else change.users)

    def _look_at(self, users: Mapping[UserId, User], keys: Iterable[UserId]) -> None:
        """Keep at hand who may take alerts at all: an SOS in a city of thousands does not ask it of each of them."""
        for key in keys:
            user = users.get(key)
            if user is not None and has(user, Right.ALERTS):
                self._ring.add(key)
            else:
                self._ring.discard(key)

    def wake_away(self, users: Iterable[UserId], notice: Notice) -> None:
        """Wake those of these who have no phone connected."""
        here = {phone.user.id for phone in self.field.phones.values() if phone.connection is not None}
        self.wake([user for user in users if user not in here], notice)

    def online(self, users: frozenset[UserId]) -> int:
        """How many of these have a phone connected."""
        return len({p.user.id for p in self.field.phones.values() if p.connection is not None and p.user.id in users})

    # --- what lasts --------------------------------------------------------------------------------------------------

    def note(self, record: Noted) -> None:
        """What was decided though SQL does not say so yet: on disk, here and wherever the desk may be next."""
        self.store.journal.append(record)
        self.tell_noted(record)

    def take_heard(self, kind: type[S]) -> list[S]:
        """What another node led until now, to be led from here on."""
        found = [each for each in self.heard.values() if isinstance(each, kind)]
        for each in found:
            del self.heard[each.kind, each.id]
        return found

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
        return audit.entry(actor, self.store.clock(), action, kind, target, detail, agency)

    def audit_refused(self, user: User, act: Act, target: Any, code: Refusal) -> None:
        """Who tried what he may not: kept without waiting."""
        detail = {"refused": code.value}
        kind = type(target).__name__.lower()
        self.store.journal.audit(self.entry(user, f"{act.value}.refused", kind, target.id, detail))
