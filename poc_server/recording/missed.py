"""What somebody missed: told when he is back, at most a day of it. One question to SQL at a time, whoever returns."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from groups.vocabulary import Tier, UserId
from poc_server.recording.access import member_scope
from poc_server.refused import Refused
from poc_server.store import Store, absence
from poc_server.store import recordings as query
from poc_server.store.absence import Away
from poc_server.store.recordings import Search
from poc_server.talk.phone import Phone
from signaling.limits import MAX_MISSED_TALKERS
from signaling.messages import Missed, MissedTalker

LONGEST_MS = 24 * 3_600_000
"""What was said longer ago is not missed voice but the archive."""
SHORTEST_MS = 1_000
SETTLE_S = 2.0
"""What was said just now is on its way to SQL for about so long."""
TOGETHER_S = 0.3
"""How much longer the first waits, so that others who come meanwhile are written down with him."""
NOTE_EVERY_S = 60.0
"""A killed server remembers when people were here to within this."""
SLICE = 200
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Return:
    phone: Phone
    away: Away
    settled: float


class MissedVoice:
    """Watches who comes and goes on this node.

    Args:
        clock: ms since the epoch, the fabric's.
        here: who is connected to this node now.
    """

    def __init__(self, store: Store, clock: Callable[[], int], here: Callable[[], set[UserId]]) -> None:
        self.told = 0
        self._store = store
        self._clock = clock
        self._here = here
        self._left: dict[UserId, int] = {}
        self._returns: asyncio.Queue[_Return] = asyncio.Queue()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin; needs a running loop."""
        self._tasks = [
            asyncio.create_task(self._tell_all(), name="missed-voice"),
            asyncio.create_task(self._note_all(), name="absence"),
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
        now = self._clock()
        away = Away(max(now - LONGEST_MS, self._left.get(phone.user.id, 0)), now)
        self._returns.put_nowait(_Return(phone, away, asyncio.get_running_loop().time() + SETTLE_S))

    def went(self, phone: Phone) -> None:
        """A phone lost its socket."""
        self._left[phone.user.id] = self._clock()

    async def _tell_all(self) -> None:
        while True:
            backs = await self._next_returns()
            try:
                away = await self._away({back.phone.user.id: back.away for back in backs})
                for back in backs:
                    await self._tell(back.phone, away.get(back.phone.user.id))
            except Refused as problem:
                log.warning("missed_voice_not_told", users=len(backs), problem=str(problem))

    async def _next_returns(self) -> list[_Return]:
        """Those who came soon after each other: when a city returns after an outage, SQL is asked once for many."""
        backs = [await self._returns.get()]
        loop = asyncio.get_running_loop()
        await asyncio.sleep(max(0.0, backs[0].settled + TOGETHER_S - loop.time()))
        while not self._returns.empty() and len(backs) < SLICE:
            backs.append(self._returns.get_nowait())
        await asyncio.sleep(max(0.0, backs[-1].settled - loop.time()))
        return backs

    async def _away(self, backs: dict[UserId, Away]) -> dict[UserId, Away]:
        async with self._store.writing() as connection:
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

    async def _note(self) -> None:
        """Write down when people were last here."""
        left, self._left = self._left, {}
        when = list((left | dict.fromkeys(self._here(), self._clock())).items())
        try:
            for begin in range(0, len(when), SLICE):
                async with self._store.writing() as connection:
                    await absence.seen(connection, dict(when[begin : begin + SLICE]))
        except Refused as problem:
            self._left = left | self._left
            log.warning("absence_not_noted", problem=str(problem))


async def missed(store: Store, user: UserId, away: Away) -> Missed:
    """What ``user`` missed in that time. Raises `StoreUnavailable`."""
    search = Search(not_user=user, from_ms=away.from_ms, until_ms=away.until_ms)
    async with store.reading() as connection:
        rows = await query.tally(connection, member_scope(store.directory, user), search)
    names = store.directory.snapshot.groups
    by = [
        MissedTalker(
            group=row.group_id,
            group_name=names[row.group_id].name if row.group_id in names else "",
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
