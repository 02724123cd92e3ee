"""Whom a call or broadcast reaches: what was named, judged by rights, as a set of people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from groups.emergency import area
from groups.model import Group, Unit, User
from groups.policy import Act, may
from groups.reach import visible
from groups.vocabulary import GroupId, Refusal, UnitId, UserId
from poc_server.ground.refused import Refused
from poc_server.store.places import those_inside
from signaling.limits import MAX_AREA_POINTS
from signaling.messages import Area, Recipients

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk


def resolve(desk: Desk, act: Act, sender: User, to: Recipients, *, empty: bool = False) -> frozenset[UserId]:
    """Everybody reached, without the sender. Unknown, disabled and duplicate recipients are left out.

    So are those of other agencies: a refusal would tell that they are there. ``empty``: that nobody is reached is no
    refusal.

    Raises `Refused`: not_allowed (and its like) for a target beyond the sender's reach, bad_area, nobody_called,
    too_many.
    """
    found: set[UserId] = set()
    found |= _named(desk, act, sender, to)
    found |= _of_groups(desk, act, sender, to.groups)
    found |= _of_units(desk, act, sender, [UnitId(unit) for unit in to.units])
    if to.area is not None:
        found |= _in_area(desk, act, sender, to.area)
    if to.everyone:
        found |= _of_units(desk, act, sender, [sender.unit])
    found.discard(sender.id)
    if not found and not empty:
        raise Refused(Refusal.NOBODY_CALLED)
    if len(found) > desk.settings.recipients:
        raise Refused(Refusal.TOO_MANY, f"{len(found)} of at most {desk.settings.recipients}")
    return frozenset(found)


def single_group(desk: Desk, sender: User, to: Recipients) -> Group | None:
    """The one group the sender sees, when nothing else is named."""
    if len(to.groups) != 1 or to.users or to.units or to.area is not None or to.everyone:
        return None
    group = desk.field.roster.group(GroupId(to.groups[0]))
    return group if group is not None and visible(sender, group, desk.field.roster) else None


def judge(desk: Desk, act: Act, sender: User, target: Group | User | Unit) -> None:
    """Raises `Refused`, and audits it, when ``sender`` may not; not_found for what he does not even see."""
    refused = may(act, sender, target, desk.field.roster)
    if refused is not None:
        desk.audit_refused(sender, act, target, refused)
        seen = visible(sender, target, desk.field.roster)
        raise Refused(refused if seen else Refusal.NOT_FOUND, target.id)


def _named(desk: Desk, act: Act, sender: User, to: Recipients) -> set[UserId]:
    found = set()
    for each in set(to.users):
        user = desk.field.roster.user(UserId(each))
        if user is None or not user.enabled or user.id == sender.id or not visible(sender, user, desk.field.roster):
            continue
        judge(desk, act, sender, user)
        found.add(user.id)
    return found


def _of_groups(desk: Desk, act: Act, sender: User, groups: Iterable[str]) -> set[UserId]:
    found: set[UserId] = set()
    for each in set(groups):
        group = desk.field.roster.group(GroupId(each))
        if group is None or not group.enabled or not visible(sender, group, desk.field.roster):
            continue
        judge(desk, act, sender, group)
        found.update(desk.field.roster.members(group.id))
    return _enabled(desk, found)


def _of_units(desk: Desk, act: Act, sender: User, units: Iterable[UnitId]) -> set[UserId]:
    directory = desk.store.directory
    wanted: set[UnitId] = set()
    for each in units:
        unit = directory.unit(each)
        if unit is not None and visible(sender, unit, directory):
            judge(desk, act, sender, unit)
            wanted |= directory.unit_subtree(each)
    if not wanted:
        return set()
    return {user.id for user in directory.snapshot.users.values() if user.enabled and user.unit in wanted}


def _in_area(desk: Desk, act: Act, sender: User, wanted: Area) -> set[UserId]:
    """Those last known to be there whom the sender may reach; the others are not even counted."""
    if not area.usable(wanted.ring, MAX_AREA_POINTS):
        raise Refused(Refusal.BAD_AREA)
    found = set()
    for place in those_inside(desk.store.places.all(), wanted.ring, wanted.datum):
        user = desk.field.roster.user(place.user)
        if user is not None and user.enabled and may(act, sender, user, desk.field.roster) is None:
            found.add(user.id)
    return found


def _enabled(desk: Desk, users: Iterable[UserId]) -> set[UserId]:
    known = (desk.field.roster.user(user) for user in users)
    return {user.id for user in known if user is not None and user.enabled}
