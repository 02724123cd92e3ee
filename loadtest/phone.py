"""A simulated phone: signaling and voice of one person, nothing a real phone would not send."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any, Final

from groups.vocabulary import Refusal
from loadtest.identity import Identity
from loadtest.press import Press
from loadtest.wire.dtls import Credentials, HandshakeFailed
from loadtest.wire.link import Link, LinkFailed
from loadtest.wire.media import CONSENT_S, QUIET_CONSENT_S, MediaPath
from loadtest.wire.reactor import Reactor
from loadtest.wire.sdp import OfferNotUnderstood, read_offer
from signaling.limits import DEFAULT_SLOTS
from signaling.messages import (
    Answer,
    Bye,
    ClientInfo,
    Error,
    FloorRelease,
    FloorRequest,
    Hello,
    IceRestart,
    Listen,
    Listening,
    Select,
    Selected,
    Welcome,
)

ANSWER_TIMEOUT_S: Final = 10.0
CONNECT_TIMEOUT_S: Final = 60.0
"""A phone not ready by then has failed; a storm of a thousand on a small machine takes seconds."""
_CLIENT: Final = ClientInfo(name="poc-loadtest", version="1", language="en")


class PhoneFailed(Exception):
    """This phone cannot go on; the text says why, ``code`` the server's refusal if it was one."""

    def __init__(self, why: str, code: Refusal | None = None) -> None:
        super().__init__(why)
        self.code = code


