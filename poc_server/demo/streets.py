"""The map of the demo city: grid cells of its streets, and where its people were last seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from groups.vocabulary import AgencyId, UnitId
from poc_server.store import Store
from poc_server.store.city.cells import Cell
from poc_server.store.places import Datum, Place, Position, Source

WEST, SOUTH = 114.2800, 30.5700
WIDE, HIGH = 0.0045, 0.0038
"""Degrees of one cell: about 430 m by 420 m."""
COLUMNS, ROWS = 4, 3
"""Cells of one street."""
STREETS = {"西山街道": (0, 1), "桥口街道": (0, 0), "滨江街道": (1, 0), "东湖街道": (1, 1)}
"""Column and row of each street in the city."""
DISTRICT = "420100"
SEEN = 200
"""So many are seen on the map, however large the city grew."""
AGES_MIN = (0, 1, 2, 4, 7, 12, 25, 48, 95)
"""How long ago people were last seen, in turn."""


def grid(agency: AgencyId, units: Mapping[str, UnitId]) -> Iterator[Cell]:
    """Every cell of the streets."""
    for number, (street, (column, row)) in enumerate(STREETS.items(), 1):
        for index in range(COLUMNS * ROWS):
            west = WEST + (column * COLUMNS + index % COLUMNS) * WIDE
            south = SOUTH + (row * ROWS + index // COLUMNS) * HIGH
            corners = ((0, 0), (WIDE, 0), (WIDE, HIGH), (0, HIGH), (0, 0))
            outline = tuple((round(west + x, 6), round(south + y, 6)) for x, y in corners)
            code = f"{DISTRICT}{number:03d}001{index + 1:03d}"
            yield Cell(agency, code, f"{street}{index + 1}号", units[street], outline=outline)


def scatter(store: Store) -> None:
    """Give everybody in the field who was not seen yet a last known place in his street."""
    now = store.clock()
    snapshot = store.directory.snapshot
    for number, user in enumerate(sorted(snapshot.users.values(), key=lambda user: user.badge)[:SEEN]):
        unit = snapshot.units.get(user.unit)
        street = None if unit is None or unit.parent is None else snapshot.units.get(unit.parent)
        spot = None if street is None else STREETS.get(street.name)
        if spot is None or store.places.of(user.id) is not None:
            continue
        at = now - AGES_MIN[number % len(AGES_MIN)] * 60_000
        # Golden steps spread people evenly without a dice: the same city every time.
        x, y = (number * 0.618) % 1, (number * 0.382) % 1
        position = Position(
            source=Source.OPERATOR,
            at_ms=at,
            longitude=round(WEST + (spot[0] + x) * COLUMNS * WIDE, 6),
            latitude=round(SOUTH + (spot[1] + y) * ROWS * HIGH, 6),
            accuracy_m=20.0,
            datum=Datum.WGS84,
        )
        store.places.put(Place(user=user.id, agency=user.agency, at_ms=at, received_ms=now, position=position))
