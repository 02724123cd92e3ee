"""The visible watermark (水印) of a picture: an SVG that holds the untouched picture and writes over it.

The picture that was sent is never altered; whoever is shown it sees by whom, when and where it was taken.
"""

from __future__ import annotations

import asyncio
import base64
import struct
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from poc_server.ground.city_time import city_time
from poc_server.recording.xml_text import xml_text

FALLBACK = (4, 3)
"""Shape of a picture whose size cannot be read (HEIC)."""
CLOCK_OFF_MS = 1_000
"""Less than this is the network's delay."""
_WIDTH = 1_600


async def watermarked(path: Path, row: Any, zone_minutes: int) -> bytes:
    """The picture in ``path`` with the words of its row. Raises OSError."""
    return await asyncio.to_thread(_drawn, path, row, zone_minutes)


def lines_of(row: Any, zone_minutes: int) -> list[str]:
    """What is written over a picture: who and when, where and by which cell (each with its source), its name.

    The time is the server's; how far the device's clock was off it is said from `CLOCK_OFF_MS` on.
    """
    at = city_time(row.taken_ms + row.clock_offset_ms, zone_minutes)
    place = "无定位 no place"
    if row.place:
        place = (
            f"{row.place['longitude']:.6f}, {row.place['latitude']:.6f} {row.place['datum']} ({row.place['source']})"
        )
    origin = {"camera": "拍摄 camera", "gallery": "相册 gallery"}.get(row.origin, "")
    off = (
        f"  设备时钟 device clock {-row.clock_offset_ms / 1000:+.0f} s"
        if abs(row.clock_offset_ms) >= CLOCK_OFF_MS
        else ""
    )
    cell = row.cell or {}
    served = f"  基站 cell {cell['id']} ({cell['source']})" if cell.get("id") else ""
    return [
        f"{row.user_name}  {at:%Y-%m-%d %H:%M:%S}  {origin}".rstrip() + off,
        f"{place}{served}  {row.incident or ''}".rstrip(),
        row.id,
        f"SHA-256 {row.sha256[:32]}",
    ]


def size_of(data: bytes) -> tuple[int, int] | None:
    """Width and height of a JPEG, PNG or WebP; None where they cannot be read. Never raises."""
    try:
        if data.startswith(b"\x89PNG"):
            width, height = struct.unpack_from(">II", data, 16)
        elif data[:4] == b"RIFF" and len(data) >= 30:
            width, height = _webp(data)
        else:
            width, height = _jpeg(data)
    except (struct.error, IndexError):
        return None
    return (width, height) if 0 < width < 65_536 and 0 < height < 65_536 else None


def _webp(data: bytes) -> tuple[int, int]:
    if data[12:16] == b"VP8X":
        return int.from_bytes(data[24:27], "little") + 1, int.from_bytes(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        (bits,) = struct.unpack_from("<I", data, 21)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = struct.unpack_from("<HH", data, 26)
    return width & 0x3FFF, height & 0x3FFF


def _jpeg(data: bytes) -> tuple[int, int]:
    at = 2
    while at < len(data):
        if data[at] != 0xFF:
            return 0, 0
        marker = data[at + 1]
        (length,) = struct.unpack_from(">H", data, at + 2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return width, height
        at += 2 + length
    return 0, 0


def _drawn(path: Path, row: Any, zone_minutes: int) -> bytes:
    data = path.read_bytes()
    width, height = size_of(data) or FALLBACK
    tall = max(1, round(_WIDTH * height / width))
    size = _WIDTH / 34
    step = size * 1.35
    lines = lines_of(row, zone_minutes)
    text = "".join(
        f'<text x="{size}" y="{tall - size - step * (len(lines) - 1 - number):.0f}">{escape(xml_text(line))}</text>'
        for number, line in enumerate(lines)
    )
    picture = base64.b64encode(data).decode("ascii")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {tall}">'
        f'<image width="{_WIDTH}" height="{tall}" href="data:{row.media_type};base64,{picture}"/>'
        f'<g font-family="Noto Sans CJK SC,Microsoft YaHei,sans-serif" font-size="{size:.1f}" fill="#fff" '
        f'stroke="#000" stroke-width="{size / 8:.1f}" paint-order="stroke">{text}</g></svg>'
    ).encode()
