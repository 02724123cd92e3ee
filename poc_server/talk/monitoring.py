"""What dispatchers hear without being there (监听): which groups are in their scope, and who is told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from typing import TYPE_CHECKING

from groups.model import Group, User
from groups.policy import Act, may
from groups.vocabulary import GroupId, GroupKind, MonitorScope, Refusal
from poc_server.ground.refused import Refused
from signaling.limits import MAX_MONITORED
from signaling.messages import Monitoring as Monitored

if TYPE_CHECKING:
    from poc_server.store.directory import Directory
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.audit import Audit
    from poc_server.talk.overview import Overview
    from poc_server.talk.phone import Phone
    from poc_server.talk.presence import Presence
    from poc_server.talk.roster import Roster

AUDITED_AT_ONCE = 100
"""Groups that one audit entry names."""
FOLLOWING = frozenset({MonitorScope.OWN, MonitorScope.ALL})
"""Scopes that say which groups by what these are: new ones come into them."""


class Monitoring:
    """What phones of this node monitor."""

    def __init__(
        self,
        directory: Directory,
        roster: Roster,
        affiliation: Affiliation,
        presence: Presence,
        overview: Overview,
        audit: Audit,
    ) -> None:
        self._directory = directory
        self._roster = roster
        self._affiliation = affiliation
        self._presence = presence
        self._overview = overview
        self._note = audit

    def monitor(self, phone: Phone, scope: MonitorScope, listed: Collection[str], *, hidden: bool) -> None:
        """Set a phone's scope; each start, stop and refusal is audited. Raises `Refused`."""
        act = Act.MONITOR_HIDDEN if hidden else Act.MONITOR
        if scope is MonitorScope.LISTED:
            wanted = [GroupId(group) for group in dict.fromkeys(listed)]
            self._judge(phone.user, act, wanted)
        else:
            wanted = self.in_scope(phone.user, scope, act)
        heard, phone.beyond = _cut(wanted)
        before, was = set(phone.monitors), Act.MONITOR_HIDDEN if phone.hidden else Act.MONITOR
        after = set(heard)
        stopped, started = (before, after) if was is not act else (before - after, after - before)
        self._audit(phone.user, was, stopped, begins=False)
        self._audit(phone.user, act, started, begins=True)
        phone.scope, phone.hidden = scope, hidden
        self._affiliation.monitor(phone, heard)
        self._presence.changed(before | after)

    def rescope(self, phone: Phone) -> None:
        """Anything may be different now: what the scope says follows, and the phone is told."""
        if phone.scope in FOLLOWING:
            self._follow(phone, self.in_scope(phone.user, phone.scope, self._act(phone)))

    def regroup(self, phone: Phone, groups: Collection[GroupId]) -> None:
        """Only these groups, or who is in them, are different now: the others of the scope are not judged again."""
        whole = (*phone.monitors, *phone.beyond)
        if phone.scope not in FOLLOWING:
            self._follow(phone, [group for group in whole if group not in groups or self._roster.group(group)])
            return
        inside = self._allowed(phone.user, self._keys(phone.user, phone.scope, groups), self._act(phone))
        after = set(whole).difference(groups).union(group.id for group in inside)
        room = phone.beyond and len(phone.monitors) < MAX_MONITORED
        if room or after != set(whole):
            known = [group for key in after if (group := self._roster.group(key)) is not None]
            self._follow(phone, _by_name(known))

    def resumed(self, phone: Phone) -> None:
        """It came from another node, which does not say what is beyond the limit."""
        if phone.scope in FOLLOWING and len(phone.monitors) == MAX_MONITORED:
            scope = self.in_scope(phone.user, phone.scope, self._act(phone))
            heard = set(phone.monitors)
            phone.beyond = tuple(group for group in scope if group not in heard)

    def ceased(self, phone: Phone, before: Collection[GroupId]) -> None:
        """Of what a phone monitored ``before`` some was taken from it: audited, and it is told."""
        lost = set(before).difference(phone.monitors)
        if lost:
            self._audit(phone.user, self._act(phone), lost, begins=False)
            phone.send(self.told(phone))

    def leaves(self, phone: Phone) -> None:
        """A phone leaves for good: that it monitors no more is audited, though nobody asked for it."""
        self._audit(phone.user, self._act(phone), set(phone.monitors), begins=False)

    def in_scope(self, user: User, scope: MonitorScope, act: Act) -> list[GroupId]:
        """The groups of a scope that the right reaches, by name."""
        return _by_name(self._allowed(user, self._keys(user, scope), act))

    def _keys(self, user: User, scope: MonitorScope, among: Collection[GroupId] | None = None) -> Set[GroupId]:
        """What belongs to a scope, of all groups or of those asked about. Temporary groups belong to ``all``."""
        if scope is MonitorScope.OWN:
            own = self._directory.groups_of(user.id)
            return own if among is None else own.intersection(among)
        if scope is not MonitorScope.ALL:
            return frozenset()
        return {*self._directory.snapshot.groups, *self._roster.transients()} if among is None else frozenset(among)

    def _allowed(self, user: User, keys: Iterable[GroupId], act: Act) -> list[Group]:
        found = [group for key in keys if (group := self._roster.group(key)) is not None]
        return [g for g in found if g.kind is not GroupKind.PRIVATE and may(act, user, g, self._roster) is None]

    def _follow(self, phone: Phone, wanted: list[GroupId]) -> None:
        heard, beyond = _cut(wanted)
        before, after, act = set(phone.monitors), set(heard), self._act(phone)
        same_number = len(beyond) == len(phone.beyond)
        phone.beyond = beyond
        if before != after:
            self._audit(phone.user, act, before - after, begins=False)
            self._audit(phone.user, act, after - before, begins=True)
            self._affiliation.monitor(phone, heard)
        if before != after or not same_number:
            phone.send(self.told(phone))

    def _act(self, phone: Phone) -> Act:
        return Act.MONITOR_HIDDEN if phone.hidden else Act.MONITOR

    def told(self, phone: Phone, request: str | None = None) -> Monitored:
        """What a phone monitors now."""
        return Monitored(
            id=request,
            scope=phone.scope,
            hidden=phone.hidden,
            left_out=len(phone.beyond),
            code=Refusal.TOO_MANY if phone.beyond else None,
            groups=[
                self._overview.snapshot(phone, group)
                for group in phone.monitors
                if self._roster.group(group) is not None
            ],
        )

    def heard_by_office(self, phone: Phone, groups: Iterable[GroupId]) -> None:
        """Who selects or listens to a group he is no member of does so by his office: audited."""
        new = [group for group in groups if group not in phone.groups]
        outside = {group for group in new if self._roster.membership(group, phone.user.id) is None}
        self._audit(phone.user, Act.MONITOR, outside, begins=True)

    def refused_hearing(self, phone: Phone, group: GroupId, code: Refusal) -> None:
        """Who tried to hear what he may not: audited when it is a group of his own agency."""
        found = self._roster.group(group)
        if found is not None and found.agency == phone.user.agency:
            self._note(phone.user, Act.MONITOR, "group", group, {}, code)

    def _judge(self, user: User, act: Act, wanted: Iterable[GroupId]) -> None:
        for group in wanted:
            found = self._roster.group(group)
            refused = Refusal.UNKNOWN_GROUP if found is None else may(act, user, found, self._roster)
            if refused is not None:
                if found is not None:
                    self._note(user, act, "group", group, {}, refused)
                raise Refused(refused)

    def _audit(self, user: User, act: Act, groups: Collection[GroupId], *, begins: bool) -> None:
        ordered = sorted(groups)
        for start in range(0, len(ordered), AUDITED_AT_ONCE):
            part = ordered[start : start + AUDITED_AT_ONCE]
            target = part[0] if len(part) == 1 else f"{len(part)} groups"
            self._note(user, act, "group", target, {"groups": part, "begins": begins})


def _by_name(groups: Iterable[Group]) -> list[GroupId]:
    return [group.id for group in sorted(groups, key=lambda g: (g.name, g.id))]


def _cut(wanted: list[GroupId]) -> tuple[list[GroupId], tuple[GroupId, ...]]:
    """Those that are monitored, and those beyond the limit."""
    return wanted[:MAX_MONITORED], tuple(wanted[MAX_MONITORED:])
