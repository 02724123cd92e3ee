"""A simulated phone against an echo server: the whole wire, on real sockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from groups.vocabulary import Refusal
from loadtest.identity import Identity
from loadtest.mark import Mark
from loadtest.phone import Phone, PhoneFailed
from loadtest.press import Outcome
from loadtest.speech import recording
from loadtest.wire.dtls import Credentials
from loadtest.wire.reactor import Reactor
from signaling.messages import FloorRelease, Hello

pytestmark = pytest.mark.wire
CREDENTIALS = Credentials()


@pytest.fixture
async def phone() -> AsyncIterator[Phone]:
    reactor = Reactor()
    made = Phone(reactor, CREDENTIALS, Identity(user="u1", token="good"), 7, closely=True)
    yield made
    made.vanish()
    reactor.close()


async def heard(phone: Phone, count: int) -> list[tuple[int, Mark, int]]:
    """Speak ``count`` frames and wait for their echo."""
    got: list[tuple[int, Mark, int]] = []
    full = asyncio.Event()

    def note(slot: int, mark: Mark, stamp: int) -> None:
        got.append((slot, mark, stamp))
        if len(got) == count:
            full.set()

    phone.voice.on_mark = note
    speech = recording("en-order")
    for n, frame in enumerate(speech.frames[:count]):
        phone.speak(frame.marked(phone.number, 1, n, time.time_ns()), n * speech.step)
    async with asyncio.timeout(5):
        await full.wait()
    return got


async def test_voice_comes_back_with_its_marks_and_the_kernels_time(echo: Any, phone: Phone) -> None:
    await phone.connect(echo.url)
    echoes = await heard(phone, 50)
    assert [(slot, mark.phone, mark.counter) for slot, mark, _ in echoes] == [(0, 7, n) for n in range(50)]
    assert all(0 < stamp - mark.sent_ns < 1_000_000_000 for _, mark, stamp in echoes)
    assert (phone.voice.slots[0].packets, phone.voice.slots[0].lost) == (50, 0)
    assert phone.voice.kernel_drops() == 0
    assert phone.voice.traffic.bytes_in > 50 * 128
    received, sent = phone.link.wire_bytes()
    assert received > len(echo.offer())
    assert sent > len(echo.answers[0])


async def test_lost_dtls_flights_are_sent_again(echo: Any, phone: Phone) -> None:
    echo.deaf = 1
    await phone.connect(echo.url)
    assert await heard(phone, 1)


async def test_a_server_with_another_certificate_is_not_talked_to(echo: Any, phone: Phone) -> None:
    echo.fingerprint = Credentials().fingerprint
    with pytest.raises(PhoneFailed, match="certificate"):
        await phone.connect(echo.url)


async def test_a_refused_hello_names_its_code(echo: Any) -> None:
    reactor = Reactor()
    phone = Phone(reactor, CREDENTIALS, Identity(user="u1", token="bad"), 1)
    with pytest.raises(PhoneFailed) as failed:
        await phone.connect(echo.url)
    assert failed.value.code is Refusal.BAD_TOKEN
    reactor.close()


async def test_a_server_that_is_not_there_is_said_so() -> None:
    reactor = Reactor()
    phone = Phone(reactor, CREDENTIALS, Identity(user="u1", token="good"), 1)
    with pytest.raises(PhoneFailed, match="refused"):
        await phone.connect("ws://127.0.0.1:1/ws")
    reactor.close()


async def test_after_a_change_of_network_voice_goes_on_from_another_port(echo: Any, phone: Phone) -> None:
    await phone.connect(echo.url)
    await phone.change_network()
    assert len(echo.phones) == 2
    assert await heard(phone, 3)
    assert len(echo.answers) == 2


async def press(phone: Phone, group: str) -> Any:
    found = phone.press_key(group)
    async with asyncio.timeout(5):
        await found.settled
    return found


async def test_presses_are_counted_by_what_became_of_them(echo: Any, phone: Phone) -> None:
    await phone.connect(echo.url)
    granted = await press(phone, "patrol")
    assert (granted.outcome, granted.burst, granted.granted) == (Outcome.IMMEDIATE, 8, True)
    assert 0 < granted.access_ms < 1_000
    phone.release_key()
    denied = await press(phone, "busy")
    assert (denied.outcome, denied.cause, denied.access_ms) == (Outcome.DENIED, Refusal.FLOOR_TAKEN, None)
    queued = await press(phone, "queue")
    assert (queued.outcome, queued.burst, queued.waiting) == (Outcome.QUEUED, 9, False)
    unanswered = phone.press_key("silent")
    phone.release_key()
    assert unanswered.outcome is Outcome.ABANDONED
    phone.release_key()
    released = [m for m in echo.said if isinstance(m, FloorRelease)]
    assert [m.burst for m in released] == [8]


async def test_a_broken_socket_fails_the_press_and_is_told(echo: Any, phone: Phone) -> None:
    await phone.connect(echo.url)
    told: list[str] = []
    phone.on_gone = told.append
    waiting = phone.press_key("silent")
    phone.link._socket.shutdown(2)
    async with asyncio.timeout(5):
        assert await waiting.settled is False
    assert waiting.outcome is Outcome.FAILED
    assert told == ["closed with 1006"]
    with pytest.raises(PhoneFailed):
        await phone.select("patrol")


async def test_a_phone_says_who_it_is_once(echo: Any, phone: Phone) -> None:
    await phone.connect(echo.url)
    assert [type(m).__name__ for m in echo.said] == ["Hello", "Listening", "Answer"]
    assert isinstance(echo.said[0], Hello)
