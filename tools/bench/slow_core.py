"""A slower core for a process: the kernel lets it run for a part of the time only (cgroups' bandwidth control).

What fills a core cannot be shown on a machine that needs the same cores for the phones. A process that gets a quarter
of one is full with a quarter of the phones, which leaves them room; what it does with a packet is the same. It runs in
turns of `PERIOD_US`, so that times are longer by up to that than on a whole core.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

PERIOD_US = 5_000


@contextlib.contextmanager
def slow_cores(pids: Iterable[int], part: float) -> Iterator[None]:
    """Each of ``pids``, with all its threads, gets ``part`` (0 to 1) of a core for as long as this lasts.

    Raises:
        OSError: this machine does not let us: no controller of CPU time, or no right to it.
    """
    home = _controller()
    with contextlib.ExitStack() as stack:
        for pid in pids:
            group = home / f"poc-slow-{pid}"
            group.mkdir()
            stack.callback(_leave, group, home)
            _limit(group, round(part * PERIOD_US))
            (group / "cgroup.procs").write_text(str(pid))
        yield


def _controller() -> Path:
    """Where groups of processes with a share of CPU time are made: cgroups of version 1 or 2."""
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options, *_ = line.split()
        if kind == "cgroup" and "cpu" in options.split(","):
            return Path(where)
        if kind == "cgroup2" and "cpu" in (Path(where) / "cgroup.controllers").read_text().split():
            (Path(where) / "cgroup.subtree_control").write_text("+cpu")
            return Path(where)
    raise FileNotFoundError("no cgroup controller of CPU time")


def _limit(group: Path, quota_us: int) -> None:
    """So much, and that before all others: what else the machine does is not to be taken for the limit."""
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
        (group / "cpu.weight").write_text("10000")
    else:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota_us))
        (group / "cpu.shares").write_text("262144")


def _leave(group: Path, home: Path) -> None:
    """Its processes go back to where all are; those that ended are gone from it by themselves."""
    for pid in (group / "cgroup.procs").read_text().split():
        with contextlib.suppress(ProcessLookupError):
            (home / "cgroup.procs").write_text(pid)
    group.rmdir()
