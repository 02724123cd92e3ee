from __future__ import annotations

import random

import numpy as np
import pytest

from codec import opus
from codec.coding import Decoder, Encoder, OpusFailed


def toc(config: int, code: int = 0, stereo: int = 0) -> int:
    return config << 3 | stereo << 2 | code


@pytest.mark.parametrize("frame_ms", [20, 40, 60])
def test_lengths_of_what_libopus_makes(frame_ms: int) -> None:
    encoder = Encoder(frame_ms)
    packet = encoder.encode(np.zeros(encoder.frame, dtype=np.int16))
    assert opus.samples(packet) == frame_ms * 48


@pytest.mark.parametrize(
    ("packet", "samples"),
    [
        (b"", 0),
        (bytes([toc(11)]), 0),  # a bare TOC byte: DTX
        (bytes([toc(11)]) + b"x", 2880),
        (bytes([toc(31, 1)]) + b"xx", 1920),
        (bytes([toc(31, 1)]) + b"xxx", 0),  # two equal frames have no odd size
        (bytes([toc(31, 2), 1]) + b"xyy", 1920),
        (bytes([toc(31, 2), 9]) + b"xyy", 0),
        (bytes([toc(31, 2), 252]), 0),
        (bytes([toc(31, 3), 3]) + b"xyz", 2880),
        (bytes([toc(31, 3), 3]) + b"xyzw", 0),
        (bytes([toc(31, 3), 0]), 0),  # no frame at all
        (bytes([toc(11, 3), 2]) + b"xy", 5760),
        (bytes([toc(11, 3), 3]) + b"xyz", 0),  # 180 ms
        (bytes([toc(31, 3), 6]) + b"xxyyzz", 5760),
        (bytes([toc(31, 3), 0x40 | 1, 2]) + b"x\0\0", 960),
        (bytes([toc(31, 3), 0x40 | 1, 4]) + b"x\0\0", 0),
        (bytes([toc(31, 3), 0x40 | 1, 255]), 0),
        (bytes([toc(31, 3), 0x80 | 2, 1]) + b"xyy", 1920),
        (bytes([toc(31, 3), 0x80 | 2, 9]) + b"xyy", 0),
        (bytes([toc(31, 3), 0x80 | 2]), 0),
        (bytes([toc(11)]) + bytes(1274), 2880),
        (bytes([toc(11)]) + bytes(1275), 0),
    ],
)
def test_lengths_by_table(packet: bytes, samples: int) -> None:
    assert opus.samples(packet) == samples


def test_whatever_libopus_takes_has_the_same_length_here() -> None:
    """libopus is the oracle: of 20,000 random packets, none that it decodes is refused or measured otherwise."""
    dice, decoder, taken = random.Random(3), Decoder(), 0
    for _ in range(20_000):
        packet = bytes([dice.randrange(256)]) + dice.randbytes(dice.randint(1, 12))
        said = opus.samples(packet)
        if packet[0] & 3 == 0 or said:
            try:
                assert len(decoder.decode(packet)) == said
            except OpusFailed:
                assert said == 0
            else:
                taken += 1
    assert taken > 5_000


@pytest.mark.parametrize("config", range(32))
@pytest.mark.parametrize("frames", [1, 2])
def test_a_silent_frame_is_as_long_as_the_burst_s_own_and_silent(config: int, frames: int) -> None:
    if frames * opus.FRAME_SAMPLES[config] > opus.MAX_PACKET_SAMPLES:
        frames = 1
    like = bytes([toc(config)]) + b"x" if frames == 1 else bytes([toc(config, 1)]) + b"xx"
    silence = opus.silent_frame(like)
    assert opus.samples(silence) == opus.samples(like) == frames * opus.FRAME_SAMPLES[config]
    assert silence[0] >> 3 == config
    sound = Decoder().decode(silence)
    assert len(sound) == opus.samples(silence)
    assert np.max(np.abs(sound.astype(int))) < 64


@pytest.mark.parametrize("frame_ms", [20, 40, 60])
def test_a_silent_frame_lets_the_last_sound_die_away(frame_ms: int) -> None:
    encoder, decoder = Encoder(frame_ms), Decoder()
    wave = np.sin(2 * np.pi * 300 * np.arange(48_000) / 48_000) * 12_000
    packets = [
        encoder.encode(wave[at : at + encoder.frame].astype(np.int16))
        for at in range(0, 48_000 // encoder.frame * encoder.frame, encoder.frame)
    ]
    for packet in packets:
        decoder.decode(packet)
    end = decoder.decode(opus.silent_frame(packets[-1])).astype(int)
    assert np.max(np.abs(end[-240:])) < 600
