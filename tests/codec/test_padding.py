"""Cargo in the padding: found again, skipped by libopus, never an exception on what is not ours."""

import random

import numpy as np
import pytest

from codec.coding import Decoder, encode_all
from codec.padding import cargo, pad


def packets() -> list[bytes]:
    """Of codes 0, 1 and 3: the encoder chooses by mode and rate."""
    noise = np.random.default_rng(7).integers(-8000, 8000, 9600).astype(np.int16)
    return [
        *(p for rate in (8_000, 15_600, 64_000) for frame in (20, 40, 60) for p in encode_all(noise, frame, rate)),
        *encode_all(noise, 40, 24_000, constant=False),
    ]


@pytest.mark.parametrize("size", [0, 1, 20, 253, 254, 255, 256, 508, 509, 700])
def test_cargo_comes_out_again_and_the_sound_is_the_same(size: int) -> None:
    load = random.Random(size).randbytes(size)
    codes = set()
    for packet in packets():
        padded = pad(packet, load)
        codes.add(packet[0] & 3)
        assert cargo(padded) == (load or None)
        assert (Decoder().decode(padded) == Decoder().decode(packet)).all()
    assert codes >= {0, 1, 3}


def test_a_packet_of_two_unequal_frames_keeps_them() -> None:
    one, other = (p for p in encode_all(np.zeros(1920, dtype=np.int16), 20, 24_000)[:2])
    pair = bytes([one[0] | 2, len(one) - 1]) + one[1:] + other[1:-1]
    assert (Decoder().decode(pad(pair, b"load")) == Decoder().decode(pair)).all()


def test_padding_is_replaced_not_added_to() -> None:
    packet = packets()[0]
    assert pad(pad(packet, b"first"), b"second") == pad(packet, b"second")


@pytest.mark.parametrize("packet", [b"", b"\x03", b"\x03\x41", b"\x03\x41\xff", b"\x03\x41\x05abc"])
def test_what_cannot_be_a_packet_is_not_padded(packet: bytes) -> None:
    with pytest.raises(ValueError):
        pad(packet, b"load")
    assert cargo(packet) is None


def test_any_bytes_are_looked_at_without_an_exception() -> None:
    source = random.Random(3)
    for _ in range(100_000):
        junk = source.randbytes(source.randrange(0, 12))
        found = cargo(junk)
        assert found is None or junk.endswith(found)
