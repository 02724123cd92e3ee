"""Units by their path of names: ``江城市/城东区/东湖街道``."""

from __future__ import annotations

from groups.model import Unit
from groups.vocabulary import AgencyId, UnitId
from poc_server.store.city.in_order import in_order
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.sheets.plan import BadCell

SEPARATOR = "/"


class UnitPaths:
    """Both ways, within one agency."""

    def __init__(self, snapshot: Snapshot, agency: AgencyId) -> None:
        self._by_path: dict[str, list[UnitId]] = {}
        self._paths: dict[UnitId, str] = {}
        self._units: dict[UnitId, Unit] = {}
        for unit in snapshot.units.values():
            if unit.agency == agency:
                names = [snapshot.units[each].name for each in reversed(snapshot.unit_path(unit.id))]
                path = SEPARATOR.join(name.replace(SEPARATOR, "_") for name in names)
                self._paths[unit.id] = path
                self._units[unit.id] = unit
                self._by_path.setdefault(path, []).append(unit.id)

    def path(self, unit: UnitId) -> str:
        """The path of a unit; empty when there is none."""
        return self._paths.get(unit, "")

    def all(self) -> dict[str, UnitId]:
        """Every path with its unit."""
        return {path: unit for unit, path in self._paths.items()}

    async def in_order(self) -> list[str]:
        """Every path by pinyin, parents first."""
        places = {unit.id: place for place, unit in enumerate(await in_order(self._units.values()))}

        def way(unit: UnitId) -> list[int]:
            above = self._units[unit].parent
            return [*(way(above) if above in self._units else ()), places[unit]]

        return [self._paths[unit] for unit in sorted(self._paths, key=way)]

    def find(self, column: str, path: str) -> UnitId:
        """The unit with that path. Raises `BadCell`: missing, unknown, ambiguous."""
        clean = SEPARATOR.join(part.strip() for part in path.split(SEPARATOR))
        if not clean:
            raise BadCell(column, "missing")
        found = self._by_path.get(clean, [])
        if len(found) != 1:
            raise BadCell(column, "ambiguous" if found else "unknown", path)
        return found[0]

    def has(self, path: str) -> bool:
        """Whether there is a unit with that path."""
        return path in self._by_path
