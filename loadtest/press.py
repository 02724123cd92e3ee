"""One press of a phone's key and what became of it, as TS 22.179 counts access (KPI 1)."""

from __future__ import annotations

import asyncio
from enum import StrEnum
from typing import Any

from groups.vocabulary import Refusal
from signaling.messages import Error, FloorDeny, FloorGranted, FloorQueued, FloorRevoke


class Outcome(StrEnum):
    """How an access attempt is counted."""

    IMMEDIATE = "immediate"
    QUEUED = "queued"
    DENIED = "denied"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Press:
    """From key down to the end of the burst. Times are the kernel's, ns since the epoch.

    ``access_ms`` is the time to the first permit signal: granted, or queued; None when neither came.
    ``settled`` is done when the phone may speak (True) or will not (False).
    """

    __slots__ = (
        "access_ms",
        "burst",
        "cause",
        "group",
        "number",
        "outcome",
        "request",
        "requested_ns",
        "revoked",
        "settled",
        "waiting",
    )

    def __init__(self, group: str, request: str, number: int, requested_ns: int) -> None:
        self.group = group
        self.request = request
        self.number = number
        self.requested_ns = requested_ns
        self.outcome: Outcome | None = None
        self.access_ms: float | None = None
        self.burst: int | None = None
        self.cause: Refusal | None = None
        self.waiting = False
        """In the queue: nothing is to be sent until the grant."""
        self.revoked: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        """Done with the grace in seconds when the floor is taken away."""
        self.settled: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    @property
    def granted(self) -> bool:
        """The phone has, or had, the floor."""
        return self.burst is not None

    def concerns(self, message: Any) -> bool:
        """Whether ``message`` of the server is about this press."""
        if isinstance(message, FloorGranted | FloorDeny | FloorQueued):
            return message.id == self.request or (message.id is None and message.group == self.group)
        if isinstance(message, FloorRevoke):
            return message.group == self.group and message.burst == self.burst
        return isinstance(message, Error) and message.id == self.request

    def take(self, message: Any, stamp: int) -> None:
        """Note a message that concerns this press, received at ``stamp``."""
        if isinstance(message, FloorGranted):
            self._signalled(Outcome.IMMEDIATE, stamp)
            self.burst, self.waiting = message.burst, False
            self._settle(True)
        elif isinstance(message, FloorQueued):
            self._signalled(Outcome.QUEUED, stamp)
            self.waiting = True
        elif isinstance(message, FloorRevoke):
            if not self.revoked.done():
                self.revoked.set_result(message.grace_ms / 1000)
        elif isinstance(message, FloorDeny | Error):
            self.cause = message.code
            self.outcome = Outcome.DENIED if isinstance(message, FloorDeny) else Outcome.FAILED
            self._settle(False)

    def abandon(self) -> None:
        """The key was released before the phone might speak."""
        self.outcome = Outcome.ABANDONED
        self._settle(False)

    def fail(self) -> None:
        """No answer, or the connection broke."""
        if not self.granted:
            self.outcome = Outcome.FAILED
        self._settle(False)

    def _signalled(self, outcome: Outcome, stamp: int) -> None:
        if self.outcome is None:
            self.outcome = outcome
            self.access_ms = (stamp - self.requested_ns) / 1e6

    def _settle(self, may_speak: bool) -> None:
        if not self.settled.done():
            self.settled.set_result(may_speak)
