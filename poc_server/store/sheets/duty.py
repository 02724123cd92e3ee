"""Duty shifts as CSV: ``unit, name, starts, ends, people``; people: accounts or badges, ``zhang;DH-002;…``.

Times are ISO 8601 or ``2026-07-15 20:00``, Chinese time where they name no offset. A shift is known by its unit, name
and beginning; what is over is no part of the sheet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.mapping.times import local_text, to_ms
from groups.vocabulary import AgencyId, UnitId, UserId
from poc_server.store.change import Change, Kind
from poc_server.store.city import duty
from poc_server.store.city.duty import MAX_SHIFT_MS, ShiftDraft
from poc_server.store.directory.snapshot import Shift, Snapshot
from poc_server.store.sheets.known import KnownPeople
from poc_server.store.sheets.paths import UnitPaths
from poc_server.store.sheets.plan import BadCell, Verdict, compared, verb_of
from poc_server.store.sheets.text import Line

_FORM = "%Y-%m-%d %H:%M"
_OFFSET = "+08:00"
SEPARATOR = ";"


class DutySheet:
    """The shifts of one agency that are under way at ``now`` (ms since the epoch) or to come."""

    columns: Sequence[str] = ("unit", "name", "starts", "ends", "people")
    required: Sequence[str] = ("unit", "starts", "ends")
    reads: frozenset[Kind] = frozenset({"shift", "unit", "user"})

    def __init__(self, snapshot: Snapshot, agency: AgencyId, now: int) -> None:
        self._agency = agency
        self._units = UnitPaths(snapshot, agency)
        self._known = KnownPeople(agency)
        self._now = now
        mine = (shift for shift in snapshot.shifts.values() if shift.agency == agency and shift.ends_ms > self._now)
        self._there = {_key(shift.unit, shift.name, shift.starts_ms): shift for shift in mine}

    async def prepare(self, connection: AsyncConnection) -> None:
        """Read everybody."""
        await self._known.load(connection)

    def judge(self, line: Line) -> Verdict:
        """Create, change or leave a shift."""
        unit = self._units.find("unit", line["unit"])
        starts, ends = _moment(line, "starts"), _moment(line, "ends")
        if not 0 < ends - starts <= MAX_SHIFT_MS or ends <= self._now:
            raise BadCell("ends", "bad_value", line["ends"])
        key = _key(unit, line["name"], starts)
        old = self._there.get(key)
        if old is not None and "people" not in line.cells:
            users = old.users
        else:
            users = frozenset(self._person(name) for name in _names(line["people"]))
        wish = ShiftDraft(self._agency, unit, line["name"], starts, ends, users)
        differences = compared({} if old is None else self._cells(old), self._cells(wish))
        return Verdict(line.number, verb_of(old is not None, differences), key, differences, (old, wish))

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """All of them together."""
        wishes: list[tuple[Shift | None, ShiftDraft]] = [verdict.wish for verdict in verdicts]
        await duty.create_shifts(change, [wish for old, wish in wishes if old is None])
        await duty.update_shifts(change, {old.id: wish for old, wish in wishes if old is not None})

    def rows(self) -> Iterator[Sequence[str]]:
        """Every shift, the earliest first."""
        for shift in sorted(self._there.values(), key=lambda each: (each.starts_ms, each.name)):
            yield [*self._cells(shift).values()]

    def _person(self, name: str) -> UserId:
        """By id, account or badge."""
        if UserId(name) in self._known.rows:
            return UserId(name)
        for column in ("account", "badge"):
            try:
                user = self._known.find(Line(0, {column: name}))
            except BadCell as bad:
                raise BadCell("people", bad.problem, name) from None
            if user is not None:
                return user
        raise BadCell("people", "unknown", name)

    def _cells(self, shift: Shift | ShiftDraft) -> dict[str, str]:
        return {
            "unit": self._units.path(shift.unit),
            "name": shift.name,
            "starts": local_text(shift.starts_ms, form=_FORM) + _OFFSET,
            "ends": local_text(shift.ends_ms, form=_FORM) + _OFFSET,
            "people": SEPARATOR.join(sorted(self._called(user) for user in shift.users)),
        }

    def _called(self, user: UserId) -> str:
        row = self._known.rows.get(user)
        return user if row is None else row.account or row.badge or user


def _key(unit: UnitId, name: str, starts_ms: int) -> str:
    # Seconds are not written, so they make no difference.
    return f"{unit}/{name}/{starts_ms // 60_000}"


def _names(text: str) -> list[str]:
    return [name for part in text.split(SEPARATOR) if (name := part.strip())]


def _moment(line: Line, column: str) -> int:
    if not line[column]:
        raise BadCell(column, "missing")
    found = to_ms(line[column])
    if found is None:
        raise BadCell(column, "bad_value", line[column])
    return found
