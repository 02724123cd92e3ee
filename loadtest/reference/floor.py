"""Runs the floor: one talker, N listeners that drain real sockets, CPU of the C process per delivered packet."""

from __future__ import annotations

import os
import select
import shutil
import socket
import struct
import subprocess
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Final

from loadtest.procfs import cost
from loadtest.stats import Series
from loadtest.wire.reactor import receive, with_timestamps

SOURCE: Final = Path(__file__).with_name("floor.c")
SETTLE_S: Final = 0.5
TIMED_EVERY: Final = 50
"""One listener in so many notes when the kernel received its packets."""
_HEADER: Final = struct.Struct("!BBHII")


class NoFloor(Exception):
    """The reference cannot be built here; the text says what is missing."""


def build(folder: Path) -> Path:
    """Compile the floor into ``folder``. Raises `NoFloor`."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoFloor("no C compiler")
    program = folder / "floor"
    made = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(SOURCE), "-lcrypto"], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise NoFloor(f"it does not compile (libssl-dev?): {made.stderr.strip()[-300:]}")
    return program


def run(listeners: int, pps: float, payload: int, seconds: float) -> dict[str, Any]:
    """``sent``, ``delivered``, ``expected``, ``cpu_s``, ``us_per_delivered`` of the C process; and ``relay_ms``.

    The last says what the machine itself adds to a packet's way while it is as busy as it is. Raises `NoFloor`.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        ears = [_udp() for _ in range(listeners)]
        for ear in ears:
            ear.bind(("127.0.0.1", 0))
        drain = _Drain(ears)
        with subprocess.Popen(
            [str(program), str(listeners)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            try:
                return _measure(process, drain, pps, payload, seconds, listeners)
            finally:
                process.kill()
                drain.stop()
                for ear in ears:
                    ear.close()


def _measure(
    process: subprocess.Popen[str], drain: _Drain, pps: float, payload: int, seconds: float, listeners: int
) -> dict[str, Any]:
    if process.stdin is None or process.stdout is None:
        raise NoFloor("no pipes")
    port = int(process.stdout.readline())
    process.stdin.write(" ".join(str(ear.getsockname()[1]) for ear in drain.sockets) + "\n")
    process.stdin.flush()
    talker, body = _udp(), os.urandom(payload)
    talker.connect(("127.0.0.1", port))
    _until_it_answers(talker, body, drain)
    drain.count, drain.relay_ms, sent = 0, Series(), 0
    before, start = cost(process.pid).cpu_s, time.monotonic()
    while time.monotonic() - start < seconds:
        talker.send(_HEADER.pack(0x80, 111, sent & 0xFFFF, time.time_ns() // 1000 & 0xFFFFFFFF, 7) + body)
        sent += 1
        time.sleep(max(0.0, start + sent / pps - time.monotonic()))
    time.sleep(SETTLE_S)
    cpu = cost(process.pid).cpu_s - before
    talker.close()
    return {
        "sent": sent,
        "delivered": drain.count,
        "expected": sent * listeners,
        "cpu_s": round(cpu, 3),
        "us_per_delivered": round(cpu / max(1, drain.count) * 1e6, 3),
        "relay_ms": drain.relay_ms.summary(),
    }


def _until_it_answers(talker: socket.socket, body: bytes, drain: _Drain) -> None:
    """The process reads its listeners' ports first; until then nothing arrives."""
    deadline = time.monotonic() + 10
    while drain.count < len(drain.sockets):
        if time.monotonic() > deadline:
            raise NoFloor("it does not answer")
        talker.send(_HEADER.pack(0x80, 111, 0, 0, 7) + body)
        time.sleep(0.1)
    time.sleep(0.3)


class _Drain:
    """Counts datagrams of many sockets in a thread of its own."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self.sockets, self.count, self._stop = sockets, 0, False
        self.relay_ms = Series()
        for ear in sockets[::TIMED_EVERY]:
            with_timestamps(ear)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        by_fd = {ear.fileno(): ear for ear in self.sockets}
        timed = {ear.fileno() for ear in self.sockets[::TIMED_EVERY]}
        poll = select.epoll()
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)
        while not self._stop:
            for fd, _ in poll.poll(0.2, 512):
                if fd in timed:
                    data, stamp = receive(by_fd[fd], 2048)
                    sent_us = int.from_bytes(data[4:8], "big")
                    self.relay_ms.add(((stamp // 1000 - sent_us) & 0xFFFFFFFF) / 1000)
                else:
                    by_fd[fd].recv(2048)
                self.count += 1
        poll.close()

    def stop(self) -> None:
        self._stop = True
        self._thread.join()


def _udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    return made
