"""Recording as the node sees it: joins recorder, worker, journal and evidence, and opens and closes them in order."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import structlog

from groups.model import User
from groups.vocabulary import CallId, DeviceId, GroupId, IncidentCode, Refusal
from poc_server.ground.metrics import Reading
from poc_server.ground.refused import Refused
from poc_server.recording.exporting.exports import Exports
from poc_server.recording.finishing.finisher import Finisher
from poc_server.recording.finishing.journalled import place_of, record_of
from poc_server.recording.keeping.deletion import Deletion
from poc_server.recording.keeping.folder import RecordingsFolder
from poc_server.recording.keeping.uploads import Uploads
from poc_server.recording.layout import default_key
from poc_server.recording.model import Place, RecordedBurst, Recording
from poc_server.recording.proving.keys import EvidenceKey
from poc_server.recording.proving.notary import Notary
from poc_server.recording.replaying.last_said import LastSaid
from poc_server.recording.replaying.listening import Listening, disk_away
from poc_server.recording.settings import RecordingSettings
from poc_server.recording.spooling.recorder import Recorder, RecorderTap, RecordingAlarm, RecordingGap
from poc_server.recording.spooling.spool import SpoolEnd
from poc_server.recording.spooling.spools import SpoolFolders
from poc_server.recording.spooling.writer import DiskState
from poc_server.store import SYSTEM, Actor, Store, audit
from poc_server.store.audit import AuditEntry
from poc_server.store.records.recordings import Found
from poc_server.talk.burst import BurstMeta
from poc_server.work.client import JobFailed, Worker, WorkerDied
from signaling.messages import RecordingDisk

WRITTEN_WITHIN_S = 1.0
"""How long a late entrant waits for the disk."""
CATCH_UP_WITHIN_S = 10.0
"""How long one who is back waits to be told what he missed, while what was said last is not in SQL yet."""
ENDED_AFTER_S = 1.0
"""A burst of another node into whose spool nothing was written for so long has ended there."""
OTHERS_LOOK_S = 0.1
OTHERS_TO_SQL_S = 1.0
"""What another node has finished is in SQL after about so long."""
JOURNAL_RETRY_S = 1.0
LOOK_EVERY_S = 30.0
"""So often it is looked whether another node has died with bursts unfinished, and whether the folder is there."""
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Facts:
    """What belongs to a burst beside the floor: filled in by who knows it."""

    call: CallId | None = None
    incident: IncidentCode | None = None
    place: Place | None = None


class FactsOf(Protocol):
    """Asked once at each burst's begin; only looks into memory."""

    def __call__(self, group: GroupId, talker: User, /) -> Facts:
        """Call, incident and place."""


