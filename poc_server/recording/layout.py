"""Where files stand below the data folder. No name that came from outside becomes part of a path unchecked.

``spool/RUN/…spool`` while a burst is on air and until its row is safe, one folder for each run of a node;
``recordings/YYYY/MM/DD/GROUP/BURST-FROM.ogg`` after; ``spool/failed/`` what could not be muxed.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import re
from pathlib import Path

from poc_server.ground.city_time import city_day
from poc_server.recording.model import RecordedBurst

SPOOL_SUFFIX = ".spool"
DAILY_SUFFIX = ".heads.jsonl"
"""Of ``evidence/YYYY-MM-DD.heads.jsonl``, a day's signed heads."""
FOLDER_MARK = "mark"
"""In the folder of the recordings, says that it is that one (`poc_server.recording.keeping.folder`)."""
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def safe_name(name: str) -> str:
    """``name`` itself when it is harmless in every file system, else 32 hexadecimal digits of its SHA-256."""
    if _SAFE.fullmatch(name):
        return name
    return "x." + hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def spool_name(meta: RecordedBurst) -> str:
    """File name of the burst's spool."""
    return f"{safe_name(meta.group)}.{int(meta.burst)}-{meta.from_ms}{SPOOL_SUFFIX}"


def begun_of(spool: Path) -> int:
    """When the recording began whose spool this is, ms since the epoch."""
    return int(spool.name.removesuffix(SPOOL_SUFFIX).rpartition("-")[2])


def audio_path(meta: RecordedBurst, zone_minutes: int) -> str:
    """Path of the burst's audio file below the recordings folder."""
    day = city_day(meta.started_ms, zone_minutes)
    return f"{day:%Y/%m/%d}/{safe_name(meta.group)}/{int(meta.burst)}-{meta.from_ms}.ogg"


def inside(folder: Path, relative: str) -> Path:
    """``folder / relative``. Raises ValueError when that would leave the folder."""
    path = (folder / relative).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError("path leaves its folder")
    return path


def has_file(path: Path) -> bool:
    """Whether a file stands there. Not on a disk that fails, or on a share that is gone."""
    try:
        return path.is_file()
    except OSError:
        return False


def mark_in(folder: Path) -> str:
    """The mark that stands in a folder; empty where none does, or no folder. Raises OSError."""
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        return (folder / FOLDER_MARK).read_text("ascii", "replace").strip()
    return ""


def stands(folder: Path, mark: str) -> bool:
    """Whether the folder that has this mark stands there; none does while it is not known. Raises OSError."""
    return bool(mark) and mark_in(folder) == mark


def require(folder: Path, mark: str) -> None:
    """Raises OSError unless the folder that has this mark stands there (`stands`)."""
    if not stands(folder, mark):
        raise OSError(errno.ENODEV, "not the folder of the recordings; is its disk mounted?", str(folder))


def default_key(data: Path) -> Path:
    """Where the evidence key stands unless it is configured: beside the data folder, never in it."""
    data = data.resolve()
    return data.with_name(f"{data.name}-keys") / "evidence.pem"
