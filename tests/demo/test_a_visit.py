"""What a newcomer does first: start the demo in a terminal, listen, press Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.emergency.cast import Cast
from tests.support.city import ROOT, START_S, City, wait_ready
from tests.support.handsets import handsets
from tests.support.ports import free_port

pytestmark = pytest.mark.wire
GROUP = "滨江巡查组"
CTRL_C = b"\x03"


class Terminal:
    """A command in the foreground of a terminal of its own, as `make run` starts it."""

    def __init__(self, log: Path, *command: str) -> None:
        self._ours, theirs = pty.openpty()
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", IN_A_SHELL, sys.executable, "-m", "tools.foreground", *command],
                cwd=ROOT,
                stdin=theirs,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        os.close(theirs)

    def press(self, key: bytes) -> None:
        os.write(self._ours, key)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


IN_A_SHELL = """
import fcntl, os, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
sys.exit(subprocess.run(sys.argv[1:]).returncode)
"""
"""Stands for make: leads the session whose terminal it is, and is told of Ctrl-C unless its child is in front."""


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[tuple[Terminal, City, Path]]:
    port, log, links, data = free_port(), tmp_path / "log", tmp_path / "links", tmp_path / "data"
    demo = ("demo", "--data", str(data), "--port", str(port), "--links", str(links))
    started = Terminal(log, sys.executable, "-m", "poc_server.cli", *demo)
    try:
        city = City(port, started.process, data, log)
        wait_ready(city)
        yield started, city, links
    finally:
        started.close()


def test_a_lone_visitor_hears_voices_and_ctrl_c_ends_the_city_without_a_trace(
    terminal: tuple[Terminal, City, Path],
) -> None:
    shell, city, links = terminal
    asyncio.run(listen(city, links))
    family = descendants(shell.process.pid)
    assert len(family) >= 3, "the city, its worker and its bots"
    shell.press(CTRL_C)
    assert shell.process.wait(START_S) == 0
    end = time.monotonic() + START_S
    while (left := [pid for pid in family if Path(f"/proc/{pid}").exists()]) and time.monotonic() < end:
        time.sleep(0.01)
    assert not left
    told = city.log.read_text("utf-8")
    assert "Traceback" not in told
    assert "KeyboardInterrupt" not in told


async def listen(city: City, links: Path) -> None:
    """As the only visitor, until somebody has been heard."""
    async with handsets(city, links) as street:
        visitor = await Cast(city, street).phone("BJ-001")
        await visitor.select(Cast.group(visitor, GROUP))
        await visitor.until_packets(10)


def descendants(pid: int) -> set[int]:
    """The processes it started, and they."""
    children = {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    return children.union(*(descendants(child) for child in children))
