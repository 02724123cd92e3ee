"""One Ogg/Opus file per talk burst (RFC 7845), muxed without transcoding."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import av

from codec.opus import CLOCK_HZ, silent_frame
from poc_server.worker.arrange import Arranged, Piece

PRE_SKIP = 312
"""Samples that libopus' encoder lags behind its input: with it, time in the file is time at the microphone."""
PAGE_US = 1_000_000
_TICK = Fraction(1, CLOCK_HZ)


def write_ogg(path: Path, arranged: Arranged, comments: Mapping[str, str], name: str) -> None:
    """Write ``arranged``, which is not empty, to ``path``; what plays is exactly ``arranged.samples`` long.

    The stream's serial number is drawn from ``name``, so that one spool always becomes the same file. A closing
    silent packet lets out what the decoder still holds after the last one; the final granule position cuts it to
    length (RFC 7845 §4.4).

    Raises:
        OSError: the file cannot be written.
    """
    options = {
        "page_duration": str(PAGE_US),
        "serial_offset": str(zlib.crc32(name.encode()) & 0x7FFFFFFF),
        "fflags": "+bitexact",
    }
    closing = Piece(silent_frame(arranged.pieces[-1].payload), PRE_SKIP, filled=True)
    with av.open(str(path), "w", format="ogg", options=options) as out:
        stream = out.add_stream("libopus", rate=CLOCK_HZ, layout="mono")
        stream.time_base = _TICK
        stream.metadata.update(comments)
        at = -PRE_SKIP  # what FFmpeg's muxer expects: it adds the pre-skip to every granule position
        for piece in (*arranged.pieces, closing):
            packet = av.Packet(piece.payload)
            packet.stream = stream
            packet.time_base = _TICK
            packet.pts = packet.dts = at
            packet.duration = piece.samples
            out.mux(packet)
            at += piece.samples
