"""Recordings for players that cannot take Ogg: Opus in MP4 without re-encoding, or MP3."""

from __future__ import annotations

import os
import struct
import time
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from codec.coding import Decoder, OpusFailed
from codec.opus import CLOCK_HZ

KEPT_S = 24 * 3_600
"""What was made for players is removed after a day."""
_MP3_RATE = 32_000
_MP3_BIT_RATE = 48_000
_TICK = Fraction(1, CLOCK_HZ)


def convert(source: Path, wanted: Path, form: str) -> None:
    """Make ``wanted`` from the Ogg/Opus file ``source``; ``form`` is mp4 or mp3.

    Raises:
        OSError: disk trouble.
        ValueError: another form.
    """
    wanted.parent.mkdir(parents=True, exist_ok=True)
    _sweep(wanted.parent)
    half = wanted.with_name(f".{wanted.name}.{os.getpid()}")
    try:
        if form == "mp4":
            _to_mp4(source, half)
        elif form == "mp3":
            _to_mp3(source, half)
        else:
            raise ValueError(f"no such form: {form}")
        half.rename(wanted)
    finally:
        half.unlink(missing_ok=True)


def _to_mp4(source: Path, wanted: Path) -> None:
    with av.open(str(source)) as given, av.open(str(wanted), "w", format="mp4") as out:
        stream = out.add_stream_from_template(given.streams.audio[0])
        for packet in given.demux(given.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                out.mux(packet)


def _to_mp3(source: Path, wanted: Path) -> None:
    sound = decoded(source)
    with av.open(str(wanted), "w", format="mp3") as out:
        stream = out.add_stream("libmp3lame", rate=_MP3_RATE, layout="mono")
        stream.bit_rate = _MP3_BIT_RATE
        frame = av.AudioFrame.from_ndarray(sound.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = CLOCK_HZ
        frame.time_base = _TICK
        frame.pts = 0
        resampler = av.AudioResampler("s16p", "mono", _MP3_RATE)
        fifo = av.AudioFifo()
        for part in (*resampler.resample(frame), *resampler.resample(None)):
            fifo.write(part)
        while (piece := fifo.read(stream.codec_context.frame_size, partial=True)) is not None:
            out.mux(stream.encode(piece))
        out.mux(stream.encode(None))


def decoded(source: Path) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    """What an Ogg/Opus file plays, by libopus: FFmpeg's own decoder garbles some packets."""
    with av.open(str(source)) as given:
        stream = given.streams.audio[0]
        ear = Decoder()
        parts = [_heard(ear, bytes(packet), packet.duration) for packet in given.demux(stream) if packet.size]
    pre_skip, end = _playing(source)
    return np.concatenate(parts)[pre_skip:end]


def _heard(ear: Decoder, packet: bytes, samples: int | None) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    try:
        return ear.decode(packet)
    except OpusFailed:
        return np.zeros(samples or 0, np.int16)


def _playing(source: Path) -> tuple[int, int]:
    """The first sample that plays and the one after the last, of all that is decoded (RFC 7845 §4.2, §4.3)."""
    data = source.read_bytes()
    last = data.rfind(b"OggS")
    (granule,) = struct.unpack_from("<q", data, last + 6)
    (pre_skip,) = struct.unpack_from("<H", data, data.index(b"OpusHead") + 10)
    return int(pre_skip), int(granule)


def _sweep(folder: Path) -> None:
    before = time.time() - KEPT_S
    for path in folder.iterdir():
        if path.is_file() and path.stat().st_mtime < before:
            path.unlink(missing_ok=True)
