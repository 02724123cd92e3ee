"""People, groups and sessions change while phones are connected: live phones and groups follow at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from groups.floor.inputs import Withdraw
from groups.vocabulary import GroupId, GroupKind, MonitorScope, Refusal, RevokeCause, UserId
from poc_server.talk.slices import Slices
from signaling.limits import CLOSE_BAD_TOKEN
from signaling.messages import Person, TalkBanned

if TYPE_CHECKING:
    from poc_server.store.directory import Directory, DirectoryChange
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.arrivals import Arrivals
    from poc_server.talk.calls.calls import Members
    from poc_server.talk.conditions import Conditions
    from poc_server.talk.monitoring import Monitoring
    from poc_server.talk.patches import Patches
    from poc_server.talk.phone import Phone
    from poc_server.talk.talkgroups import Talkgroups


@dataclass(slots=True)
class Following:
    """What a change of the directory means on this node.

    Attributes:
        on_people: told when people changed: some may talk no more, others again.
        on_members: told who was in which group, and who is now.
        ban_words: who bans whom just now, and why (`poc_server.dispatch`).
    """

    directory: Directory
    arrivals: Arrivals
    talkgroups: Talkgroups
    affiliation: Affiliation
    monitoring: Monitoring
    conditions: Conditions
    patches: Patches
    on_people: Callable[[], None]
    on_members: Callable[[Members, Members], None]
    ban_words: dict[UserId, tuple[Person, str]] = field(default_factory=dict)
    _slices: Slices = field(default_factory=Slices)

    def changed(self, change: DirectoryChange) -> None:
        """People, groups or sessions are different now."""
        anybody = change.everything or units_moved(change)
        if anybody:
            self._slices.add(self._reconsider_all(change))
        for phone in () if anybody else self._touched(change):
            # A user is named with each of his memberships; most are of groups he does not hear just now.
            other = phone.user.id in change.users and phone.user is not self.directory.user(phone.user.id)
            if other or phone.session in change.sessions or phone.device in change.devices:
                self._reconsider(phone, change)
            elif change.groups and not change.groups.isdisjoint(phone.groups):
                self._keep_to_allowed(phone)
        for key in change.groups if not change.everything else tuple(self.talkgroups):
            self.talkgroups.configured(key)
        if change.groups and not anybody:
            self._slices.add(self._regroup(change.groups))
        self._slices.add(self._tell_groups(change))
        self.patches.directory_changed()
        if anybody or change.users:
            self.on_people()
        if change.everything or change.groups:
            self.on_members(change.before.members, change.after.members)

    def _touched(self, change: DirectoryChange) -> list[Phone]:
        """The phones of this node that a change may concern. To look at each of thousands would hold voice up."""
        phones = self.arrivals.phones
        found = {phone.key: phone for phone in phones.among(change.users)}
        for group in change.groups:
            talkgroup = self.talkgroups.get(group)
            if talkgroup is not None:
                found |= talkgroup.phones
        if change.sessions or change.devices:
            ended = (p for p in phones.here() if p.session in change.sessions or p.device in change.devices)
            found |= {phone.key: phone for phone in ended}
        return [phone for phone in found.values() if phone.away is None]

    def passing(self, group: GroupId) -> None:
        """A group that lives as long as its call begins, or ends: who monitors all hears it, too, or no more."""
        self._slices.add(self._regroup(frozenset((group,))))

    def _regroup(self, groups: frozenset[GroupId]) -> Iterator[None]:
        """A group, or a membership, may be new: it is not among what a monitor hears yet; or it may be gone."""
        for phone in [each for each in self.arrivals.phones.here() if each.scope is not MonitorScope.NONE]:
            if self.arrivals.phones.get(phone.key) is phone:
                self.monitoring.regroup(phone, groups)
            yield

    def _reconsider_all(self, change: DirectoryChange) -> Iterator[None]:
        """Thousands of phones at once would hold up voice."""
        for phone in self.arrivals.phones.here():
            if self.arrivals.phones.get(phone.key) is phone:
                self._reconsider(phone, change)
            yield

    def _reconsider(self, phone: Phone, change: DirectoryChange) -> None:
        user = self.directory.user(phone.user.id)
        device = None if phone.device is None else change.after.devices.get(phone.device)
        gone = user is None or not user.enabled or (device is not None and not device.enabled)
        if user is None or gone or phone.session in change.after.ended_sessions:
            self.arrivals.end(phone, Refusal.DISABLED if gone else Refusal.NOT_SIGNED_IN, CLOSE_BAD_TOKEN)
            return
        before, phone.user = phone.user, user
        if before.talk_banned != user.talk_banned:
            self._banned(phone)
        self._keep_to_allowed(phone)
        self.monitoring.rescope(phone)

    def _tell_groups(self, change: DirectoryChange) -> Iterator[None]:
        """Who came into a group, or out of one, or whose group is called otherwise, is told which are his now."""
        phones = self.arrivals.phones
        for phone in phones.here() if change.everything else list(phones.among(concerned(change))):
            if phone.away is None and phones.get(phone.key) is phone:
                self.arrivals.tell_groups(phone)
            yield

    def _banned(self, phone: Phone) -> None:
        """He may not talk, or may again: he is told, and what he says ends, unless he is in danger."""
        user = phone.user
        by, reason = self.ban_words.get(user.id, (None, ""))
        phone.send(TalkBanned(banned=user.talk_banned, by=by, reason=reason))
        if user.talk_banned and not self.conditions.in_sos(user.id):
            for group in phone.groups:
                self.talkgroups.open(group).submit(Withdraw(user.id, RevokeCause.NO_PERMISSION))

    def _keep_to_allowed(self, phone: Phone) -> None:
        monitored = phone.monitors
        self.affiliation.keep_to_allowed(phone)
        self.monitoring.ceased(phone, monitored)


def concerned(change: DirectoryChange) -> set[UserId]:
    """Whose groups may be others now. Those of incidents are told with their cases."""
    found: set[UserId] = set()
    for key in change.groups:
        was, now = change.before.groups.get(key), change.after.groups.get(key)
        group = now or was
        if group is None or group.kind is GroupKind.INCIDENT:
            continue
        were, are = change.before.members.get(key, {}), change.after.members.get(key, {})
        moved = {user for user in change.users if user in were or user in are}
        found |= moved if was == now else {*were, *are}
    return found


def units_moved(change: DirectoryChange) -> bool:
    """Whether a unit lies under another one now, or is gone: rights that reach down the tree reach elsewhere."""
    before, after = change.before.units, change.after.units
    moved = (unit for unit in change.units if unit in before)
    return any(unit not in after or after[unit].parent != before[unit].parent for unit in moved)
