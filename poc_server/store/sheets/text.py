"""CSV as spreadsheets write and read it: UTF-8 with or without mark, or GB 18030; commas; formulas disarmed."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused

MAX_LINES = 20_000
MAX_CELL_CHARS = 2_000
LONG_CELLS = {"people": 131_000, "outline": 16_000}
"""Characters of a cell that lists things: a shift of 2,000 by their accounts, a grid cell of 500 corners."""
MAX_NAME_CHARS = 128
"""Of people, units, groups and devices."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class BadSheet(Refused):
    """The file as a whole cannot be read; ``detail`` says why."""

    def __init__(self, detail: str) -> None:
        super().__init__(Refusal.BAD_MESSAGE, detail)


@dataclass(frozen=True, slots=True)
class Line:
    """One line with its number in the file (the heading is 1) and its cells by column."""

    number: int
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def said(self, column: str, there: str) -> str:
        """The cell, which may be empty; what is ``there`` where the file, or a line that is short, has no such cell."""
        return self.cells.get(column, there)


def read(data: bytes, columns: Sequence[str], required: Sequence[str]) -> Iterator[Line]:
    """The lines of a file. Raises `BadSheet`: no text, no heading, unknown or missing column, too many lines."""
    rows = csv.reader(io.StringIO(_decoded(data), newline=""), strict=True)
    try:
        heading = [cell.strip().lower() for cell in next(rows, [])]
        unknown = [name for name in heading if name not in columns]
        if not heading or unknown or len(set(heading)) != len(heading) or not set(required) <= set(heading):
            must = f"must have {', '.join(required)} and " if required else ""
            raise BadSheet(f"the heading {must}may have {', '.join(columns)}")
        count = 0
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            count += 1
            if count > MAX_LINES:
                raise BadSheet(f"more than {MAX_LINES} lines")
            if len(cells) > len(heading):
                raise BadSheet(f"line {rows.line_num} has more cells than the heading")
            yield Line(rows.line_num, {name: _armed(name, cell) for name, cell in zip(heading, cells, strict=False)})
    except csv.Error as problem:
        raise BadSheet(f"line {rows.line_num}: {problem}") from None


def write(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The text of a file, a line at a time, with the mark by which spreadsheets know UTF-8."""
    buffer = io.StringIO(newline="")
    out = csv.writer(buffer)
    buffer.write("\ufeff")
    for row in itertools.chain((heading,), rows):
        out.writerow([_disarmed(cell) for cell in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def _decoded(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text
    raise BadSheet("the file is neither UTF-8 nor GB 18030 text")


def _disarmed(cell: str) -> str:
    """A cell that a spreadsheet would run as a formula is put behind an apostrophe."""
    return f"'{cell}" if cell.startswith(_FORMULA) else cell


def _armed(column: str, cell: str) -> str:
    cell = cell.strip()
    if len(cell) > LONG_CELLS.get(column, MAX_CELL_CHARS):
        raise csv.Error("a cell is too long")
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell
