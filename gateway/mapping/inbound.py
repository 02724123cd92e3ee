"""A vendor's document to ours, as the mapping file says; what could not be taken over is told field by field.

An unknown value of one field does not lose the news: the field is left out and the fault named. Only without a code,
a version, or when the checked document does not hold, is an item refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

from gateway.incidents.case_code import incident_code
from gateway.incidents.document import BadDocument, Document, read_document
from gateway.incidents.incident import MAX_TEXT_CHARS, MAX_WORD_CHARS, Datum, PartyKind
from gateway.mapping.expressions import search
from gateway.mapping.mapping import ARRIVAL, PLAIN_FIELDS, LimitFields, MappingFile
from gateway.mapping.times import to_ms
from groups.vocabulary import IncidentCode
from signaling.messages import Refused

MAX_ITEMS = 1_000
"""Cases one document may hold; further ones are not read."""
NOT_FOUND = "not found"
"""Why of a field that must be there and is not."""
_NEEDED = {"id", "version", "document"}
_LONG = {"description", "address", "opinion"}
_FLAGS = {"urgent", "sudden", "supervised"}
_TRUE = {"true", "1", "y", "yes", "t", "是", "紧急"}
_FALSE = {"false", "0", "n", "no", "f", "否", "", "一般"}
_UNIT_MS = {"minutes": 60_000, "hours": 3_600_000, "days": 86_400_000}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a field was left out, or (``fatal``) why the item was refused."""

    field: str
    why: str
    fatal: bool = False


@dataclass(frozen=True, slots=True)
class Item:
    """One case out of a vendor's document. ``document`` is None when it had to be refused; ``read``: what it was."""

    code: IncidentCode | None
    document: Document | None
    faults: tuple[Fault, ...] = ()
    read: JsonValue = None


def items_of(mapping: MappingFile, body: JsonValue) -> list[Any]:
    """What of ``body`` are cases, not read yet."""
    found = search(mapping.items, body, mapping.surroundings) if mapping.items else [body]
    return found if isinstance(found, list) else [] if found is None else [found]


def read_items(mapping: MappingFile, body: JsonValue) -> Iterator[Item]:
    """Every case in ``body``; never raises, whatever it is."""
    items = items_of(mapping, body)
    for item in items[:MAX_ITEMS]:
        yield _Reader(mapping, item).read()
    if len(items) > MAX_ITEMS:
        yield Item(None, None, (Fault("items", f"more than {MAX_ITEMS} cases in one document", fatal=True),))


