"""A small city for policy: two agencies, a tree of units, and one target of each kind that matters."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from groups.model import Agency, Group, Membership, Unit, User
from groups.vocabulary import AgencyId, GroupId, GroupKind, Role, UnitId, UserId

CITY, WATER = AgencyId("city"), AgencyId("water")


@dataclass
class City:
    """What policy reads, as plain dictionaries."""

    units: dict[str, Unit] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    members: dict[tuple[str, str], Membership] = field(default_factory=dict)

    def unit(self, unit: UnitId) -> Unit | None:
        return self.units.get(unit)

    def group(self, group: GroupId) -> Group | None:
        return self.groups.get(group)

    def membership(self, group: GroupId, user: UserId) -> Membership | None:
        return self.members.get((group, user))

    def groups_of(self, user: UserId) -> Iterable[GroupId]:
        return [GroupId(group) for group, member in self.members if member == user]

    def add_unit(self, name: str, agency: AgencyId, parent: str | None) -> None:
        self.units[name] = Unit(UnitId(name), agency, None if parent is None else UnitId(parent), name)

    def add_user(self, name: str, agency: AgencyId, unit: str, *roles: Role, **more: bool) -> User:
        user = User(UserId(name), agency, UnitId(unit), name, frozenset(roles), **more)  # type: ignore[arg-type]
        self.users[name] = user
        return user

    def add_group(self, name: str, agency: AgencyId, unit: str, members: Iterable[str] = (), **more: object) -> Group:
        group = Group(GroupId(name), agency, UnitId(unit), name, **more)  # type: ignore[arg-type]
        self.groups[name] = group
        for member in members:
            self.members[name, member] = Membership(group.id, UserId(member))
        return group


def build() -> City:
    """``me`` sits in ``north``, above ``street`` and beside ``south``; ``water`` is another agency."""
    city = City()
    city.add_unit("root", CITY, None)
    city.add_unit("north", CITY, "root")
    city.add_unit("street", CITY, "north")
    city.add_unit("south", CITY, "root")
    city.add_unit("plant", WATER, None)
    city.add_user("near", CITY, "street")
    city.add_user("far", CITY, "south")
    city.add_user("diver", WATER, "plant")
    city.add_user("plumber", WATER, "plant")
    city.add_user("gone", CITY, "street", enabled=False)
    city.add_group("mine", CITY, "north", ["me", "near"])
    city.add_group("listened", CITY, "north", ["me"])
    city.members["listened", "me"] = Membership(GroupId("listened"), UserId("me"), may_talk=False)
    city.add_group("below", CITY, "street", ["near"])
    city.add_group("beside", CITY, "south", ["far"])
    city.add_group("beside_mine", CITY, "south", ["me"])
    city.add_group("theirs", WATER, "plant", ["diver"])
    # A stray row of membership opens no group that was not shared.
    city.add_group("theirs_stray", WATER, "plant", ["me", "diver"])
    city.add_group("shared", WATER, "plant", ["me", "plumber"], shared_with=frozenset({CITY}))
    city.add_group("shared_without_me", WATER, "plant", ["near"], shared_with=frozenset({CITY}))
    city.add_group("closed", CITY, "north", ["me"], enabled=False)
    city.add_group("calm", CITY, "north", ["me"], emergency_allowed=False)
    city.add_group("unheard", CITY, "north", ["me"], monitoring_allowed=False)
    city.add_group("two", CITY, "north", ["me"], kind=GroupKind.PRIVATE)
    return city


AGENCIES = {"city": Agency(CITY, "city"), "water": Agency(WATER, "water")}
