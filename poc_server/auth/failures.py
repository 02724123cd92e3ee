"""Failed sign-ins per account, per address and per known place, counted by all nodes of a city together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from enum import StrEnum

from poc_server.auth.limits import FailureLimiter
from poc_server.auth.settings import AuthSettings

PURPOSE = b"poc-server failed sign-ins v1"
COUNT, UNDO, FORGET = "count", "undo", "forget"


class Of(StrEnum):
    """What failures are counted by."""

    ACCOUNT = "account"
    """A name, from wherever it is tried that is not known for it."""
    ADDRESS = "address"
    KNOWN = "known"
    """A person at a device or address where he has proved himself before: what others fail is not counted there."""


class Failures:
    """How often who failed, and how long he waits.

    Each attempt that is admitted here is told to the other nodes, and what became of it. Nodes that do not hear each
    other count by themselves.

    Attributes:
        tell: says something to all other nodes; they give it to `learn`.
        turn: one attempt after the other, on whichever nodes they come: within it all that were admitted before are
            counted here.
    """

    def __init__(self, settings: AuthSettings, secret: bytes, clock: Callable[[], int]) -> None:
        self.tell: Callable[[Mapping[str, str]], None] = lambda _: None
        self.turn: Callable[[str], AbstractAsyncContextManager[None]] = lambda _: nullcontext()
        self._limits = {
            Of.ACCOUNT: FailureLimiter(settings.per_account),
            Of.ADDRESS: FailureLimiter(settings.per_address),
            Of.KNOWN: FailureLimiter(settings.per_known_place),
        }
        self._secret = secret
        self._clock = clock

    def wait(self, of: Of, text: str) -> int:
        """0 when an attempt would be admitted now, else ms to wait."""
        return self._limits[of].wait(self._key(text), self._clock())

    async def admit(self, of: Of, text: str) -> int:
        """0 when an attempt may go on, and counts as a failure until it is known to be none; else ms to wait."""
        wait = self.wait(of, text)  # who has to wait takes no turn from others
        if wait:
            return wait
        key = self._key(text)
        async with self.turn(key):
            wait = self._limits[of].admit(key, self._clock())
            if not wait:
                self._tell(COUNT, of, text)
        return wait

    def undo(self, of: Of, text: str) -> None:
        """The attempt was none, or was right; what others failed there still counts."""
        self._limits[of].undo(self._key(text), self._clock())
        self._tell(UNDO, of, text)

    def forget(self, of: Of, text: str) -> None:
        """The attempt was right: begin anew."""
        self._limits[of].forget(self._key(text))
        self._tell(FORGET, of, text)

    def learn(self, said: Mapping[str, str]) -> None:
        """What another node told."""
        of, key, do = said.get("of", ""), said.get("key", ""), said.get("do")
        if of not in self._limits:
            return  # a later version counts more than this one knows
        limit = self._limits[Of(of)]
        if do == COUNT:
            limit.count(key, self._clock())
        elif do == UNDO:
            limit.undo(key, self._clock())
        elif do == FORGET:
            limit.forget(key)

    def _tell(self, do: str, of: Of, text: str) -> None:
        self.tell({"do": do, "of": of.value, "key": self._key(text)})

    def _key(self, text: str) -> str:
        """A digest: what was typed as a name may be a password, and leaves this process."""
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._secret, digest_size=16).hexdigest()
