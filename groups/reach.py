"""Where a right reaches: the target rules of the policy table, and what is visible at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Protocol

from groups.model import Agency, Group, Membership, Unit, User
from groups.vocabulary import AgencyId, GroupId, Refusal, UnitId, UserId

MAX_UNIT_DEPTH = 32
"""Levels of units looked at; a tree that is deeper, or a ring, reaches no further."""

Target = Group | User | Unit | Agency


class Facts(Protocol):
    """What policy reads of the directory; every look-up is in memory."""

    def unit(self, unit: UnitId, /) -> Unit | None:
        """The unit with that id."""

    def group(self, group: GroupId, /) -> Group | None:
        """The group with that id."""

    def membership(self, group: GroupId, user: UserId, /) -> Membership | None:
        """The place of a user in a group."""

    def groups_of(self, user: UserId, /) -> Iterable[GroupId]:
        """The groups a user is a member of."""


class Reach(StrEnum):
    """The target rule of a row."""

    MEMBER = "member of the group"
    TALKING_MEMBER = "member who may talk"
    SUBTREE = "own unit and those below"
    SUBTREE_OTHERS = "others in own unit and below"
    AGENCY = "own agency"
    AGENCY_OTHERS = "others in own agency"
    VISIBLE_OTHERS = "others one can see"
    SELF = "oneself"


def visible(subject: User, target: Target, facts: Facts) -> bool:
    """Whether ``target`` exists for ``subject``: in his own agency, or by a group shared with it."""
    match target:
        case Agency():
            return target.id == subject.agency
        case Group():
            return subject.agency == target.agency or subject.agency in target.shared_with
        case User():
            return subject.agency == target.agency or _share_a_group(subject, target, facts)
        case Unit():
            return subject.agency == target.agency


def unseen(target: Target) -> Refusal:
    """What one is told of a target that does not exist for him: the same as of one that does not exist."""
    match target:
        case Group():
            return Refusal.UNKNOWN_GROUP
        case User():
            return Refusal.UNKNOWN_USER
        case _:
            return Refusal.NOT_FOUND


def _share_a_group(one: User, other: User, facts: Facts) -> bool:
    theirs = set(facts.groups_of(other.id))
    for group_id in facts.groups_of(one.id):
        group = facts.group(group_id) if group_id in theirs else None
        if group is not None and {one.agency, other.agency} <= {group.agency, *group.shared_with}:
            return True
    return False


def _in_subtree(subject: User, target: Target, facts: Facts) -> bool:
    if agency_of(target) != subject.agency:
        return False
    at: UnitId | None = target.id if isinstance(target, Unit) else getattr(target, "unit", None)
    for _ in range(MAX_UNIT_DEPTH):
        if at is None:
            return False
        if at == subject.unit:
            return True
        unit = facts.unit(at)
        at = None if unit is None else unit.parent
    return False


def agency_of(target: Target) -> AgencyId:
    """The agency a target belongs to."""
    return target.id if isinstance(target, Agency) else target.agency


def _member(subject: User, target: Target, facts: Facts) -> Refusal | None:
    found = isinstance(target, Group) and facts.membership(target.id, subject.id) is not None
    return None if found else Refusal.NOT_A_MEMBER


def _talking_member(subject: User, target: Target, facts: Facts) -> Refusal | None:
    membership = facts.membership(target.id, subject.id) if isinstance(target, Group) else None
    if membership is None:
        return Refusal.NOT_A_MEMBER
    return None if membership.may_talk else Refusal.RECEIVE_ONLY


def _rule(holds: Callable[[User, Target, Facts], bool]) -> Callable[[User, Target, Facts], Refusal | None]:
    return lambda subject, target, facts: None if holds(subject, target, facts) else Refusal.NOT_ALLOWED


def _other(subject: User, target: Target) -> bool:
    return not (isinstance(target, User) and target.id == subject.id)


REACHES: Mapping[Reach, Callable[[User, Target, Facts], Refusal | None]] = {
    Reach.MEMBER: _member,
    Reach.TALKING_MEMBER: _talking_member,
    Reach.SUBTREE: _rule(_in_subtree),
    Reach.SUBTREE_OTHERS: _rule(lambda s, t, f: _other(s, t) and _in_subtree(s, t, f)),
    Reach.AGENCY: _rule(lambda s, t, _: agency_of(t) == s.agency),
    Reach.AGENCY_OTHERS: _rule(lambda s, t, _: _other(s, t) and agency_of(t) == s.agency),
    Reach.VISIBLE_OTHERS: _rule(lambda s, t, _: _other(s, t)),
    Reach.SELF: _rule(lambda s, t, _: not _other(s, t)),
}
