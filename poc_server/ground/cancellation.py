"""A cancellation that a library loses: redis-py and asyncpg do, when it comes as something ends or a line breaks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def cancellation_kept() -> Iterator[None]:
    """Who was cancelled within is cancelled, whatever came of it there.

    `asyncio.wait_for` of Python 3.11 gives the answer instead, and a driver says that its connection is lost: whoever
    waits for a while only, or is to end, would go on for ever.
    """
    task = asyncio.current_task()
    before = task.cancelling() if task else 0
    try:
        yield
    except Exception as problem:
        if task and task.cancelling() > before:
            raise asyncio.CancelledError from problem
        raise
    if task and task.cancelling() > before:
        raise asyncio.CancelledError
