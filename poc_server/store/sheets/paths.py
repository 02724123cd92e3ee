"""Units by their path of names: ``江城市/城东区/东湖街道``."""

from __future__ import annotations

from groups.vocabulary import AgencyId, UnitId
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.sheets.plan import BadCell

SEPARATOR = "/"


class UnitPaths:
    """Both ways, within one agency."""

    def __init__(self, snapshot: Snapshot, agency: AgencyId) -> None:
        self._by_path: dict[str, list[UnitId]] = {}
        self._paths: dict[UnitId, str] = {}
        for unit in snapshot.units.values():
            if unit.agency == agency:
                names = [snapshot.units[each].name for each in reversed(snapshot.unit_path(unit.id))]
                path = SEPARATOR.join(name.replace(SEPARATOR, "_") for name in names)
                self._paths[unit.id] = path
                self._by_path.setdefault(path, []).append(unit.id)

    def path(self, unit: UnitId) -> str:
        """The path of a unit; empty when there is none."""
        return self._paths.get(unit, "")

    def all(self) -> list[tuple[str, UnitId]]:
        """Every path with its unit, parents first."""
        return sorted((path, unit) for unit, path in self._paths.items())

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
