"""`poc-server`, whose loop tells what held it: each callback of more than 2 ms of CPU, a line of JSON in ``HELD_IN``.

CPU of the thread and not time: on a machine with other work it says the same. For `tools.bench.holds`.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from pathlib import Path

from poc_server.cli import main

HELD_FROM_MS = 2.0


def tell_holds(into: Path) -> None:
    """From now on."""
    loop_thread, run = threading.get_ident(), asyncio.Handle._run  # noqa: SLF001 - asyncio has no door for it
    out = into.open("a", buffering=1, encoding="utf-8")

    def timed(handle: asyncio.Handle) -> None:
        began = time.thread_time()
        run(handle)
        held_ms = (time.thread_time() - began) * 1000
        if held_ms >= HELD_FROM_MS and threading.get_ident() == loop_thread:
            out.write(json.dumps({"at": time.time(), "held_ms": round(held_ms, 1)}) + "\n")

    asyncio.Handle._run = timed  # type: ignore[method-assign,assignment]  # noqa: SLF001


if __name__ == "__main__":
    tell_holds(Path(os.environ["HELD_IN"]))
    main()
