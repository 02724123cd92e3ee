"""Recordings on disk, at whatever rate."""

import wave
from pathlib import Path

import numpy as np
import pytest

from codec.wav import NotWav, read_wav, resample


def test_resampling_keeps_a_tone_and_its_place() -> None:
    seconds = np.arange(16_000) / 16_000
    up = resample(np.sin(2 * np.pi * 440 * seconds), 16_000, 48_000)
    wanted = np.sin(2 * np.pi * 440 * np.arange(48_000) / 48_000)
    assert len(up) == 48_000
    assert np.abs(up - wanted)[480:-480].max() < 0.01


def write(path: Path, width: int, channels: int, rate: int, data: bytes) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setsampwidth(width)
        file.setnchannels(channels)
        file.setframerate(rate)
        file.writeframes(data)
    return path


def test_stereo_is_mixed(tmp_path: Path) -> None:
    pairs = np.tile(np.array([1000, 3000], dtype="<i2"), 480)
    assert set(read_wav(write(tmp_path / "a.wav", 2, 2, 48_000, pairs.tobytes()))) == {2000}


def test_bad_recordings_are_refused(tmp_path: Path) -> None:
    eight_bit = write(tmp_path / "a.wav", 1, 1, 8_000, bytes(800))
    noise = tmp_path / "b.wav"
    noise.write_bytes(b"RIFF\x00\x00nonsense")
    empty = tmp_path / "c.wav"
    empty.write_bytes(b"")
    for path in (eight_bit, noise, empty):
        with pytest.raises(NotWav):
            read_wav(path)
