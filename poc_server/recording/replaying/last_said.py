"""Say again: the last burst of a group, also one that ended a moment ago and is still on its way to its file."""

from __future__ import annotations

import asyncio
import contextlib

from groups.vocabulary import GroupId
from poc_server.ground.refused import Refused
from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.recorder import Recorder
from poc_server.recording.spooling.spools import SpoolFolders
from poc_server.store import Store
from poc_server.store.records import recordings as query
from poc_server.store.records.recordings import Found, Page, Scope, Search

WITHIN_S = 3.0
"""How long one waits for a burst to become a file; after that the one before it is better than silence."""
WRITTEN_WITHIN_S = 1.0
LOOK_EVERY_S = 0.05


class LastSaid:
    """Finds the newest recording of a group, on any node of those that share the data folder."""

    def __init__(self, store: Store, recorder: Recorder, folders: SpoolFolders, settings: RecordingSettings) -> None:
        self._store = store
        self._recorder = recorder
        self._folders = folders
        self._settings = settings

    async def find(self, scope: Scope, group: GroupId, ended: int | None) -> Found | None:
        """The newest burst with sound in ``group`` that ``scope`` may hear; waits for one that is becoming a file.

        ``ended``: the burst that ended last as far as the asking one knows; without it one that another node has just
        recorded may be passed over.
        """
        now = asyncio.get_running_loop().time
        end = now() + WITHIN_S
        # By then a burst that ended before we were asked has its spool, if it has any sound.
        spooled = now() + (0.0 if ended is None else 3 * self._settings.flush_ms / 1000)
        await self._recorder.written(WRITTEN_WITHIN_S)
        expected = False
        while True:
            coming = await asyncio.to_thread(self._coming, group, ended)
            expected = expected or coming
            if not coming or now() >= end:
                row = await self._newest(scope, group)
                there = ended is None or (row is not None and row.id >= ended)
                if there or now() >= (end if expected else spooled):
                    return row
            await asyncio.sleep(LOOK_EVERY_S)

    def _coming(self, group: GroupId, ended: int | None) -> bool:
        """Whether a burst that is over has its spool still: of this node any, of another one up to ``ended``."""
        ours = (self._folders.own, *self._folders.adopted)
        on_air = self._recorder.on_air_now()
        with contextlib.suppress(OSError):  # their disk is gone, too: what is in SQL is all that can be told of
            return any(
                path not in on_air if path.parent in ours else ended is not None and burst <= ended
                for (burst, _), path in self._folders.of(group)
            )
        return False

    async def _newest(self, scope: Scope, group: GroupId) -> Found | None:
        with contextlib.suppress(Refused):
            await self._store.journal.catch_up(WRITTEN_WITHIN_S)
        async with self._store.reading() as connection:
            rows = await query.search(connection, scope, Search(group=group, audio=True), Page(1))
        return rows[0] if rows else None
