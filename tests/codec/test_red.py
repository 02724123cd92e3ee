from __future__ import annotations

import random

import pytest

from codec import red

PT = 111


def test_the_frame_before_rides_along() -> None:
    payload = red.build(PT, b"now", (red.Block(1920, b"before"),))
    assert payload is not None
    assert red.parse(payload, PT) == red.RedPacket(b"now", (red.Block(1920, b"before"),))


def test_two_frames_before() -> None:
    blocks = (red.Block(3840, b"older"), red.Block(1920, b"before"))
    payload = red.build(PT, b"now", blocks)
    assert payload is not None
    assert red.parse(payload, PT) == red.RedPacket(b"now", blocks)


def test_bytes_are_those_of_the_standard() -> None:
    # RFC 2198 §3: F, block PT (7), timestamp offset (14), block length (10); then F=0 and PT of the primary.
    assert red.build(PT, b"P", (red.Block(1920, b"RR"),)) == bytes([0xEF, 0x1E, 0x00, 0x02, 0x6F]) + b"RRP"


@pytest.mark.parametrize(
    "block",
    [
        red.Block(red.MAX_OFFSET + 1, b"x"),
        red.Block(0, b"x"),
        red.Block(-5, b"x"),
        red.Block(960, bytes(red.MAX_BLOCK_BYTES + 1)),
    ],
)
def test_what_does_not_fit_its_header_is_not_built(block: red.Block) -> None:
    assert red.build(PT, b"now", (block,)) is None


def test_the_largest_that_fits() -> None:
    block = red.Block(red.MAX_OFFSET, bytes(red.MAX_BLOCK_BYTES))
    payload = red.build(PT, b"now", (block,))
    assert payload is not None
    assert red.parse(payload, PT) == red.RedPacket(b"now", (block,))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        bytes([0x80 | PT]),
        bytes([0x80 | PT, 0, 0, 5, PT]) + b"1234",  # five bytes announced, four there
        bytes([0x80 | PT, 0, 0, 0]),
        bytes([0x80 | 5, 0, 0, 0, PT]),
        bytes([5]),
        bytes([0x80 | PT, 0, 0, 0]) * (red.MAX_BLOCKS + 1) + bytes([PT]),
    ],
)
def test_what_is_not_whole_is_refused(payload: bytes) -> None:
    assert red.parse(payload, PT) is None


def test_a_random_payload_never_raises() -> None:
    dice = random.Random(11)
    for _ in range(20_000):
        payload = dice.randbytes(dice.randrange(24))
        if payload and dice.random() < 0.7:
            payload = bytes([PT | dice.choice([0, 0x80])]) + payload[1:]
        parsed = red.parse(payload, PT)
        assert parsed is None or len(parsed.primary) <= len(payload)
