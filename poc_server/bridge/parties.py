"""Who the parties of a dispatch are just now: users, units, those responsible for a cell, on a duty, near a place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.datum import convert
from gateway.incident import Datum, Incident, Party, PartyKind, Point
from groups.model import User
from groups.rights import Right, has
from groups.vocabulary import AgencyId, UnitId, UserId
from poc_server.store import cells
from poc_server.store.places import Place
from poc_server.store.snapshot import Snapshot

PLACE_MAX_AGE_MS = 600_000
"""A place older than this says nothing of where somebody is."""
_EARTH_M = 6_371_009.0


@dataclass(frozen=True, slots=True)
class Resolved:
    """Who was found, and which parties nobody knows."""

    users: frozenset[UserId]
    unknown: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Parties:
    """Looks parties up for one agency at one moment.

    Args:
        snapshot: the directory of that moment.
        places: everybody's newest place.
        now: ms since the epoch.
    """

    agency: AgencyId
    snapshot: Snapshot
    places: Callable[[], Iterable[Place]]
    now: int

    async def resolve(self, connection: AsyncConnection, incident: Incident) -> Resolved:
        """Who is meant by the incident's parties. A party that is known may well be nobody just now."""
        users: set[UserId] = set()
        unknown: list[str] = []
        for party in incident.parties:
            found = await self._find(connection, party, incident.point)
            if found is None:
                unknown.append(f"{party.kind}:{party.id}")
            else:
                users |= {user for user in found if self._listens(user)}
        return Resolved(frozenset(users), tuple(unknown))

    async def _find(self, connection: AsyncConnection, party: Party, point: Point | None) -> set[UserId] | None:
        match party.kind:
            case PartyKind.USER:
                return self._user(party.id)
            case PartyKind.UNIT:
                unit = self._unit(party.id)
                return None if unit is None else self._of_unit(unit)
            case PartyKind.CELL:
                return await self._cell(connection, party.id)
            case PartyKind.DUTY:
                return self._duty(party.id)
            case PartyKind.PLACE:
                return set() if point is None else self._near(point, party.radius_m or 500)

    def _user(self, name: str) -> set[UserId] | None:
        """By id, else by badge: case systems rarely know our ids."""
        user = self.snapshot.users.get(UserId(name))
        if user is not None and user.agency == self.agency:
            return {user.id}
        found = {each.id for each in self._people() if each.badge == name} if name else set()
        return found or None

    def _unit(self, name: str) -> UnitId | None:
        unit = self.snapshot.units.get(UnitId(name))
        if unit is not None and unit.agency == self.agency:
            return unit.id
        named = [each.id for each in self.snapshot.units.values() if each.agency == self.agency and each.name == name]
        return named[0] if len(named) == 1 else None

    def _of_unit(self, unit: UnitId) -> set[UserId]:
        below = self.snapshot.unit_subtree(unit)
        return {each.id for each in self._people() if each.unit in below}

    async def _cell(self, connection: AsyncConnection, code: str) -> set[UserId] | None:
        """The supervisor responsible, else the unit's people who are on duty."""
        cell = await cells.cell_row(connection, self.agency, code)
        if cell is None:
            return None
        if cell.user_id is not None:
            return {UserId(cell.user_id)}
        people = self._of_unit(UnitId(cell.unit_id))
        return {user for user in people if self.snapshot.on_duty(user, self.now)}

    def _duty(self, name: str) -> set[UserId] | None:
        """Whoever is on a shift of that id or name, or on any shift of that unit."""
        unit = self._unit(name)
        below = self.snapshot.unit_subtree(unit) if unit is not None else frozenset()
        shifts = [
            shift
            for shift in self.snapshot.shifts.values()
            if shift.agency == self.agency and (name in (shift.id, shift.name) or shift.unit in below)
        ]
        if not shifts and unit is None:
            return None
        return {user for shift in shifts if shift.runs(self.now) for user in shift.users}

    def _near(self, point: Point, radius_m: int) -> set[UserId]:
        here = convert(point, Datum.WGS84)
        found = set()
        for place in self.places():
            if place.position is None or place.agency != self.agency or self.now - place.at_ms > PLACE_MAX_AGE_MS:
                continue
            position = place.position
            there = convert(Point(position.longitude, position.latitude, Datum(position.datum.value)), Datum.WGS84)
            if _metres(here, there) <= radius_m:
                found.add(place.user)
        return found

    def _people(self) -> Iterable[User]:
        return (user for user in self.snapshot.users.values() if user.agency == self.agency)

    def _listens(self, user: UserId) -> bool:
        found = self.snapshot.users.get(user)
        return found is not None and found.agency == self.agency and has(found, Right.LISTEN)


def _metres(one: Point, other: Point) -> float:
    """Great-circle distance of two points in WGS-84 (haversine)."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * _EARTH_M * asin(sqrt(min(1.0, half)))
