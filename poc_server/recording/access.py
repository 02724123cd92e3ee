"""Who may replay what: the rows of policy that speak of recordings, as a scope for queries."""

from __future__ import annotations

from dataclasses import dataclass

from groups.model import Group, Membership, Unit, User
from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import GroupId, UnitId, UserId
from poc_server.store import Directory
from poc_server.store.recordings import Scope


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """The directory as it is for one who is a member of nothing."""

    directory: Directory

    def unit(self, unit: UnitId, /) -> Unit | None:
        return self.directory.unit(unit)

    def group(self, group: GroupId, /) -> Group | None:
        return self.directory.group(group)

    def membership(self, _group: GroupId, _user: UserId, /) -> Membership | None:
        return None

    def groups_of(self, _user: UserId, /) -> frozenset[GroupId]:
        return frozenset()


def scope_of(directory: Directory, user: User, act: Act = Act.REPLAY) -> Scope:
    """What ``user`` may replay, or export.

    What he reaches as a member he may hear from while he was one; what he reaches by his office he may hear all of.
    Groups that are deleted since belong to those whose office covers the whole agency.
    """
    outside = _Nowhere(directory)
    snapshot = directory.snapshot
    mine = directory.groups_of(user.id)
    by_office = {group.id for group in snapshot.groups.values() if may(act, user, group, outside) is None}
    as_member = {
        key
        for key in mine - by_office
        if (group := directory.group(key)) is not None and may(act, user, group, directory) is None
    }
    unit = directory.unit(user.unit)
    office = Right.EXPORT if act is Act.EXPORT else Right.REPLAY_ALL
    at_the_top = unit is not None and unit.parent is None and has(user, office)
    return Scope(user.id, frozenset(by_office), frozenset(as_member), user.agency if at_the_top else None)
