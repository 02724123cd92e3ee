"""From packets as they came to packets as they play: sorted, without repeats, gaps filled so that time is right.

RFC 7845 §4.1: what is missing is filled with packets that hold a TOC byte and no data, which the decoder conceals; here
only for the first ``CONCEALED_MS``, since concealment of longer gaps smears; after that with encoded silence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from poc_server.recording.model import Voice

CLOCK_HZ = 48_000
"""Of Opus timestamps, whatever the audio bandwidth (RFC 7587)."""
CONCEALED_MS = 120
GAP_SLACK_MS = 1_000
"""A gap in timestamps is believed up to what passed on our clock plus this: a jump of hours is not hours of silence."""
_UNIT = 120
"""2.5 ms, the shortest Opus frame."""
# Silence as encoders write it: a CELT frame whose silence flag is set. Longest first; samples at 48 kHz → packet.
_SILENCE = ((960, b"\xf8\xff\xfe"), (480, b"\xf0\xff\xfe"), (240, b"\xe8\xff\xfe"), (120, b"\xe0\xff\xfe"))
_SILK_FRAME = (480, 960, 1920, 2880)
_CELT_FRAME = (120, 240, 480, 960)
_LONGEST = 5_760
"""120 ms: the most that one Opus packet may hold."""


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


@dataclass(frozen=True, slots=True)
class _Placed:
    sequence: int
    timestamp: int
    arrived_ms: int
    payload: bytes
    samples: int


def arrange(packets: Sequence[Voice]) -> Arranged:
    """Put ``packets`` in playing order and fill what is missing. Never raises on what a phone sent."""
    placed, spoiled = _placed(packets)
    pieces: list[Piece] = []
    lost = 0
    surplus = 0  # samples below one unit that could not be filled yet
    previous: _Placed | None = None
    for packet in placed:
        if previous is not None:
            gap = _believable_gap(previous, packet) + surplus
            if gap >= _UNIT:
                pieces.extend(_filling(gap, previous))
            surplus = gap % _UNIT if gap > 0 else 0
            skipped = packet.sequence - previous.sequence - 1
            lost += min(skipped, -(-gap // previous.samples)) if gap > 0 else 0
        pieces.append(Piece(packet.payload, packet.samples))
        previous = packet
    return Arranged(tuple(pieces), len(placed), lost, spoiled)


def opus_samples(payload: bytes) -> int | None:
    """Samples at 48 kHz that an Opus packet plays, or None when it is none (RFC 6716 §3.1)."""
    if not payload:
        return None
    toc = payload[0]
    count = 1 if toc & 3 == 0 else 2
    if toc & 3 == 3:
        if len(payload) < 2:
            return None
        count = payload[1] & 0x3F
    samples = count * _frame(toc)
    return samples if 0 < samples <= _LONGEST else None


def _frame(toc: int) -> int:
    config = toc >> 3
    if config < 12:
        return _SILK_FRAME[config & 3]
    if config < 16:
        return _SILK_FRAME[config & 1]
    return _CELT_FRAME[config & 3]


def _placed(packets: Sequence[Voice]) -> tuple[list[_Placed], int]:
    """Unwrap the counters relative to the newest packet seen, drop repeats, sort."""
    found: dict[int, _Placed] = {}
    spoiled = 0
    newest: _Placed | None = None
    for packet in packets:
        samples = opus_samples(packet.payload)
        if samples is None:
            spoiled += 1
            continue
        sequence, timestamp = packet.sequence, packet.timestamp
        if newest is not None:
            sequence = newest.sequence + _signed(packet.sequence - newest.sequence, 16)
            timestamp = newest.timestamp + _signed(packet.timestamp - newest.timestamp, 32)
        placed = _Placed(sequence, timestamp, packet.arrived_ms, packet.payload, samples)
        found.setdefault(sequence, placed)
        if newest is None or sequence > newest.sequence:
            newest = placed
    return sorted(found.values(), key=lambda p: p.sequence), spoiled


def _signed(difference: int, bits: int) -> int:
    half = 1 << (bits - 1)
    return ((difference + half) & ((1 << bits) - 1)) - half


def _believable_gap(previous: _Placed, packet: _Placed) -> int:
    gap = packet.timestamp - previous.timestamp - previous.samples
    passed_ms = max(0, packet.arrived_ms - previous.arrived_ms) + GAP_SLACK_MS
    return min(max(gap, 0), passed_ms * CLOCK_HZ // 1000)


def _filling(gap: int, previous: _Placed) -> Iterable[Piece]:
    frame = _frame(previous.payload[0])
    bare = bytes([previous.payload[0] & 0xFC])  # code 0: one frame, and of no bytes
    concealed = 0
    while gap >= frame and concealed < CONCEALED_MS * CLOCK_HZ // 1000:
        yield Piece(bare, frame, filled=True)
        gap -= frame
        concealed += frame
    for samples, packet in _SILENCE:
        while gap >= samples:
            yield Piece(packet, samples, filled=True)
            gap -= samples
