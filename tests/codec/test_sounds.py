"""Levels, tones and recordings."""

import wave
from pathlib import Path

import numpy as np
import pytest

from codec.coding import RATE
from codec.level import SILENCE, level
from codec.tones import Tone, render, tone
from codec.wav import NotWav, read_wav, resample


def test_levels_of_known_signals() -> None:
    square = np.where(np.arange(960) % 2, 32_767, -32_767).astype(np.int16)
    sine = np.rint(32_767 * np.sin(2 * np.pi * np.arange(960) / 48)).astype(np.int16)
    assert level(square) == 0
    assert level(sine) == 3
    assert level((sine // 10).astype(np.int16)) == 23
    assert level(np.zeros(960, dtype=np.int16)) == SILENCE
    assert level(np.empty(0, dtype=np.int16)) == SILENCE
    assert level(np.full(960, -32_768, dtype=np.int16)) == 0


@pytest.mark.parametrize("which", list(Tone))
def test_each_tone_has_its_length_and_no_edges(which: Tone) -> None:
    sound = tone(which)
    assert len(sound) == sum(length for _, length in which.value) * RATE // 1000
    assert abs(int(sound[0])) < 50
    assert abs(int(sound[-1])) < 50
    assert np.abs(np.diff(sound.astype(int))).max() < 3_000
    assert 9_000 < np.abs(sound.astype(int)).max() < 10_000


def test_no_notes_are_no_sound() -> None:
    assert len(render(())) == 0


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
