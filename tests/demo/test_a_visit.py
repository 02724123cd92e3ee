"""What a newcomer does first: start the demo in a terminal, listen, press Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from groups.vocabulary import Refusal
from signaling.messages import Bye
from tests.emergency.cast import Cast
from tests.support.city import ROOT, START_S, City, wait_ready
from tests.support.handsets import WAIT_S, handsets
from tests.support.ports import free_port

pytestmark = pytest.mark.wire
LIVELY, QUIET = "滨江巡查组", "应急频道"
WARMING = 50
"""Packets of silence that a phone with two slots is sent when it has come."""
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


def test_a_lone_visitor_hears_voices_and_ctrl_c_ends_the_city_after_his_word_and_without_a_trace(
    terminal: tuple[Terminal, City, Path],
) -> None:
    shell, city, links = terminal
    family, burst = asyncio.run(visit(shell, city, links))
    assert len(family) >= 3, "the city, its worker and its bots"
    assert shell.process.wait(START_S) == 0
    end = time.monotonic() + START_S
    while (left := [pid for pid in family if Path(f"/proc/{pid}").exists()]) and time.monotonic() < end:
        time.sleep(0.01)
    assert not left
    told = city.log.read_text("utf-8")
    assert "Traceback" not in told
    assert "KeyboardInterrupt" not in told
    with contextlib.closing(sqlite3.connect(city.data / "poc.sqlite")) as rows:
        assert rows.execute("SELECT end_reason FROM burst WHERE id = ?", (burst,)).fetchall() == [("released",)]


async def visit(shell: Terminal, city: City, links: Path) -> tuple[set[int], int | None]:
    """Hear somebody; talk where no bot is while Ctrl-C is pressed. The processes there were, and the burst."""
    async with handsets(city, links) as street:
        cast = Cast(city, street)
        visitor = await cast.phone("BJ-001")
        await visitor.select(Cast.group(visitor, LIVELY))
        await visitor.until_packets(WARMING + 10)
        quiet = Cast.group(visitor, QUIET)
        for phone in (visitor, await cast.phone("BJ-002")):
            await phone.select(quiet)
        press = visitor.press_key(quiet)
        async with asyncio.timeout(WAIT_S):
            assert await press.settled, (press.outcome, press.cause)
        family = descendants(shell.process.pid)
        shell.press(CTRL_C)
        await visitor.utter(25)
        assert not [each for each in visitor.inbox if isinstance(each, Bye)], "a lone node waits till nobody talks"
        visitor.release_key()
        assert (await visitor.told(Bye)).code is Refusal.DRAINING
        return family, press.burst


def descendants(pid: int) -> set[int]:
    """The processes it started, and they."""
    children = {int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}
    return children.union(*(descendants(child) for child in children))
