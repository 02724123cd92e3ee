"""Spoken bursts for the recorder's tests, and an ear that judges files with libopus alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pystoi import stoi

from codec.coding import RATE, Decoder, encode_all
from codec.packet import VoicePacket
from codec.wav import read_wav
from groups.vocabulary import AgencyId, BurstId, GroupId, UserId
from poc_server.recording.model import RecordedBurst

SPEECH = Path(__file__).parents[2] / "loadtest" / "speech"
FRAME_MS = 40
SAMPLES = RATE * FRAME_MS // 1000
NOON = 1_760_000_000_000

Samples = npt.NDArray[np.int16]


def meta(burst: int = NOON, group: str = "g-1", started_ms: int = NOON) -> RecordedBurst:
    return RecordedBurst(AgencyId("ag"), GroupId(group), BurstId(burst), UserId("u-1"), "王建国", "node-1", started_ms)


@cache
def speech(name: str = "zh-report") -> Samples:
    return read_wav(SPEECH / f"{name}.wav")


@cache
def encoded(name: str) -> tuple[bytes, ...]:
    return tuple(encode_all(speech(name)))


def spoken(count: int, name: str = "zh-report", at_ms: int = NOON, sequence: int = 65_500) -> list[VoicePacket]:
    """``count`` packets of 40 ms, their counters growing past 16 and 32 bits on the way."""
    first_timestamp = 2**32 - 5 * SAMPLES
    return [
        VoicePacket(
            sequence=sequence + i,
            timestamp=first_timestamp + i * SAMPLES,
            payload=payload,
            arrived_ms=at_ms + i * FRAME_MS,
            level=30,
        )
        for i, payload in enumerate((encoded(name) * (count // 100 + 1))[:count])
    ]


@dataclass(frozen=True)
class Heard:
    samples: Samples
    pre_skip: int
    granule: int
    packets: list[bytes]

    @property
    def plays(self) -> int:
        """Samples that a player plays (RFC 7845 §4.3)."""
        return self.granule - self.pre_skip


def hear(data: bytes) -> Heard:
    """Take an Ogg/Opus file apart by its own rules and decode its packets with libopus."""
    packets: list[bytes] = []
    granule = 0
    half = b""
    at = 0
    while at < len(data):
        assert data[at : at + 4] == b"OggS"
        (granule,) = struct.unpack_from("<q", data, at + 6)
        lacing = data[at + 27 : at + 27 + data[at + 26]]
        at += 27 + len(lacing)
        for size in lacing:
            half += data[at : at + size]
            at += size
            if size < 255:
                packets.append(half)
                half = b""
    head, _tags, *voice = packets
    (pre_skip,) = struct.unpack_from("<H", head, 10)
    ear = Decoder()
    sound = np.concatenate([ear.decode(packet) for packet in voice])
    return Heard(sound[pre_skip : max(granule, pre_skip)], pre_skip, granule, voice)


def likeness(heard: Samples, said: Samples, window: int = RATE) -> list[float]:
    """Waveform correlation in windows of one second in which something was said, after alignment within 0.2 ms."""
    return max((_correlations(heard[8 + shift :], said[8:], window) for shift in range(-8, 9)), key=np.median)


def intelligibility(heard: Samples, said: Samples) -> float:
    """STOI (Taal et al.) of what is heard against what was said, at 16 kHz."""
    size = min(len(heard), len(said))
    return float(stoi(*(part[:size].astype(float)[:: RATE // 16_000] for part in (said, heard)), 16_000))


def _correlations(heard: Samples, said: Samples, window: int) -> list[float]:
    found = []
    for begin in range(0, min(len(heard), len(said)) - window + 1, window):
        a = heard[begin : begin + window].astype(float)
        b = said[begin : begin + window].astype(float)
        if b.std() > 100:
            found.append(float(np.corrcoef(a, b)[0, 1]))
    return found
