"""Several nodes on one machine, a process each, behind one TCP port: started, watched, started again, ended."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import urlopen

import structlog

from poc_server.config import Config

log = structlog.get_logger(__name__)

READY_S = 180.0
AGAIN_S = 1.0
LOOPBACK = "127.0.0.1"


@dataclass(slots=True)
class _One:
    """One node: how it is started, and its process while it runs."""

    name: str
    command: list[str]
    env: dict[str, str]
    own_port: int
    reserved: socket.socket
    process: asyncio.subprocess.Process | None = None


class Several:
    """Runs ``count`` nodes of ``command`` (a `poc-server` command line) until it is told to stop.

    ``first`` is added for the one that founds what all share, ``others`` for those that join it.

    Every node listens on the one TCP port and on one of its own (for metrics, and for the other nodes), and has its own
    UDP port: the configured one and those after it, or any.
    """

    def __init__(self, config: Config, count: int, command: list[str], first: list[str], others: list[str]) -> None:
        self._config = config
        self._stopping = False
        # Bound, never listening: the port is ours, and each node gets its part of what comes in. So are the ports of
        # each node alone, also while one that ended is started again.
        self._reserved = _reserve(config.server.host, config.server.port)
        self.port = int(self._reserved.getsockname()[1])
        first_own = config.server.own_port
        self._nodes = [
            self._one(number, [*command, *(others if number else first)], first_own + number if first_own else 0)
            for number in range(count)
        ]

    @property
    def own_ports(self) -> list[int]:
        """The port of each node alone."""
        return [node.own_port for node in self._nodes]

    async def run(self) -> None:
        """Returns when all have ended. The first is let come up before the others: it founds what all share."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._stop)
        try:
            async with asyncio.TaskGroup() as group:
                for node in self._nodes:
                    group.create_task(self._keep(node))
                    await self._ready(node)
        finally:
            for held in (self._reserved, *(node.reserved for node in self._nodes)):
                held.close()

    def _one(self, number: int, command: list[str], own_port: int) -> _One:
        reserved = _reserve(self._config.server.host, own_port)
        port = int(reserved.getsockname()[1])
        media = self._config.media.port + number if self._config.media.port else 0
        if command[0] == "demo":
            command = [*command, "--port", str(self.port), "--media-port", str(media)]
        env = {
            "POC_FABRIC__NODE": f"{self._config.fabric.node or 'node'}-{number + 1}",
            "POC_FABRIC__URL": f"http://{LOOPBACK}:{port}",
            "POC_SERVER__PORT": str(self.port),
            "POC_SERVER__SHARED_PORT": "true",
            "POC_SERVER__OWN_PORT": str(port),
            "POC_MEDIA__PORT": str(media),
        }
        return _One(env["POC_FABRIC__NODE"], [sys.executable, "-m", "poc_server.cli", *command], env, port, reserved)

    async def _keep(self, node: _One) -> None:
        while not self._stopping:
            node.process = await asyncio.create_subprocess_exec(*node.command, env={**os.environ, **node.env})
            code = await node.process.wait()
            if not self._stopping:
                log.error("node_ended", node=node.name, code=code)
                await asyncio.sleep(AGAIN_S)

    async def _ready(self, node: _One) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + READY_S
        while loop.time() < end and not self._stopping:
            if await asyncio.to_thread(_answers, node.own_port):
                return
            await asyncio.sleep(0.1)

    def _stop(self) -> None:
        """One after the other would be gentler on phones, but all are asked to go: each lets its bursts end."""
        self._stopping = True
        for node in self._nodes:
            if node.process is not None and node.process.returncode is None:
                node.process.send_signal(signal.SIGTERM)


def _reserve(host: str, port: int) -> socket.socket:
    """A port for nodes that share it with nobody else. Raises OSError where somebody listens on it."""
    wildcard = host in ("0.0.0.0", "::")  # noqa: S104 - asked for by configuration
    family = socket.AF_INET6 if (wildcard and socket.has_dualstack_ipv6()) or ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if wildcard else 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind(("::" if wildcard and family == socket.AF_INET6 else host, port))
    # Only now: asked for before, it would let this city in beside another one of the same user.
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return made


def _answers(port: int) -> bool:
    try:
        with urlopen(f"http://{LOOPBACK}:{port}/readyz", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
