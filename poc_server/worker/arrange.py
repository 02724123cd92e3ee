"""From packets as they came to packets as they play: sorted, without repeats, gaps filled so that time is right.

RFC 7845 §4.1: what is missing is filled with packets that hold a TOC byte and no data, which the decoder conceals; here
only for the first ``CONCEALED_MS``, since concealment of longer gaps smears; after that with encoded silence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from codec.opus import CLOCK_HZ, FRAME_SAMPLES, samples, silent_frame
from codec.packet import VoicePacket

CONCEALED_MS = 120
GAP_SLACK_MS = 1_000
"""A gap in timestamps is believed up to what passed on our clock plus this: a jump of hours is not hours of silence."""
_UNIT = 120
"""2.5 ms, the shortest Opus frame."""
_SHORT_CONFIGS = (31, 30, 29, 28)
"""CELT, full band, 20 to 2.5 ms: for what is left of a gap after whole frames of the burst's own mode."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One packet of the file: ``samples`` at 48 kHz it plays; ``filled`` when it stands for something missing."""

    payload: bytes
    samples: int
    filled: bool = False


@dataclass(frozen=True, slots=True)
class Arranged:
    """Everything of one file in playing order, and what was found.

    ``packets`` kept, ``lost`` frames that never came, ``spoiled`` packets that are no Opus and were left out.
    """

    pieces: tuple[Piece, ...]
    packets: int
    lost: int
    spoiled: int

    @property
    def samples(self) -> int:
        """Length at 48 kHz."""
        return sum(piece.samples for piece in self.pieces)

    @property
    def filled(self) -> int:
        """Samples at 48 kHz that are filling."""
        return sum(piece.samples for piece in self.pieces if piece.filled)


def arrange(packets: Sequence[VoicePacket]) -> Arranged:
    """Put ``packets`` in playing order and fill what is missing. Never raises on what a phone sent."""
    kept = {packet.sequence: packet for packet in reversed(packets) if samples(packet.payload)}
    pieces: list[Piece] = []
    lost = 0
    surplus = 0  # samples below one unit that could not be filled yet
    previous: VoicePacket | None = None
    for sequence in sorted(kept):
        packet = kept[sequence]
        if previous is not None:
            gap = _believable_gap(previous, packet) + surplus
            pieces.extend(_filling(gap, previous.payload))
            surplus = gap % _UNIT
            missing = -(-gap // samples(previous.payload))
            lost += min(packet.sequence - previous.sequence - 1, missing)
        pieces.append(Piece(packet.payload, samples(packet.payload)))
        previous = packet
    spoiled = sum(not samples(packet.payload) for packet in packets)
    return Arranged(tuple(pieces), len(kept), lost, spoiled)


def _believable_gap(previous: VoicePacket, packet: VoicePacket) -> int:
    gap = packet.timestamp - previous.timestamp - samples(previous.payload)
    passed_ms = max(0, packet.arrived_ms - previous.arrived_ms) + GAP_SLACK_MS
    return min(max(gap, 0), passed_ms * CLOCK_HZ // 1000)


def _filling(gap: int, like: bytes) -> Iterator[Piece]:
    config = like[0] >> 3
    frame = FRAME_SAMPLES[config]
    bare = bytes([like[0] & 0xFC])  # code 0: one frame, and of no bytes
    concealed = 0
    while gap >= frame and concealed < CONCEALED_MS * CLOCK_HZ // 1000:
        yield Piece(bare, frame, filled=True)
        gap -= frame
        concealed += frame
    for shape in (config, *_SHORT_CONFIGS):
        silent = silent_frame(bytes([shape << 3, 0]))
        while gap >= FRAME_SAMPLES[shape]:
            yield Piece(silent, FRAME_SAMPLES[shape], filled=True)
            gap -= FRAME_SAMPLES[shape]
