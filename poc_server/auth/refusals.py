"""Refused sign-ins in the audit: who was meant and why, never what was typed, at a rate that no stranger can drive."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Container
from contextlib import asynccontextmanager
from dataclasses import dataclass

from groups.vocabulary import AgencyId, DeviceId, Refusal, UserId
from poc_server.auth.limits import Sparing, address_key
from poc_server.auth.settings import AuthSettings
from poc_server.ground.refused import Refused, StoreUnavailable
from poc_server.store import Actor, Connection, Store, audit

NOT_JUDGED = frozenset({Refusal.UNAVAILABLE, Refusal.TOO_FAST})
"""Said of an attempt before anybody looked at it."""
Finding = Callable[[Connection], Awaitable[UserId | None]]


@dataclass(slots=True)
class Attempt:
    """One attempt to prove who one is, and what is known of it so far.

    Attributes:
        way: password, enrolment, external or refresh.
        actor: who tries, where that is certain; else only from where.
        user: who is meant.
        device: which of his, where it told one.
        agency: whose audit it belongs to where nobody here is meant; None: every agency's.
        find: who is meant, where it was refused before anybody looked.
        action: the act that is refused.
    """

    way: str
    actor: Actor
    user: UserId | None = None
    device: DeviceId | None = None
    agency: AgencyId | None = None
    find: Finding | None = None
    action: str = "sign_in"


class RefusedSignIns:
    """Keeps refused attempts in the audit.

    What a stranger typed as a name is not kept: it may be a password. Of those that mean somebody here, of the others,
    and of those that came too fast, each by themselves, so many are kept at once and then one in a while; the next one
    kept says how many were left out. Who only knocks again, without being judged, is kept once in a while.

    ``clock``: ms since the epoch.
    """

    def __init__(self, settings: AuthSettings, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._sparing = Sparing(settings.audited_at_once, settings.audited_every_s)

    @asynccontextmanager
    async def kept(self, attempt: Attempt, only: Container[Refusal] | None = None) -> AsyncIterator[None]:
        """Let what is refused within go on as it is, and keep it; ``only``: these refusals."""
        try:
            yield
        except Refused as refused:
            if refused.code not in NOT_JUDGED and (only is None or refused.code in only):
                await self._keep(attempt, refused.code)
            raise

    async def _keep(self, attempt: Attempt, code: Refusal) -> None:
        sort = "known" if attempt.user is not None else "stranger"
        again: tuple[object, ...] | None = None
        if code is Refusal.SIGN_IN_LIMIT:
            sort, again = "too fast", (attempt.way, attempt.user, address_key(attempt.actor.address))
        elif attempt.way == "refresh":
            again = (attempt.way, attempt.user, attempt.device)
        now = self._clock()
        left_out = self._sparing.admit(sort, now, again)
        if left_out is None:
            return
        snapshot = self._store.directory.snapshot
        user = attempt.user or await self._found(attempt)
        person = None if user is None else snapshot.users.get(user)
        agency = person.agency if person is not None else attempt.agency
        detail = {"way": attempt.way, "code": code.value, "device": attempt.device, "left_out": left_out}
        told = {key: value for key, value in detail.items() if value}
        where = address_key(attempt.actor.address) or "unknown"
        kind, target = ("user", person.id) if person is not None else ("address", where)
        for whose in sorted(snapshot.agencies) if agency is None else [agency]:
            entry = audit.entry(attempt.actor, now, f"{attempt.action}.refused", kind, target, told, whose)
            self._store.journal.audit(entry)

    async def _found(self, attempt: Attempt) -> UserId | None:
        if attempt.find is None:
            return None
        try:
            async with self._store.reading() as connection:
                return await attempt.find(connection)
        except StoreUnavailable:
            return None
