"""Who is meant by a call to several: groups of none, one and many, those in an area in any datum, the limit."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from groups.model import Agency, Group, Membership, Unit, User
from groups.vocabulary import AgencyId, GroupId, Refusal, Role, UnitId, UserId
from poc_server.ground.refused import Refused
from poc_server.store.directory import Directory
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.places import Datum, Place, Position
from poc_server.talk.calls.people_called import together
from poc_server.talk.phone import Phone
from poc_server.talk.roster import Roster
from signaling.limits import MAX_CALLED
from signaling.messages import Area, CallStart

AGENCY, UNIT = AgencyId("ag"), UnitId("un")
BOSS = User(UserId("boss"), AGENCY, UNIT, "长", frozenset({Role.DISPATCHER}))


@dataclass
class City:
    """So many people, of whom the first so many are in each group."""

    people: int
    groups: dict[str, int]
    seen: list[Place] = field(default_factory=list)

    def __post_init__(self) -> None:
        users = [User(UserId(f"u{n}"), AGENCY, UNIT, f"人{n}", frozenset({Role.OFFICER})) for n in range(self.people)]
        members = {
            GroupId(name): {user.id: Membership(GroupId(name), user.id) for user in users[:count]}
            for name, count in self.groups.items()
        }
        snapshot = Snapshot(
            agencies={AGENCY: Agency(AGENCY, "城")},
            units={UNIT: Unit(UNIT, AGENCY, None, "队")},
            users={user.id: user for user in (BOSS, *users)},
            groups={key: Group(key, AGENCY, UNIT, key) for key in members},
            members=members,
        )
        self.roster = Roster(Directory(snapshot))

    def places(self) -> list[Place]:
        return self.seen

    def called(self, **asked: object) -> tuple[UserId, ...]:
        phone = Phone("boss/", BOSS, "session", 4)
        return together(self, phone, CallStart.model_validate({"id": "c", "kind": "group", **asked}))


def test_as_many_as_may_be_called_are_called_and_one_more_is_too_many() -> None:
    city = City(MAX_CALLED + 1, {"full": MAX_CALLED, "over": MAX_CALLED + 1})
    assert len(city.called(groups=["full"])) == MAX_CALLED
    assert len(city.called(groups=["full"], users=["u0", "boss"])) == MAX_CALLED, "nobody counts twice, nor the caller"
    for asked in ({"groups": ["over"]}, {"groups": ["full"], "users": [f"u{MAX_CALLED}"]}):
        with pytest.raises(Refused) as refused:
            city.called(**asked)
        assert refused.value.code is Refusal.TOO_MANY


def test_groups_of_nobody_of_one_and_of_five_thousand() -> None:
    city = City(5_000, {"none": 0, "one": 1, "all": 5_000})
    assert city.called(groups=["none"]) == ()
    assert city.called(groups=["none", "one", "one"]) == (UserId("u0"),)
    with pytest.raises(Refused) as refused:
        city.called(groups=["all"])
    assert refused.value.code is Refusal.TOO_MANY


@pytest.mark.parametrize("drawn_in", ["WGS-84", "GCJ-02", "CGCS2000"])
def test_who_stands_in_an_area_is_found_in_whatever_datum_he_and_the_area_are_told(drawn_in: str) -> None:
    street = {"WGS-84": (114.305, 30.593), "CGCS2000": (114.305, 30.593), "GCJ-02": (114.310444, 30.590590)}
    city = City(4, {})
    for number, datum in enumerate(Datum):
        city.seen.append(at(f"u{number}", *street[datum], datum))
    city.seen.append(at("u3", *street["GCJ-02"], Datum.WGS84))
    lon, lat = street[drawn_in]
    ring = [(lon - d, lat - e) for d, e in ((2e-4, 2e-4), (-2e-4, 2e-4), (-2e-4, -2e-4), (2e-4, -2e-4), (2e-4, 2e-4))]
    assert city.called(area=Area(ring=ring, datum=drawn_in).model_dump()) == ("u0", "u1", "u2")  # type: ignore[arg-type]


def at(user: str, longitude: float, latitude: float, datum: Datum) -> Place:
    position = Position(at_ms=1, longitude=longitude, latitude=latitude, datum=datum)
    return Place(user=UserId(user), agency=AGENCY, at_ms=1, received_ms=1, position=position)
