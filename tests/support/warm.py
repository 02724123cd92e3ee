"""Servers forked from one process that has read all their code: that reading is three quarters of a start.

What is started differs from a command line in nothing but that; it is no child of the tests, yet its end is told them.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from tests.support.priority import REAL_TIME

ROOT = Path(__file__).resolve().parents[2]
_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["tests.support.warmed"])


class Running(Protocol):
    """A server's process: what tests ask of a `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def kill(self) -> None: ...


class Forked:
    """``poc-server`` with these arguments, forked."""

    def __init__(self, arguments: Sequence[str], env: Mapping[str, str], log: Path, *, first: bool) -> None:
        self._process = _forks.Process(target=_serve, args=(list(arguments), dict(env), log, first))
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if (code := self._process.exitcode) is None:
            raise subprocess.TimeoutExpired("poc-server", timeout or 0)
        return code

    def send_signal(self, sig: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _serve(arguments: list[str], env: dict[str, str], log: Path, first: bool) -> None:
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(env)
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    for stream in (1, 2):
        os.dup2(output, stream)
    os.close(output)
    if first:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(int(REAL_TIME[-1])))
    sys.argv = ["poc-server", *arguments]
    from poc_server.cli import main

    main()
