"""Grid cells as CSV: ``code, name, unit, account, outline, datum``; outline: ``lon lat;lon lat;…``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.vocabulary import AgencyId, UserId
from poc_server.store import tables as t
from poc_server.store.change import Change, Kind
from poc_server.store.city import cells
from poc_server.store.city.cells import CODE_DIGITS, Cell
from poc_server.store.city.people import account_key
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.places import Datum
from poc_server.store.sheets.known import KnownPeople
from poc_server.store.sheets.paths import UnitPaths
from poc_server.store.sheets.plan import BadCell, Verdict, compared, verb_of
from poc_server.store.sheets.text import Line
from poc_server.store.sql.statements import each_row


class CellsSheet:
    """The grid of one agency."""

    columns: Sequence[str] = ("code", "name", "unit", "account", "outline", "datum")
    required: Sequence[str] = ("code", "unit")
    reads: frozenset[Kind] = frozenset({"cell", "unit", "user"})

    def __init__(self, snapshot: Snapshot, agency: AgencyId) -> None:
        self._agency = agency
        self._units = UnitPaths(snapshot, agency)
        self._known = KnownPeople(agency)
        self._there: dict[str, Row[Any]] = {}

    async def prepare(self, connection: AsyncConnection) -> None:
        """Read everybody and every cell."""
        await self._known.load(connection)
        query = select(t.cell).where(t.cell.c.agency_id == self._agency).order_by(t.cell.c.code)
        self._there = {row.code: row async for row in each_row(connection, query)}

    def judge(self, line: Line) -> Verdict:
        """Create, change or leave a cell."""
        code = line["code"]
        if len(code) != CODE_DIGITS or not (code.isascii() and code.isdigit()):
            raise BadCell("code", "bad_value", code)
        row = self._there.get(code)
        old = None if row is None else _cell(row)
        wish = Cell(
            self._agency,
            code,
            line.said("name", "" if old is None else old.name),
            self._units.find("unit", line["unit"]),
            old.user if old is not None and "account" not in line.cells else self._responsible(line),
            old.outline if old is not None and "outline" not in line.cells else _outline(line),
            old.datum if old is not None and "datum" not in line.cells else _datum(line),
        )
        differences = compared({} if old is None else self._cells(old), self._cells(wish))
        verb = verb_of(old is not None, differences)
        return Verdict(line.number, verb, code, differences, wish)

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """All of them."""
        await cells.put_cells(change, [verdict.wish for verdict in verdicts])

    def rows(self) -> Iterator[Sequence[str]]:
        """Every cell by code."""
        for code, row in self._there.items():
            yield [code, *self._cells(_cell(row)).values()]

    def _responsible(self, line: Line) -> UserId | None:
        if not line["account"]:
            return None
        user = self._known.accounts.get(account_key(line["account"]))
        if user is None or user not in self._known.rows:
            raise BadCell("account", "unknown", line["account"])
        return user

    def _cells(self, cell: Cell) -> dict[str, str]:
        row = None if cell.user is None else self._known.rows.get(cell.user)
        return {
            "name": cell.name,
            "unit": self._units.path(cell.unit),
            "account": "" if row is None else row.account or "",
            "outline": ";".join(f"{longitude!r} {latitude!r}" for longitude, latitude in cell.outline),
            "datum": cell.datum,
        }


def _cell(row: Row[Any]) -> Cell:
    outline = tuple((float(longitude), float(latitude)) for longitude, latitude in row.outline)
    return Cell(row.agency_id, row.code, row.name, row.unit_id, row.user_id, outline, row.datum)


def _outline(line: Line) -> tuple[tuple[float, float], ...]:
    points = []
    for point in filter(None, (part.strip() for part in line["outline"].split(";"))):
        try:
            longitude, latitude = (float(number) for number in point.split())
        except ValueError:
            raise BadCell("outline", "bad_value", point) from None
        if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
            raise BadCell("outline", "bad_value", point)
        points.append((longitude, latitude))
    return tuple(points)


def _datum(line: Line) -> str:
    try:
        return Datum(line["datum"] or Datum.WGS84).value
    except ValueError:
        raise BadCell("datum", "bad_value", line["datum"]) from None
