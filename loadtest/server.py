"""The server under test: one that runs already, or one this process starts for itself on the loopback."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from loadtest.identity import BadLinks, Identity, read_links_file
from loadtest.priority import before_others
from loadtest.procfs import Cost, NoSuchServer, cost, listener
from loadtest.result import CannotRun

START_TIMEOUT_S: Final = 120.0
"""Building a demo city of thousands takes seconds."""
STOP_TIMEOUT_S: Final = 15.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where the phones connect, who they are, and which process serves them (None: on another machine)."""

    url: str
    identities: Sequence[Identity]
    pid: int | None

    def cost(self) -> Cost:
        """What the server has used so far; zeros when it runs elsewhere."""
        return Cost(0.0, 0) if self.pid is None else cost(self.pid)


def running(url: str, links: Path, pid: int | None) -> Target:
    """A server that runs already. Raises `CannotRun` when the identities cannot be read."""
    try:
        identities = read_links_file(links)
    except BadLinks as problem:
        raise CannotRun(str(problem)) from None
    parts = urlsplit(url)
    if pid is None and parts.hostname in ("localhost", "127.0.0.1", "::1"):
        try:
            pid = listener(parts.port or 80)
        except NoSuchServer as problem:
            raise CannotRun(str(problem)) from None
    return Target(url, identities, pid)


STAFF: Final = 40
"""A demo city's own people, of whom some may not talk; the phones are the officers beyond them."""


@asynccontextmanager
async def started(
    people: int, *, command: Sequence[str] = (), first: bool = False, env: Mapping[str, str] | None = None
) -> AsyncIterator[Target]:
    """Start a demo server of ``people`` with a data folder of its own, and stop it in the end.

    ``command`` replaces ``python -m poc_server.cli``, for profilers; the process that listens is measured all the same.
    ``env`` is added to its environment. ``first``: it and this process take the CPU before others, where that is
    allowed. Raises `CannotRun` when the server does not come up.
    """
    if first:
        before_others(os.getpid())
    with tempfile.TemporaryDirectory(prefix="poc-loadtest-") as folder:
        port, links, log = _free_port(), Path(folder, "links.jsonl"), Path(folder, "server.log")
        arguments = [
            *(command or (sys.executable, "-m", "poc_server.cli")),
            *("demo", "--data", folder, "--port", str(port), "--people", str(people + STAFF)),
            *("--links", str(links), "--no-bots"),
        ]
        output = os.open(log, os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=output,
                env={
                    **os.environ,
                    "POC_MEDIA__LISTEN": '["127.0.0.1"]',
                    "POC_SERVER__HOST": "127.0.0.1",
                    **(env or {}),
                },
                start_new_session=True,
            )
        finally:
            os.close(output)
        if first:
            before_others(process.pid)
        try:
            await _until_serving(process, log)
            yield running(f"ws://127.0.0.1:{port}/ws", links, listener(port))
        finally:
            await _stop(process)


async def _until_serving(process: asyncio.subprocess.Process, log: Path) -> None:
    said = b""
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            while process.stdout is not None and b"http" not in said:
                line = await process.stdout.readline()
                if not line:
                    raise CannotRun(f"the server ended with {await process.wait()}:\n{_tail(log)}")
                said += line
    except TimeoutError:
        raise CannotRun(f"the server did not come up in {START_TIMEOUT_S:.0f} s:\n{_tail(log)}") from None


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    os.killpg(process.pid, signal.SIGTERM)
    try:
        await asyncio.wait_for(process.communicate(), STOP_TIMEOUT_S)
    except TimeoutError:
        os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-15:])


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
