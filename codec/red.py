"""Redundant audio (RFC 2198): the previous frame rides along with this one, for listeners who lose packets."""

from __future__ import annotations

from typing import NamedTuple

MAX_OFFSET = (1 << 14) - 1
"""Samples at 48 kHz a redundant block may lie back: 341 ms."""
MAX_BLOCK_BYTES = (1 << 10) - 1
MAX_BLOCKS = 8
"""More blocks than any sender makes; what has more is refused."""


class Block(NamedTuple):
    """One redundant block: how many samples before the packet's timestamp it begins, and its payload."""

    offset: int
    payload: bytes


class RedPacket(NamedTuple):
    """A parsed RED payload: the primary frame and the redundant ones, oldest first."""

    primary: bytes
    redundant: tuple[Block, ...]


def build(payload_type: int, primary: bytes, redundant: tuple[Block, ...]) -> bytes | None:
    """A RED payload whose blocks all carry ``payload_type``; ``None`` where a block does not fit its header."""
    heads, bodies = [], []
    for offset, payload in redundant:
        if not 0 < offset <= MAX_OFFSET or len(payload) > MAX_BLOCK_BYTES:
            return None
        heads.append(((0x80 | payload_type) << 24 | offset << 10 | len(payload)).to_bytes(4, "big"))
        bodies.append(payload)
    return b"".join((*heads, bytes((payload_type,)), *bodies, primary))


def parse(payload: bytes, payload_type: int) -> RedPacket | None:
    """Parse a RED payload whose blocks must all carry ``payload_type``; ``None`` for anything else."""
    heads: list[tuple[int, int]] = []
    at, size = 0, len(payload)
    while True:
        if at >= size or payload[at] & 0x7F != payload_type:
            return None
        if not payload[at] & 0x80:
            at += 1
            break
        if at + 4 > size or len(heads) == MAX_BLOCKS:
            return None
        word = int.from_bytes(payload[at : at + 4], "big")
        heads.append((word >> 10 & MAX_OFFSET, word & MAX_BLOCK_BYTES))
        at += 4
    blocks = []
    for offset, length in heads:
        if at + length > size:
            return None
        blocks.append(Block(offset, payload[at : at + length]))
        at += length
    return RedPacket(payload[at:], tuple(blocks))
