"""One node's hold on one key of Redis: steps against a version, and events in the order of their versions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Protocol

import structlog

from poc_server.fabric.interface import LOADED, Codec, Merge, Subscriber, Transition, Unavailable
from poc_server.fabric.redis.session import Session
from poc_server.fabric.settings import FabricSettings

log = structlog.get_logger(__name__)

GAP_S = 0.1
"""Events of one version that another connection should have brought are waited for so long, then the state is read."""


class Shared(Protocol):
    """What all watches of a node share (`poc_server.fabric.redis.fabric`)."""

    settings: FabricSettings

    async def session(self) -> Session | None:
        """The session to step in, or None: go on alone."""

    def now(self) -> int:
        """Ms on the fabric's clock."""

    def name_of(self, key: str) -> str:
        """The key as Redis has it."""

    def next_writer(self) -> str:
        """A name no other write has."""

    def unwatch(self, key: str, watch: RedisWatch) -> None:
        """Follow a key no more."""


class RedisWatch:
    """Implements `interface.Watch` on Redis.

    Two places are known: the *head*, the newest state seen or written, from which steps go on; and how far events were
    *told*. A step of this node may be known before the event of another that came before it: it is told after it.
    """

    def __init__(
        self,
        fabric: Shared,
        key: str,
        initial: Any,
        codec: Codec[Any],
        subscriber: Subscriber[Any],
        merge: Merge[Any] | None,
    ) -> None:
        self._fabric = fabric
        self._key = key
        self._initial = initial
        self._codec = codec
        self._subscriber = subscriber
        self._merge = merge
        self._version, self._state = 0, initial
        self._told = 0
        self._early: dict[int, tuple[Any, Sequence[Any]]] = {}
        self._gap: asyncio.TimerHandle | None = None
        self._lock = asyncio.Lock()
        self._alone = False
        """Steps were made without Redis: what is there has to be merged with what is here."""
        self._session: Session | None = None
        """The session in which the state was read; another one reads it anew."""
        self.closed = False

    @property
    def state(self) -> Any:
        """The newest state seen here."""
        return self._state

    async def step(self, transition: Transition[Any]) -> None:
        """See `interface.Watch.step`. Waits while it is not certain whether Redis is gone."""
        async with self._lock:
            while not self.closed:
                session = await self._fabric.session()
                if session is None:
                    self._step_alone(transition)
                    return
                try:
                    await self._joined(session)
                    if await self._try(session, transition):
                        return
                except Unavailable:
                    log.debug("step_again", key=self._key)

    async def follow(self, session: Session) -> None:
        """A session began: read what is there. Failing is no matter: the session is over then, and another comes."""
        try:
            async with self._lock:
                if not self.closed:
                    await self._joined(session)
        except Unavailable:
            return

    def heard(self, message: bytes) -> None:
        """What was published for this key."""
        said = json.loads(message)
        version = int(said["v"])
        if version <= self._told and self._session is not None:
            return
        state = self._codec.state_from_json(said["s"])
        events = [LOADED if each is None else self._codec.event_from_json(each) for each in said["e"]]
        self._early[version] = (state, events)
        if self._session is not None:
            self._tell()

    def close(self) -> None:
        """Stop following."""
        self.closed = True
        if self._gap is not None:
            self._gap.cancel()
        self._fabric.unwatch(self._key, self)

    # --- private -----------------------------------------------------------------------------------------------------

    async def _try(self, session: Session, transition: Transition[Any]) -> bool:
        """One attempt; False when another node was quicker."""
        state, events = transition(self._state, self._fabric.now())
        if not events and state == self._state:
            return True
        plain = [self._codec.event_to_json(each) for each in events]
        if await self._write(session, self._version, state, plain):
            self._early[self._version] = (state, events)
            self._tell()
            return True
        return False

    async def _write(self, session: Session, before: int, state: Any, events: list[Any]) -> bool:
        """Write ``state`` as the version after ``before``; False when it was not: the head is then what is there."""
        plain, version, writer = self._codec.state_to_json(state), before + 1, self._fabric.next_writer()
        said = json.dumps({"v": version, "s": plain, "e": events}, separators=(",", ":"))
        name, keep = self._fabric.name_of(self._key), self._fabric.settings.keep_s
        answer = await session.step([name], [before, version, json.dumps(plain), writer, keep, name, said])
        if answer[0] == 1 or answer[3].decode() == writer:
            self._version, self._state = version, state
            return True
        self._take(int(answer[1]), answer[2])
        return False

    def _take(self, version: int, text: bytes) -> None:
        """The head is what stands in Redis."""
        if version > self._version:
            self._version, self._state = version, self._codec.state_from_json(json.loads(text))
            self._expect()
        elif version < self._version:
            # Redis lost what it had: what is known here is newer than what stands there.
            self._alone = True
            self._session = None

    async def _joined(self, session: Session) -> None:
        """Subscribed in this session, and the state read after that."""
        if self._session is session:
            return
        await session.subscribe(self._fabric.name_of(self._key))
        version, text = await session.read(self._fabric.name_of(self._key))
        theirs = self._codec.state_from_json(json.loads(text)) if version else self._initial
        if self._alone or version < self._version:
            await self._reunite(session, version, theirs)
        elif version > self._told:
            self._version, self._state = version, theirs
            self._session = session
            self._tell_loaded()
        else:
            self._session = session
            self._early.clear()

    async def _reunite(self, session: Session, version: int, theirs: Any) -> None:
        """After an outage: what holds is judged, written, and everybody reads it whole."""
        mine = self._state
        while True:
            if version == 0:
                after = mine
            elif self._merge is not None:
                after = self._merge(mine, theirs)
            else:
                after = theirs
            before = max(version, 0)
            self._version = before
            if after == theirs and version:
                self._state = after
                break
            self._session = session
            if await self._write(session, before, after, [None]):
                break
            version, theirs = self._version, self._state
        self._alone = False
        self._session = session
        self._tell_loaded()

    def _step_alone(self, transition: Transition[Any]) -> None:
        state, events = transition(self._state, self._fabric.now())
        if not events and state == self._state:
            return
        self._alone, self._session = True, None
        self._version, self._state = self._version + 1, state
        self._told = self._version
        self._early.clear()
        self._subscriber(state, events, self._version)

    def _tell(self) -> None:
        """Events go to the subscriber in the order of versions."""
        while (next_up := self._early.pop(self._told + 1, None)) is not None:
            self._told += 1
            state, events = next_up
            if self._told > self._version:
                self._version, self._state = self._told, state
            self._subscriber(state, events, self._told)
        if self._early:
            newest = max(self._early)
            if newest > self._version:
                self._version, self._state = newest, self._early[newest][0]
        self._expect()

    def _expect(self) -> None:
        """While a version is missing, a timer runs; then the state is read whole instead."""
        missing = self._told < self._version
        if missing and self._gap is None:
            self._gap = asyncio.get_running_loop().call_later(GAP_S, self._missed)
        elif not missing and self._gap is not None:
            self._gap.cancel()
            self._gap = None

    def _missed(self) -> None:
        self._gap = None
        if self._told < self._version and not self.closed:
            self._tell_loaded()

    def _tell_loaded(self) -> None:
        """The head is told whole, in the place of all that was missed."""
        self._told = self._version
        self._early = {version: each for version, each in self._early.items() if version > self._told}
        self._subscriber(self._state, (LOADED,), self._version)
        self._tell()
