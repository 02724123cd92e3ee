"""The one door to talk bans, shift handovers and patches of this node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.policy import Act, may
from groups.vocabulary import Refusal, UserId
from poc_server.dispatch.handovers import Handovers
from poc_server.dispatch.patching import Patching
from poc_server.ground.refused import Refused
from poc_server.store import Actor, Store
from poc_server.store.city import people
from poc_server.talk.later import Later
from poc_server.talk.phone import Phone, person
from signaling.messages import TalkBan, TalkBanned

if TYPE_CHECKING:
    from poc_server.dispatch.field import Field


class DispatchDesk:
    """Bans, hands over, joins groups."""

    def __init__(self, store: Store, field: Field) -> None:
        self.later = Later()
        self._store = store
        self._field = field
        self.handovers = Handovers(store, field, self.later)
        self.patching = Patching(store, field, self.later)
        field.arrivals.on_came.append(self.came)

    async def start(self) -> bool:
        """Take up the offers that wait and the groups that are joined; may be called again. False: later."""
        return await self.later.load(self._store, self._load, "dispatch")

    async def _load(self) -> None:
        await self.handovers.load()
        await self.patching.load()

    async def aclose(self) -> None:
        """End what is under way."""
        await self.later.aclose()

    def came(self, phone: Phone) -> None:
        """A phone connected."""
        if phone.user.talk_banned:
            phone.send(TalkBanned(banned=True))
        self.handovers.came(phone)

    async def ban(self, phone: Phone, asked: TalkBan) -> None:
        """禁呼, or its end: kept, and in force when this returns. Raises `Refused`."""
        target = self._field.roster.user(UserId(asked.user))
        if target is None:
            raise Refused(Refusal.UNKNOWN_USER)
        refused = may(Act.BAN, phone.user, target, self._field.roster)
        if refused is not None:
            self._field.audit(phone.user, Act.BAN, "user", target.id, {"banned": asked.banned}, refused)
            raise Refused(refused)
        self._field.following.ban_words[target.id] = (person(phone.user), asked.reason)
        try:
            async with self._store.change(Actor(phone.user.id, phone.user.agency)) as change:
                await people.set_flags(change, target.id, talk_banned=asked.banned)
                detail = {"banned": asked.banned, "reason": asked.reason}
                change.record(Act.BAN.value, "user", target.id, detail, target.agency)
        finally:
            self._field.following.ban_words.pop(target.id, None)
