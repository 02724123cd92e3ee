"""The clock of what concerns this node alone."""

from __future__ import annotations

import asyncio


def loop_time() -> float:
    """Seconds on this node's monotonic clock; what other nodes read too is on the fabric's (`Fabric.now`)."""
    return asyncio.get_running_loop().time()
