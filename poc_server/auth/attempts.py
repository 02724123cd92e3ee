"""Attempts to prove who one is, and by what each is counted: the address or device it comes from, and whom it means."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from groups.vocabulary import Refusal, UserId
from poc_server.auth.failures import Failures, Of
from poc_server.auth.known import KnownDevice, KnownDevices
from poc_server.auth.limits import address_key
from poc_server.auth.tokens import AuthRefused
from poc_server.ground.refused import Refused
from poc_server.store import Connection
from poc_server.store.city import sessions


class Attempted:
    """One attempt, and by what it is counted."""

    def __init__(self, failures: Failures) -> None:
        self._failures = failures
        self._counted: list[tuple[Of, str]] = []

    async def count(self, of: Of, text: str) -> None:
        """A failure by this, too, until it is known to be none. Raises `AuthRefused`: sign_in_limit."""
        wait = await self._failures.admit(of, text)
        if wait:
            raise AuthRefused(Refusal.SIGN_IN_LIMIT, retry_after_ms=wait)
        self._counted.append((of, text))

    def undo(self) -> None:
        """It was none, or could not be judged."""
        for of, text in self._counted:
            self._failures.undo(of, text)
        self._counted = []

    def right(self) -> None:
        """He is who he says: what is his alone begins anew, his address has failed once less."""
        for of, text in self._counted:
            if of is Of.ADDRESS:
                self._failures.undo(of, text)
            else:
                self._failures.forget(of, text)
        self._counted = []


class Attempts:
    """Begins attempts. ``known``: the devices on which somebody has signed in."""

    def __init__(self, failures: Failures, known: KnownDevices) -> None:
        self._failures = failures
        self._known = known

    @asynccontextmanager
    async def begin(self, address: str | None = None, mark: str = "") -> AsyncIterator[Attempted]:
        """Counts as a failure until the caller knows better; one that could not be judged at all is none.

        Counted by the address, or the device where it is known; by neither where there is no address.
        """
        attempted = Attempted(self._failures)
        device = self._known.read(mark)
        if device is not None:
            await attempted.count(Of.KNOWN, device.name.hex())
        elif address is not None:
            await attempted.count(Of.ADDRESS, address_key(address))
        try:
            yield attempted
        except Refused as refused:
            if refused.code is Refusal.UNAVAILABLE:
                attempted.undo()
            raise

    async def counted_by(
        self, connection: Connection, name: str, user: UserId | None, device: KnownDevice | None, address: str
    ) -> list[tuple[Of, str]]:
        """By what an attempt on ``name`` is counted; where no device is known its address has been, before."""
        if user is not None and device is not None and self._known.knows(device, user):
            return [(Of.KNOWN, f"{device.name.hex()} {user}")]
        strange = [] if device is None else [(Of.ADDRESS, address_key(address))]
        if user is not None and await self._known_there(connection, name, user, address):
            return [*strange, (Of.KNOWN, f"{address_key(address)} {user}")]
        return [*strange, (Of.ACCOUNT, name)]

    async def _known_there(self, connection: Connection, name: str, user: UserId, address: str) -> bool:
        """Whether it is for an address he has signed in from that others' failures do not keep him out.

        Looked up only once they would: till then he is counted with them.
        """
        if not self._failures.wait(Of.ACCOUNT, name):
            return False
        here = address_key(address)
        return any(address_key(each) == here for each in await sessions.addresses_of(connection, user))
