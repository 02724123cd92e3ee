"""Units as CSV: one column ``unit``, each line a path; units above it are made with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UnitId
from poc_server.store.change import Change, Kind
from poc_server.store.city import units
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.sheets.paths import SEPARATOR, UnitPaths
from poc_server.store.sheets.plan import BadCell, Verdict
from poc_server.store.sheets.text import MAX_NAME_CHARS, Line


class UnitsSheet:
    """The tree of one agency."""

    columns: Sequence[str] = ("unit",)
    required: Sequence[str] = ("unit",)
    reads: frozenset[Kind] = frozenset({"unit"})

    def __init__(self, snapshot: Snapshot, agency: AgencyId) -> None:
        self._agency = agency
        self._paths = UnitPaths(snapshot, agency)
        self._made = self._paths.all()
        self._in_order: list[str] = []

    async def prepare(self, connection: AsyncConnection) -> None:
        """The tree is in memory already."""
        self._in_order = await self._paths.in_order()

    def judge(self, line: Line) -> Verdict:
        """Create a unit or leave it."""
        names = [name.strip() for name in line["unit"].split(SEPARATOR)]
        if any(not name or len(name) > MAX_NAME_CHARS or not name.isprintable() for name in names):
            raise BadCell("unit", "bad_value", line["unit"])
        if len(names) > units.MAX_UNIT_DEPTH:
            raise BadCell("unit", "bad_value", line["unit"])
        path = SEPARATOR.join(names)
        there = self._paths.has(path)
        return Verdict(line.number, "unchanged" if there else "create", path, {} if there else {"unit": ("", path)})

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """Parents first."""
        for verdict in verdicts:
            parent: UnitId | None = None
            names = verdict.key.split(SEPARATOR)
            for depth, name in enumerate(names, 1):
                path = SEPARATOR.join(names[:depth])
                if path not in self._made:
                    self._made[path] = await units.create_unit(change, self._agency, parent, name)
                parent = self._made[path]

    def rows(self) -> Iterator[Sequence[str]]:
        """Every path by pinyin, parents first."""
        return ([path] for path in self._in_order)
