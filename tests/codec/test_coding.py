"""Opus through libopus: sizes are constant, speech survives, bad input is refused."""

from pathlib import Path

import numpy as np
import pytest

from codec.coding import (
    RATE,
    Decoder,
    Encoder,
    OpusFailed,
    decode_all,
    encode_all,
    silent_frame,
)
from codec.wav import read_wav

SPEECH = Path(__file__).parents[2] / "loadtest" / "speech"


def test_the_default_packet_is_one_hundred_bytes() -> None:
    assert {len(packet) for packet in encode_all(read_wav(SPEECH / "en-order.wav")[:RATE])} == {100}


@pytest.mark.parametrize(("frame_ms", "bit_rate", "size"), [(20, 24_000, 60), (60, 16_000, 120), (20, 32_000, 80)])
def test_other_profiles_are_constant_too(frame_ms: int, bit_rate: int, size: int) -> None:
    assert {len(p) for p in encode_all(read_wav(SPEECH / "zh-report.wav")[:RATE], frame_ms, bit_rate)} == {size}


def test_speech_survives_the_codec() -> None:
    spoken = read_wav(SPEECH / "en-order.wav")[: 3 * RATE].astype(np.float64)
    heard = decode_all(encode_all(spoken.astype(np.int16))).astype(np.float64)
    best = max(float(np.corrcoef(spoken[: -d or None], heard[d : len(spoken)])[0, 1]) for d in range(200, 500))
    assert best > 0.9


def test_a_lost_packet_is_concealed_and_keeps_its_length() -> None:
    packets: list[bytes | None] = list(encode_all(read_wav(SPEECH / "en-order.wav")[:RATE]))
    packets[5] = None
    assert len(decode_all(packets)) == len(packets) * 1920


def test_the_silent_frame_is_silent() -> None:
    assert abs(decode_all([silent_frame()] * 3)).max() <= 2
    assert len(silent_frame()) == 100


@pytest.mark.parametrize("frame_ms", [0, 10, 39, 61, 120])
def test_a_frame_length_no_group_may_choose_is_refused(frame_ms: int) -> None:
    with pytest.raises(ValueError, match="none of"):
        Encoder(frame_ms)


@pytest.mark.parametrize("bit_rate", [5_999, 128_001])
def test_a_bit_rate_beyond_the_limits_is_refused(bit_rate: int) -> None:
    with pytest.raises(ValueError, match="between"):
        Encoder(40, bit_rate)


@pytest.mark.parametrize("bit_rate", [6_000, 128_000])
def test_the_bit_rates_at_the_limits_encode(bit_rate: int) -> None:
    assert Encoder(40, bit_rate).encode(np.zeros(1920, dtype=np.int16))


def test_a_wrong_number_of_samples_is_refused() -> None:
    with pytest.raises(OpusFailed):
        Encoder().encode(np.zeros(1919, dtype=np.int16))


@pytest.mark.parametrize("packet", [b"", b"\x03", b"\xff\xff\xff", b"\x4b\x00"])
def test_what_is_not_opus_is_refused(packet: bytes) -> None:
    with pytest.raises(OpusFailed):
        Decoder().decode(packet)
