from __future__ import annotations

import random

import pytest

from codec import rtp

PACKET = rtp.build(111, 7, 960, 0xDEADBEEF, b"voice", marker=True)


def test_what_was_built_is_read_back() -> None:
    packet = rtp.parse(PACKET)
    assert packet is not None
    assert packet[:5] == (111, True, 7, 960, 0xDEADBEEF)
    assert packet.payload == b"voice"


def test_numbers_are_taken_modulo_their_field() -> None:
    packet = rtp.parse(rtp.build(111, (1 << 16) + 3, (1 << 32) + 5, 1, b""))
    assert packet is not None
    assert (packet.sequence, packet.timestamp, packet.payload) == (3, 5, b"")


@pytest.mark.parametrize("size", range(12))
def test_less_than_a_header_is_nothing(size: int) -> None:
    assert rtp.parse(PACKET[:size]) is None


@pytest.mark.parametrize("first", [0x00, 0x40, 0xC0])
def test_another_version_is_refused(first: int) -> None:
    assert rtp.parse(bytes([first]) + PACKET[1:]) is None


def test_contributing_sources_are_passed_over() -> None:
    packet = rtp.parse(bytes([0x82]) + PACKET[1:12] + bytes(8) + b"voice")
    assert packet is not None
    assert packet.payload == b"voice"
    assert rtp.parse(bytes([0x82]) + PACKET[1:12] + bytes(7)) is None


def test_an_extension_is_set_apart() -> None:
    body = bytes([0x10 | 0, 0x80 | 42, 0, 0])
    data = bytes([0x90]) + PACKET[1:12] + b"\xbe\xde\x00\x01" + body + b"voice"
    packet = rtp.parse(data)
    assert packet is not None
    assert packet.payload == b"voice"
    assert rtp.audio_level(packet, 1) == 42
    assert rtp.audio_level(packet, 2) is None


@pytest.mark.parametrize("size", [1, 3, 4, 7])
def test_a_cut_off_extension_is_refused(size: int) -> None:
    data = bytes([0x90]) + PACKET[1:12] + (b"\xbe\xde\x00\x01" + bytes(4))[:size]
    assert rtp.parse(data) is None


def test_padding_is_taken_off() -> None:
    packet = rtp.parse(bytes([0xA0]) + PACKET[1:] + b"\0\0\3")
    assert packet is not None
    assert packet.payload == b"voice"


@pytest.mark.parametrize("padding", [0, 9, 255])
def test_padding_of_nothing_or_of_more_than_there_is_is_refused(padding: int) -> None:
    assert rtp.parse(bytes([0xA0]) + PACKET[1:] + bytes([0, 0, padding])) is None


def test_a_packet_of_nothing_but_padding_is_empty() -> None:
    packet = rtp.parse(bytes([0xA0]) + PACKET[1:12] + b"\0\2")
    assert packet is not None
    assert packet.payload == b""


@pytest.mark.parametrize(
    ("wrapped", "extended"),
    [
        ([65534, 65535, 0, 1], [131070, 131071, 131072, 131073]),
        ([0, 65535, 1], [65536, 65535, 65537]),
        ([10, 12, 11, 13], [65546, 65548, 65547, 65549]),
        ([0, 32767, 65534], [65536, 98303, 131070]),
        ([5, 5], [65541, 65541]),
    ],
)
def test_wrapping_numbers_count_on(wrapped: list[int], extended: list[int]) -> None:
    unwrapper = rtp.Unwrapper(rtp.SEQUENCE_MODULUS)
    assert [unwrapper.unwrap(value) for value in wrapped] == extended


def test_any_walk_of_small_steps_is_followed() -> None:
    dice = random.Random(7)
    unwrapper, true = rtp.Unwrapper(rtp.SEQUENCE_MODULUS), 65_536 + 60_000
    assert unwrapper.unwrap(true % 65_536) == true
    highest = true
    for _ in range(20_000):
        true = highest + dice.randint(-500, 900)
        assert unwrapper.unwrap(true % 65_536) == true
        highest = max(highest, true)


@pytest.mark.parametrize(
    ("body", "level"),
    [
        (b"\x10\x05", 5),
        (b"\x00\x00\x10\xff", 127),
        (b"\x21\x00\x00\x10\x09\x00\x00\x00", 9),
        (b"\xf0\x00\x10\x05", None),
        (b"\x10", None),
        (b"", None),
    ],
)
def test_levels_in_one_byte_extensions(body: bytes, level: int | None) -> None:
    packet = rtp.RtpPacket(111, False, 1, 2, 3, 0xBEDE, body, b"")
    assert rtp.audio_level(packet, 1) == level
    assert rtp.audio_level(packet._replace(extension_profile=0x1000), 1) is None
