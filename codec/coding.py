"""Opus to samples and back, through libopus (opuslib's bindings) and numpy. Mono, 48 kHz, 16 bit.

The default profile is the one that was measured best on a lossy street: 40 ms, 20 kb/s, constant bit rate (variable bit
rate leaks speech through encryption, RFC 6562) and no in-band FEC. A constant packet is then 100 bytes.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import opuslib
from opuslib.api import ctl, decoder, encoder

Samples = npt.NDArray[np.int16]

RATE: Final = 48_000
"""Samples a second; RFC 7587 fixes the RTP clock to the same figure."""
FRAME_MS: Final = 40
BIT_RATE: Final = 20_000
FRAME_LENGTHS_MS: Final = (20, 40, 60)
"""Frame lengths a group may choose."""
MAX_PACKET_BYTES: Final = 1_275
"""Largest Opus frame (RFC 6716 §3.4, R2)."""
MAX_PACKET_SAMPLES: Final = 5_760
"""120 ms: no Opus packet is longer (RFC 6716 §3.4, R5)."""


class OpusFailed(Exception):
    """libopus refused its input; the message is libopus' own."""


class Encoder:
    """One voice from samples to Opus packets. Keeps state between frames, so: one per talk burst.

    Args:
        frame_ms: length of a frame: 20, 40 or 60 ms.
        bit_rate: bits a second, 6,000 to 128,000.
        constant: constant bit rate; every packet then has the same size.
    """

    def __init__(self, frame_ms: int = FRAME_MS, bit_rate: int = BIT_RATE, *, constant: bool = True) -> None:
        if frame_ms not in FRAME_LENGTHS_MS:
            raise ValueError(f"a frame of {frame_ms} ms is none of {FRAME_LENGTHS_MS}")
        if not 6_000 <= bit_rate <= 128_000:
            raise ValueError(f"{bit_rate} bit/s is not between 6,000 and 128,000")
        self.frame = RATE // 1000 * frame_ms
        """Samples in a frame."""
        self._state = encoder.create_state(RATE, 1, opuslib.APPLICATION_VOIP)
        self._out = ctypes.create_string_buffer(MAX_PACKET_BYTES)
        # opuslib's own property setters drop the value they are given, so the controls are called here.
        self._control(ctl.set_bitrate, bit_rate)
        self._control(ctl.set_vbr, 0 if constant else 1)
        self._control(ctl.set_signal, opuslib.SIGNAL_VOICE)

    def _control(self, request: Any, value: int) -> None:
        encoder.encoder_ctl(self._state, request, value)

    def encode(self, samples: Samples) -> bytes:
        """One frame of ``self.frame`` samples as an Opus packet. Raises `OpusFailed` for another count."""
        if samples.shape != (self.frame,):
            raise OpusFailed(f"a frame has {self.frame} samples, not {samples.shape}")
        frame = np.ascontiguousarray(samples, dtype=np.int16)
        pointer = frame.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))
        size = encoder.libopus_encode(self._state, pointer, self.frame, self._out, MAX_PACKET_BYTES)
        if size < 0:
            raise OpusFailed(_reason(size))
        return self._out.raw[:size]

    def __del__(self) -> None:
        if hasattr(self, "_state"):
            encoder.destroy(self._state)


class Decoder:
    """One stream of Opus packets to samples. Keeps state between packets, so: one per stream."""

    def __init__(self) -> None:
        self._state = decoder.create_state(RATE, 1)
        self._out: Samples = np.empty(MAX_PACKET_SAMPLES, dtype=np.int16)
        self._pointer = self._out.ctypes.data_as(ctypes.POINTER(ctypes.c_int16))

    def decode(self, packet: bytes) -> Samples:
        """The samples of one packet, at most 120 ms. Raises `OpusFailed` for what is not Opus."""
        if not packet:
            raise OpusFailed("an empty packet")
        return self._run(packet, MAX_PACKET_SAMPLES)

    def conceal(self, frame_ms: int = FRAME_MS) -> Samples:
        """What libopus puts in place of a lost packet of ``frame_ms``."""
        return self._run(None, RATE // 1000 * frame_ms)

    def _run(self, packet: bytes | None, room: int) -> Samples:
        size = len(packet) if packet else 0
        count = decoder.libopus_decode(self._state, packet, size, self._pointer, room, 0)
        if count < 0:
            raise OpusFailed(_reason(count))
        return self._out[:count].copy()

    def __del__(self) -> None:
        if hasattr(self, "_state"):
            decoder.destroy(self._state)


def encode_all(
    samples: Samples, frame_ms: int = FRAME_MS, bit_rate: int = BIT_RATE, *, constant: bool = True
) -> list[bytes]:
    """A whole recording as packets of one burst; the last frame is filled up with silence."""
    voice = Encoder(frame_ms, bit_rate, constant=constant)
    whole = np.pad(samples, (0, -len(samples) % voice.frame))
    return [voice.encode(frame) for frame in whole.reshape(-1, voice.frame)]


def decode_all(packets: Iterable[bytes | None], frame_ms: int = FRAME_MS) -> Samples:
    """The samples of one stream; None stands for a lost packet of ``frame_ms`` and is concealed."""
    ear = Decoder()
    parts: Sequence[Samples] = [ear.conceal(frame_ms) if p is None else ear.decode(p) for p in packets]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int16)


@cache
def silent_frame(frame_ms: int = FRAME_MS, bit_rate: int = BIT_RATE) -> bytes:
    """An encoded frame of silence: what ends a burst cleanly. Built once per profile."""
    voice = Encoder(frame_ms, bit_rate)
    quiet: Samples = np.zeros(voice.frame, dtype=np.int16)
    # The second one is taken: the first still carries the encoder's start-up.
    return [voice.encode(quiet) for _ in range(2)][-1]


def _reason(code: int) -> str:
    text: bytes = opuslib.api.info.strerror(code)
    return text.decode()
