"""Passwords: argon2id, few at a time, off the event loop (the library lets go of the interpreter while it works)."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from groups.vocabulary import Refusal
from poc_server.auth.settings import AuthSettings
from poc_server.auth.tokens import AuthRefused

T = TypeVar("T")


class Passwords:
    """Makes and checks hashes."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._hasher = PasswordHasher(
            time_cost=settings.argon2_passes, memory_cost=settings.argon2_memory_kib, parallelism=1
        )
        self._turn = asyncio.Semaphore(settings.hashes_at_once)
        self._waiting = 0
        self._nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The hash to keep. Refuses (bad_message) a password that is too short or too long."""
        if not self._settings.password_least <= len(password) <= self._settings.password_most:
            raise AuthRefused(Refusal.BAD_MESSAGE, "password length")
        return await self.renewed(password)

    async def renewed(self, password: str) -> str:
        """A new hash of a password that is good already, however short it would be for a new one."""
        return await self._work(self._hasher.hash, _same(password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether ``password`` is the one kept. Takes the same time when there is none, so that names stay unknown."""
        if len(password) > self._settings.password_most:
            return False
        if kept is None:
            if self._nobody is None:
                self._nobody = await self._work(self._hasher.hash, "nobody has this password")
            await self._work(self._verify, self._nobody, _same(password))
            return False
        return await self._work(self._verify, kept, _same(password))

    def is_outdated(self, kept: str) -> bool:
        """Whether the hash was made with weaker settings than those of now."""
        return self._hasher.check_needs_rehash(kept)

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self._hasher.verify(kept, password)
        except (Argon2Error, InvalidHashError):
            return False

    async def _work(self, act: Callable[..., T], *arguments: str) -> T:
        if self._waiting >= self._settings.hashes_waiting:
            raise AuthRefused(Refusal.UNAVAILABLE, "too many sign-ins at once", retry_after_ms=2_000)
        self._waiting += 1
        try:
            async with self._turn:
                return await asyncio.to_thread(act, *arguments)
        finally:
            self._waiting -= 1


def _same(password: str) -> str:
    """One form for passwords that look the same, from whatever keyboard."""
    return unicodedata.normalize("NFKC", password)
