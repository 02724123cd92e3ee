"""Many datagrams in one system call (``sendmmsg``), from buffers that stay where they are.

Python's own ``sendto`` looks an address up from text and crosses into the kernel once per packet; here the kernel is
crossed once per batch, and the interpreter lock is kept meanwhile (a batch takes some 60 µs): were it given up at each
packet, one busy thread elsewhere would stretch a fan-out of a millisecond to half a second.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
import sys
from typing import Any

CAPACITY = 64
"""Datagrams per system call; more gains nothing measurable and holds up the loop for longer."""

_MESSAGE = struct.Struct("@PI4xPQPQi4xI4x")
"""``struct mmsghdr`` of 64-bit Linux: name, its length, iovec, count, control, its length, flags, sent."""
_VECTOR = struct.Struct("@PQ")
_ADDRESS_V4 = struct.Struct("!2s H 4s 8x")
_ADDRESS_V6 = struct.Struct("!2s H I 16s")
_SLICES = tuple(slice(number * _MESSAGE.size, (number + 1) * _MESSAGE.size) for number in range(CAPACITY))
_FULL = frozenset({errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM})


def _find_sendmmsg() -> Any:
    if not sys.platform.startswith("linux") or struct.calcsize("P") != 8:
        return None
    # PyDLL keeps the interpreter lock during the call.
    call = getattr(ctypes.PyDLL(None, use_errno=True), "sendmmsg", None)
    if call is not None:
        call.argtypes = (ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int)
        call.restype = ctypes.c_int
    return call


_sendmmsg = _find_sendmmsg()
AVAILABLE: bool = _sendmmsg is not None


class Fixed:
    """Bytes at an address that does not change, which the kernel may read."""

    __slots__ = ("_pin", "address", "data")

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self._pin = (ctypes.c_char * size).from_buffer(self.data)
        self.address: int = ctypes.addressof(self._pin)


def socket_address(family: int, address: tuple[Any, ...]) -> bytes:
    """``struct sockaddr_in`` or ``sockaddr_in6`` for an address as Python's sockets give it."""
    native = family.to_bytes(2, sys.byteorder)
    if family == socket.AF_INET:
        return _ADDRESS_V4.pack(native, address[1], socket.inet_pton(family, address[0]))
    host = address[0].partition("%")[0]
    body = _ADDRESS_V6.pack(native, address[1], address[2], socket.inet_pton(family, host))
    return body + int(address[3]).to_bytes(4, sys.byteorder)


class Outgoing:
    """One sender's place in batches: its packet's buffer, its length, where it goes; and the kernel's view of them."""

    __slots__ = ("_name", "_vector", "packet")

    MAX_NAME = 28

    def __init__(self, size: int) -> None:
        self.packet = Fixed(size)
        self._vector = Fixed(_VECTOR.size)
        self._name = Fixed(self.MAX_NAME)

    def direct(self, name: bytes) -> bytes:
        """Send to the socket address ``name`` from now on: the ``struct mmsghdr`` to be copied into a batch."""
        self._name.data[: len(name)] = name
        return _MESSAGE.pack(self._name.address, len(name), self._vector.address, 1, 0, 0, 0, 0)

    def resize(self, length: int) -> None:
        """The packet in the buffer has ``length`` bytes from now on."""
        _VECTOR.pack_into(self._vector.data, 0, self.packet.address, length)


class Batch:
    """Datagrams waiting to leave one socket. Never more than `CAPACITY`, and each sender at most once."""

    __slots__ = ("_fd", "_headers", "count")

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._headers = Fixed(_MESSAGE.size * CAPACITY)
        self.count = 0

    def add(self, message: bytes) -> None:
        """Append what `Outgoing.direct` gave."""
        self._headers.data[_SLICES[self.count]] = message
        self.count += 1

    def flush(self) -> int:
        """Send what waits; how many the kernel refused. One unreachable address does not hold back the others."""
        count, self.count = self.count, 0  # nothing waits where a batch is flushed twice
        at = refused = 0
        while at < count:
            sent = _sendmmsg(self._fd, self._headers.address + at * _MESSAGE.size, count - at, socket.MSG_DONTWAIT)
            if sent > 0:
                at += sent
                continue
            if ctypes.get_errno() in _FULL:
                return refused + count - at
            refused += 1
            at += 1
        return refused
