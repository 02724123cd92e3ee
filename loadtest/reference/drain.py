"""Listeners that only drain their sockets, and the talker's side of a measurement: what all references share."""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from loadtest.procfs import cost
from loadtest.stats import Series
from loadtest.wire.reactor import receive, with_timestamps

SETTLE_S: Final = 0.5
TIMED_EVERY: Final = 50
"""One listener in so many notes when the kernel received its packets."""


class NoReference(Exception):
    """The reference cannot be run here; the text says what is missing."""


class Drain:
    """Counts datagrams of many sockets in a thread of its own.

    ``sent_us`` reads from a datagram when it was sent, in µs modulo 2^32; where that is known ``relay_ms`` is taken.
    """

    def __init__(self, sockets: Sequence[socket.socket], sent_us: Callable[[bytes], int] | None = None) -> None:
        self.sockets, self.count, self.relay_ms = sockets, 0, Series()
        self._sent_us = sent_us
        self._stop = False
        self._timed = {ear.fileno() for ear in sockets[::TIMED_EVERY]} if sent_us else set()
        for ear in sockets[::TIMED_EVERY]:
            with_timestamps(ear)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        by_fd = {ear.fileno(): ear for ear in self.sockets}
        poll = select.epoll()
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)
        while not self._stop:
            for fd, _ in poll.poll(0.2, 512):
                if fd in self._timed and self._sent_us is not None:
                    data, stamp = receive(by_fd[fd], 2048)
                    self.relay_ms.add(((stamp // 1000 - self._sent_us(data)) & 0xFFFFFFFF) / 1000)
                else:
                    by_fd[fd].recv(2048)
                self.count += 1
        poll.close()

    def restart(self) -> None:
        """Count from zero."""
        self.count, self.relay_ms = 0, Series()

    def stop(self) -> None:
        """End the thread."""
        self._stop = True
        self._thread.join()


def udp() -> socket.socket:
    """A UDP socket that does not block."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made


def measure(pid: int, drain: Drain, talk: Callable[[int], object], pps: float, seconds: float) -> dict[str, Any]:
    """Call ``talk(n)`` at ``pps`` for ``seconds``; what arrived, and what process ``pid`` spent on it."""
    drain.restart()
    sent, before, start = 0, cost(pid).cpu_s, time.monotonic()
    while time.monotonic() - start < seconds:
        talk(sent)
        sent += 1
        time.sleep(max(0.0, start + sent / pps - time.monotonic()))
    time.sleep(SETTLE_S)
    cpu = cost(pid).cpu_s - before
    return {
        "sent": sent,
        "delivered": drain.count,
        "expected": sent * len(drain.sockets),
        "cpu_s": round(cpu, 3),
        "us_per_delivered": round(cpu / max(1, drain.count) * 1e6, 3),
        "relay_ms": drain.relay_ms.summary(),
    }
