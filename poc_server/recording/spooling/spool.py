"""The spool file of one talk burst: append-only records, each with its length and CRC-32.

``POCSPOOL`` and a version byte, then records ``kind (1 byte), body length (4), CRC-32 of kind, length and body (4),
body``, little-endian. Kinds: HEAD (JSON of `RecordedBurst`), VOICE (any number of packets), END (JSON of `SpoolEnd`).
What follows the first record that is not whole was torn by a crash and is not read. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import IntEnum

from codec.packet import VoicePacket
from groups.vocabulary import BurstEnd
from poc_server.recording.model import RecordedBurst

MAGIC = b"POCSPOOL\x01"
MAX_BODY_BYTES = 16 * 1024 * 1024
_RECORD = struct.Struct("<BII")
_PREFIX = struct.Struct("<BI")
_PACKET = struct.Struct("<QqqhH")
_NO_LEVEL = -1


class SpoolKind(IntEnum):
    """Kinds of records."""

    HEAD = 1
    VOICE = 2
    END = 3


class NotASpool(Exception):
    """The file does not begin as a spool does, or its head cannot be read."""


@dataclass(frozen=True, slots=True)
class SpoolEnd:
    """How the burst ended: ``ended_ms`` since the epoch, ``unrecorded`` packets the disk did not take."""

    outcome: BurstEnd
    ended_ms: int
    unrecorded: int = 0


@dataclass(frozen=True, slots=True)
class Spool:
    """What a spool file holds.

    ``end`` is None when the recorder died in mid-burst; ``torn`` says that a tail was unreadable.
    """

    meta: RecordedBurst
    packets: tuple[VoicePacket, ...]
    end: SpoolEnd | None
    torn: bool


def head_record(meta: RecordedBurst) -> bytes:
    """The beginning of a spool file."""
    return MAGIC + _record(SpoolKind.HEAD, _json(meta.to_json()))


def voice_record(packets: Iterable[VoicePacket]) -> bytes:
    """One record with ``packets`` in the order they came."""
    parts: list[bytes] = []
    for packet in packets:
        level = packet.level
        payload = packet.payload
        parts.append(
            _PACKET.pack(
                packet.arrived_ms,
                packet.timestamp,
                packet.sequence,
                _NO_LEVEL if level is None else level,
                len(payload),
            )
        )
        parts.append(payload)
    return _record(SpoolKind.VOICE, b"".join(parts))


def end_record(end: SpoolEnd) -> bytes:
    """The end of a spool file."""
    return _record(SpoolKind.END, _json(asdict(end)))


def read_spool(data: bytes) -> Spool:
    """Read a spool, as far as it is whole. Raises `NotASpool` and nothing else, whatever the input."""
    if not data.startswith(MAGIC):
        raise NotASpool("no spool magic")
    meta: RecordedBurst | None = None
    end: SpoolEnd | None = None
    packets: list[VoicePacket] = []
    at = len(MAGIC)
    while at < len(data):
        found = _next_record(data, at)
        if found is None:
            break
        kind, body, following = found
        try:
            if kind == SpoolKind.HEAD:
                meta = RecordedBurst.from_json(json.loads(body))
            elif kind == SpoolKind.VOICE:
                packets.extend(_packets(body))
            elif kind == SpoolKind.END:
                value = json.loads(body)
                end = SpoolEnd(BurstEnd(value["outcome"]), int(value["ended_ms"]), int(value["unrecorded"]))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error):
            break
        at = following
    if meta is None:
        raise NotASpool("no readable head")
    return Spool(meta, tuple(packets), end, torn=at < len(data))


def _record(kind: SpoolKind, body: bytes) -> bytes:
    return _RECORD.pack(kind, len(body), _crc(kind, body)) + body


def _crc(kind: int, body: bytes | memoryview) -> int:
    return zlib.crc32(body, zlib.crc32(_PREFIX.pack(kind, len(body))))


def _next_record(data: bytes, at: int) -> tuple[int, bytes, int] | None:
    begin = at + _RECORD.size
    if begin > len(data):
        return None
    kind, length, crc = _RECORD.unpack_from(data, at)
    if length > MAX_BODY_BYTES or begin + length > len(data):
        return None
    body = data[begin : begin + length]
    return (kind, body, begin + length) if _crc(kind, body) == crc else None


def _packets(body: bytes) -> Iterable[VoicePacket]:
    at = 0
    while at < len(body):
        arrived_ms, timestamp, sequence, level, size = _PACKET.unpack_from(body, at)
        at += _PACKET.size
        if at + size > len(body):
            raise ValueError("packet beyond its record")
        payload = body[at : at + size]
        yield VoicePacket(sequence, timestamp, payload, arrived_ms, None if level == _NO_LEVEL else level)
        at += size


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
