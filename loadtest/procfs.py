"""What the server costs, from /proc, of the server process alone."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_TICK: Final = os.sysconf("SC_CLK_TCK")
_LISTEN: Final = "0A"


class NoSuchServer(Exception):
    """No process of this machine serves there, or it may not be looked at."""


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds (user and system) so far, and resident memory now."""

    cpu_s: float
    rss_bytes: int


def cost(pid: int) -> Cost:
    """What process ``pid`` has used. Raises `NoSuchServer`."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        raise NoSuchServer(f"no process {pid}") from None
    return Cost((int(fields[11]) + int(fields[12])) / _TICK, pages * os.sysconf("SC_PAGE_SIZE"))


def children(pid: int) -> list[int]:
    """Processes that ``pid`` has started and that still run."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue
        if int(fields[1]) == pid:
            found.append(int(folder.name))
    return found


def listener(port: int) -> int:
    """The process of this machine that listens on TCP ``port``. Raises `NoSuchServer`."""
    inodes = {row[9] for table in ("tcp", "tcp6") for row in _rows(table) if _listens(row, port)}
    wanted = {f"socket:[{inode}]" for inode in inodes}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.readlink(fd) in wanted for fd in (folder / "fd").iterdir()):
                return int(folder.name)
        except OSError:
            continue
    raise NoSuchServer(f"no process of this machine listens on port {port}")


def _rows(table: str) -> list[list[str]]:
    try:
        return [line.split() for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]]
    except OSError:
        return []


def _listens(row: list[str], port: int) -> bool:
    return row[3] == _LISTEN and int(row[1].rsplit(":", 1)[1], 16) == port
