"""The folder of the recordings, and how it is known to be that one and no other.

It often is a disk of its own. One that is not mounted leaves an empty folder, in which every file seems to be deleted:
what is over its time would be struck off and stay on the disk for good, and new voice would lie where the mounted disk
hides it later. So the folder has a mark in it, which SQL knows. Without it nothing is kept there and nothing removed.

A mark that stands in a folder is never replaced: a database that knows none takes over that one. Whoever started the
server by mistake with an empty database would else have taken the recordings from the right one.
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from poc_server.ground import durable
from poc_server.recording.layout import FOLDER_MARK, mark_in, stands
from poc_server.store import Store
from poc_server.store.ids import new_id
from poc_server.store.records import folder_marks

NAME = "recordings"
"""What SQL calls the folder."""
_MADE = re.compile("rf-[a-z2-7]{16}")
"""A mark as it is made here; what else stands there is an operator's word that this is the folder."""


class _NotMarked(Exception):
    """The folder cannot be written. No OSError, which in a transaction would mean that SQL is away."""


class RecordingsFolder:
    """One folder, that all nodes share.

    Attributes:
        path: where it is, or should be.
        mark: what stands in its mark; empty while that is not known, and any mark will do.
        here: whether it was there at the last look.
        problem: why it was not, for the log.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark = ""
        self.here = True
        self.problem = ""

    def said(self) -> dict[str, str]:
        """For the worker, which does nothing in another folder (`layout.require`)."""
        return {"folder": str(self.path), "mark": self.mark}

    async def look(self, store: Store) -> bool:
        """Whether it is there; the first look of all makes and marks it. Raises `StoreUnavailable`."""
        try:
            self.mark = self.mark or await self._known(store) or await self._begun(store)
            found = await asyncio.to_thread(mark_in, self.path)
            self.here = bool(found) and found == self.mark
            self.problem = "" if self.here else f"it is marked {found}" if found else "it has no mark"
        except (OSError, _NotMarked) as problem:
            self.here, self.problem = False, str(problem)
        return self.here

    def is_there(self) -> bool:
        """Whether it stands there just now. Blocks."""
        try:
            return stands(self.path, self.mark)
        except OSError:
            return False

    async def _known(self, store: Store) -> str | None:
        async with store.reading() as connection:
            return await folder_marks.mark_of(connection, NAME)

    async def _begun(self, store: Store) -> str:
        """Mark it; empty where files are known of which it holds none (it was in use before there were marks)."""
        async with store.reading() as connection:
            oldest = await folder_marks.oldest_files(connection)
        if oldest and not await asyncio.to_thread(self._is_in_use, oldest):
            return ""
        found = await asyncio.to_thread(mark_in, self.path)
        made = found if _MADE.fullmatch(found) else new_id("rf")
        async with store.writing() as connection:  # whoever comes at the same time waits for us here
            mark = await folder_marks.keep(connection, NAME, made)
            # Where another was quicker, it stands in his folder already; in this one, too, if it is the same.
            if mark == made != found:
                await asyncio.to_thread(self._write, mark)
        return mark

    def _is_in_use(self, files: list[str]) -> bool:
        return stands(self.path, "") or any((self.path / file).is_file() for file in files)

    def _write(self, mark: str) -> None:
        try:
            durable.make_folder(self.path)
            durable.write(self.path / FOLDER_MARK, mark)
        except OSError as problem:
            raise _NotMarked(problem) from problem
