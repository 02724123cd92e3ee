"""What can be read off an Opus packet without decoding it (RFC 6716 §3); the silent frame that ends a talk burst."""

from __future__ import annotations

from functools import cache

CLOCK_HZ = 48_000
"""RTP clock of Opus, whatever its sampling rate (RFC 7587 §4.1)."""
MAX_PACKET_SAMPLES = 5_760
"""120 ms: the longest packet there is (RFC 6716 §3.2.5)."""
MAX_PAYLOAD_BYTES = 1_275
"""A voice packet this server accepts. Ordinary ones have 50–150 bytes."""

_SILK_SAMPLES = (480, 960, 1920, 2880)
_HYBRID_SAMPLES = (480, 960)
_CELT_SAMPLES = (120, 240, 480, 960)

FRAME_SAMPLES: tuple[int, ...] = tuple(
    _SILK_SAMPLES[config % 4]
    if config < 12
    else _HYBRID_SAMPLES[config % 2]
    if config < 16
    else _CELT_SAMPLES[config % 4]
    for config in range(32)
)
"""Samples at 48 kHz of one frame, by the configuration number in the upper five bits of the TOC (RFC 6716 table 2)."""


_OF_ONE_FRAME = tuple(FRAME_SAMPLES[toc >> 3] if toc & 3 == 0 else 0 for toc in range(256))
"""By TOC: samples of a packet of one frame, 0 where it has more; what nearly every packet is."""


def samples(packet: bytes) -> int:
    """Length of ``packet`` in samples at 48 kHz, or 0 if its TOC and frame counts are not those of an Opus packet.

    Checks requirements R1–R7 of RFC 6716 §3.4 as far as they can be seen without decoding: a relay passes on what
    every decoder will take. A bare TOC byte (DTX) is refused too: listeners smear a second of sound on it.
    """
    size = len(packet)
    if size < 2 or size > MAX_PAYLOAD_BYTES:
        return 0
    toc = packet[0]
    if one := _OF_ONE_FRAME[toc]:
        return one
    frame, code = FRAME_SAMPLES[toc >> 3], toc & 3
    if code == 1:
        return frame * 2 if size % 2 else 0
    if code == 2:
        return frame * 2 if _two_frames_fit(packet) else 0
    count = packet[1] & 0x3F
    if count == 0 or count * frame > MAX_PACKET_SAMPLES or not _code_3_fits(packet, count):
        return 0
    return frame * count


def _length(packet: bytes, at: int) -> tuple[int, int]:
    """The frame length coded at ``at`` (RFC 6716 §3.2.1) and where reading goes on; (-1, …) if cut off."""
    if at >= len(packet):
        return -1, at
    first = packet[at]
    if first < 252:
        return first, at + 1
    if at + 1 >= len(packet):
        return -1, at
    return packet[at + 1] * 4 + first, at + 2


def _two_frames_fit(packet: bytes) -> bool:
    length, at = _length(packet, 1)
    return 0 <= length <= len(packet) - at


def _code_3_fits(packet: bytes, count: int) -> bool:
    flags, at, padding = packet[1], 2, 0
    if flags & 0x40:
        while True:
            if at >= len(packet):
                return False
            byte = packet[at]
            at += 1
            padding += 254 if byte == 255 else byte
            if byte != 255:
                break
    if not flags & 0x80:
        room = len(packet) - at - padding
        return room >= 0 and room % count == 0
    used = 0
    for _ in range(count - 1):
        length, at = _length(packet, at)
        if length < 0:
            return False
        used += length
    return used <= len(packet) - at - padding


_SILENT_BODIES = (
    tuple(
        bytes.fromhex(body)
        for body in (
            "0be5f3b1c0",
            "0be4b9a0bc84",
            "05f25cd05e459dcf31a0",
            "02f92e682f214acc4bc470e0360840",
            "0be5f3b190",
            "0be4b9a0bc8260",
            "05f25cd05e431f38acb170",
            "02f92e682f200b9b6643587ace1df690",
            "0be65930dc06",
            "0be4c136ecc580",
            "05f2609b7617bbc72d8b1699e8b0",
            "02f9304dbb0de5e392098938ebcae1b1d1dd85",
            "0be65930dc07c24205214818",
            "0be4c136ecc58d8c49484c1c50",
            "0be65930dc07c24204b3934d00",
            "0be4c136ecc58d8c4946999dac00",
        )
    )
    + (bytes.fromhex("fffe"),) * 16
)
"""By configuration: what libopus makes of one frame of digital silence, without the TOC byte."""


@cache
def _silence(config: int, frames: int) -> bytes:
    body = _SILENT_BODIES[config]
    if frames == 1:
        return bytes((config << 3,)) + body
    return bytes((config << 3 | 3, frames)) + body * frames


def plain_silence(frame_ms: int) -> bytes:
    """A packet of silence of no burst: ``frame_ms`` (20, 40 or 60) as CELT frames of 20 ms, shorter than any voice."""
    return _silence(31, frame_ms // 20)


def silent_frame(like: bytes) -> bytes:
    """An encoded silent packet of the same mode, bandwidth and duration as the packet ``like``, in mono.

    It closes a talk burst: without it a listener's jitter buffer smears the last sound for 0.2 s. Staying in the
    mode of the burst spares the decoder a transition. ``like`` must be a packet for which `samples` is not 0.
    """
    config = like[0] >> 3
    return _silence(config, samples(like) // FRAME_SAMPLES[config])
