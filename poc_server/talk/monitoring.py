"""What dispatchers hear without being there (监听): which groups are in their scope, and who is told of it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import GroupId, GroupKind, MonitorScope, Refusal
from poc_server.refused import Refused
from signaling.limits import MAX_MONITORED
from signaling.messages import Monitoring

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone

AUDITED_AT_ONCE = 100
"""Groups that one audit entry names."""


def monitor(node: Node, phone: Phone, scope: MonitorScope, listed: Collection[str], *, hidden: bool) -> None:
    """Set a phone's scope; each start, stop and refusal is audited. Raises `Refused`."""
    act = Act.MONITOR_HIDDEN if hidden else Act.MONITOR
    wanted = [GroupId(group) for group in dict.fromkeys(listed)] if scope is MonitorScope.LISTED else None
    if wanted is None:
        wanted = in_scope(node, phone.user, scope, act)
    else:
        _judge(node, phone.user, act, wanted)
    before, was = set(phone.monitors), Act.MONITOR_HIDDEN if phone.hidden else Act.MONITOR
    after = set(wanted)
    stopped, started = (before, after) if was is not act else (before - after, after - before)
    _audit(node, phone.user, was, stopped, begins=False)
    _audit(node, phone.user, act, started, begins=True)
    phone.scope, phone.hidden = scope, hidden
    node.monitor(phone, wanted)
    node.presence.changed(before | after)


def rescope(node: Node, phone: Phone) -> None:
    """Groups, members or rights are different now: what the scope says follows, and the phone is told."""
    if phone.scope not in (MonitorScope.OWN, MonitorScope.ALL):
        return
    act = Act.MONITOR_HIDDEN if phone.hidden else Act.MONITOR
    wanted = in_scope(node, phone.user, phone.scope, act)
    before, after = set(phone.monitors), set(wanted)
    if before != after:
        _audit(node, phone.user, act, before - after, begins=False)
        _audit(node, phone.user, act, after - before, begins=True)
        node.monitor(phone, wanted)
        phone.send(told(node, phone))


def in_scope(node: Node, user: User, scope: MonitorScope, act: Act) -> list[GroupId]:
    """The groups of a scope that the right reaches, by name."""
    if scope is MonitorScope.OWN:
        keys: Iterable[GroupId] = node.directory.groups_of(user.id)
    elif scope is MonitorScope.ALL:
        keys = node.directory.snapshot.groups
    else:
        keys = ()
    found = [group for key in keys if (group := node.directory.group(key)) is not None]
    allowed = [g for g in found if g.kind is not GroupKind.PRIVATE and may(act, user, g, node.roster) is None]
    return [group.id for group in sorted(allowed, key=lambda g: (g.name, g.id))][:MAX_MONITORED]


def told(node: Node, phone: Phone, request: str | None = None) -> Monitoring:
    """What a phone monitors now."""
    return Monitoring(
        id=request,
        scope=phone.scope,
        hidden=phone.hidden,
        groups=[node.snapshot(phone, group) for group in phone.monitors if node.roster.group(group) is not None],
    )


def heard_by_office(node: Node, phone: Phone, groups: Iterable[GroupId]) -> None:
    """Who selects or listens to a group he is no member of does so by his office: audited."""
    new = [group for group in groups if group not in phone.groups]
    outside = {group for group in new if node.roster.membership(group, phone.user.id) is None}
    _audit(node, phone.user, Act.MONITOR, outside, begins=True)


def refused_hearing(node: Node, phone: Phone, group: GroupId, code: Refusal) -> None:
    """Who tried to hear what he may not: audited when it is a group of his own agency."""
    found = node.roster.group(group)
    if found is not None and found.agency == phone.user.agency:
        node.audit(phone.user, Act.MONITOR, "group", group, {}, code)


def _judge(node: Node, user: User, act: Act, wanted: Iterable[GroupId]) -> None:
    for group in wanted:
        found = node.roster.group(group)
        refused = Refusal.UNKNOWN_GROUP if found is None else may(act, user, found, node.roster)
        if refused is not None:
            if found is not None:
                node.audit(user, act, "group", group, {}, refused)
            raise Refused(refused)


def _audit(node: Node, user: User, act: Act, groups: Collection[GroupId], *, begins: bool) -> None:
    ordered = sorted(groups)
    for start in range(0, len(ordered), AUDITED_AT_ONCE):
        part = ordered[start : start + AUDITED_AT_ONCE]
        target = part[0] if len(part) == 1 else f"{len(part)} groups"
        node.audit(user, act, "group", target, {"groups": part, "begins": begins})
