"""A leader's two-way emergency call: on a group, or in a group made for it, over whatever else goes on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gateway.waking.notice import Notice, NoticeKind
from groups.floor.options import FloorOptions
from groups.model import Group, Membership, User
from groups.policy import Act, may
from groups.vocabulary import GroupId, GroupKind, Refusal, Tier, UserId
from poc_server.emergency import recipients
from poc_server.emergency.gatherings import Gathering
from poc_server.emergency.keeping import START_WITHIN_S, Keeping
from poc_server.ground.refused import Refused
from poc_server.store import emergency as kept
from poc_server.store.ids import id_after
from poc_server.store.journal import EmergencyCallKept, EmergencyCallOver
from poc_server.talk.roster import Transient
from signaling.messages import EmergencyCall, Recipients

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk

INITIATOR_PRIORITY = 240
"""Of a call's initiator in the group made for it (0–255); the others have 100."""

STARTED = "emergency.start"


@dataclass(eq=False, slots=True)
class LiveEmergency:
    """One emergency call.

    Attributes:
        own: the group was made for it and goes with it.
        version: how often its tier was changed.
        kept_now: SQL or the disk has taken its last step.
        ended_by: who cancels it.
    """

    id: str
    by: User
    group: GroupId
    name: str
    tier: Tier
    own: bool
    users: frozenset[UserId]
    started_at: int
    version: int = 0
    kept_now: bool = True
    ended_by: User | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def kept(self) -> kept.Kept:
        """The row that is kept."""
        content = {"users": sorted(self.users), "own": self.own, "name": self.name, "version": self.version}
        by = self.by
        return kept.Kept(self.id, by.agency, by.id, True, self.started_at, content, group=self.group, tier=self.tier)


