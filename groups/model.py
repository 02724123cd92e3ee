"""People, units, groups and memberships, as plain frozen data: what policy and audience are computed from."""

from __future__ import annotations

from dataclasses import dataclass, field

from groups.calls.rules import CallRules
from groups.floor.options import FloorOptions
from groups.vocabulary import AgencyId, GroupId, GroupKind, Role, UnitId, UserId, UserKind


@dataclass(frozen=True, slots=True)
class Agency:
    """One organisation; between agencies nothing is visible except through a shared group both granted."""

    id: AgencyId
    name: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A node of an agency's tree 市-区-街道-队. ``parent`` is None at the root."""

    id: UnitId
    agency: AgencyId
    parent: UnitId | None
    name: str


@dataclass(frozen=True, slots=True)
class User:
    """A person, vehicle or post that can sign in. ``badge`` is the number shown beside the name."""

    id: UserId
    agency: AgencyId
    unit: UnitId
    name: str
    roles: frozenset[Role]
    kind: UserKind = UserKind.PERSON
    badge: str = ""
    enabled: bool = True
    talk_banned: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """A talk group and what it can do (its capabilities are one third of every right).

    Attributes:
        emergency_allowed: emergency and imminent peril calls may be made in it.
        monitoring_allowed: dispatchers who are no members may listen.
        shared_with: other agencies it is shared with, once both sides granted that.
        call: how its calls end, for a kind that has calls (prearranged, broadcast).
    """

    id: GroupId
    agency: AgencyId
    unit: UnitId
    name: str
    kind: GroupKind = GroupKind.CHAT
    floor: FloorOptions = field(default_factory=FloorOptions)
    emergency_allowed: bool = True
    enabled: bool = True
    monitoring_allowed: bool = True
    shared_with: frozenset[AgencyId] = frozenset()
    call: CallRules = CallRules()


@dataclass(frozen=True, slots=True)
class Membership:
    """One user's place in one group. ``priority`` 0–255, higher first (TS 24.379 user priority)."""

    group: GroupId
    user: UserId
    may_talk: bool = True
    may_preempt: bool = False
    priority: int = 100
