"""Runs the floor: one talker, N listeners that drain real sockets, CPU of the C process per delivered packet."""

from __future__ import annotations

import os
import shutil
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from loadtest.reference.drain import Drain, NoReference, measure, udp

SOURCE: Final = Path(__file__).with_name("floor.c")
_HEADER: Final = struct.Struct("!BBHII")


def build(folder: Path) -> Path:
    """Compile the floor into ``folder``. Raises `NoReference`."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise NoReference("no C compiler")
    program = folder / "floor"
    made = subprocess.run(
        [compiler, "-O2", "-o", str(program), str(SOURCE), "-lcrypto"], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise NoReference(f"it does not compile (libssl-dev?): {made.stderr.strip()[-300:]}")
    return program


def run(listeners: int, pps: float, payload: int, seconds: float) -> dict[str, Any]:
    """``sent``, ``delivered``, ``expected``, ``cpu_s``, ``us_per_delivered`` of the C process; and ``relay_ms``.

    The last says what the machine itself adds to a packet's way while it is as busy as it is. Raises `NoReference`.
    """
    with tempfile.TemporaryDirectory() as folder:
        program = build(Path(folder))
        ears = [udp() for _ in range(listeners)]
        for ear in ears:
            ear.bind(("127.0.0.1", 0))
        drain = Drain(ears, lambda data: int.from_bytes(data[4:8], "big"))
        command = [str(program), str(listeners)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                talker, body = udp(), os.urandom(payload)
                talker.connect(("127.0.0.1", _serve(process, ears)))

                def talk(number: int) -> None:
                    now_us = time.time_ns() // 1000 & 0xFFFFFFFF
                    talker.send(_HEADER.pack(0x80, 111, number & 0xFFFF, now_us, 7) + body)

                _until_it_answers(talk, drain)
                found = measure(process.pid, drain, talk, pps, seconds)
                talker.close()
                return found
            finally:
                process.kill()
                drain.stop()
                for ear in ears:
                    ear.close()


def _serve(process: subprocess.Popen[str], ears: list[socket.socket]) -> int:
    """Tell the process its listeners' ports; its own."""
    if process.stdin is None or process.stdout is None:
        raise NoReference("no pipes")
    port = int(process.stdout.readline())
    process.stdin.write(" ".join(str(ear.getsockname()[1]) for ear in ears) + "\n")
    process.stdin.flush()
    return port


def _until_it_answers(talk: Any, drain: Drain) -> None:
    """The process reads its listeners' ports first; until then nothing arrives."""
    deadline = time.monotonic() + 10
    while drain.count < len(drain.sockets):
        if time.monotonic() > deadline:
            raise NoReference("it does not answer")
        talk(0)
        time.sleep(0.1)
    time.sleep(0.3)
