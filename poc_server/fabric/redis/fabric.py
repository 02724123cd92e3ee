"""The fabric of several nodes: watches on one Redis, sessions that come and go, and being alone in between."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable, Mapping
from typing import Any

import structlog

from poc_server.fabric.interface import Codec, Merge, Subscriber, Unavailable
from poc_server.fabric.redis.clock import FabricClock
from poc_server.fabric.redis.session import Session
from poc_server.fabric.redis.watch import RedisWatch
from poc_server.fabric.settings import FabricSettings

log = structlog.get_logger(__name__)

AGAIN_S = 0.1
FOLLOW_AT_ONCE = 16
"""Keys read at a time when a session begins: a whole city comes back at a pace that leaves room for voice."""
CASTS_AT_ONCE = 128


class RedisFabric:
    """Implements `interface.Fabric` on Redis.

    Attributes:
        on_alone: called with True when this node goes on without Redis, with False when it is back.
    """

    jitter_ms = 20

    def __init__(self, settings: FabricSettings) -> None:
        self.settings = settings
        self.node = settings.node or socket.gethostname()
        self.incarnation = f"{self.node}:{secrets.token_hex(4)}"
        self.on_alone: list[Callable[[bool], None]] = []
        self.on_session: list[Callable[[Session], Any]] = []
        self._clock = FabricClock()
        self._watches: dict[str, list[RedisWatch]] = {}
        self._casts: dict[str, Callable[[bytes], None]] = {}
        self._session: Session | None = None
        self._settled = asyncio.Event()
        self._down = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._to_say: list[tuple[str, bytes]] = []
        self._saying: asyncio.Task[Any] | None = None
        self._writes = 0
        self.alone = False

    # --- life --------------------------------------------------------------------------------------------------------

    @classmethod
    async def open(cls, settings: FabricSettings) -> RedisFabric:
        """Returns when Redis answered, or this node is alone: it serves either way."""
        made = cls(settings)
        made._task = asyncio.get_running_loop().create_task(made._keep(), name="fabric")
        await made._settled.wait()
        return made

    async def aclose(self) -> None:
        """Let go of Redis; what is there stays."""
        tasks = [*([self._task] if self._task else []), *self._background]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.aclose()

    # --- `interface.Fabric` ------------------------------------------------------------------------------------------

    def now(self) -> int:
        """See `interface.Fabric.now`."""
        return self._clock.now()

    def wall(self) -> int:
        """See `interface.Fabric.wall`."""
        return self._clock.wall()

    def clock_off_s(self) -> float:
        """How far this machine's own clock is ahead of the one all nodes share."""
        return self._clock.off_ms() / 1000

    def watch(
        self,
        key: str,
        initial: Any,
        codec: Codec[Any],
        subscriber: Subscriber[Any],
        merge: Merge[Any] | None = None,
    ) -> RedisWatch:
        """See `interface.Fabric.watch`."""
        made = RedisWatch(self, key, initial, codec, subscriber, merge)
        self._watches.setdefault(self.name_of(key), []).append(made)
        if self._session is not None:
            self.spawn(made.follow(self._session))
        return made

    # --- beyond one key ----------------------------------------------------------------------------------------------

    def cast(self, channel: str, message: bytes) -> None:
        """Say something to all nodes that `listen`, this one too, in the order it is said. Without Redis to nobody."""
        session = self._session
        if session is None:
            return
        self._to_say.append((self.name_of(f"cast:{channel}"), message))
        if len(self._to_say) == 1:
            self._saying = self._begun(self._say(session))

    async def _say(self, session: Session) -> None:
        """One at a time, each with all that was said meanwhile."""
        while self._to_say:
            batch = self._to_say[:CASTS_AT_ONCE]
            try:
                await session.publish(batch)
            except Unavailable:
                self._to_say.clear()
                return
            del self._to_say[: len(batch)]

    def listen(self, channel: str, heard: Callable[[bytes], None]) -> None:
        """Hear what is cast, from the next session on."""
        self._casts[self.name_of(f"cast:{channel}")] = heard
        if self._session is not None:
            self.spawn(_quiet(self._session.subscribe(self.name_of(f"cast:{channel}"))))

    async def hold(self, lease: str) -> str:
        """Take or keep a lease for ``lease_ms``; returns who holds it. Raises `Unavailable`."""
        if self._session is None:
            raise Unavailable("no session")
        mine = f"{self.incarnation} "
        there = await self._session.hold(self.name_of(f"lease:{lease}"), self.incarnation, mine, self.settings.lease_ms)
        return there.decode().rstrip()

    async def drop(self, lease: str, of: str | None = None) -> None:
        """Give up a lease, if it is ours, or that of another node that has ended."""
        if self._session is not None:
            with contextlib.suppress(Unavailable):
                await self._session.drop(self.name_of(f"lease:{lease}"), of or self.incarnation)

    async def hearing(self, channels: Mapping[str, str], voice: Mapping[str, str]) -> set[str]:
        """What stands beside those ``channels`` (casts, and whole names of others) that some node hears just now.

        Raises `Unavailable`.
        """
        if self._session is None:
            raise Unavailable("no session")
        names = {self.name_of(f"cast:{channel}"): what for channel, what in channels.items()} | {**voice}
        heard = await self._session.heard_by(names)
        return {names[name] for name, count in heard.items() if count}

    async def said(self) -> None:
        """Returns when all that was cast is out, or cannot be."""
        if self._to_say and self._saying is not None:
            await asyncio.wait((self._saying,))

    async def heard_all(self) -> None:
        """Returns when all that was cast before this was asked has been heard here. Raises `Unavailable`."""
        if self._session is None:
            raise Unavailable("no session")
        await self._session.heard_all()

    # --- for watches -------------------------------------------------------------------------------------------------

    async def session(self) -> Session | None:
        """The session to step in, or None: go on alone. Waits while neither is certain."""
        await self._settled.wait()
        return self._session

    def name_of(self, key: str) -> str:
        """The name of a key in Redis."""
        return f"{self.settings.prefix}:{key}"

    def next_writer(self) -> str:
        """A name for one write, by which its writer knows it again when the answer was lost."""
        self._writes += 1
        return f"{self.incarnation}:{self._writes}"

    def unwatch(self, key: str, watch: RedisWatch) -> None:
        """A watch is closed."""
        name = self.name_of(key)
        here = self._watches.get(name, [])
        if watch in here:
            here.remove(watch)
        if not here:
            self._watches.pop(name, None)
            if self._session is not None:
                self.spawn(self._left(self._session, name))

    def spawn(self, work: Any) -> None:
        """Do something in the background."""
        self._begun(work)

    def _begun(self, work: Any) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    # --- sessions ----------------------------------------------------------------------------------------------------

    async def _keep(self) -> None:
        loop = asyncio.get_running_loop()
        lost_at = loop.time()
        while True:
            try:
                session = await Session.open(self.settings, self._clock, self._heard, self._lost)
                for channel in self._casts:
                    await session.subscribe(channel)
            except Unavailable as problem:
                if not self.alone and loop.time() - lost_at >= self.settings.isolated_after_ms / 1000:
                    self._be_alone(str(problem))
                await asyncio.sleep(AGAIN_S)
                continue
            self._down.clear()
            if session.over:
                continue
            await self._begin(session)
            await self._down.wait()
            lost_at = loop.time()
            await session.aclose()
            self._clock.restarted()

    async def _begin(self, session: Session) -> None:
        was_alone, self.alone = self.alone, False
        self._session = session
        self._settled.set()
        if was_alone:
            log.warning("fabric_back")
        gate = asyncio.Semaphore(FOLLOW_AT_ONCE)

        async def follow(watch: RedisWatch) -> None:
            async with gate:
                await watch.follow(session)

        await asyncio.gather(*(follow(each) for some in tuple(self._watches.values()) for each in some))
        for told in self.on_session:
            told(session)
        if was_alone:
            for tell in self.on_alone:
                tell(False)

    def _be_alone(self, problem: str) -> None:
        self.alone = True
        log.error("fabric_alone", problem=problem)
        self._settled.set()
        for tell in self.on_alone:
            tell(True)

    def _lost(self) -> None:
        self._to_say = []
        if self._session is not None:
            self._session = None
            self._settled.clear()
        self._down.set()

    def _heard(self, channel: str, message: bytes) -> None:
        cast = self._casts.get(channel)
        try:
            if cast is not None:
                cast(message)
            for watch in tuple(self._watches.get(channel, ())):
                watch.heard(message)
        except Exception:
            # A message that cannot be read must not end the reading of those that can.
            log.exception("fabric_message", channel=channel)

    async def _left(self, session: Session, name: str) -> None:
        if name not in self._watches:
            await session.unsubscribe(name)


async def _quiet(work: Any) -> None:
    with contextlib.suppress(Unavailable):
        await work
