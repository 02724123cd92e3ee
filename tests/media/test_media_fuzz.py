"""Seeded random input for every parser a stranger can reach: a refusal is fine, an exception never.

A quick part of each runs in the pure ring, the whole hundred thousand in the wire ring.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator

import pylibsrtp
import pytest
from aioice import stun

from codec import opus, red, rtp
from poc_server.media.wire import ice, rtcp, sdp
from poc_server.media.wire.dtls import DtlsRefused, DtlsSession, Identity
from poc_server.media.wire.ice import Credentials, IceLite
from poc_server.media.wire.sdp import SdpRefused
from poc_server.media.wire.srtp import Receiver, Sender, SrtpKeys
from tests.media.test_sdp import ANSWER

QUICK, WHOLE = 3_000, 100_000

Parser = Callable[[bytes], object]


def _request() -> bytes:
    message = stun.Message(
        stun.Method.BINDING,
        stun.Class.REQUEST,
        attributes={"USERNAME": "ours:theirs", "PRIORITY": 1, "ICE-CONTROLLING": 2, "USE-CANDIDATE": None},
    )
    message.add_message_integrity(b"p" * 24)
    return bytes(message)


_AGENT = IceLite(Credentials("ours", "p" * 24))


def _stun(data: bytes) -> None:
    message = ice.parse_request(data)
    if message is not None:
        _AGENT.check(message, "here", ("192.0.2.1", 1))
    answer = ice.parse_answer(data)
    if answer is not None:
        _AGENT.proves(answer)


def _rtp(data: bytes) -> None:
    packet = rtp.parse(data)
    if packet is not None:
        rtp.audio_level(packet, 1)
        opus.samples(packet.payload)
        red.parse(packet.payload, 111)


def _red(data: bytes) -> None:
    doubled = red.parse(data, 111)
    if doubled is not None:
        for block in doubled.redundant:
            opus.samples(block.payload)
        opus.samples(doubled.primary)


def _sdp(data: bytes) -> None:
    try:
        sdp.read(data.decode("utf-8", "replace"), slots=2)
    except SdpRefused:
        return


def _opus(data: bytes) -> None:
    if opus.samples(data):
        assert opus.samples(opus.silent_frame(data)) == opus.samples(data)


_KEY, _SALT = bytes(range(32)), bytes(range(12))
_KEYS = SrtpKeys(pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM, True, _KEY, _SALT, _KEY, _SALT)
_sessions: list[Receiver] = []


@pytest.fixture(autouse=True, scope="module")
def receiver() -> Iterator[None]:
    _sessions.append(Receiver(_KEYS))
    yield
    _sessions.clear()  # libsrtp's sessions do not outlive the library


def _srtp(data: bytes) -> None:
    _sessions[0].open(data)
    _sessions[0].open_rtcp(data)


_RED = red.build(111, b"Pvoice now", (red.Block(1920, b"Pvoice before"),)) or b""
_BLOCK = rtcp.ReportBlock(7, 64, -3, 70_000, 55)

PARSERS: dict[str, tuple[Parser, bytes]] = {
    "stun": (_stun, _request()),
    "rtp": (
        _rtp,
        bytes([0xB1])
        + rtp.build(111, 7, 960, 9, b"")[1:]
        + bytes(4)
        + b"\xbe\xde\x00\x01\x10\x05\x00\x00"
        + b"voice\0\2",
    ),
    "opus": (_opus, bytes([31 << 3 | 3, 0xC2, 3, 2]) + b"aabbbb\0\0\0"),
    "red": (_red, _RED),
    "rtcp": (rtcp.parse, rtcp.sender_report(9, 0, 0, 0, 0) + rtcp.receiver_report(9, _BLOCK)),
    "srtp": (_srtp, Sender(_KEYS).stream(9).seal(111, 7, 960, b"voice" * 8)),
    "srtcp": (_srtp, Sender(_KEYS).seal_rtcp(rtcp.sender_report(9, 0, 0, 0, 0))),
    "sdp": (_sdp, ANSWER.encode()),
}


def mutated(template: bytes, dice: random.Random) -> bytes:
    """Noise, or the template with bytes changed, cut out, doubled or cut off."""
    if dice.random() < 0.15:
        return dice.randbytes(dice.randrange(80))
    data = bytearray(template)
    for _ in range(dice.randint(1, 6)):
        at = dice.randrange(len(data)) if data else 0
        match dice.randrange(5):
            case 0 if data:
                data[at] = dice.randrange(256)
            case 1 if data:
                data[at] ^= 1 << dice.randrange(8)
            case 2:
                del data[at : at + dice.randint(1, 9)]
            case 3:
                data[at:at] = data[at : at + dice.randint(1, 20)]
            case _:
                del data[len(data) - dice.randrange(len(data) // 4 + 1) :]
    return bytes(data)


def fuzz(name: str, count: int) -> None:
    parser, template = PARSERS[name]
    dice = random.Random(f"{name} {count}")
    for _ in range(count):
        data = mutated(template, dice)
        try:
            parser(data)
        except Exception as error:
            raise AssertionError(f"{name} raised on {data!r}") from error


@pytest.mark.parametrize("name", PARSERS)
def test_a_template_is_valid_and_a_quick_round_raises_nothing(name: str) -> None:
    fuzz(name, QUICK if name != "sdp" else QUICK // 6)


@pytest.mark.wire
@pytest.mark.parametrize("name", PARSERS)
def test_a_hundred_thousand_random_inputs_raise_nothing(name: str) -> None:
    fuzz(name, WHOLE)


@pytest.mark.parametrize("count", [300, pytest.param(WHOLE, marks=pytest.mark.wire)])
async def test_random_dtls_ends_in_a_refusal_or_in_nothing(count: int) -> None:
    """Records of every kind into a handshake that has begun; after each fatal one the next phone begins."""
    dice, identity = random.Random(count), Identity()
    templates = [
        bytes([22, 254, 255]) + bytes(8) + b"\x00\x2a" + bytes([1, 0, 0, 30]) + bytes(38),
        bytes([21, 254, 253]) + bytes(8) + b"\x00\x02\x02\x28",
        bytes([23, 254, 253, 0, 1]) + bytes(6) + b"\x00\x10" + bytes(16),
        bytes([20, 254, 253]) + bytes(8) + b"\x00\x01\x01",
    ]
    done = 0
    while done < count:
        session = DtlsSession(identity.certificate, lambda _: None, lambda _: None)
        shaking = asyncio.ensure_future(session.handshake("server", (("sha-256", "AB"),), 5))
        for _ in range(200):
            session.deliver(mutated(dice.choice(templates), dice))
            done += 1
            for _ in range(3):
                await asyncio.sleep(0)
            if shaking.done():
                break
        session.close()
        with pytest.raises(DtlsRefused):
            await shaking
