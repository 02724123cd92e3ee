"""Taking the CPU before other processes, so that what else runs on a machine does not become the server's latency."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

NICE: Final = -15


def before_others(pid: int) -> None:
    """Let process ``pid``, and with autogroups its whole session, run first; where that is not allowed nothing happens.

    On kernels with scheduler autogroups a process' own nice value counts only within its session.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE))