class Phone:
    """One person's phone. ``number`` tells it apart in the marks of voice packets.

    ``chatty``: says that it listens, proves consent and reports by RTCP as a page does; else as seldom as it may.

    Attributes:
        on_message: called with (message, kernel receive time in ns) for each message that answers no request.
        on_gone: called with a reason when the phone lost the server.
        device: tells the devices of one person apart; set before `connect`.
    """

    def __init__(
        self,
        reactor: Reactor,
        credentials: Credentials,
        identity: Identity,
        number: int,
        *,
        closely: bool = False,
        slots: int = DEFAULT_SLOTS,
        frame_ms: int = 40,
        chatty: bool = True,
    ) -> None:
        self._reactor = reactor
        self._credentials = credentials
        self.identity = identity
        self.number = number
        self.closely = closely
        self._slots = slots
        self._frame_ms = frame_ms
        self._chatty = chatty
        self._ids = itertools.count(1)
        self._waiting: dict[str, asyncio.Future[tuple[Any, int]]] = {}
        self._beat: asyncio.TimerHandle | None = None
        self.link = Link(reactor, self._take, self._closed)
        self.media: MediaPath | None = None
        self.welcome: Welcome | None = None
        self.selected: str | None = None
        self.press: Press | None = None
        self.presses = 0
        self.gone: str | None = None
        self.device: str | None = None
        self._leaving = False
        self.on_message: Callable[[Any, int], None] | None = None
        self.on_gone: Callable[[str], None] | None = None

    # --- coming and going ---------------------------------------------------------------------------------------------

    async def connect(self, url: str, *, media: bool = True) -> None:
        """Sign on and bring the voice path up. Raises `PhoneFailed`."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                await self._connect(url, media)
        except TimeoutError:
            raise self._failed("not ready in time") from None
        except (LinkFailed, HandshakeFailed, OfferNotUnderstood) as problem:
            raise self._failed(str(problem)) from None
        except PhoneFailed:
            self.vanish()
            raise

    async def _connect(self, url: str, media: bool) -> None:
        await self.link.open(url)
        hello = Hello(
            id=self._next_id(), token=self.identity.token, client=_CLIENT, slots=self._slots, device=self.device
        )
        welcome, _ = await self.request(hello, CONNECT_TIMEOUT_S)
        self.welcome = welcome
        self._say_listening()
        if media:
            await self._open_media(welcome.offer)

    async def _open_media(self, offer: str | None) -> None:
        if offer is None:
            raise PhoneFailed("the welcome has no offer")
        path = MediaPath(
            self._reactor,
            self._credentials,
            read_offer(offer),
            self.link.host,
            closely=self.closely,
            consent_s=CONSENT_S if self._chatty else QUIET_CONSENT_S,
            reports=self._chatty,
        )
        self.media = path
        path.on_gone = self._lost
        await self.request(Answer(id=self._next_id(), sdp=path.answer(self._frame_ms)), CONNECT_TIMEOUT_S)
        path.start()
        await path.connected

    async def change_network(self) -> None:
        """Go on from another port, as a phone does between Wi-Fi and LTE: ICE restart, same DTLS.

        Raises `PhoneFailed`, or TimeoutError when the new path does not answer.
        """
        path = self.voice
        offer, _ = await self.request(IceRestart(id=self._next_id()))
        path.restart(read_offer(offer.sdp))
        await self.request(Answer(id=self._next_id(), sdp=path.answer(self._frame_ms)))
        path.start()
        async with asyncio.timeout(ANSWER_TIMEOUT_S):
            await path.checked

    async def come_back(self, url: str) -> None:
        """Lose the socket and resume on a new one while media goes on. Raises `PhoneFailed`."""
        self._stop_beat()
        self.link.vanish()
        self.link = Link(self._reactor, self._take, self._closed)
        try:
            await self.link.open(url)
        except LinkFailed as problem:
            raise PhoneFailed(str(problem)) from None
        resume = None if self.welcome is None else self.welcome.resume
        hello = Hello(id=self._next_id(), token=self.identity.token, client=_CLIENT, slots=self._slots, resume=resume)
        self.welcome = (await self.request(hello))[0]
        self.gone = None
        if self.welcome is not None and self.welcome.offer is not None:
            # Another node has taken it over, and has a voice path of its own.
            if self.media is not None:
                self.media.vanish()
            await self._open_media(self.welcome.offer)
        self._say_listening()

    def close(self) -> None:
        """Leave properly."""
        self._leaving = True
        self._stop_beat()
        if self.media is not None:
            self.media.close()
        if hasattr(self.link, "host"):
            self.link.close()

    def vanish(self) -> None:
        """Disappear without a word."""
        self._leaving = True
        self._stop_beat()
        if self.media is not None:
            self.media.vanish()
        if hasattr(self.link, "host"):
            self.link.vanish()

    @property
    def voice(self) -> MediaPath:
        """The voice path. Raises `PhoneFailed` when there is none."""
        if self.media is None:
            raise PhoneFailed("no voice path")
        return self.media

    # --- what a person does -------------------------------------------------------------------------------------------

    async def select(self, group: str) -> Selected:
        """Affiliate with ``group``. Raises `PhoneFailed`."""
        found: Selected = (await self.request(Select(id=self._next_id(), group=group)))[0]
        self.selected = group
        return found

    async def listen(self, groups: list[str]) -> None:
        """Hear these groups beside the selected one. Raises `PhoneFailed`."""
        await self.request(Listen(id=self._next_id(), groups=groups))

    def press_key(self, group: str) -> Press:
        """Key down: asks for the floor of ``group``. The former press must have ended."""
        self.presses += 1
        request = self._next_id()
        self.press = Press(group, request, self.presses, time.time_ns())
        self.link.send(FloorRequest(id=request, group=group))
        if not self.link.is_open:
            self.press.fail()
        return self.press

    def release_key(self) -> None:
        """Key up: ends the burst, or takes the request back."""
        press, self.press = self.press, None
        if press is None:
            return
        self.link.send(FloorRelease(id=self._next_id(), group=press.group, burst=press.burst))
        if not press.settled.done():
            press.abandon()

    def speak(self, packet: bytes, timestamp: int) -> None:
        """Send one Opus packet of voice."""
        self.voice.send_voice(packet, timestamp)

    async def request(self, message: Any, seconds: float = ANSWER_TIMEOUT_S) -> tuple[Any, int]:
        """The answer to ``message`` and when it came (ns). Raises `PhoneFailed` for a refusal or none in time."""
        if not self.link.is_open:
            raise PhoneFailed("not connected")
        answer: asyncio.Future[tuple[Any, int]] = asyncio.get_running_loop().create_future()
        self._waiting[message.id] = answer
        try:
            self.link.send(message)
            async with asyncio.timeout(seconds):
                found, stamp = await answer
        except TimeoutError:
            raise PhoneFailed(f"no answer to {message.type}") from None
        finally:
            self._waiting.pop(message.id, None)
        if isinstance(found, Error):
            raise PhoneFailed(f"{message.type}: {found.code}", found.code)
        return found, stamp

    # --- what the server says -----------------------------------------------------------------------------------------

    def _take(self, message: Any, stamp: int) -> None:
        answer = self._waiting.get(getattr(message, "id", None) or "")
        if answer is not None:
            if not answer.done():
                answer.set_result((message, stamp))
            return
        if self.press is not None and self.press.concerns(message):
            self.press.take(message, stamp)
        if isinstance(message, Bye):
            self._lost(f"bye: {message.code}")
        if self.on_message is not None:
            self.on_message(message, stamp)

    def _closed(self, code: int) -> None:
        self._stop_beat()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(PhoneFailed(f"the server closed with {code}"))
        if self.press is not None:
            self.press.fail()
        self._lost(f"closed with {code}")

    def _lost(self, reason: str) -> None:
        if self._leaving or self.gone is not None:
            return
        self.gone = reason
        if self.on_gone is not None:
            self.on_gone(reason)

    def _failed(self, why: str) -> PhoneFailed:
        self.vanish()
        return PhoneFailed(why)

    def _say_listening(self) -> None:
        if self.welcome is None or not self.link.is_open or not self._chatty:
            return
        self.link.send(Listening(state="yes"))
        pause = self.welcome.limits.listening_expires_ms / 1000 * 0.6
        self._beat = asyncio.get_running_loop().call_later(pause, self._say_listening)

    def _stop_beat(self) -> None:
        if self._beat is not None:
            self._beat.cancel()

    def _next_id(self) -> str:
        return str(next(self._ids))
