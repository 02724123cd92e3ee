"""One epoll for all sockets of the fleet, itself watched by the asyncio loop.

asyncio spends several microseconds per readable socket; a nested epoll costs one callback per batch. Batches are bound,
so that a fan-out to a thousand phones does not delay the moment at which a talker presses.

Lateness of this process is not hidden but measured: each socket hands out the kernel's receive time with its data
(SO_TIMESTAMPNS), and the distance from there to the moment Python looks at it is the fleet's own lag.
"""

from __future__ import annotations

import asyncio
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Final

from loadtest.stats import Series

SO_TIMESTAMPNS: Final = 35
SO_MEMINFO: Final = 55
_CMSG_ROOM: Final = 32
_TIMESPEC: Final = struct.Struct("@qq")
BATCH: Final = 256
"""Sockets read in one go."""

Handler = Callable[[int], None]
"""Called with the epoll events of its socket."""


class Reactor:
    """Reads sockets in batches. ``lag_ms`` is how long data waited in the kernel until this process looked at it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._epoll = select.epoll()
        self._handlers: dict[int, Handler] = {}
        self.lag_ms = Series()
        self._loop.add_reader(self._epoll.fileno(), self._turn)

    def add(self, fd: int, handler: Handler) -> None:
        """Call ``handler`` whenever ``fd`` can be read."""
        self._handlers[fd] = handler
        self._epoll.register(fd, select.EPOLLIN)

    def watch_writing(self, fd: int, on: bool) -> None:
        """Whether ``handler`` is also called when ``fd`` can be written."""
        self._epoll.modify(fd, select.EPOLLIN | (select.EPOLLOUT if on else 0))

    def remove(self, fd: int) -> None:
        """Forget ``fd``; to be called before it is closed."""
        if self._handlers.pop(fd, None) is not None:
            self._epoll.unregister(fd)

    def close(self) -> None:
        """Stop reading."""
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()

    def _turn(self) -> None:
        handlers = self._handlers
        for fd, events in self._epoll.poll(0, BATCH):
            handler = handlers.get(fd)
            if handler is not None:
                handler(events)

    def note_lag(self, stamp: int) -> None:
        """Count the lag of data the kernel received at ``stamp`` (ns since the epoch)."""
        self.lag_ms.add((time.time_ns() - stamp) / 1e6)


def with_timestamps(sock: socket.socket) -> None:
    """Ask the kernel to note when data arrives at ``sock``."""
    sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)


def receive(sock: socket.socket, size: int) -> tuple[bytes, int]:
    """Data and when the kernel received it, ns since the epoch. Raises BlockingIOError, OSError."""
    data, notes, _, _ = sock.recvmsg(size, _CMSG_ROOM)
    if notes:
        seconds, nanoseconds = _TIMESPEC.unpack(notes[0][2])
        return data, seconds * 1_000_000_000 + nanoseconds
    return data, time.time_ns()


def kernel_drops(sock: socket.socket) -> int:
    """Datagrams the kernel threw away because ``sock`` was not read in time: lost to the fleet, not by the server."""
    words = sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
    return int(struct.unpack("@9I", words)[8])
