"""One node's hold on one key of Redis: steps against a version, and events in the order of their versions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from operator import itemgetter
from typing import Any, Protocol

import structlog

from poc_server.fabric.interface import LOADED, Codec, Merge, Subscriber, Transition, Unavailable
from poc_server.fabric.redis.session import Session
from poc_server.fabric.settings import FabricSettings

log = structlog.get_logger(__name__)

UNREADABLE = (ValueError, KeyError, TypeError, AttributeError)
GAP_S = 0.1
"""Events of a version that is known to be there are waited for so long; then it is asked whether they will come."""


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

    def spawn(self, work: Any) -> None:
        """Do something in the background."""


class RedisWatch:
    """Implements `interface.Watch` on Redis.

    Two places are known: the *head*, the newest state seen or written, from which steps go on; and how far events were
    *told*. A step of this node may be known before the event of another that came before it: it is told after it.

    Each version names the one before it, and where a state begins anew (a Redis that is empty, or fell back behind what
    a node knows) its version is greater than all that were. So a number stands for one state only, whatever Redis lost.
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
        self._early: dict[int, tuple[int, Any, Sequence[Any]]] = {}
        """What is not told yet, by the version before it: its own version, state and events."""
        self._gap: asyncio.TimerHandle | None = None
        self._lock = asyncio.Lock()
        self._unreadable = False
        """Said once."""
        self._alone = False
        """Steps were made without Redis: what is there has to be merged with what is here."""
        self._session: Session | None = None
        """The session in which the state was read; another one reads it anew, and what comes meanwhile waits."""
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
        before = int(said.get("b", version - 1))  # in an upgrade a node of the version before does not say it
        try:
            state, events = self._codec.state_from_json(said["s"]), self._events_of(said["e"])
        except UNREADABLE as problem:
            state, events = self._nothing(problem), [LOADED]
        self._early[before] = (version, state, events)
        if self._session is not None:
            if LOADED in events and before != self._told:
                self._tell_known()
                self._told = before  # it is whole: nothing that was missed before it matters
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
        before, plain = self._version, [self._codec.event_to_json(each) for each in events]
        version, there = await self._write(session, before, state, plain)
        if there is not None:
            self._take(version, there)
            return False
        if version > self._told:  # else its message was quicker than the answer
            self._early[before] = (version, state, events)
            self._tell()
        return True

    async def _write(self, session: Session, before: int, state: Any, events: list[Any]) -> tuple[int, bytes | None]:
        """Write ``state`` after the version ``before``; returns its version, or that of what stands there, and what."""
        version = before + 1
        if not before or before < self._version:
            version = max(before, self._version, self._fabric.now()) + 1
        plain, writer = self._codec.state_to_json(state), self._fabric.next_writer()
        # Made into JSON once, for both: that of a call to thousands is long.
        text, told = json.dumps(plain), json.dumps(events, separators=(",", ":"))
        said = f'{{"v":{version},"b":{before},"s":{text},"e":{told}}}'
        name, keep = self._fabric.name_of(self._key), self._fabric.settings.keep_s
        answer = await session.step([name], [before, version, text, writer, keep, name, said])
        if answer[0] == 1 or answer[3].decode() == writer:
            if version > self._version:
                self._version, self._state = version, state
            return version, None
        return int(answer[1]), answer[2]

    def _take(self, version: int, text: bytes) -> None:
        """The head is what stands in Redis."""
        if version > self._version:
            self._version, self._state = version, self._read(text)
            self._expect()
        elif version < self._version:
            # Redis lost what it had: what is known here is newer than what stands there.
            self._alone = True
            self._session = None

    async def _joined(self, session: Session) -> None:
        """Subscribed in this session, and the state read after that."""
        if self._session is session:
            return
        self._session = None
        self._forget_early()
        await session.subscribe(self._fabric.name_of(self._key))
        version, text = await session.read(self._fabric.name_of(self._key))
        theirs = self._read(text) if version else self._initial
        if self._alone or version < self._version:
            await self._reunite(session, version, theirs)
        elif version > self._told:
            self._version, self._state = version, theirs
            self._session = session
            self._tell_loaded()
        else:
            self._session = session
            self._tell()

    async def _reunite(self, session: Session, version: int, theirs: Any) -> None:
        """After an outage: what holds is judged, written, and everybody reads it whole."""
        mine, known = self._state, self._version
        while True:
            if version == 0:
                after = mine
            elif self._merge is not None:
                after = self._merge(mine, theirs)
            else:
                after = theirs
            if after == theirs and version and version >= known:
                break
            version, there = await self._write(session, version, after, [None])
            if there is None:
                break
            theirs = self._read(there) if version else self._initial
        self._version, self._state = version, after
        self._alone = False
        self._session = session
        self._tell_loaded()

    def _read(self, text: bytes) -> Any:
        """A state as it stands in Redis."""
        try:
            return self._codec.state_from_json(json.loads(text))
        except UNREADABLE as problem:
            return self._nothing(problem)

    def _nothing(self, problem: Exception) -> Any:
        """A state that cannot be read, of a later version or damaged, counts as none: a group must not be mute."""
        if not self._unreadable:
            log.error("state_unreadable", key=self._key, problem=repr(problem))
        self._unreadable = True
        return self._initial

    def _events_of(self, plain: list[Any]) -> list[Any]:
        """Events; what cannot be read, of a later version, is told by the state as a whole."""
        try:
            return [LOADED if each is None else self._codec.event_from_json(each) for each in plain]
        except UNREADABLE:
            return [LOADED]

    def _step_alone(self, transition: Transition[Any]) -> None:
        state, events = transition(self._state, self._fabric.now())
        if not events and state == self._state:
            return
        self._forget_early()
        self._alone, self._session = True, None
        self._version, self._state = self._version + 1, state
        self._told = self._version
        self._subscriber(state, events, self._version)

    def _tell(self) -> None:
        """Events go to the subscriber in the order of versions."""
        while (next_up := self._early.pop(self._told, None)) is not None:
            self._told, state, events = next_up
            if self._told > self._version:
                self._version, self._state = self._told, state
            self._subscriber(state, events, self._told)
        if self._early:
            self._early = {before: each for before, each in self._early.items() if each[0] > self._told}
            newest = max(self._early.values(), key=itemgetter(0), default=None)
            if newest is not None and newest[0] > self._version:
                self._version, self._state, _ = newest
        self._expect()

    def _expect(self) -> None:
        """While a version is missing, a timer runs."""
        missing = self._told < self._version
        if missing and self._gap is None:
            self._gap = asyncio.get_running_loop().call_later(GAP_S, self._seek)
        elif not missing and self._gap is not None:
            self._gap.cancel()
            self._gap = None

    def _seek(self) -> None:
        self._gap = None
        if self._session is not None and not self.closed:
            self._fabric.spawn(self._missed(self._session))

    async def _missed(self, session: Session) -> None:
        """Where all that was published has been heard, what is still missing never comes: the head is told whole.

        A node that had no time to read for a while has missed nothing.
        """
        wanted = self._version
        try:
            await session.heard_all()
        except Unavailable:
            return  # the next session reads everything anew
        if self._session is session and not self.closed:
            if self._told < wanted:
                self._tell_loaded()
            self._expect()

    def _tell_known(self) -> None:
        """Of versions up to the head those that are known, though one before them was missed.

        Somebody here may wait for the answer in them; what they have wrong about all else, the whole state puts right.
        """
        for version, state, events in sorted(self._early.values(), key=itemgetter(0)):
            if self._told < version <= self._version:
                self._told = version
                self._subscriber(state, events, version)

    def _forget_early(self) -> None:
        """A session is over: what comes in the next one has nothing to do with it."""
        self._tell_known()
        self._early.clear()

    def _tell_loaded(self) -> None:
        """The head is told whole, in the place of all that was missed."""
        self._tell_known()
        self._told = self._version
        self._subscriber(self._state, (LOADED,), self._version)
        self._tell()
