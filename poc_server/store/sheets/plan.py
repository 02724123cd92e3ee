"""What a file would change, and a table as a file.

Lines are judged in slices, so that a file of ten thousand does not hold up voice.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from poc_server.store.change import Change, Kind
from poc_server.store.sheets import text
from poc_server.store.sheets.text import Line

SLICE_CHARS = 4_000
"""Of a file, judged or written before the loop may do something else: 50 people, or a shift of 500."""
Problem = Literal["missing", "unknown", "ambiguous", "repeated", "taken", "bad_value", "not_allowed"]
Verb = Literal["create", "update", "unchanged"]


class BadCell(Exception):
    """One cell is wrong."""

    def __init__(self, column: str, problem: Problem, value: str = "") -> None:
        super().__init__(f"{column}: {problem}")
        self.column = column
        self.problem = problem
        self.value = value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a line means. ``differences``: column → (as it is, as it shall be). ``wish`` is the sheet's own."""

    number: int
    verb: Verb
    key: str
    differences: dict[str, tuple[str, str]] = field(default_factory=dict)
    wish: Any = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """A line that cannot be applied."""

    number: int
    column: str
    problem: Problem
    value: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything a file would do."""

    verdicts: list[Verdict]
    mistakes: list[Mistake]

    def count(self, verb: Verb) -> int:
        """How many lines mean ``verb``."""
        return sum(1 for verdict in self.verdicts if verdict.verb == verb)


class Sheet(Protocol):
    """One kind of table.

    Attributes:
        columns: all it may have, in the order in which they are written.
        required: those a file must have.
        reads: what else a judgement stands on than the rights of who imports: when somebody changes such a thing, it
            is judged again.
    """

    columns: Sequence[str]
    required: Sequence[str]
    reads: frozenset[Kind]

    async def prepare(self, connection: AsyncConnection) -> None:
        """Read what lines are compared with."""

    def judge(self, line: Line) -> Verdict:
        """What a line means. Raises `BadCell`."""

    async def apply(self, change: Change, verdicts: Sequence[Verdict]) -> None:
        """Carry out some creates and updates, those of earlier lines stand already."""

    def rows(self) -> Iterator[Sequence[str]]:
        """All there is, in the order of ``columns``."""


async def judge(sheet: Sheet, data: bytes) -> Plan:
    """What a file would change. Raises `BadSheet` when it cannot be read as a whole."""
    verdicts: list[Verdict] = []
    mistakes: list[Mistake] = []
    seen: dict[str, int] = {}
    chars = 0
    for line in text.read(data, sheet.columns, sheet.required):
        try:
            verdict = sheet.judge(line)
            if verdict.key in seen:
                raise BadCell((*sheet.required, *sheet.columns)[0], "repeated", f"line {seen[verdict.key]}")
            seen[verdict.key] = line.number
            verdicts.append(verdict)
        except BadCell as bad:
            mistakes.append(Mistake(line.number, bad.column, bad.problem, bad.value[:100]))
        chars += sum(map(len, line.cells.values()))
        if chars >= SLICE_CHARS:
            chars = 0
            await asyncio.sleep(0)
    return Plan(verdicts, mistakes)


async def export(sheet: Sheet) -> AsyncIterator[bytes]:
    """The file that `judge` would find unchanged."""
    part = ""
    for line in text.write(sheet.columns, sheet.rows()):
        part += line
        if len(part) >= SLICE_CHARS:
            yield part.encode()
            part = ""
            await asyncio.sleep(0)
    yield part.encode()


def compared(before: dict[str, str], after: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Column → (old, new) where they differ."""
    return {key: (before.get(key, ""), value) for key, value in after.items() if before.get(key, "") != value}


def verb_of(there: bool, differences: dict[str, tuple[str, str]]) -> Verb:
    """What a line with these differences means for something that is there, or is not."""
    if not there:
        return "create"
    return "update" if differences else "unchanged"


def flag(line: Line, column: str, default: bool) -> bool:
    """A cell that says yes or no; empty: ``default``. Raises `BadCell`."""
    said = line[column].lower()
    if said in ("", "1", "true", "yes", "是", "0", "false", "no", "否"):
        return default if said == "" else said in ("1", "true", "yes", "是")
    raise BadCell(column, "bad_value", said)


def yes(value: bool) -> str:
    """How a flag is written."""
    return "1" if value else "0"