class Recordings:
    """The recording of one node. Made by `open`."""

    def __init__(
        self, settings: RecordingSettings, data: Path, store: Store, node: str, clock: Callable[[], int]
    ) -> None:
        self.settings = settings
        self.folder = RecordingsFolder(data / "recordings")
        self.facts_of: FactsOf = lambda _group, _talker: Facts()
        self.on_disk: Callable[[], None] = lambda: None
        self._store = store
        self._node = node
        self._clock = clock
        self._made = data / "made"
        self._adopting = asyncio.Lock()
        self._slow: set[Path] = set()
        """Spools of other nodes that were waited for in vain: they hold up nobody who comes later."""
        self._stack = AsyncExitStack()

    @classmethod
    async def open(
        cls, settings: RecordingSettings, data: Path, store: Store, node: str, clock: Callable[[], int]
    ) -> Recordings:
        """Start everything, and finish what a run that died left behind.

        Raises:
            OSError: the data folder cannot be written.
            BadKey: the evidence key is none.
        """
        made = cls(settings, data, store, node, clock)
        try:
            await made._start(data)
        except BaseException:
            await made._stack.aclose()
            raise
        return made

    async def aclose(self) -> None:
        """Put on disk what is in memory, finish it as far as time allows, end the worker."""
        await self._stack.aclose()

    # --- of the node -----------------------------------------------------------------------------------------------

    def begin(self, meta: BurstMeta) -> RecorderTap:
        """A burst of a talker of this node begins (`poc_server.talk.burst.BurstListener`)."""
        facts = self.facts_of(meta.group.id, meta.talker)
        place = facts.place or place_of(self._store.places.of(meta.talker.id), meta.began_ms)
        membership = self._store.directory.membership(meta.group.id, meta.talker.id)
        _, _, calls_itself = meta.device.partition("/")
        device = meta.enrolled or calls_itself
        return self.recorder.begin(
            RecordedBurst(
                agency=meta.group.agency,
                group=meta.group.id,
                burst=meta.burst,
                talker=meta.talker.id,
                talker_name=meta.talker.name,
                node=self._node,
                started_ms=meta.began_ms,
                unit=meta.group.unit,
                hearers=meta.hearers,
                call=facts.call,
                device=DeviceId(device) if device else None,
                tier=meta.tier,
                priority=membership.priority if membership else 0,
                incident=facts.incident,
                place=place,
            )
        )

    @property
    def disk(self) -> RecordingDisk:
        """For who answers for recordings: how the disk of the spools is, and whether the folder they go to is there."""
        state = self.recorder.state
        worse = (DiskState.FULL, DiskState.READ_ONLY, DiskState.FAILING)
        return RecordingDisk(state=state.value if self.folder.here or state in worse else "gone")

    # --- of the API ------------------------------------------------------------------------------------------------

    def played(self, actor: Actor, row: Found, form: str) -> AuditEntry:
        """Somebody plays a recording: for the audit."""
        return self._access(actor, row, "recording.play", {"form": str(form)})

    def refused(self, actor: Actor, row: Found) -> AuditEntry:
        """Somebody asked for a recording he may not hear: for the audit."""
        return self._access(actor, row, "recording.refused", {})

    def _access(self, actor: Actor, row: Found, action: str, detail: dict[str, Any]) -> AuditEntry:
        told = {"group": row.group_id, "talker": row.user_id, "started_ms": row.started_ms, **detail}
        return audit.entry(actor, self._clock(), action, "recording", row.key, told, row.agency_id)

    async def on_air(self, group: GroupId) -> Path | None:
        """The spool of the burst that is on air in ``group``, None when there is none.

        That of another node is found in the data folder, which nodes share. Refuses (recordings_away) when its disk is
        gone.
        """
        try:
            return self.recorder.on_air(group) or await asyncio.to_thread(self._folders.elsewhere, group)
        except OSError:
            raise disk_away() from None

    async def so_far(self, spool: Path) -> Path | None:
        """What was said so far in a burst that is on air, as a file; None when nothing was.

        Refuses (unavailable) when the disk or the worker is too slow.
        """
        if spool.parent != self._folders.own:
            await asyncio.sleep(self.settings.flush_ms / 1000)  # by then what was said until now is on disk
        elif not await self.recorder.written(WRITTEN_WITHIN_S):
            return None
        wanted = self._made / f"on-air-{secrets.token_hex(8)}.ogg"
        try:
            found = await self.worker.run("so_far", spool=str(spool), wanted=str(wanted))
        except (JobFailed, WorkerDied) as problem:
            raise Refused(Refusal.UNAVAILABLE, f"on air: {problem}"[:200]) from None
        return wanted if found["samples"] else None

    async def caught_up(self) -> None:
        """Returns when what ended until now is in SQL, or is known to come later than is worth waiting.

        Of what ended on other nodes their spools are known, in the folder that nodes share; not while its disk is
        gone or read-only.
        """
        with contextlib.suppress(TimeoutError, Refused, OSError):
            async with asyncio.timeout(CATCH_UP_WITHIN_S):
                await self.recorder.written(CATCH_UP_WITHIN_S)
                self.recorder.flush()  # hears which spools are whole
                await self.finisher.caught_up()
                await self._store.journal.flush()
                await self._store.journal.catch_up(CATCH_UP_WITHIN_S)
                await self._others_caught_up()

    async def _others_caught_up(self) -> None:
        ended = await self._ended_elsewhere()
        waited_for = ended - self._slow
        try:
            while waited_for & ended:
                await asyncio.sleep(OTHERS_LOOK_S)
                ended = await self._ended_elsewhere()
        finally:
            self._slow = ended & (self._slow | waited_for)
        if waited_for:
            await asyncio.sleep(OTHERS_TO_SQL_S)

    async def _ended_elsewhere(self) -> set[Path]:
        return await asyncio.to_thread(self._folders.ended_elsewhere, ENDED_AFTER_S)

    async def adopt(self) -> None:
        """Finish what other nodes, which share the folder, were recording when they died."""
        async with self._adopting:
            for path in await asyncio.to_thread(self._folders.adopt):
                self.finisher.spooled(path)

    async def look_at_folder(self) -> None:
        """Operators are told when the folder of the recordings is gone: nothing is kept or removed there meanwhile."""
        was_here = self.folder.here
        if await self.folder.look(self._store) is not was_here:
            state = "folder_here" if self.folder.here else "folder_gone"
            told = log.warning if self.folder.here else log.error
            where = {"folder": str(self.folder.path), "mark": self.folder.mark, "problem": self.folder.problem}
            told("recordings_folder", state=state, **where)
            detail = f"{self.folder.path}: {self.folder.problem}".removesuffix(": ")
            self._audit("recording.disk", "node", self._node, {"state": state, "detail": detail})
            self.on_disk()

    async def _watch(self) -> None:
        """A node that hangs, or one whose machine is gone, holds its lock for a while after it is called dead."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            await self.look_at_folder()
            try:
                await self.adopt()
            except OSError as problem:
                log.warning("spools_not_looked_at", problem=str(problem))

    def readings(self) -> Iterator[Reading]:
        """For metrics."""
        counters = self.recorder.counters
        yield "poc_recorder_bursts_total", "Talk bursts recorded", counters.bursts
        yield "poc_recorder_packets_total", "Voice packets handed to the disk", counters.packets
        yield "poc_recorder_dropped_total", "Voice packets the disk did not take", counters.dropped
        yield "poc_recorder_gaps_total", "Stretches of voice that are not on disk", counters.gaps
        yield "poc_recorder_waiting", "Voice packets in memory that wait for the disk", self.recorder.waiting
        states = "0 ok, 1 low space, 2 slow, 3 full, 4 read-only, 5 failing"
        yield "poc_recorder_disk_state", states, list(DiskState).index(self.recorder.state)
        yield "poc_recorder_free_bytes", "Free space where spools are written", self.recorder.free_bytes or 0
        yield "poc_recorder_finished_total", "Spools made into files", self.finisher.finished
        yield "poc_recorder_failed_total", "Spools put aside because they could not be read", self.finisher.failed
        gone = "1 while the folder of the recordings is not there, or another one is"
        yield "poc_recorder_folder_gone", gone, int(not self.folder.here)
        yield "poc_recorder_not_removed", "Files over their time that could not be removed", self.deletion.stuck
        yield "poc_recorder_unfinished", "Spools that wait to be made into files", self.finisher.waiting
        yield "poc_worker_restarts_total", "Times the worker process had to be started again", self.worker.restarts

    # --- of the recorder and the finisher --------------------------------------------------------------------------

    def spooled(self, path: Path, end: SpoolEnd | None) -> None:
        """A burst's spool is whole (`RecorderListener`)."""
        self.finisher.spooled(path, end)

    def alarm(self, alarm: RecordingAlarm) -> None:
        """The disk is in another state (`RecorderListener`)."""
        bad = alarm.state not in (DiskState.OK, DiskState.LOW_SPACE)
        (log.error if bad else log.warning)("recording_disk", state=alarm.state.value, detail=alarm.detail)
        self.on_disk()
        self._audit("recording.disk", "node", self._node, {"state": alarm.state.value, "detail": alarm.detail})

    def gap(self, gap: RecordingGap) -> None:
        """Voice that was on air is not on disk (`RecorderListener`)."""
        detail = {
            "burst": int(gap.meta.burst),
            "from_ms": gap.from_ms,
            "to_ms": gap.to_ms,
            "packets": gap.packets,
            "reason": gap.reason,
        }
        log.error("recording_gap", group=gap.meta.group, **detail)
        entry = audit.entry(SYSTEM, self._clock(), "recording.gap", "group", gap.meta.group, detail, gap.meta.agency)
        self._store.journal.audit(entry)

    async def recorded(self, recordings: Sequence[Recording]) -> None:
        """Bursts' files stand: journal them (`RecordSink`). One that is full is waited for; the spools are safe."""
        for recording in recordings:
            while self._store.journal.full:  # noqa: ASYNC110 - its thread has no event for that
                await asyncio.sleep(JOURNAL_RETRY_S)
            self._store.journal.append(record_of(recording, self.settings.zone_minutes))
        await self._store.journal.flush()

    def muxing_failed(self, spool: Path, reason: str) -> None:
        """A spool was put aside (`RecordSink`)."""
        log.error("spool_put_aside", spool=spool.name, reason=reason)
        self._audit("recording.put_aside", "spool", spool.name, {"reason": reason})

    # --- private ---------------------------------------------------------------------------------------------------

    async def _start(self, data: Path) -> None:
        folders = await asyncio.to_thread(SpoolFolders.open, data / "spool")
        self._stack.callback(folders.close)
        self._folders = folders
        key = await asyncio.to_thread(EvidenceKey.open, self.settings.evidence_key or default_key(data))
        await self.look_at_folder()
        self.worker = await Worker.start()
        self._stack.push_async_callback(self.worker.aclose)
        self.listening = Listening(self.worker, self.folder.path, self._made, self.folder.is_there)
        self.finisher = Finisher(self.worker, self, folders.aside, self.folder, self.settings)
        self.finisher.start()
        self._stack.push_async_callback(self.finisher.aclose)
        for path in await asyncio.to_thread(lambda: list(folders.left_behind())):
            self.finisher.spooled(path)
        watching = asyncio.create_task(self._watch(), name="recordings-watch")
        self._stack.callback(watching.cancel)
        await self._keep(key, data)
        self.recorder = Recorder(folders.own, self.settings, self._clock, self)
        self.recorder.start()
        self._stack.push_async_callback(self.recorder.aclose)
        self.last_said = LastSaid(self._store, self.recorder, folders, self.settings)

    async def _keep(self, key: EvidenceKey, data: Path) -> None:
        """What is done with recordings that stand: sealed, deleted in time, joined by photos, exported."""
        self.notary = Notary(key, self._store, self.settings, data / "evidence")
        self.notary.start()
        self._stack.push_async_callback(self.notary.aclose)
        self.deletion = Deletion(self._store, self.worker, self.settings, self.folder, self._made)
        self.deletion.start()
        self._stack.push_async_callback(self.deletion.aclose)
        self.uploads = Uploads(self._store, self.worker, self.settings, data / "uploads", self.folder)
        self.uploads.start()
        self._stack.push_async_callback(self.uploads.aclose)
        self.exports = Exports(
            self._store,
            self.worker,
            self.settings,
            self.notary,
            self._node,
            data=data,
            recordings=self.folder,
            folder=data / "exports",
        )
        await self.exports.start()
        self._stack.push_async_callback(self.exports.aclose)

    def _audit(self, action: str, kind: str, target: str, detail: dict[str, object]) -> None:
        """What concerns the whole city stands in the audit of each agency: an entry of none is read by nobody."""
        for agency in sorted(self._store.directory.snapshot.agencies):
            self._store.journal.audit(audit.entry(SYSTEM, self._clock(), action, kind, target, detail, agency))
