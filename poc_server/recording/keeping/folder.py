"""The folder of the recordings, and how it is known to be that one and no other.

It often is a disk of its own. One that is not mounted leaves an empty folder, in which every file seems to be deleted:
what is over its time would be struck off and stay on the disk for good, and new voice would lie where the mounted disk
hides it later. So the folder has a mark in it, which SQL knows. Without it nothing is kept there and nothing removed.

A mark that stands in a folder is never replaced: a database that knows none takes over that one. Whoever started the
server by mistake with an empty database would else have taken the recordings from the right one.

What SQL said stands in the data folder, too, beside the folder: a server that starts while SQL is away knows its own by
that. One that knows it by neither believes no folder, whatever mark is in it, until SQL is back.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path

from poc_server.ground import durable
from poc_server.ground.refused import Refused
from poc_server.recording.layout import FOLDER_MARK, mark_in, stands
from poc_server.store import Store
from poc_server.store.ids import new_id
from poc_server.store.records import folder_marks

NAME = "recordings"
"""What SQL calls the folder."""
REMEMBERED = ".mark"
"""After the folder's name: the file beside it that remembers the mark."""
_MADE = re.compile("rf-[a-z2-7]{16}")
"""A mark as it is made here; what else stands there is an operator's word that this is the folder."""


class _NotMarked(Exception):
    """The folder cannot be written. No OSError, which in a transaction would mean that SQL is away."""


class RecordingsFolder:
    """One folder, that all nodes share.

    Attributes:
        path: where it is, or should be.
        mark: what stands in its mark; empty while nobody says what that is.
        here: whether it was there at the last look.
        problem: why it was not, in words for operators.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark = ""
        self.here = True
        self.problem = ""
        self._told_by_sql = False
        self._remembered = path.with_name(path.name + REMEMBERED)

    def said(self) -> dict[str, str]:
        """For the worker, which does nothing in another folder (`layout.require`)."""
        return {"folder": str(self.path), "mark": self.mark}

    async def look(self, store: Store) -> bool:
        """Whether it is there; the first look of all makes and marks it. While SQL is away what is remembered holds."""
        try:
            if not self._told_by_sql:
                await self._ask(store)
            self.problem = await asyncio.to_thread(self._wrong)
        except (OSError, _NotMarked) as problem:
            self.problem = str(problem)
        self.here = not self.problem
        return self.here

    def is_there(self) -> bool:
        """Whether it stands there just now; where nobody ever looked, by what is remembered. Blocks."""
        try:
            mark = self.mark or self._recall()
            return stands(self.path, mark) if mark else bool(mark_in(self.path))
        except OSError:
            return False

    async def _ask(self, store: Store) -> None:
        remembered = await asyncio.to_thread(self._recall)
        try:
            mark = await self._known(store) or await self._begun(store, remembered)
        except Refused:
            self.mark = self.mark or remembered
            return
        self.mark, self._told_by_sql = mark, bool(mark)
        if mark not in ("", remembered):
            await asyncio.to_thread(self._remember, mark)

    def _wrong(self) -> str:
        """Why the folder that stands there is not the one, in plain words; empty when it is. Raises OSError."""
        found = mark_in(self.path)
        if found and found == self.mark:
            return ""
        if found and self.mark:
            return f"another folder stands there: its {FOLDER_MARK} says {found}"
        if found:
            return f"SQL is away, and {self._remembered} does not say which folder it is"
        if not self.path.is_dir():
            return "it is not there"
        if not any(self.path.iterdir()):
            return "it is empty: is its disk mounted?"
        copied = f"whoever moved or restored it takes {FOLDER_MARK} along"
        return f"it holds files, but {FOLDER_MARK} is missing: {copied}, or writes {self.mark or 'any word'} into it"

    def _recall(self) -> str:
        try:
            return self._remembered.read_text("ascii", "replace").strip()
        except OSError:
            return ""

    def _remember(self, mark: str) -> None:
        with contextlib.suppress(OSError):  # SQL knows it; the next start tries again
            durable.write(self._remembered, mark)

    async def _known(self, store: Store) -> str | None:
        async with store.reading() as connection:
            return await folder_marks.mark_of(connection, NAME)

    async def _begun(self, store: Store, remembered: str) -> str:
        """Mark it, unless another is remembered.

        Empty where files are known of which it holds none (it was in use before there were marks).
        """
        async with store.reading() as connection:
            oldest = await folder_marks.oldest_files(connection)
        if oldest and not await asyncio.to_thread(self._is_in_use, oldest):
            return ""
        found = await asyncio.to_thread(mark_in, self.path)
        made = found if _MADE.fullmatch(found) else remembered or new_id("rf")
        async with store.writing() as connection:  # whoever comes at the same time waits for us here
            mark = await folder_marks.keep(connection, NAME, made)
            # Where another was quicker, it stands in his folder already; in this one, too, if it is the same.
            if mark == made not in (found, remembered):
                await asyncio.to_thread(self._write, mark)
        return mark

    def _is_in_use(self, files: list[str]) -> bool:
        return bool(mark_in(self.path)) or any((self.path / file).is_file() for file in files)

    def _write(self, mark: str) -> None:
        try:
            durable.make_folder(self.path)
            durable.write(self.path / FOLDER_MARK, mark)
        except OSError as problem:
            raise _NotMarked(problem) from problem
