"""Who is meant by a call to several: people by name, the members of groups merged, those last seen in an area."""

from __future__ import annotations

from typing import TYPE_CHECKING

from groups.emergency import area
from groups.policy import Act, may
from groups.vocabulary import GroupId, Refusal, UserId
from poc_server.refused import Refused
from signaling.limits import MAX_AREA_POINTS, MAX_CALLED
from signaling.messages import Area, CallStart

if TYPE_CHECKING:
    from poc_server.node import Node
    from poc_server.talk.phone import Phone


def named(node: Node, phone: Phone, users: tuple[UserId, ...], act: Act = Act.CALL) -> None:
    """Judge each of those named; whoever calls himself too is passed over. Raises `Refused`."""
    for user in users:
        target = node.roster.user(user)
        if target is None:
            raise Refused(Refusal.UNKNOWN_USER)
        refused = None if user == phone.user.id else may(act, phone.user, target, node.roster)
        if refused is not None:
            raise Refused(refused)


def together(node: Node, phone: Phone, asked: CallStart) -> tuple[UserId, ...]:
    """Everybody meant, without the caller; in an area only whom he may call. Raises `Refused`."""
    users = tuple(dict.fromkeys(UserId(user) for user in asked.users))
    named(node, phone, users)
    found = dict.fromkeys(users)
    for each in dict.fromkeys(asked.groups):
        found.update(dict.fromkeys(_members(node, phone, GroupId(each))))
    if asked.area is not None:
        found.update(dict.fromkeys(_inside(node, phone, asked.area)))
    found.pop(phone.user.id, None)
    if len(found) > MAX_CALLED:
        raise Refused(Refusal.TOO_MANY, f"{len(found)} of at most {MAX_CALLED}")
    return tuple(found)


def _members(node: Node, phone: Phone, group: GroupId) -> list[UserId]:
    """Members of a group that is merged: one's own group, or one that one dispatches."""
    found = node.roster.group(group)
    if found is None:
        raise Refused(Refusal.UNKNOWN_GROUP)
    refusals = [may(act, phone.user, found, node.roster) for act in (Act.LISTEN, Act.DISPATCH)]
    if None not in refusals:
        raise Refused(refusals[0] or Refusal.NOT_ALLOWED)
    users = (node.roster.user(user) for user in node.roster.members(group))
    return [user.id for user in users if user is not None and user.enabled]


def _inside(node: Node, phone: Phone, wanted: Area) -> list[UserId]:
    if not area.usable(wanted.ring, MAX_AREA_POINTS):
        raise Refused(Refusal.BAD_AREA)
    found = []
    for place in node.places():
        at = place.position
        if at is None:
            continue
        user = node.roster.user(place.user)
        here = user is not None and user.enabled and area.inside(wanted.ring, at.degrees(wanted.datum))
        if here and user is not None and may(Act.CALL, phone.user, user, node.roster) is None:
            found.append(user.id)
    return found
