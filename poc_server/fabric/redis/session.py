"""One time of being connected to Redis: commands on one pool, what is published on a connection of its own.

A session is never mended. What fails ends it, and the next one begins with everything read anew: so nobody has to
guess what was missed.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, cast

import structlog
from redis.asyncio import BlockingConnectionPool, Connection, ConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from poc_server.fabric.interface import Unavailable
from poc_server.fabric.redis.clock import FabricClock
from poc_server.fabric.settings import FabricSettings
from poc_server.ground.cancellation import cancellation_kept

log = structlog.get_logger(__name__)

STEP = (Path(__file__).parent / "step.lua").read_text()
LEASE = (Path(__file__).parent / "lease.lua").read_text()
CONNECTIONS = 8
PING_S = 1.0

FAILURES = (RedisError, OSError, asyncio.TimeoutError)
Heard = Callable[[str, bytes], None]


class Session:
    """Opened by `open`; ``heard(channel, message)`` is called on the loop; ``lost`` once, when it is over."""

    def __init__(self, settings: FabricSettings, clock: FabricClock, heard: Heard, lost: Callable[[], None]) -> None:
        timeout = settings.timeout_ms / 1000
        options: dict[str, Any] = {
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
        }
        pool = BlockingConnectionPool.from_url(settings.redis, max_connections=CONNECTIONS, timeout=timeout, **options)
        self._redis = Redis(connection_pool=pool)
        # A subscriber waits for messages: silence is no failure there, a ping without answer is.
        self._listening = ConnectionPool.from_url(settings.redis, **{**options, "socket_timeout": None})
        self._line: Connection | None = None
        self._step = self._redis.register_script(STEP)
        self._lease = self._redis.register_script(LEASE)
        self._timeout = timeout
        self._clock = clock
        self._heard = heard
        self._lost = lost
        self._tasks: list[asyncio.Task[None]] = []
        self._subscribed: dict[str, asyncio.Future[None]] = {}
        self._fences: dict[bytes, asyncio.Future[None]] = {}
        self._fence = 0
        self._ponged = 0.0
        self.over = False

    @classmethod
    async def open(
        cls, settings: FabricSettings, clock: FabricClock, heard: Heard, lost: Callable[[], None]
    ) -> Session:
        """Connect, set the clock. Raises `Unavailable`."""
        made = cls(settings, clock, heard, lost)
        try:
            for _ in range(4):
                await made._ask_time()
            # A Redis that is full answers questions and takes nothing: it is as good as none.
            await made._run(lambda: made._redis.set(f"{settings.prefix}:probe", b"1", px=settings.lease_ms))
            async with asyncio.timeout(made._timeout):
                made._line = await made._listening.get_connection()  # type: ignore[no-untyped-call]
        except BaseException as problem:
            await made.aclose()
            if isinstance(problem, FAILURES):
                raise Unavailable(str(problem)) from None
            raise
        loop = asyncio.get_running_loop()
        made._ponged = loop.time()
        made._tasks = [loop.create_task(made._listen()), loop.create_task(made._ping())]
        return made

    # --- commands ----------------------------------------------------------------------------------------------------

    async def step(self, keys: list[str], arguments: list[Any]) -> list[Any]:
        """Run `step.lua`. Raises `Unavailable`."""
        return cast("list[Any]", await self._run(lambda: self._step(keys=keys, args=arguments)))

    async def read(self, key: str) -> tuple[int, bytes]:
        """Version and state of a key; (0, b"") when there is none. Raises `Unavailable`."""
        found = await self._run(lambda: self._redis.hmget(key, ["v", "s"]))
        return int(found[0] or 0), found[1] or b""

    async def hold(self, key: str, holder: str, value: str, lease_ms: int) -> bytes:
        """Take or keep a lease; returns what stands there, ours or another's. Raises `Unavailable`."""
        return cast("bytes", await self._run(lambda: self._lease(keys=[key], args=[holder, value, lease_ms])))

    async def drop(self, key: str, holder: str) -> None:
        """Give up a lease: it is free at once. Raises `Unavailable`."""
        await self.hold(key, holder, "", 0)

    async def publish(self, messages: Iterable[tuple[str, bytes]]) -> None:
        """Each to all who subscribed to its channel, in this order. Raises `Unavailable`."""
        line = self._redis.pipeline(transaction=False)
        for channel, message in messages:
            line.publish(channel, message)
        await self._run(line.execute)

    async def heard_by(self, channels: Iterable[str]) -> dict[str, int]:
        """How many connections hear each channel. Raises `Unavailable`."""
        names = tuple(channels)
        if not names:
            return {}
        found = await self._run(lambda: self._redis.pubsub_numsub(*names))
        return {name.decode(): int(count) for name, count in found}

    async def subscribe(self, channel: str) -> None:
        """Hear a channel; returns when it is certain that nothing from now on is missed. Raises `Unavailable`."""
        done = self._subscribed.setdefault(channel, asyncio.get_running_loop().create_future())
        await self._say("SUBSCRIBE", channel)
        await self._answered(done, "no answer to a subscription")

    async def unsubscribe(self, channel: str) -> None:
        """Hear it no more."""
        self._subscribed.pop(channel, None)
        with contextlib.suppress(Unavailable):
            await self._say("UNSUBSCRIBE", channel)

    async def heard_all(self) -> None:
        """Returns when all that was published before this was asked has been heard. Raises `Unavailable`."""
        self._fence += 1
        done = self._fences[b"%d" % self._fence] = asyncio.get_running_loop().create_future()
        await self._say("PING", str(self._fence))
        await self._answered(done, "no answer to a fence")

    # --- life --------------------------------------------------------------------------------------------------------

    def end(self, problem: BaseException | None = None) -> None:
        """It is over; said once."""
        if not self.over:
            self.over = True
            if self._tasks:
                log.warning("fabric_session_lost", problem=repr(problem) if problem else "no answer")
            self._lost()

    async def aclose(self) -> None:
        """Let go of the connections."""
        self.over = True
        for task in self._tasks:
            task.cancel()
        for waiting in (*self._subscribed.values(), *self._fences.values()):
            if not waiting.done():
                waiting.set_exception(Unavailable("the session is over"))
                waiting.exception()  # that nobody waits any more is no fault
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(*FAILURES):
            await self._listening.disconnect()
            await self._redis.aclose()
            await self._redis.connection_pool.disconnect()

    async def _run(self, command: Callable[[], Any]) -> Any:
        if self.over:
            raise Unavailable("the connection is lost")
        with cancellation_kept():
            try:
                async with asyncio.timeout(self._timeout):
                    return await command()
            except FAILURES as problem:
                self.end(problem)
                raise Unavailable(str(problem)) from None

    async def _say(self, *command: str) -> None:
        line = self._line
        if line is None:
            raise Unavailable("not connected")
        await self._run(lambda: line.send_command(*command, check_health=False))

    async def _answered(self, done: asyncio.Future[None], problem: str) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await asyncio.shield(done)
        except TimeoutError:
            self.end()
            raise Unavailable(problem) from None

    async def _ask_time(self) -> None:
        asked = self._clock.ticks()
        seconds, micros = await self._run(self._redis.time)
        self._clock.answered(asked, int(seconds) * 1000 + int(micros) / 1000)

    async def _listen(self) -> None:
        line = self._line
        try:
            while line is not None:
                said = await line.read_response()
                kind = said[0]
                if kind == b"message":
                    self._heard(said[1].decode(), said[2])
                elif kind == b"subscribe":
                    waiting = self._subscribed.get(said[1].decode())
                    if waiting is not None and not waiting.done():
                        waiting.set_result(None)
                elif kind == b"pong":
                    self._ponged = asyncio.get_running_loop().time()
                    passed = self._fences.pop(said[1], None)
                    if passed is not None and not passed.done():
                        passed.set_result(None)
        except FAILURES as problem:
            self.end(problem)

    async def _ping(self) -> None:
        """Both connections are asked each second; a subscriber else would not notice that Redis is gone."""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(Unavailable):
            while not self.over:
                await self._say("PING")
                asked = loop.time()
                await self._ask_time()
                await asyncio.sleep(self._timeout)
                if self._ponged < asked - self._timeout:
                    self.end()
                await asyncio.sleep(max(0.0, PING_S - self._timeout))
