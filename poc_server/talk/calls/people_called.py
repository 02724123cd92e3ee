"""Who is meant by a call to several: people by name, the members of groups merged, those last seen in an area."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Protocol

from groups.emergency import area
from groups.policy import Act, may
from groups.vocabulary import GroupId, Refusal, UserId
from poc_server.ground.refused import Refused
from poc_server.store.places import those_inside
from signaling.limits import MAX_AREA_POINTS, MAX_CALLED
from signaling.messages import Area, CallStart

if TYPE_CHECKING:
    from poc_server.store.places import Place
    from poc_server.talk.phone import Phone
    from poc_server.talk.roster import Roster


class City(Protocol):
    """Who there is, and where each was seen last."""

    roster: Roster
    places: Callable[[], Iterable[Place]]


def named(city: City, phone: Phone, users: tuple[UserId, ...], act: Act = Act.CALL) -> None:
    """Judge each of those named; whoever calls himself too is passed over. Raises `Refused`."""
    for user in users:
        target = city.roster.user(user)
        if target is None:
            raise Refused(Refusal.UNKNOWN_USER)
        refused = None if user == phone.user.id else may(act, phone.user, target, city.roster)
        if refused is not None:
            raise Refused(refused)


def together(city: City, phone: Phone, asked: CallStart) -> tuple[UserId, ...]:
    """Everybody meant, without the caller; in an area only whom he may call. Raises `Refused`."""
    users = tuple(dict.fromkeys(UserId(user) for user in asked.users))
    named(city, phone, users)
    found = dict.fromkeys(users)
    for each in dict.fromkeys(asked.groups):
        found.update(dict.fromkeys(_members(city, phone, GroupId(each))))
    if asked.area is not None:
        found.update(dict.fromkeys(_inside(city, phone, asked.area)))
    found.pop(phone.user.id, None)
    if len(found) > MAX_CALLED:
        raise Refused(Refusal.TOO_MANY, f"{len(found)} of at most {MAX_CALLED}")
    return tuple(found)


def _members(city: City, phone: Phone, group: GroupId) -> list[UserId]:
    """Members of a group that is merged: one's own group, or one that one dispatches."""
    found = city.roster.group(group)
    if found is None:
        raise Refused(Refusal.UNKNOWN_GROUP)
    refusals = [may(act, phone.user, found, city.roster) for act in (Act.LISTEN, Act.DISPATCH)]
    if None not in refusals:
        raise Refused(refusals[0] or Refusal.NOT_ALLOWED)
    users = (city.roster.user(user) for user in city.roster.members(group))
    return [user.id for user in users if user is not None and user.enabled]


def _inside(city: City, phone: Phone, wanted: Area) -> list[UserId]:
    if not area.usable(wanted.ring, MAX_AREA_POINTS):
        raise Refused(Refusal.BAD_AREA)
    found = []
    for place in those_inside(city.places(), wanted.ring, wanted.datum):
        user = city.roster.user(place.user)
        if user is not None and user.enabled and may(Act.CALL, phone.user, user, city.roster) is None:
            found.append(user.id)
    return found
