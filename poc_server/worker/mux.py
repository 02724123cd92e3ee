"""From a spool to the burst's file and record. May be done again for the same spool: the file that stands is kept."""

from __future__ import annotations

import hashlib
import os
import time
from datetime import UTC, datetime
from pathlib import Path

from codec.opus import CLOCK_HZ
from groups.vocabulary import BurstEnd
from poc_server.ground import durable
from poc_server.recording.layout import audio_path, inside
from poc_server.recording.model import Recording
from poc_server.recording.spooling.spool import NotASpool, Spool, SpoolEnd, read_spool
from poc_server.worker.arrange import Arranged, arrange
from poc_server.worker.ogg import write_ogg
from poc_server.worker.peaks import peaks

SO_FAR_KEPT_S = 60


def mux(spool_file: Path, recordings: Path, zone_minutes: int, told: SpoolEnd | None = None) -> Recording:
    """Make the file of one burst and say all that is known of it.

    A spool without end, of which nobody has ``told`` how it ended either, is marked `BurstEnd.CUT`.

    The file is whole and on the disk (fsync of file and folder) before it stands under its name.

    Raises:
        NotASpool: the file is no spool.
        OSError: disk trouble.
    """
    try:
        spool = read_spool(spool_file.read_bytes())
    except FileNotFoundError:
        raise NotASpool("the spool is gone") from None
    arranged = arrange(spool.packets)
    end = spool.end or told or SpoolEnd(BurstEnd.CUT, _last_heard(spool))
    relative, size, digest = "", 0, ""
    if arranged.pieces:
        relative = audio_path(spool.meta, zone_minutes)
        size, digest = _stand(inside(recordings, relative), spool, arranged)
    duration_ms = arranged.samples * 1000 // CLOCK_HZ
    # A clock that was set back in mid-burst says that it ended before it began; then what plays tells better.
    ended_ms = end.ended_ms if end.ended_ms >= spool.meta.started_ms else spool.meta.started_ms + duration_ms
    return Recording(
        meta=spool.meta,
        outcome=end.outcome,
        ended_ms=ended_ms,
        duration_ms=duration_ms,
        packets=arranged.packets,
        lost=arranged.lost,
        unrecorded=end.unrecorded,
        filled_ms=arranged.filled * 1000 // CLOCK_HZ,
        file=relative,
        size=size,
        sha256=digest,
        peaks=peaks(arranged),
    )


def so_far(spool_file: Path, wanted: Path) -> int:
    """What a burst on air has said until now, as a file; returns its samples at 48 kHz, 0 when there is nothing yet.

    Nothing of one that is over: its spool stands until its record is safe, and who may replay it is another question.

    Raises:
        NotASpool: the file is no spool.
        OSError: disk trouble.
    """
    try:
        spool = read_spool(spool_file.read_bytes())
    except FileNotFoundError:
        return 0
    if spool.end is not None:
        return 0
    arranged = arrange(spool.packets)
    if arranged.pieces:
        wanted.parent.mkdir(parents=True, exist_ok=True)
        _sweep(wanted.parent)
        write_ogg(wanted, arranged, _comments(spool), wanted.stem)
    return arranged.samples


def _sweep(folder: Path) -> None:
    """Remove what late entrants have fetched by now."""
    before = time.time() - SO_FAR_KEPT_S
    for path in folder.glob("on-air-*"):
        if path.stat().st_mtime < before:
            path.unlink(missing_ok=True)


def _last_heard(spool: Spool) -> int:
    return max([packet.arrived_ms for packet in spool.packets] + [spool.meta.started_ms])


def _stand(path: Path, spool: Spool, arranged: Arranged) -> tuple[int, str]:
    if not path.exists():
        durable.make_folder(path.parent)
        half = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            write_ogg(half, arranged, _comments(spool), path.stem)
            durable.sync(half)
            half.rename(path)
        finally:
            half.unlink(missing_ok=True)
        durable.sync(path.parent)
    data = path.read_bytes()
    return len(data), hashlib.sha256(data).hexdigest()


def _comments(spool: Spool) -> dict[str, str]:
    meta = spool.meta
    began = datetime.fromtimestamp(meta.started_ms / 1000, UTC).isoformat(timespec="milliseconds")
    comments = {"GROUP": meta.group, "BURST": str(int(meta.burst)), "TALKER": meta.talker or "", "DATE": began}
    if meta.incident:
        comments["INCIDENT"] = meta.incident
    return comments
