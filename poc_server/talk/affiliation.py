"""What each phone is in and hears: chosen by itself, monitored, or brought there by a call or an emergency."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from groups.policy import Act, may
from groups.vocabulary import GroupId, Refusal

if TYPE_CHECKING:
    from poc_server.talk.ears import Ears
    from poc_server.talk.patch import Joined
    from poc_server.talk.phone import Phone
    from poc_server.talk.presence import Presence
    from poc_server.talk.roster import Roster
    from poc_server.talk.talkgroup import Talkgroup
    from poc_server.talk.talkgroups import Talkgroups


class Affiliation:
    """Which phones are in which groups of this node.

    Attributes:
        on_joined: those told of a phone that came into a group.
        keeping: who say whether something that goes on keeps a phone in a group it was brought into.
    """

    def __init__(self, roster: Roster, talkgroups: Talkgroups, joined: Joined, ears: Ears, presence: Presence) -> None:
        self._roster = roster
        self._talkgroups = talkgroups
        self._joined = joined
        self._ears = ears
        self._presence = presence
        self.on_joined: list[Callable[[Phone, Talkgroup], None]] = []
        self.keeping: list[Callable[[Phone, GroupId], bool]] = []

    def may_hear(self, phone: Phone, group: GroupId) -> Refusal | None:
        """None when this phone may hear the group, as a member or as one who monitors; else why not."""
        found = self._roster.group(group)
        if found is None:
            return Refusal.UNKNOWN_GROUP
        if not found.enabled:
            return may(Act.SELECT, phone.user, found, self._roster) or Refusal.GROUP_CLOSED
        if self._joined.get(group) is not None:
            # Nobody names a patch: it is heard through the groups it joins, and talked in through them.
            return None if group in phone.groups else Refusal.UNKNOWN_GROUP
        refused = may(Act.SELECT, phone.user, found, self._roster)
        if refused is None or group in phone.brought:
            return None
        return None if may(Act.MONITOR, phone.user, found, self._roster) is None else refused

    def affiliate(self, phone: Phone, selected: GroupId | None, listens: Iterable[GroupId]) -> None:
        """Set what a phone talks in and listens to; it hears, at once, what is on air there."""
        if phone.away is not None:
            phone.away.affiliate(selected, listens)
            return
        before = set(phone.groups)
        phone.selected, phone.listens = selected, tuple(listens)
        self.follow(phone, before)

    def monitor(self, phone: Phone, groups: Iterable[GroupId]) -> None:
        """Set what a phone hears without being there; its scope was set before."""
        if phone.away is not None:
            phone.away.monitor(groups)
            return
        before = set(phone.groups)
        phone.monitors = tuple(groups)
        self.follow(phone, before)

    def bring(self, phone: Phone, group: GroupId) -> None:
        """Let a phone hear a group before all others, whatever it chose itself, until `let_go`."""
        if phone.away is not None:
            phone.away.bring(group)
            return
        before = set(phone.groups)
        phone.brought = (group, *(g for g in phone.brought if g != group))
        self.follow(phone, before)

    def let_go(self, phone: Phone, group: GroupId, *, gone: bool = False) -> None:
        """End what `bring` began, unless something else keeps the phone there, or the group (or it) is ``gone``."""
        if not gone and any(keeps(phone, group) for keeps in self.keeping):
            return
        if phone.away is not None:
            phone.away.let_go(group)
            return
        before = set(phone.groups)
        phone.brought = tuple(g for g in phone.brought if g != group)
        self.follow(phone, before)

    def leave_all(self, phone: Phone) -> None:
        """A phone leaves for good: groups, floor, queue and slots."""
        for group in phone.brought:
            self.let_go(phone, group, gone=True)
        self.affiliate(phone, selected=None, listens=())
        self.monitor(phone, ())
        self._ears.forget(phone)

    def keep_to_allowed(self, phone: Phone) -> None:
        """Its rights, or the groups, are different now: it leaves what it may not hear any more."""
        kept = [g for g in phone.groups if self.may_hear(phone, g) is None]
        if len(kept) != len(phone.groups):
            selected = phone.selected if phone.selected in kept else None
            self.affiliate(phone, selected, [g for g in phone.listens if g in kept])
            self.monitor(phone, [g for g in phone.monitors if g in kept])

    def follow(self, phone: Phone, before: set[GroupId]) -> None:
        """What a phone hears is another than ``before``: it leaves and joins, and hears what is on air."""
        after = set(phone.groups)
        for group in before - after:
            talkgroup = self._talkgroups.get(group)
            if talkgroup is not None:
                talkgroup.leave(phone)
        for group in after - before:
            talkgroup = self._talkgroups.open(group)
            talkgroup.join(phone)
            for told in self.on_joined:
                told(phone, talkgroup)
        self._ears.affiliated(phone)
        self._presence.changed(before)
        self._presence.phone_changed(phone)
