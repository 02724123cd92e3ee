"""Pictures as cameras make them, made here so that none need be kept in the repository."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from typing import Any

import av
import numpy as np

from poc_server.store.ids import now_ms


def png(width: int = 640, height: int = 480, seed: int = 1) -> bytes:
    """A picture that does not compress: about three bytes for each pixel."""
    noise = np.random.default_rng(seed).integers(0, 255, (height, width * 3), np.uint8)
    raw = b"".join(b"\0" + bytes(row) for row in noise)

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def jpeg(width: int = 320, height: int = 240) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuvj420p"
        frame = av.VideoFrame.from_ndarray(np.full((height, width, 3), 128, np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def announcement(picture: bytes, group: str, number: int = 1, **more: Any) -> dict[str, Any]:
    now = now_ms()
    return {
        "id": f"photo-{number:012d}",
        "kind": "photo",
        "group": group,
        "note": "占道经营，已劝离",
        "origin": "camera",
        "taken_ms": now - 90_000,
        "sent_ms": now - 60_000,
        "media_type": "image/png",
        "size": len(picture),
        "sha256": hashlib.sha256(picture).hexdigest(),
        **more,
    }
