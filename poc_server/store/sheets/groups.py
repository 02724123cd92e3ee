"""Talk groups as CSV: ``id, name, kind, unit, duty_unit, emergency, monitoring, enabled``; their people: `members`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from groups.model import Group
from groups.vocabulary import AgencyId, GroupId, GroupKind, UnitId
from poc_server.store import tables as t
from poc_server.store.change import Change, Kind
from poc_server.store.city import groups
from poc_server.store.city.groups import GroupDraft
from poc_server.store.city.in_order import in_order
from poc_server.store.directory.snapshot import Snapshot
from poc_server.store.sheets.paths import UnitPaths
from poc_server.store.sheets.plan import BadCell, Verdict, compared, flag, verb_of, yes
from poc_server.store.sheets.text import MAX_NAME_CHARS, Line

KINDS = frozenset({GroupKind.CHAT, GroupKind.PREARRANGED, GroupKind.BROADCAST})
"""Those that stand until somebody deletes them: the groups of cases and calls come and go by themselves."""


@dataclass(frozen=True, slots=True)
class _Wish:
    group: GroupId | None
    draft: GroupDraft


class GroupsSheet:
    """The standing groups of one agency. A line makes a group or changes it; none is deleted.

    Floor and call settings have no column: a group that is there keeps its own, a new one has the defaults.
    """

    columns: Sequence[str] = ("id", "name", "kind", "unit", "duty_unit", "emergency", "monitoring", "enabled")
    required: Sequence[str] = ("name", "unit")
    reads: frozenset[Kind] = frozenset({"group", "unit"})

    def __init__(self, snapshot: Snapshot, agency: AgencyId) -> None:
        self._agency = agency
        self._units = UnitPaths(snapshot, agency)
        mine = [group for group in snapshot.groups.values() if group.agency == agency and group.kind in KINDS]
        self._there: dict[GroupId, Group] = {group.id: group for group in mine}
        self._named: dict[str, list[GroupId]] = {}
        for group in self._there.values():
            self._named.setdefault(group.name, []).append(group.id)
        self._duty_units: Mapping[GroupId, UnitId] = {}

    async def prepare(self, connection: AsyncConnection) -> None:
        """Read what of a group is not in memory, and bring them into their order."""
        self._there = {group.id: group for group in await in_order(self._there.values())}
        query = select(t.group.c.id, t.group.c.duty_unit_id).where(
            t.group.c.agency_id == self._agency, t.group.c.duty_unit_id.is_not(None)
        )
        rows = (await connection.execute(query)).all()
        self._duty_units = {GroupId(row.id): UnitId(row.duty_unit_id) for row in rows}

    def judge(self, line: Line) -> Verdict:
        """Make, change or leave a group."""
        key = self._find(line)
        old = None if key is None else self._there[key]
        draft = self._draft(line, old)
        differences = compared({} if old is None else self._cells(self._as_it_is(old)), self._cells(draft))
        verb = verb_of(old is not None, differences)
        return Verdict(line.number, verb, key or draft.name, differences, _Wish(key, draft))

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """All of them together."""
        wishes: list[_Wish] = [verdict.wish for verdict in verdicts]
        await groups.create_groups(change, [wish.draft for wish in wishes if wish.group is None])
        await groups.update_groups(change, {wish.group: wish.draft for wish in wishes if wish.group is not None})

    def rows(self) -> Iterator[Sequence[str]]:
        """Every standing group, by pinyin."""
        for key, group in self._there.items():
            yield [key, *self._cells(self._as_it_is(group)).values()]

    def _find(self, line: Line) -> GroupId | None:
        """Which group: by id, else by name; None: it is new."""
        if line["id"]:
            if GroupId(line["id"]) not in self._there:
                raise BadCell("id", "unknown", line["id"])
            return GroupId(line["id"])
        found = self._named.get(line["name"], [])
        if len(found) > 1:
            raise BadCell("name", "ambiguous", line["name"])
        return found[0] if found else None

    def _draft(self, line: Line, old: Group | None) -> GroupDraft:
        name = line["name"]
        if not name:
            raise BadCell("name", "missing")
        if len(name) > MAX_NAME_CHARS or not name.isprintable():
            raise BadCell("name", "bad_value", name)
        base = self._as_it_is(old) if old else GroupDraft(self._agency, UnitId(""), name)
        return GroupDraft(
            agency=self._agency,
            unit=self._units.find("unit", line["unit"]),
            name=name,
            kind=_kind(line, base.kind),
            floor=base.floor,
            call=base.call,
            emergency_allowed=flag(line, "emergency", base.emergency_allowed),
            monitoring_allowed=flag(line, "monitoring", base.monitoring_allowed),
            enabled=flag(line, "enabled", base.enabled),
            duty_unit=self._duty_unit(line, base.duty_unit),
        )

    def _duty_unit(self, line: Line, default: UnitId | None) -> UnitId | None:
        if "duty_unit" not in line.cells:
            return default
        return self._units.find("duty_unit", line["duty_unit"]) if line["duty_unit"] else None

    def _as_it_is(self, group: Group) -> GroupDraft:
        return GroupDraft(
            agency=group.agency,
            unit=group.unit,
            name=group.name,
            kind=group.kind,
            floor=group.floor,
            call=group.call,
            emergency_allowed=group.emergency_allowed,
            monitoring_allowed=group.monitoring_allowed,
            enabled=group.enabled,
            duty_unit=self._duty_units.get(group.id),
        )

    def _cells(self, draft: GroupDraft) -> dict[str, str]:
        return {
            "name": draft.name,
            "kind": draft.kind.value,
            "unit": self._units.path(draft.unit),
            "duty_unit": "" if draft.duty_unit is None else self._units.path(draft.duty_unit),
            "emergency": yes(draft.emergency_allowed),
            "monitoring": yes(draft.monitoring_allowed),
            "enabled": yes(draft.enabled),
        }


def _kind(line: Line, default: GroupKind) -> GroupKind:
    said = line["kind"]
    if said and said not in KINDS:
        raise BadCell("kind", "bad_value", said)
    return GroupKind(said) if said else default
