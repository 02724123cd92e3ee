"""The folder of the recordings, and how it is known to be that one and no other.

It often is a disk of its own. One that is not mounted leaves an empty folder, in which every file seems to be deleted:
what is over its time would be struck off and stay on the disk for good, and new voice would lie where the mounted disk
hides it later. So the folder has a mark in it, which SQL knows. Without it nothing is kept there and nothing removed.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from poc_server import durable
from poc_server.recording.layout import FOLDER_MARK, stands
from poc_server.store import Store
from poc_server.store.ids import new_id
from poc_server.store.records import folder_marks

NAME = "recordings"
"""What SQL calls the folder."""


class RecordingsFolder:
    """One folder, that all nodes share.

    Attributes:
        path: where it is, or should be.
        mark: what stands in its mark; empty while that is not known, and any mark will do.
        here: whether it was there at the last look.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mark = ""
        self.here = True

    def said(self) -> dict[str, str]:
        """For the worker, which does nothing in another folder (`layout.require`)."""
        return {"folder": str(self.path), "mark": self.mark}

    async def look(self, store: Store) -> bool:
        """Whether it is there; the first look of all makes and marks it. Raises `StoreUnavailable`."""
        try:
            self.mark = self.mark or await self._known(store) or await self._begun(store)
            self.here = bool(self.mark) and await asyncio.to_thread(stands, self.path, self.mark)
        except OSError:
            self.here = False
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
        async with store.writing() as connection:  # whoever comes at the same time waits for us here
            mark = await folder_marks.keep(connection, NAME, new_id("rf"))
            await asyncio.to_thread(self._write, mark)
        return mark

    def _is_in_use(self, files: list[str]) -> bool:
        return stands(self.path, "") or any((self.path / file).is_file() for file in files)

    def _write(self, mark: str) -> None:
        durable.make_folder(self.path)
        durable.write(self.path / FOLDER_MARK, mark)
