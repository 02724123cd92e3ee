"""Who the parties of a dispatch are just now: users, units, those responsible for a cell, on a duty, near a place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from math import asin, cos, radians, sin, sqrt

from gateway.incidents.incident import Datum, Incident, Party, PartyKind, Point
from gateway.incidents.incident_state import IncidentState
from gateway.incidents.lifecycle import MembersResolved
from gateway.mapping.datum import convert
from groups.model import User
from groups.rights import Right, has
from groups.vocabulary import AgencyId, UnitId, UserId
from poc_server.store import Connection
from poc_server.store.city import cells
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.places import Place

PLACE_MAX_AGE_MS = 600_000
"""A place older than this says nothing of where somebody is."""
RADIUS_M = 500
"""How near is near where a party of kind place does not say."""
AWAY_FACTOR = 2
"""Who came in by being near goes when he is farther than so many radii; else each step over the line would count."""
_EARTH_M = 6_371_009.0
_DEGREE_M = 111_320.0
_DATUM_DEGREES = 0.02
"""More than two datums ever differ."""


class Roll:
    """Everybody of an agency by badge and by unit; made anew only when people changed."""

    def __init__(self, agency: AgencyId) -> None:
        self._agency = agency
        self._of: Mapping[UserId, User] | None = None
        self.by_badge: dict[str, set[UserId]] = {}
        self.by_unit: dict[UnitId, set[UserId]] = {}

    def of(self, snapshot: Snapshot) -> Roll:
        """This roll, as of ``snapshot``."""
        if self._of is not snapshot.users:
            self._of, self.by_badge, self.by_unit = snapshot.users, {}, {}
            for user in snapshot.users.values():
                if user.agency == self._agency:
                    self.by_unit.setdefault(user.unit, set()).add(user.id)
                    if user.badge:
                        self.by_badge.setdefault(user.badge, set()).add(user.id)
        return self


@dataclass(frozen=True, slots=True)
class Parties:
    """Looks parties up for one agency at one moment.

    Args:
        snapshot: the directory of that moment.
        roll: its people, in order.
        places: everybody's newest place.
        now: ms since the epoch.
    """

    agency: AgencyId
    snapshot: Snapshot
    roll: Roll
    places: Callable[[], Iterable[Place]]
    now: int
    _units: dict[str, UnitId | None] = field(default_factory=dict)

    async def resolve(self, connection: Connection, state: IncidentState) -> MembersResolved:
        """Who is meant by the incident's parties. A party that is known may well be nobody just now."""
        incident = state.incident
        users: set[UserId] = set()
        near: set[UserId] = set()
        unknown: list[str] = []
        empty: list[str] = []
        for party in incident.parties:
            found = await self._find(connection, party, state)
            if found is None:
                unknown.append(f"{party.kind}:{_named(party, incident)}")
                continue
            found = {user for user in found if self._listens(user)}
            if not found:
                empty.append(f"{party.kind}:{self._called(party.id)}")
            users |= found
            if party.kind is PartyKind.PLACE:
                near |= found
        return MembersResolved(frozenset(users), tuple(unknown), frozenset(near), tuple(empty))

    async def _find(self, connection: Connection, party: Party, state: IncidentState) -> set[UserId] | None:
        match party.kind:
            case PartyKind.USER:
                return self._user(party.id)
            case PartyKind.UNIT:
                unit = self._unit(party.id)
                return None if unit is None else self._of_unit(unit)
            case PartyKind.CELL:
                return await self._cell(connection, _named(party, state.incident))
            case PartyKind.DUTY:
                return self._duty(party.id)
            case PartyKind.PLACE:
                return self._near(state, party.radius_m or RADIUS_M)

    def _called(self, name: str) -> str:
        """What people call a unit or shift that was named by its id."""
        unit = self.snapshot.units.get(UnitId(name))
        shift = self.snapshot.shifts.get(name)
        return unit.name if unit else shift.name if shift else name

    def _user(self, name: str) -> set[UserId] | None:
        """By id, else by badge: case systems rarely know our ids."""
        user = self.snapshot.users.get(UserId(name))
        if user is not None and user.agency == self.agency:
            return {user.id}
        return set(self.roll.by_badge.get(name, ())) or None

    def _unit(self, name: str) -> UnitId | None:
        unit = self.snapshot.units.get(UnitId(name))
        if unit is not None and unit.agency == self.agency:
            return unit.id
        if name not in self._units:
            mine = (each for each in self.snapshot.units.values() if each.agency == self.agency)
            named = [each.id for each in mine if each.name == name]
            self._units[name] = named[0] if len(named) == 1 else None
        return self._units[name]

    def _of_unit(self, unit: UnitId) -> set[UserId]:
        below = self.snapshot.unit_subtree(unit)
        return {user for each in below for user in self.roll.by_unit.get(each, ())}

    async def _cell(self, connection: Connection, code: str) -> set[UserId] | None:
        """The supervisor responsible, else the unit's people who are on duty."""
        cell = await cells.cell_row(connection, self.agency, code)
        if cell is None:
            return None
        if cell.user_id is not None:
            return {UserId(cell.user_id)}
        people = self._of_unit(UnitId(cell.unit_id))
        return {user for user in people if self.snapshot.on_duty(user, self.now)}

    def _duty(self, name: str) -> set[UserId] | None:
        """Whoever is on a shift of that id or name, or on any of that unit; all of it where nobody plans shifts."""
        unit = self._unit(name)
        below = self.snapshot.unit_subtree(unit) if unit is not None else frozenset()
        shifts = [
            shift
            for shift in self.snapshot.shifts.values()
            if shift.agency == self.agency and (name in (shift.id, shift.name) or shift.unit in below)
        ]
        if not shifts and unit is None:
            return None
        if not shifts and unit is not None:
            return {user for user in self._of_unit(unit) if self.snapshot.on_duty(user, self.now)}
        return {user for shift in shifts if shift.runs(self.now) for user in shift.users}

    def _near(self, state: IncidentState, radius_m: int) -> set[UserId] | None:
        """Who is there, and who came in by having been there and did not go away; None: nobody knows where.

        One whose place is not known any more, or who said by a tap that he deals with it, stays.
        """
        if state.incident.point is None:
            return None
        here = convert(state.incident.point, Datum.WGS84)
        # Without a fresh place nobody is taken out: a phone in a cellar says nothing.
        found = set(state.near)
        tapped = state.tapped_before | {user for user, _ in state.taps}
        for place in self.places():
            stays = place.user in found
            if not stays and not self._roughly(place, here, radius_m):
                continue
            metres = self._metres_to(place, here)
            if metres is None:
                continue
            if metres <= radius_m:
                found.add(place.user)
            elif stays and metres > radius_m * AWAY_FACTOR and place.user not in tapped:
                found.discard(place.user)
        return found

    def _roughly(self, place: Place, here: Point, radius_m: int) -> bool:
        """Whether it is worth to look closer: a city has thousands of places."""
        if place.position is None or place.agency != self.agency:
            return False
        return abs(place.position.latitude - here.lat) <= radius_m / _DEGREE_M + _DATUM_DEGREES

    def _metres_to(self, place: Place, here: Point) -> float | None:
        position = place.position
        if position is None or self.now - position.at_ms > PLACE_MAX_AGE_MS:
            return None
        there = convert(Point(position.longitude, position.latitude, Datum(position.datum.value)), Datum.WGS84)
        return _metres(here, there)

    def _listens(self, user: UserId) -> bool:
        found = self.snapshot.users.get(user)
        return found is not None and found.agency == self.agency and has(found, Right.LISTEN)


def follows_place(incident: Incident) -> bool:
    """Whether who is a member depends on where people are."""
    return any(party.kind is PartyKind.PLACE for party in incident.parties)


def _named(party: Party, incident: Incident) -> str:
    """What a party goes by: its id; the cell of the incident where a party names none."""
    return party.id or (incident.cell if party.kind is PartyKind.CELL else "")


def _metres(one: Point, other: Point) -> float:
    """Great-circle distance of two points in WGS-84 (haversine)."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * _EARTH_M * asin(sqrt(min(1.0, half)))
