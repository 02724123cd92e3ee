"""Emergencies in progress as floor and slots must know them: the condition of each group, the state of each user.

What lasts of them is kept by `poc_server.emergency`, which declares and clears them here and hears how they end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from groups.emergency import condition
from groups.emergency.condition import Condition, ConditionInput
from groups.floor.inputs import TierChanged
from groups.vocabulary import GroupId, Refusal, Tier, UserId

if TYPE_CHECKING:
    from poc_server.talk.patch import Joined
    from poc_server.talk.phones import Phones
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroups import Talkgroups

QUIET_MS = 120_000
"""TNG2 where the settings name none."""


class Conditions:
    """All conditions of this node that are not normal.

    Attributes:
        on_tier: those told when the condition of a group is another now.
        on_ended: told when what belonged to a cause is over.
        on_changed: told when anything about a group is different.
    """

    def __init__(
        self, roster: Roster, phones: Phones, talkgroups: Talkgroups, joined: Joined, now: Callable[[], int]
    ) -> None:
        self._roster = roster
        self._phones = phones
        self._talkgroups = talkgroups
        self._joined = joined
        self._now = now
        self.quiet_ms = QUIET_MS
        self._of: dict[GroupId, Condition] = {}
        self._sos: dict[UserId, int] = {}
        self._timers: dict[GroupId, asyncio.TimerHandle] = {}
        self._only: dict[GroupId, UserId] = {}
        self.on_changed: Callable[[GroupId], None] = lambda _: None
        self.on_tier: list[Callable[[Condition], None]] = []
        self.on_ended: Callable[[GroupId, str, bool], None] = lambda *_: None

    # --- what floor and slots ask ------------------------------------------------------------------------------------

    def tier(self, user: UserId, group: GroupId) -> Tier:
        """The tier of a request: what its user holds in this group; one in SOS carries it wherever it is allowed."""
        here = [self._of[each] for each in self._joined.spread(group) if each in self._of]
        held = max((h.tier for each in here for h in each.holders if h.user == user), default=Tier.NORMAL)
        if held is Tier.EMERGENCY or user not in self._sos:
            return held
        found = self._roster.group(group)
        return Tier.EMERGENCY if found is not None and found.emergency_allowed else held

    def in_sos(self, user: UserId) -> bool:
        """Whether this user is in danger himself."""
        return user in self._sos

    def of_user(self, user: UserId) -> Tier:
        """The highest tier a user holds anywhere."""
        return max((h.tier for each in self._of.values() for h in each.holders if h.user == user), default=Tier.NORMAL)

    def in_danger(self) -> tuple[UserId, ...]:
        """Everybody who is in danger himself."""
        return tuple(self._sos)

    def of_group(self, group: GroupId) -> Tier:
        """The condition of a group."""
        found = self._of.get(group)
        return Tier.NORMAL if found is None else found.tier

    def get(self, group: GroupId) -> Condition:
        """All that is in progress in a group."""
        return self._of.get(group) or Condition(group, self.quiet_ms)

    def all(self) -> list[Condition]:
        """Every group that is not normal."""
        return list(self._of.values())

    def another_talks(self, group: GroupId | None, user: UserId) -> bool:
        """Whether somebody else in emergency is on air there."""
        found = None if group is None else self._of.get(group)
        return found is not None and condition.another_talks(found, user)

    def only_talker(self, group: GroupId) -> UserId | None:
        """The initiator of the broadcast whose group this is: nobody else may talk in it, by whatever right."""
        return self._only.get(group)

    def reserve(self, group: GroupId, user: UserId | None) -> None:
        """A broadcast's group begins (``user`` alone talks) or ends (None)."""
        if user is None:
            self._only.pop(group, None)
        else:
            self._only[group] = user
        self.on_changed(group)

    def reserved(self) -> list[GroupId]:
        """The groups of broadcasts."""
        return list(self._only)

    def take(self, after: Condition) -> None:
        """The condition of a group as it was decided on another node."""
        before = self.get(after.group)
        if before == after:
            return
        if after.holders:
            self._of[after.group] = after
        else:
            self._of.pop(after.group, None)
        for user in {holder.user for each in (before, after) for holder in each.holders}:
            self._user(after.group, user)
        if before.tier is not after.tier:
            self._voices(after.group)

    def forget(self) -> None:
        """All conditions are normal, until they are declared anew."""
        self.stop()
        self._timers.clear()
        for group in tuple(self._of):
            self.take(Condition(group))

    # --- what happens ------------------------------------------------------------------------------------------------

    def declare(self, group: GroupId, cause: str, user: UserId, tier: Tier, *, sos: bool = False) -> None:
        """An emergency begins, or goes on in another tier."""
        new = group not in self._of
        self._feed(group, condition.Declare(cause, user, tier, sos))
        found = [self._talkgroups.get(each) for each in self._joined.with_floor_of(group)] if new else []
        for talkgroup in found:
            for speaker in talkgroup.bursts.speakers() if talkgroup is not None else ():
                self._feed(group, condition.Talks(speaker))

    def clear(self, group: GroupId, cause: str, *, force: bool = False) -> Refusal | None:
        """An emergency ends; None, or why not now."""
        return self._feed(group, condition.Clear(cause, UserId(""), force))

    def talks(self, group: GroupId, user: UserId) -> None:
        """Somebody has the floor."""
        if group in self._of:
            self._feed(group, condition.Talks(user))

    def quiet(self, group: GroupId, user: UserId) -> None:
        """He has it no more."""
        if group in self._of:
            self._feed(group, condition.Quiet(user))

    def stop(self) -> None:
        """The node stops."""
        for timer in self._timers.values():
            timer.cancel()

    def _feed(self, group: GroupId, given: ConditionInput) -> Refusal | None:
        before = self.get(group)
        after, effects = condition.handle(before, given, self._now())
        if after.holders:
            self._of[group] = after
        else:
            self._of.pop(group, None)
        self._arm(group, after)
        self.on_changed(group)
        refused = None
        for effect in effects:
            match effect:
                case condition.Refused(code=code):
                    refused = code
                case condition.UserTier(user=user):
                    self._user(group, user)
                case condition.TierIs():
                    self._voices(group)
                    for told in self.on_tier:
                        told(after)
                case condition.Ended(cause=cause, timed_out=timed_out):
                    self.on_ended(group, cause, timed_out)
        return refused

    def _user(self, group: GroupId, user: UserId) -> None:
        """His requests and bursts count anew: in this group, and for one in SOS in every group he is in."""
        causes = sum(h.sos for each in self._of.values() for h in each.holders if h.user == user)
        changed = bool(causes) != (user in self._sos)
        if causes:
            self._sos[user] = causes
        else:
            self._sos.pop(user, None)
        groups = {group}
        if changed:
            groups |= {g for phone in self._phones.of(user) for g in phone.groups}
        for each in {floor for group in groups for floor in self._joined.with_floor_of(group)}:
            talkgroup = self._talkgroups.get(each)
            if talkgroup is not None:
                talkgroup.submit(TierChanged(user, self.tier(user, each), self.in_sos(user)))
                talkgroup.bursts.revoice()

    def _voices(self, group: GroupId) -> None:
        for each in self._joined.with_floor_of(group):
            talkgroup = self._talkgroups.get(each)
            if talkgroup is not None:
                talkgroup.bursts.revoice()

    def _arm(self, group: GroupId, after: Condition) -> None:
        timer = self._timers.pop(group, None)
        if timer is not None:
            timer.cancel()
        due = condition.deadline(after)
        if due is not None and after.holders:
            wait = max(0.0, (due - self._now()) / 1000)
            loop = asyncio.get_running_loop()
            self._timers[group] = loop.call_later(wait, self._feed, group, condition.Tick())
