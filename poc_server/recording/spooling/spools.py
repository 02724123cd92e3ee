"""The folders in which spools stand: one for each run of a node, locked while the run lives.

A folder whose lock nobody holds was left by a run that died. Whoever starts next adopts it, also on a shared disk.
"""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from groups.vocabulary import GroupId
from poc_server.recording.layout import SPOOL_SUFFIX, safe_name

LOCK_NAME = "lock"
ASIDE_NAME = "failed"
TRIES = 3


@dataclass(slots=True)
class SpoolFolders:
    """This run's own folder, and those of dead runs that it has adopted."""

    root: Path
    own: Path
    adopted: list[Path] = field(default_factory=list)
    _locks: dict[Path, int] = field(default_factory=dict)

    @classmethod
    def open(cls, root: Path) -> SpoolFolders:
        """Make our own folder and lock every dead one. Raises OSError when the disk does not let us."""
        root.mkdir(parents=True, exist_ok=True)
        for _ in range(TRIES):
            folders = cls(root, root / secrets.token_hex(8))
            folders.own.mkdir()
            if folders._lock(folders.own):
                folders.adopt()
                return folders
            # Another run took it for a dead one's before we had locked it, and has it now.
        raise OSError(f"{root}: no folder in it can be locked")

    def adopt(self) -> list[Path]:
        """Lock what runs left behind that have died since; returns their spools."""
        found = []
        for path in sorted(self.root.iterdir()):
            known = path == self.own or path in self.adopted or path.name == ASIDE_NAME
            if path.is_dir() and not known and self._lock(path):
                self.adopted.append(path)
                found += sorted(path.glob(f"*{SPOOL_SUFFIX}"))
        return found

    def elsewhere(self, group: GroupId) -> Path | None:
        """The newest spool of ``group`` in the folder of another run that lives: a burst on air on another node."""
        others = [(name, path) for name, path in self.of(group) if path.parent not in (self.own, *self.adopted)]
        return max(others)[1] if others else None

    def ended_elsewhere(self, within_s: float) -> set[Path]:
        """Spools of other runs into which nothing was written for ``within_s``, by the clock that dates their files.

        They are of bursts that have ended, whose files are still to be made.
        """
        found = set()
        os.utime(self.own / LOCK_NAME)
        before_s = (self.own / LOCK_NAME).stat().st_mtime - within_s
        for folder in self.root.iterdir():
            if folder in (self.own, *self.adopted, self.aside):
                continue
            for path in folder.glob(f"*{SPOOL_SUFFIX}"):
                with suppress(OSError):  # just finished
                    if path.stat().st_mtime < before_s:
                        found.add(path)
        return found

    def of(self, group: GroupId) -> Iterator[tuple[tuple[int, int], Path]]:
        """Every spool of ``group`` that is not finished yet, of every run, with its burst and when it began (ms)."""
        wanted = safe_name(group)
        for folder in self.root.iterdir():
            if folder.name == ASIDE_NAME:
                continue
            for path in folder.glob(f"{wanted}.*{SPOOL_SUFFIX}"):
                of, _, numbers = path.name.removesuffix(SPOOL_SUFFIX).rpartition(".")
                if of == wanted:
                    burst, _, begun = numbers.partition("-")
                    yield (int(burst), int(begun)), path

    @property
    def aside(self) -> Path:
        """Where spools go that cannot be muxed."""
        return self.root / ASIDE_NAME

    def left_behind(self) -> Iterator[Path]:
        """The spools of dead runs, in order of their names."""
        for folder in self.adopted:
            yield from sorted(folder.glob(f"*{SPOOL_SUFFIX}"))

    def close(self) -> None:
        """Let go of every lock; folders in which nothing is left are removed."""
        for folder, lock in self._locks.items():
            if not any(folder.glob(f"*{SPOOL_SUFFIX}")):
                with suppress(OSError):
                    (folder / LOCK_NAME).unlink()
                    folder.rmdir()
            os.close(lock)
        self._locks.clear()

    def _lock(self, folder: Path) -> bool:
        try:
            lock = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            return False
        self._locks[folder] = lock
        return True