class _Reader:
    """Reads one item, gathering faults on the way."""

    def __init__(self, mapping: MappingFile, item: JsonValue) -> None:
        self._mapping, self._item = mapping, item
        self._faults: list[Fault] = []

    def read(self) -> Item:
        fields = {name: value for name in PLAIN_FIELDS if (value := self._plain(name)) is not None}
        code = self._code(fields.pop("code", None))
        told = any(fault.field == "version" for fault in self._faults)
        if "version" not in fields and not told and self._mapping.inbound.version != ARRIVAL:
            self._fault("version", NOT_FOUND, fatal=True)
        fields |= {name: value for name, value in self._structured() if value is not None}
        lost = any(fault.fatal for fault in self._faults)
        document = None if lost else self._checked(fields)
        return Item(code, document, tuple(self._faults), None if document is not None else self._item)

    def _checked(self, fields: dict[str, Any]) -> Document | None:
        """The document; what a check refuses is left out, for the other facts of the news count all the same."""
        for _ in range(len(fields) + 1):
            try:
                return read_document(fields)
            except BadDocument as refused:
                for detail in refused.details:
                    field, _, why = detail.partition(": ")
                    self._fault(field, why, fatal=field.split(".")[0] in _NEEDED)
                wrong = {detail.partition(":")[0].split(".")[0] for detail in refused.details}
                if wrong & _NEEDED:
                    return None
                fields = {name: value for name, value in fields.items() if name not in wrong}
        return None

    def _fault(self, field: str, why: str, fatal: bool = False) -> None:
        self._faults.append(Fault(field, why, fatal))

    def _find(self, expression: str) -> Any:
        return search(expression, self._item, self._mapping.surroundings)

    def _code(self, found: object) -> IncidentCode | None:
        if found is None:
            self._fault("code", NOT_FOUND, fatal=True)
            return None
        try:
            return incident_code(str(found))
        except Refused:
            self._fault("code", f"not a code: {_short(found)}", fatal=True)
            return None

    def _plain(self, name: str) -> Any:
        expression = getattr(self._mapping.inbound, name)
        if expression is None or expression == ARRIVAL:
            return None
        found = self._find(expression)
        table = self._mapping.values.get(name)
        if found is None:
            return None
        if table is not None:
            return self._translate(name, found, table)
        if name in {"version", "at"}:
            return self._moment(name, found)
        if name in _FLAGS:
            return self._flag(name, found)
        if isinstance(found, dict | list):
            self._fault(name, "is a list or object, not a text")
            return None
        longest = MAX_TEXT_CHARS if name in _LONG else MAX_WORD_CHARS
        if len(text := str(found)) > longest:
            self._fault(name, f"cut to {longest} characters")
        return text[:longest]

    def _translate(self, name: str, found: object, table: dict[str, str]) -> str | None:
        meaning = table.get(_key(found), table.get("*"))
        if meaning is None:
            self._fault(name, f"no meaning for {_short(found)} in [values.{name}]")
        return meaning or None

    def _moment(self, name: str, found: object) -> int | None:
        if name == "version" and isinstance(found, int) and not isinstance(found, bool):
            return found  # a counter of theirs, or ms: only its order matters
        if name == "version" and isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 19:
            return int(found)
        ms = to_ms(found, self._mapping.utc_offset_minutes, self._mapping.time_formats)
        if ms is None:
            self._fault(name, f"not a moment: {_short(found)}", fatal=name == "version")
        return ms

    def _flag(self, name: str, found: object) -> bool | None:
        word = str(found).strip().lower()
        if word in _TRUE | _FALSE:
            return word in _TRUE
        self._fault(name, f"neither yes nor no: {_short(found)}")
        return None

    def _structured(self) -> Iterator[tuple[str, Any]]:
        yield "point", self._point()
        yield "parties", self._parties()
        yield "limits", self._limits()
        yield "files", self._files()

    def _point(self) -> dict[str, Any] | None:
        where = self._mapping.inbound
        if where.lon is None or where.lat is None:
            return None
        lon, lat = (_number(self._find(expression)) for expression in (where.lon, where.lat))
        if lon is None or lat is None or (lon, lat) == (0, 0):
            return None
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            self._fault("point", f"not degrees: {lon}, {lat}")
            return None
        return {"lon": lon, "lat": lat, "datum": Datum(self._mapping.datum)}

    def _parties(self) -> list[dict[str, Any]] | None:
        parties: list[dict[str, Any]] = []
        told = False
        for kind, expression in self._mapping.inbound.parties.items():
            found = self._find(expression)
            if found is None:
                continue
            told = True
            if kind is PartyKind.PLACE:
                near = {"kind": kind, "radius_m": self._mapping.inbound.place_radius_m}
                parties += [near] if self._flag("parties.place", found) else []
            else:
                parties += [{"kind": kind, "id": name} for name in _names(found)]
        return parties if told else None

    def _limits(self) -> list[dict[str, Any]] | None:
        rows = [row for fields in self._mapping.inbound.limits if (row := self._limit(fields))]
        return rows or None

    def _limit(self, fields: LimitFields) -> dict[str, Any] | None:
        row: dict[str, Any] = {"stage": fields.stage, "wall_clock": fields.wall_clock}
        due = self._find(fields.due) if fields.due else None
        allowed = _number(self._find(fields.allowed)) if fields.allowed else None
        if due is not None:
            row["due_ms"] = self._moment("limits", due)
        if allowed is not None and allowed > 0:
            row["allowed_ms"] = int(allowed * _UNIT_MS[fields.unit])
        return row if row.get("due_ms") or row.get("allowed_ms") else None

    def _files(self) -> list[dict[str, Any]] | None:
        found = {kind: self._find(expression) for kind, expression in self._mapping.inbound.files.items()}
        told = {kind: _names(links) for kind, links in found.items() if links is not None}
        rows = [{"kind": kind, "url": link} for kind, links in told.items() for link in links]
        return rows if told else None


def _names(found: object) -> list[str]:
    """A list of names, or one text that holds several, however it separates them; each once."""
    parts = found if isinstance(found, list) else str(found).replace("，", ",").replace(";", ",").split(",")
    names = (str(part).strip() for part in parts if part is not None and not isinstance(part, dict | list))
    return list(dict.fromkeys(name for name in names if name))


def _number(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float | str):
        return None
    try:
        number = float(found)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None


def _key(found: object) -> str:
    return str(found).lower() if isinstance(found, bool) else str(found)


def _short(found: object) -> str:
    text = str(found)
    return text if len(text) <= 60 else text[:57] + "…"
