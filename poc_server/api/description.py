"""The OpenAPI description, made when it is first asked for, by a process beside this one.

FastAPI takes 0.6 s of a core for it. Made in this process it would hold up voice, in a thread too, and whoever reaches
the port may ask for it.
"""

from __future__ import annotations

import asyncio
import sys

import structlog

from groups.vocabulary import Refusal
from poc_server.ground.refused import Refused

log = structlog.get_logger(__name__)
WITHIN_S = 60.0
"""A machine that does not make it by then has other troubles."""


class Description:
    """Keeps the description of this server, once it was made. ``demo``: with the routes of a demo city."""

    def __init__(self, *, demo: bool) -> None:
        self._demo = demo
        self._text: bytes | None = None
        self._making = asyncio.Lock()

    async def text(self) -> bytes:
        """The description as JSON. Refuses (unavailable) where it cannot be made just now."""
        async with self._making:
            if self._text is None:
                self._text = await self._made()
            return self._text

    async def _made(self) -> bytes:
        # In a session of its own: a Ctrl-C is for the server.
        maker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "poc_server.api", *(("--demo",) if self._demo else ())),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(WITHIN_S):
                text, _ = await maker.communicate()
        except BaseException as problem:
            maker.kill()
            await maker.wait()
            if isinstance(problem, TimeoutError):
                raise Refused(Refusal.UNAVAILABLE) from None
            raise
        if maker.returncode or not text:
            log.error("description_failed", ended_with=maker.returncode)
            raise Refused(Refusal.UNAVAILABLE)
        return text
