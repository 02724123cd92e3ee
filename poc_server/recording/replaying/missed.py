"""What somebody missed: told when he is back, at most a day of it. One question to SQL at a time, whoever returns."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from groups.vocabulary import GroupId, Tier, UserId
from poc_server.ground.refused import Refused
from poc_server.recording.replaying.access import member_scope
from poc_server.store import Store, absence
from poc_server.store.absence import Away
from poc_server.store.records import recordings as query
from poc_server.store.records.recordings import Search
from poc_server.store.sql.statements import in_parts
from poc_server.talk.phone import Phone
from poc_server.talk.phones import Phones
from signaling.limits import MAX_MISSED_TALKERS
from signaling.messages import Missed, MissedTalker

LONGEST_MS = 24 * 3_600_000
"""What was said longer ago is not missed voice but the archive."""
SHORTEST_MS = 1_000
SETTLE_S = 2.0
"""What was said just now on another node is on its way to SQL for about so long."""
TOGETHER_S = 0.3
"""How much longer the first waits, so that others who come meanwhile are written down with him."""
RETRY_S = 5.0
"""Where SQL is away when somebody returns, it is asked again so often, until he is told."""
NOTE_EVERY_S = 60.0
"""A killed server remembers when people were here to within this."""
NOTE_LEFT_S = 1.0
"""Who left is written down so soon, together with others: he may come back by another node."""
SLICE = 200
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Return:
    """Somebody is back by ``phone`` and was not told yet; ``settled`` is a time of the loop."""

    phone: Phone
    away: Away
    settled: float


class MissedVoice:
    """Watches who comes and goes on this node.

    One is away while no phone of his is connected: a second one has missed nothing that the first has heard.

    Args:
        clock: ms since the epoch, the fabric's.
        phones: those of this node and, where there are others, of theirs.
        caught_up: waits, within bounds, until what was said until now is in SQL.
    """

    def __init__(
        self, store: Store, clock: Callable[[], int], phones: Phones, caught_up: Callable[[], Awaitable[None]]
    ) -> None:
        self.told = 0
        self._store = store
        self._clock = clock
        self._phones = phones
        self._caught_up = caught_up
        self._left: dict[UserId, int] = {}
        """Since when those are away of whom that is not written down yet."""
        self._untold: dict[UserId, _Return] = {}
        """Until they are told, SQL must go on saying when they were here before."""
        self._returns: asyncio.Queue[UserId] = asyncio.Queue()
        self._leaves = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._tasks = [
            asyncio.create_task(self._tell_all(), name="missed-voice"),
            asyncio.create_task(self._note_all(), name="absence"),
            asyncio.create_task(self._note_who_left(), name="absence-begins"),
        ]

    async def aclose(self) -> None:
        """Note who is here now, and stop."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await self._note()

    def came(self, phone: Phone) -> None:
        """A phone is here that heard nothing meanwhile."""
        user = phone.user.id
        if self._has_another(phone):
            return
        now = self._clock()
        before = self._untold.get(user)
        from_ms = self._left.get(user, 0) if before is None else before.away.from_ms
        away = Away(max(now - LONGEST_MS, from_ms), now)
        self._untold[user] = _Return(phone, away, asyncio.get_running_loop().time() + SETTLE_S)
        self._returns.put_nowait(user)

    def went(self, phone: Phone) -> None:
        """A phone lost its socket."""
        if not self._has_another(phone):
            self._left[phone.user.id] = self._clock()
            self._leaves.set()

    def _has_another(self, phone: Phone) -> bool:
        others = (other for other in self._phones.of(phone.user.id) if other is not phone)
        return any(other.connection is not None for other in others)

    async def _tell_all(self) -> None:
        await self._set_right()
        while True:
            backs = await self._next_returns()
            await self._caught_up()
            try:
                here = {user: back for user, back in backs.items() if back.phone.connection is not None}
                gone = {
                    user: self._left.get(user, back.away.until_ms) for user, back in backs.items() if user not in here
                }
                away = await self._away({user: back.away for user, back in here.items()}, gone)
                for user, back in here.items():
                    await self._tell(back.phone, away.get(user))
                    if self._untold.get(user) is back:
                        del self._untold[user]
            except Refused as problem:
                log.warning("missed_voice_waits", users=len(backs), problem=str(problem))
                await asyncio.sleep(RETRY_S)
                for user in backs:
                    self._returns.put_nowait(user)

    async def _set_right(self) -> None:
        """Nobody was here later than now: else who was seen by a clock that was ahead would have missed nothing."""
        while True:
            try:
                async with self._store.writing() as connection:
                    ahead_ms = await absence.none_in_the_future(connection, self._clock())
            except Refused:
                await asyncio.sleep(RETRY_S)
            else:
                if ahead_ms:
                    log.warning("absences_set_right", seconds=round(ahead_ms / 1000))
                return

    async def _next_returns(self) -> dict[UserId, _Return]:
        """Those who came soon after each other: when a city returns after an outage, SQL is asked once for many.

        Who is gone again meanwhile is told when he is back for good, of the whole time.
        """
        users = [await self._returns.get()]
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, self._settled(users) + TOGETHER_S - loop.time()))
        while not self._returns.empty() and len(users) < SLICE:
            users.append(self._returns.get_nowait())
        await asyncio.sleep(max(0.0, self._settled(users) - loop.time()))
        return {user: self._untold[user] for user in users if user in self._untold}

    def _settled(self, users: list[UserId]) -> float:
        return max((self._untold[user].settled for user in users if user in self._untold), default=0.0)

    async def _away(self, backs: dict[UserId, Away], gone: dict[UserId, int]) -> dict[UserId, Away]:
        """How long they were away; of those who are ``gone`` again, and were never here before, when they were."""
        async with self._store.writing() as connection:
            await absence.met(connection, gone)
            return await absence.returned(connection, backs)

    async def _tell(self, phone: Phone, away: Away | None) -> None:
        if away is None or away.until_ms - away.from_ms < SHORTEST_MS:
            return
        message = await missed(self._store, phone.user.id, away)
        if message.bursts:
            self.told += 1
            phone.send(message)

    async def _note_all(self) -> None:
        while True:
            await asyncio.sleep(NOTE_EVERY_S)
            await self._note()

    async def _note_who_left(self) -> None:
        while True:
            await self._leaves.wait()
            await asyncio.sleep(NOTE_LEFT_S)
            self._leaves.clear()
            await self._note(everybody=False)

    async def _note(self, *, everybody: bool = True) -> None:
        """Write down when people were last here: those who left, or ``everybody`` on this node.

        Whoever is on another node is noted there: here it is not known whether he was told yet.
        """
        left, self._left = self._left, {user: at_ms for user, at_ms in self._left.items() if user in self._untold}
        here = {phone.user.id for phone in self._phones.values() if phone.connection is not None and phone.away is None}
        now = dict.fromkeys(here if everybody else here & left.keys(), self._clock())
        seen = left | now
        when = [(user, at_ms) for user, at_ms in seen.items() if user not in self._untold]
        try:
            for part in in_parts(when, SLICE):
                async with self._store.writing() as connection:
                    await absence.seen(connection, dict(part))
        except Refused as problem:
            self._left = left | self._left
            log.warning("absence_not_noted", problem=str(problem))


async def missed(store: Store, user: UserId, away: Away) -> Missed:
    """What ``user`` missed in that time. Raises `StoreUnavailable`."""
    search = Search(not_user=user, from_ms=away.from_ms, until_ms=away.until_ms)
    async with store.reading() as connection:
        rows = await query.tally(connection, member_scope(store.directory, user), search)
        names = await query.group_names(connection, {GroupId(row.group_id) for row in rows})
    by = [
        MissedTalker(
            group=row.group_id,
            group_name=names.get(row.group_id, ""),
            talker=row.user_id,
            talker_name=row.user_name,
            bursts=row.recordings,
            duration_ms=int(row.heard_ms),
            tier=Tier(row.tier),
        )
        for row in rows
    ]
    return Missed(
        from_ms=away.from_ms,
        until_ms=away.until_ms,
        bursts=sum(each.bursts for each in by),
        duration_ms=sum(each.duration_ms for each in by),
        by=by[:MAX_MISSED_TALKERS],
    )
