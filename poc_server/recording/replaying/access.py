"""Who may replay what: the rows of policy that speak of recordings, as a scope for queries."""

from __future__ import annotations

from dataclasses import dataclass

from groups.model import Group, Membership, Unit, User
from groups.policy import Act, may
from groups.rights import Right, has
from groups.vocabulary import GroupId, UnitId, UserId
from poc_server.store import Directory
from poc_server.store.records.recordings import Scope


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


def member_scope(directory: Directory, user: UserId) -> Scope:
    """What ``user`` was to hear as a member or party, whatever his office; also in groups that are gone since."""
    return Scope(user, while_member=directory.groups_of(user), as_hearer=True, gone_while_member=True)


def scope_of(directory: Directory, user: User, act: Act = Act.REPLAY) -> Scope:
    """What ``user`` may replay, or export.

    What he reaches as a member he may hear from while he was one, calls if he was a party; what he reaches by his
    office he may hear all of. Both also of groups that are gone since: a case's group leaves the directory in time.
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
    office = Right.EXPORT if act is Act.EXPORT else Right.REPLAY_ALL
    return Scope(
        user.id,
        whole=frozenset(by_office),
        while_member=frozenset(as_member),
        as_hearer=act is Act.REPLAY and has(user, Right.REPLAY),
        gone_while_member=act is Act.REPLAY and has(user, Right.REPLAY),
        gone_in=directory.unit_subtree(user.unit) if has(user, office) else frozenset(),
    )