class EmergencyCalls:
    """All that go on."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._field = desk.field
        self._live: dict[str, LiveEmergency] = {}
        self._keeping = Keeping(desk)

    def __len__(self) -> int:
        return len(self._live)

    def get(self, call: str) -> LiveEmergency | None:
        """The call with that id."""
        return self._live.get(call)

    def of_group(self, group: GroupId) -> LiveEmergency | None:
        """The call that goes on in this group."""
        return next((live for live in self._live.values() if live.group == group), None)

    def rest(self) -> None:
        """Another node is the desk: it leads them."""
        self._live.clear()

    async def load(self) -> None:
        """Take up what went on when the server ended. Raises `Refused` (unavailable); may be called again."""
        async with self._desk.store.reading() as connection:
            found = await kept.open_calls(connection)
            others = self._live.keys() - {each.id for each in found}
            over = [each for each in [await kept.find_call(connection, one) for one in others] if each is not None]
        for each in over:
            if not each.open:
                self._over(each.id)
        for each in found:
            by = self._field.roster.user(each.user)
            if by is None or each.group is None:
                continue
            before, known = _from_kept(each, each.group, by), self._live.get(each.id)
            if known is None:
                self._begin(before)
            elif known.by.id == by.id:  # begun again by a desk that could not read it: its steps follow those
                known.version = max(known.version, before.version)

    def take_up(self) -> None:
        """Lead on, without waiting for SQL, what the node told that led it until now."""
        for each in self._desk.take_heard(EmergencyCallKept):
            by = self._field.roster.user(each.user)
            if by is not None and each.id not in self._live:
                self._begin(_from_kept(each.row(), each.group, by))

    async def start(self, by: User, asked: EmergencyCall) -> LiveEmergency:
        """Start a call, or change the tier of one's own; asked again it is the same. Raises `Refused`."""
        while (known := self._live.get(asked.call)) is not None:
            if known.by.id != by.id:
                raise Refused(Refusal.CONFLICT, "call")
            async with known.lock:
                if self._live.get(asked.call) is known:
                    return await self._again(known, by, asked)
            # The first request of it failed meanwhile, or found it begun by a desk that died.
        if asked.tier is Tier.NORMAL:
            raise Refused(Refusal.ORDINARY_ONLY)
        live = self._new(by, asked)
        self._live[live.id] = live
        try:
            async with live.lock:
                before = await self._keep(live, STARTED, by)
        except BaseException:
            self._live.pop(live.id, None)
            raise
        if before is not None:
            self._begin(before)
            return before
        self._begin(live)
        self._desk.wake_away(live.users, Notice(NoticeKind.CALL, live.id, by.name, live.name, live.tier))
        return live

    async def cancel(self, by: User, group: GroupId) -> None:
        """End the calls of a group: its initiator, or one who may. Raises `Refused`."""
        here = [live for live in self._live.values() if live.group == group]
        found = self._field.roster.group(group)
        if not here or found is None:
            raise Refused(Refusal.NOT_FOUND)
        if any(live.by.id != by.id for live in here):
            recipients.judge(self._desk, Act.CANCEL_EMERGENCY, by, found)
        for live in here:
            live.ended_by = by
            refused = self._field.conditions.clear(group, live.id)
            if refused is not None:
                live.ended_by = None
                raise Refused(refused)

    def ended(self, cause: str, timed_out: bool) -> None:
        """The condition that a call held is over, by itself or cancelled."""
        live = self._gone(cause)
        if live is None:
            return
        # On disk, not in SQL at once: the call is over also if SQL is away until this process has ended.
        detail = {"timed_out": timed_out}
        entry = self._desk.entry(live.ended_by, "emergency.end", "emergency_call", live.id, detail, live.by.agency)
        self._desk.note(EmergencyCallOver(id=live.id))
        self._desk.store.journal.audit(entry)

    def _over(self, call: str) -> None:
        """It ended where another node led it, and that is kept."""
        live = self._gone(call)
        if live is not None:
            self._field.conditions.clear(live.group, call, force=True)

    def _gone(self, call: str) -> LiveEmergency | None:
        live = self._live.pop(call, None)
        if live is not None:
            self._desk.gatherings.end(call)
            if live.own:
                asyncio.get_running_loop().call_soon(self._field.roster.drop, live.group)
        return live

    def _new(self, by: User, asked: EmergencyCall) -> LiveEmergency:
        now = self._field.fabric.now()
        group = recipients.single_group(self._desk, by, asked.to)
        if group is not None:
            self._judge_group(by, group, asked.tier)
            users = frozenset(self._field.roster.members(group.id).keys() - {by.id})
            return LiveEmergency(asked.call, by, group.id, group.name, asked.tier, False, users, now)
        act = Act.STEP_INTO_EMERGENCY
        users = self._called(act, by, asked.to)
        made = GroupId(id_after("em", by.id, asked.call))  # whichever desk begins it, though it knows of no other
        return LiveEmergency(asked.call, by, made, asked.name or by.name, asked.tier, True, users, now)

    def _called(self, act: Act, by: User, to: Recipients) -> frozenset[UserId]:
        """Whom the call reaches. Refuses ordinary_only where an ordinary call to the same people is possible."""
        try:
            return recipients.resolve(self._desk, act, by, to)
        except Refused as refused:
            known = [self._field.roster.user(UserId(user)) for user in to.users]
            only_people = bool(known) and not (to.groups or to.units or to.area or to.everyone)
            ordinary = only_people and all(
                each is not None and may(Act.CALL, by, each, self._field.roster) is None for each in known
            )
            if refused.code is Refusal.NOT_ALLOWED and ordinary:
                raise Refused(Refusal.ORDINARY_ONLY) from None
            raise

    def _judge_group(self, by: User, group: Group, tier: Tier) -> None:
        roster = self._field.roster
        acts = [Act.STEP_INTO_EMERGENCY, *([Act.DECLARE_PERIL] if tier is Tier.IMMINENT_PERIL else [])]
        refusals = [may(act, by, group, roster) for act in acts]
        if None in refusals:
            return
        self._desk.audit_refused(by, acts[-1], group, refusals[-1] or Refusal.NOT_ALLOWED)
        ordinary = any(may(act, by, group, roster) is None for act in (Act.TALK, Act.DISPATCH))
        raise Refused(Refusal.ORDINARY_ONLY if ordinary else refusals[-1] or Refusal.NOT_ALLOWED)

    async def _again(self, live: LiveEmergency, by: User, asked: EmergencyCall) -> LiveEmergency:
        """The same call, under its lock: sent twice, or upgraded, or downgraded (TS 24.379 §6.3.3.1.11)."""
        if asked.tier is live.tier or asked.tier is Tier.NORMAL:
            return live
        group = self._field.roster.group(live.group)
        if group is not None and not live.own:
            self._judge_group(by, group, asked.tier)
        before, live.tier, live.version = live.tier, asked.tier, live.version + 1
        try:
            await self._keep(live, "emergency.tier", by)
        except BaseException:
            live.tier = before
            raise
        if self._live.get(live.id) is not live:
            return live  # it ended while that was kept
        self._desk.tell_standing(EmergencyCallKept.of(live.kept(), live.group))
        self._desk.gatherings.retier(live.id, live.tier)
        self._field.conditions.declare(live.group, live.id, by.id, live.tier)
        return live

    def _begin(self, live: LiveEmergency) -> None:
        self._live[live.id] = live
        if live.own:
            self._field.roster.put(self._made(live))
        if self._field.roster.group(live.group) is None:
            return
        self._field.conditions.declare(live.group, live.id, live.by.id, live.tier)
        users = live.users | {live.by.id}
        self._desk.tell_standing(EmergencyCallKept.of(live.kept(), live.group))
        gathering = Gathering(live.id, "emergency", live.group, live.by, live.tier, users)
        self._desk.gatherings.begin(gathering, self._field.phones.of(live.by.id))

    def _made(self, live: LiveEmergency) -> Transient:
        group = Group(
            live.group, live.by.agency, live.by.unit, live.name, GroupKind.TEMPORARY, FloorOptions(queue_limit=20)
        )
        members = {user: Membership(live.group, user) for user in live.users}
        members[live.by.id] = Membership(live.group, live.by.id, may_preempt=True, priority=INITIATOR_PRIORITY)
        return Transient(group, members)

    async def _keep(self, live: LiveEmergency, action: str, by: User) -> LiveEmergency | None:
        """Returns the same call, kept by a desk that died before it could answer; then nothing is kept.

        Where neither SQL nor the disk takes it in time he takes the air all the same: either may still take it, so
        that it could not be refused for good. Raises `Refused`: conflict (it is another's, or over).
        """
        detail = {"group": live.group, "tier": live.tier.name, "people": len(live.users)}
        row, entry = live.kept(), self._desk.entry(by, action, "emergency_call", live.id, detail)

        async def in_sql() -> LiveEmergency | None:
            async with self._desk.store.writing() as connection:
                before = await kept.find_call(connection, live.id) if action == STARTED else None
                if before is None:
                    await kept.put_call(connection, row, [entry])
                    return None
                if not before.open or before.user != live.by.id or before.group is None:
                    raise Refused(Refusal.CONFLICT, "call")
                return _from_kept(before, before.group, live.by)

        done = await self._keeping.in_sql(in_sql(), START_WITHIN_S)
        if done is None:
            live.kept_now = await self._keeping.now_or_later([EmergencyCallKept.of(row, live.group)], [entry])
            return None
        live.kept_now = True
        return done[0]


def _from_kept(row: kept.Kept, group: GroupId, by: User) -> LiveEmergency:
    """One that was kept."""
    content = row.content
    users, version = frozenset(UserId(user) for user in content["users"]), content.get("version", 0)
    return LiveEmergency(row.id, by, group, content["name"], row.tier, content["own"], users, row.at_ms, version)
