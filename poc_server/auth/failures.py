"""Failed sign-ins per account and per address, counted by all nodes of a city together."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext

from poc_server.auth.limits import FailureLimiter, address_key
from poc_server.auth.settings import AuthSettings

PURPOSE = b"poc-server failed sign-ins v1"
COUNT, UNDO, FORGET = "count", "undo", "forget"


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
            "account": FailureLimiter(settings.per_account),
            "address": FailureLimiter(settings.per_address),
        }
        self._secret = secret
        self._clock = clock

    async def admit(self, address: str, account: str | None = None) -> int:
        """0 when an attempt may go on, and counts as a failure until it is known to be none; else ms to wait."""
        for what, key in self._keys(address, account):
            limit = self._limits[what]
            wait = limit.wait(key, self._clock())  # who has to wait takes no turn from others
            if not wait:
                async with self.turn(key):
                    wait = limit.admit(key, self._clock())
                    if not wait:
                        self._tell(COUNT, what, key)
            if wait:
                return wait
        return 0

    def undo(self, address: str, account: str | None = None) -> None:
        """The attempt was none, or was right; what others failed there still counts."""
        for what, key in self._keys(address, account):
            self._limits[what].undo(key, self._clock())
            self._tell(UNDO, what, key)

    def right(self, address: str, account: str) -> None:
        """He is who he says: his account begins anew, his address has failed once less."""
        self.undo(address)
        for what, key in self._keys(None, account):
            self._limits[what].forget(key)
            self._tell(FORGET, what, key)

    def learn(self, said: Mapping[str, str]) -> None:
        """What another node told."""
        limit, key, do = self._limits.get(said.get("of", "")), said.get("key", ""), said.get("do")
        if limit is None:
            return  # a later version counts more than this one knows
        if do == COUNT:
            limit.count(key, self._clock())
        elif do == UNDO:
            limit.undo(key, self._clock())
        elif do == FORGET:
            limit.forget(key)

    def _tell(self, do: str, of: str, key: str) -> None:
        self.tell({"do": do, "of": of, "key": key})

    def _keys(self, address: str | None, account: str | None) -> list[tuple[str, str]]:
        """What is counted, by a digest: what was typed as a name may be a password, and leaves this process."""
        named = {"address": None if address is None else address_key(address), "account": account}
        return [(what, self._digest(text)) for what, text in named.items() if text is not None]

    def _digest(self, text: str) -> str:
        return hashlib.blake2b(text.encode("utf-8", "replace"), key=self._secret, digest_size=16).hexdigest()
