"""An independent client for browser tests: aiortc's full peer connection, signaling as docs/protocol.md has it."""

from __future__ import annotations

import asyncio
import itertools
import json
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

from signaling.limits import SUBPROTOCOL
from tests.media.stage import AiortcPhone, Speech
from tests.support.city import City

T = TypeVar("T")
WAIT_S = 60


class Independent:
    """One of the demo's people on a phone of which nothing is ours; lives on a loop of its own beside the test."""

    def __init__(self, loop: asyncio.AbstractEventLoop, speech: np.ndarray) -> None:
        self._loop = loop
        self._ids = itertools.count(1)
        self._inbox: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._socket: ClientConnection
        self._phone: AiortcPhone
        self.microphone = Speech(speech)
        self.groups: dict[str, str] = {}

    def heard(self) -> np.ndarray:
        """All that came out of its first slot so far, at 48 kHz."""
        return self._phone.ears[0].sound()

    def select(self, name: str) -> None:
        """Go into the group of this name."""
        self.do(self._ask({"type": "select", "group": self.groups[name]}))

    def press(self, name: str) -> None:
        """Key down: returns when the floor is granted, and speaks from then on."""
        granted = self.do(self._ask({"type": "floor_request", "group": self.groups[name]}))
        assert granted["type"] == "floor_granted", granted
        self._loop.call_soon_threadsafe(self.microphone.speaking.set)

    def release(self, name: str) -> None:
        """Key up, after a last silent moment."""
        self._loop.call_soon_threadsafe(self.microphone.speaking.clear)
        self.do(self._ask({"type": "floor_release", "group": self.groups[name]}))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of what is done on its loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    async def connect(self, city: City, user: str, token: str) -> None:
        self._phone = AiortcPhone(self.microphone)
        self._socket = await connect(city.url.replace("http", "ws") + "/ws", subprotocols=[SUBPROTOCOL])
        self._reading = asyncio.create_task(self._read())
        welcome = await self._ask({"type": "hello", "token": token})
        assert welcome["user"]["id"] == user
        self.groups = {group["name"]: group["id"] for group in welcome["groups"]}
        await self._ask({"type": "answer", "sdp": await self._phone.answer(welcome["offer"])})
        async with asyncio.timeout(WAIT_S):
            while self._phone.pc.connectionState != "connected":  # noqa: ASYNC110 - its event comes from another task
                await asyncio.sleep(0.05)
        await self._socket.send(json.dumps({"type": "listening", "state": "yes"}))

    async def close(self) -> None:
        self._reading.cancel()
        await self._phone.close()
        await self._socket.close()

    async def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        request = f"r{next(self._ids)}"
        await self._socket.send(json.dumps({**message, "id": request}))
        async with asyncio.timeout(WAIT_S):
            while True:
                for answer in self._inbox:
                    if answer.get("id") == request:
                        self._inbox.remove(answer)
                        assert answer["type"] != "error", answer
                        return answer
                self._news.clear()
                await self._news.wait()

    async def _read(self) -> None:
        async for said in self._socket:
            self._inbox.append(json.loads(said))
            self._news.set()


@contextmanager
def independent(city: City, badge: str, speech: np.ndarray) -> Iterator[Independent]:
    """A phone of the person with this badge, who says ``speech`` (48 kHz, 16 bit) over and over while he talks."""
    user = next(each["id"] for each in city.get("/api/v1/demo/people") if each["badge"] == badge)
    token = city.post(f"/api/v1/demo/people/{user}/step-in")["access_token"]
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    phone = Independent(loop, speech)
    try:
        phone.do(phone.connect(city, user, token))
        yield phone
    finally:
        with suppress(AttributeError, OSError):
            phone.do(phone.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(WAIT_S)
        loop.close()
