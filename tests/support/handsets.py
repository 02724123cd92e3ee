"""Simulated phones for scenarios on the wire: what each was told is kept, and waited for by type."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

from loadtest.identity import Identity, read_links_file
from loadtest.phone import Phone
from loadtest.speech import recording
from loadtest.wire.dtls import Credentials
from loadtest.wire.reactor import Reactor
from tests.support.city import City

WAIT_S = 60.0
FRAME_S = 0.04
CREDENTIALS = Credentials()
M = TypeVar("M")


class Handset(Phone):
    """A phone that remembers what it was told."""

    def __init__(self, reactor: Reactor, identity: Identity, number: int, slots: int) -> None:
        super().__init__(reactor, CREDENTIALS, identity, number, closely=True, slots=slots)
        self.inbox: list[Any] = []
        self._spoken = 0
        self._news = asyncio.Event()
        self.on_message = self._note

    @property
    def user(self) -> str:
        return self.identity.user

    def _note(self, message: Any, _stamp: int) -> None:
        self.inbox.append(message)
        self._news.set()

    async def told(self, kind: type[M], **fields: Any) -> M:
        """The first message of this type with these fields, now or later; it is taken out of the inbox."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for message in self.inbox:
                    if isinstance(message, kind) and all(getattr(message, k) == v for k, v in fields.items()):
                        self.inbox.remove(message)
                        return message
                self._news.clear()
                await self._news.wait()

    def packets(self) -> int:
        """Voice packets that arrived so far, on all slots."""
        return sum(slot.packets for slot in self.voice.slots)

    async def say(self, group: str, frames: int = 10) -> None:
        """Press, speak, release. The floor must be granted."""
        press = self.press_key(group)
        async with asyncio.timeout(WAIT_S):
            await press.settled
        assert press.burst is not None, f"not granted: {press.outcome} {press.cause}"
        await self.utter(frames)
        self.release_key()

    async def utter(self, frames: int = 10) -> None:
        """Speak at the pace of speech, whoever listens; what is said begins anew at its end."""
        speech = recording("zh-report")
        for number, frame in enumerate(itertools.islice(itertools.cycle(speech.frames), frames)):
            self.speak(frame.marked(self.number, 1, number, time.time_ns()), self._spoken)
            self._spoken += speech.step
            await asyncio.sleep(FRAME_S)  # the pace of speech, not a wait

    async def until_online(self, group: str, count: int) -> None:
        """Until so many people are seen from here in a group."""
        async with asyncio.timeout(WAIT_S):
            while (await self.select(group)).group.online != count:  # noqa: ASYNC110 - told once a second
                await asyncio.sleep(0.05)

    async def until_packets(self, count: int) -> None:
        """Until at least ``count`` packets have arrived."""
        async with asyncio.timeout(WAIT_S):
            while self.packets() < count:  # noqa: ASYNC110 - counted in the reactor, which tells nobody
                await asyncio.sleep(0.01)


class Handsets:
    """The phones of one test."""

    def __init__(self, city: City, links: Path) -> None:
        self.city = city
        self.urls = [f"ws://127.0.0.1:{port}/ws" for port in city.own_ports or (city.port,)]
        self.url = self.urls[0]
        self.identities = read_links_file(links)
        self.reactor = Reactor()
        self.phones: list[Handset] = []

    def someone(self, count: int, group: str | None = None) -> list[Identity]:
        """People not taken yet; of one group, in which they may talk, when it is named."""
        taken = {phone.identity.user for phone in self.phones}
        return [i for i in self.identities if i.user not in taken and (group is None or group in i.talks)][:count]

    def identity(self, user: str) -> Identity:
        """Of a person by id."""
        return next(i for i in self.identities if i.user == user)

    async def connect(
        self, identity: Identity, slots: int = 2, node: int | None = None, device: str | None = None
    ) -> Handset:
        """Of several nodes each phone is on the next one, unless ``node`` says which."""
        phone = Handset(self.reactor, identity, len(self.phones) + 1, slots)
        phone.device = device
        url = self.urls[(len(self.phones) if node is None else node) % len(self.urls)]
        self.phones.append(phone)
        await phone.connect(url)
        if len(self.urls) > 1:
            await self._until_known(self.urls.index(url))
        return phone

    async def _until_known(self, node: int) -> None:
        """Until the other nodes know of all the phones of this one."""
        others = [number for number in range(len(self.urls)) if number != node]

        def known() -> bool:
            return self._seen(others) >= self.city.node_metric(node, "poc_phones_connected")

        async with asyncio.timeout(WAIT_S):
            while not await asyncio.to_thread(known):  # noqa: ASYNC110 - what is waited for tells nobody
                await asyncio.sleep(0.02)

    def _seen(self, nodes: list[int]) -> float:
        return min(self.city.node_metric(number, "poc_phones_elsewhere") for number in nodes)


@asynccontextmanager
async def handsets(city: City, links: Path) -> AsyncIterator[Handsets]:
    made = Handsets(city, links)
    try:
        yield made
    finally:
        for phone in made.phones:
            phone.close()
        made.reactor.close()
