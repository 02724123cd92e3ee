"""Shift handover (交接班): open alerts, what is monitored and listened to, and patches go to the next dispatcher."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import structlog

from groups.emergency import alert as alerts
from groups.model import User
from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import GroupId, HandoverState, MonitorScope, Refusal, UserId
from poc_server.ground.refused import Refused
from poc_server.store import Actor, Store, audit, handovers, patches
from poc_server.store.handovers import KeptHandover
from poc_server.store.ids import new_id
from poc_server.talk.phone import Phone, person
from signaling.limits import MAX_GROUPS_LISTENED, MAX_HANDED_OVER
from signaling.messages import (
    Handover,
    HandoverAnswer,
    HandoverInfo,
    HandoverOffer,
    HandoverWithdraw,
    PatchedGroup,
    Person,
)

if TYPE_CHECKING:
    from poc_server.dispatch.field import Field
    from poc_server.talk.later import Later

log = structlog.get_logger(__name__)
SAID_ALL_S = 0.1
"""How often it is looked whether who handed over has said what he says: of a phone of another node nobody is told."""


class Handovers:
    """Those that wait for an answer."""

    def __init__(self, store: Store, field: Field, later: Later) -> None:
        self._store = store
        self._field = field
        self._later = later
        self._open: dict[str, KeptHandover] = {}
        self._decided: set[str] = set()
        """By this node: what was read of them before that, and comes later, is not so any more."""
        self._offering = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._open)

    async def load(self) -> None:
        """Take up what waited when the server ended; phones that are here already are told."""
        known = set(self._open)
        async with self._store.reading() as connection:
            found = await handovers.open_ones(connection)
        # What was offered or decided here while it was read is newer than what was read.
        offered = {each.id: each for each in self._open.values() if each.id not in known}
        self._open = {each.id: each for each in found if each.id not in self._decided} | offered
        for each in self._open.values():
            if each.id not in known and each.id not in offered:
                self._tell(each)

    def came(self, phone: Phone) -> None:
        """A phone connected: it is told what waits for its user, and what he offered."""
        for each in self._open.values():
            if phone.user.id in (each.by, each.to):
                phone.send(Handover(handover=self.info(each)))

    # --- what is asked -----------------------------------------------------------------------------------------------

    async def offer(self, phone: Phone, asked: HandoverOffer) -> KeptHandover:
        """Offer the shift; an earlier offer of the same dispatcher is taken back. Raises `Refused`."""
        to = self._field.roster.user(UserId(asked.to))
        refused = Refusal.UNKNOWN_USER if to is None else may(Act.HAND_OVER, phone.user, to, self._field.roster)
        if to is not None and refused is None and not has(to, Right.DISPATCH):
            refused = Refusal.NOT_ALLOWED
        if to is None or refused is not None:
            if to is not None:
                self._field.audit(phone.user, Act.HAND_OVER, "user", to.id, {}, refused)
            raise Refused(refused or Refusal.UNKNOWN_USER)
        content = {
            "note": asked.note,
            "scope": phone.scope.value,
            "hidden": phone.hidden,
            "monitored": list(phone.monitors),
            "listens": list(dict.fromkeys(phone.present)),
            "patches": [patch.id for patch in self._field.joined.made_by(phone.user.id)],
        }
        made = KeptHandover(new_id("ho"), phone.user.agency, phone.user.id, to.id, self._store.clock(), content)
        async with self._offering:  # from two pages at once: the later offer finds the earlier one
            for before in [each for each in self._open.values() if each.by == made.by]:
                self._tell(await self._decide(before, HandoverState.WITHDRAWN, phone.user))
            await self._keep(made, phone.user)
            self._open[made.id] = made
        self._tell(made)
        return made

    async def answer(self, phone: Phone, asked: HandoverAnswer) -> KeptHandover:
        """The next dispatcher takes it over, or does not. Raises `Refused`."""
        kept = self._open.get(asked.handover)
        if kept is None or kept.to != phone.user.id:
            raise Refused(Refusal.NOT_FOUND)
        state = HandoverState.ACCEPTED if asked.accept else HandoverState.REFUSED
        # Decided before anything goes over: from here on it can be neither withdrawn nor answered once more.
        decided = await self._decide(kept, state, phone.user)
        if asked.accept:
            await self._take_alerts(kept, phone.user)
        self._tell(decided)
        here = self._field.phones.get(phone.key)  # he may have come anew meanwhile, or be gone
        if asked.accept and here is not None:
            self._take_groups(kept, here)
        return decided

    async def withdraw(self, phone: Phone, asked: HandoverWithdraw) -> KeptHandover:
        """Who offered it takes it back. Raises `Refused`."""
        kept = self._open.get(asked.handover)
        if kept is None or kept.by != phone.user.id:
            raise Refused(Refusal.NOT_FOUND)
        withdrawn = await self._decide(kept, HandoverState.WITHDRAWN, phone.user)
        self._tell(withdrawn)
        return withdrawn

    # --- taking over -------------------------------------------------------------------------------------------------

    async def _take_alerts(self, kept: KeptHandover, to: User) -> None:
        """The alerts the one before has claimed are the next one's; those beyond his reach stay where they are.

        One that cannot go over now (closed this moment, or nothing keeps it) holds up none of the others: it stays with
        the one before, and rings again when he has gone.
        """
        emergency = self._field.emergency
        if emergency is None:
            return
        for live in emergency.alerts.claimed_by(kept.by):
            if emergency.may_claim(to, live.user):
                try:
                    await emergency.alerts.step(live.record.id, to, alerts.HandOver(kept.by, to.id))
                except Refused as refused:
                    log.warning("alert_not_handed_over", alert=live.record.id, code=refused.code)

    def _take_groups(self, kept: KeptHandover, phone: Phone) -> None:
        """What was monitored, listened to and patched, as far as the next one's rights reach."""
        content, field = kept.content, self._field
        given = [GroupId(group) for group in content["listens"] if not field.roster.is_transient(group)]
        # Where the one before was a member and the next one is not, he hears as his office lets him: he monitors.
        beyond = [group for group in given if field.roster.membership(group, phone.user.id) is None]
        if content["scope"] != MonitorScope.NONE or beyond:
            self._take_monitoring(content, phone, beyond)
        wanted = dict.fromkeys([*phone.listens, *(group for group in given if group not in beyond)])
        heard = [g for g in wanted if g != phone.selected and field.affiliation.may_hear(phone, g) is None]
        field.affiliation.affiliate(phone, phone.selected, heard[:MAX_GROUPS_LISTENED])
        for patch in content["patches"]:
            field.patches.hand_over(GroupId(patch), phone.user)
        for before in field.phones.of(kept.by):
            if before.monitors and not self._lets_go(before):
                self._later.spawn(self._let_go_later(before.key, before.scope))
        phone.send(field.monitoring.told(phone))

    def _lets_go(self, before: Phone) -> bool:
        """He monitors no more. False while he has the floor, or waits for it, where he only does that."""
        field = self._field
        floors = {field.joined.of(each) or each for each in before.monitors if not before.is_in(each)}
        if before.away is not None and before.away.talking in floors:
            return False
        if any(here.place_of(before)[0] != "none" for each in floors if (here := field.talkgroups.get(each))):
            return False
        field.monitoring.monitor(before, MonitorScope.NONE, (), hidden=before.hidden)
        before.send(field.monitoring.told(before))
        return True

    async def _let_go_later(self, key: str, scope: MonitorScope) -> None:
        """Nobody is cut off in the middle of a sentence because another has the shift now."""
        while True:
            await asyncio.sleep(SAID_ALL_S)
            before = self._field.phones.get(key)
            # He may be gone meanwhile, or monitor something else by his own will.
            if before is None or not before.monitors or before.scope is not scope or self._lets_go(before):
                return

    def _take_monitoring(self, content: Mapping[str, Any], phone: Phone, beyond: Collection[GroupId]) -> None:
        """What was monitored, beside what the next one monitors himself; unseen when one of the two was."""
        scopes = {MonitorScope(content["scope"]), phone.scope} - {MonitorScope.NONE}
        unseen = bool(content["hidden"]) or (phone.hidden and phone.scope is not MonitorScope.NONE)
        hidden = unseen and has(phone.user, Right.MONITOR_HIDDEN)
        act = Act.MONITOR_HIDDEN if hidden else Act.MONITOR
        wanted = dict.fromkeys([*(GroupId(group) for group in content["monitored"]), *beyond, *phone.monitors])
        monitored = [group for group in wanted if self._may(act, phone.user, group)]
        if not monitored and not scopes:
            return
        if MonitorScope.ALL in scopes:
            scope = MonitorScope.ALL
        else:
            scope = scopes.pop() if len(scopes) == 1 and not beyond else MonitorScope.LISTED
        self._field.monitoring.monitor(phone, scope, monitored, hidden=hidden)

    def _may(self, act: Act, user: User, group: GroupId) -> bool:
        found = self._field.roster.group(group)
        return found is not None and may(act, user, found, self._field.roster) is None

    # --- keeping and telling -----------------------------------------------------------------------------------------

    async def _decide(self, kept: KeptHandover, state: HandoverState, by: User) -> KeptHandover:
        """Keep a decision. Raises `Refused`: conflict (it was decided meanwhile), unavailable (it is open still)."""
        if self._open.pop(kept.id, None) is None:
            raise Refused(Refusal.CONFLICT, "decided")
        self._decided.add(kept.id)
        decided = replace(kept, state=state, decided_ms=self._store.clock())
        try:
            await self._keep(decided, by)
        except BaseException:
            self._decided.discard(kept.id)
            self._open[kept.id] = kept
            raise
        return decided

    async def _keep(self, kept: KeptHandover, by: User) -> None:
        detail = {"to": kept.to, "by": kept.by, "state": kept.state.value}
        actor, now = Actor(by.id, by.agency), self._store.clock()
        entry = audit.entry(actor, now, Act.HAND_OVER.value, "handover", kept.id, detail)
        async with self._store.writing() as connection:
            await handovers.put(connection, kept, entry)
            if kept.state is HandoverState.ACCEPTED:
                await patches.give(connection, [GroupId(patch) for patch in kept.content["patches"]], kept.to)

    def _tell(self, kept: KeptHandover) -> None:
        message = Handover(handover=self.info(kept))
        for phone in [*self._field.phones.of(kept.by), *self._field.phones.of(kept.to)]:
            phone.send(message)

    def info(self, kept: KeptHandover) -> HandoverInfo:
        """As both are shown it."""
        content, emergency = kept.content, self._field.emergency
        whose = kept.to if kept.state is HandoverState.ACCEPTED else kept.by
        claimed = () if emergency is None else emergency.alerts.claimed_by(whose)
        patches = [self._field.joined.get(GroupId(patch)) for patch in content["patches"]]
        return HandoverInfo(
            id=kept.id,
            by=self._person(kept.by),
            to=self._person(kept.to),
            state=kept.state,
            note=content["note"],
            alerts=[live.info(self._field.roster) for live in claimed][:MAX_HANDED_OVER],
            scope=MonitorScope(content["scope"]),
            hidden=content["hidden"],
            monitored=self._groups(content["monitored"]),
            listens=self._groups(content["listens"])[: MAX_GROUPS_LISTENED + 1],
            patches=[patch.message() for patch in patches if patch is not None],
            offered_ms=kept.offered_ms,
            decided_ms=kept.decided_ms,
        )

    def _groups(self, wanted: list[str]) -> list[PatchedGroup]:
        found = [self._field.roster.group(GroupId(each)) for each in wanted]
        return [PatchedGroup(id=group.id, name=group.name) for group in found if group is not None]

    def _person(self, user: UserId) -> Person:
        found = self._field.roster.user(user)
        return Person(id=user, name="") if found is None else person(found)
