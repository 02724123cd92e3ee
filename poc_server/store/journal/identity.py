"""Whose journal a folder holds: its name, under which SQL keeps how far it has come, and a mark that no copy shares.

A copied data folder brings the name along. Two nodes under one name would each pass over what the other has brought
into SQL, and nobody would miss it. So each start of a node leaves a new mark in the folder and in SQL. A folder whose
mark is not SQL's is a copy of one that went on elsewhere (or SQL was restored from a backup): it gets a name of its
own, and all that it holds is applied once more, which changes nothing of what is there.
"""

from __future__ import annotations

from pathlib import Path

from poc_server.ground import durable
from poc_server.store.ids import new_id

NAME = "name"
MARK = "mark"


class Identity:
    """Of the journal in one folder. Raises OSError.

    Attributes:
        name: lasting, unless it is found to be another's.
    """

    def __init__(self, folder: Path) -> None:
        self._name, self._mark = folder / NAME, folder / MARK
        if not self._name.exists():
            durable.write(self._name, new_id("jo"))
        self.name = self._name.read_text("ascii").strip()

    def mark(self) -> str:
        """What this folder's node left at its last start; empty before the first."""
        return self._mark.read_text("ascii").strip() if self._mark.exists() else ""

    def renew(self) -> str:
        """Leave a new mark; returns it."""
        made = new_id("jm")
        durable.write(self._mark, made)
        return made

    def rename(self) -> None:
        """Go on under another name."""
        self.name = new_id("jo")
        durable.write(self._name, self.name)
