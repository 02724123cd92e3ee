"""Starts a real server process for tests: the demo city on a free port, with a data folder of its own."""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support import priority
from tests.support.netns import Namespace
from tests.support.ports import free_port, ports_in_a_row
from tests.support.redis import running_redis
from tests.support.warm import ROOT, Forked, Running

START_S = 180
NODES = int(os.environ.get("CITY_NODES", "1"))
"""Every scenario that starts a city can be tried on several nodes."""


@dataclass
class City:
    """A running demo city, on the loopback or ``inside`` a namespace of the test."""

    port: int
    process: Running
    data: Path
    log: Path
    inside: Namespace | None = None
    own_ports: tuple[int, ...] = ()
    """The port of each node alone; its one port on one node."""

    @property
    def url(self) -> str:
        return f"http://{self.inside.address if self.inside else '127.0.0.1'}:{self.port}"

    def get(self, path: str, token: str | None = None) -> Any:
        return self._call("GET", path, None, token)

    def post(self, path: str, body: Any = None, token: str | None = None) -> Any:
        return self._call("POST", path, body or {}, token)

    def delete(self, path: str, token: str | None = None) -> Any:
        return self._call("DELETE", path, None, token)

    def _call(self, method: str, path: str, body: Any, token: str | None) -> Any:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if method == "DELETE":
            headers["If-Match"] = "*"
        if body is not None:
            headers["Content-Type"] = "application/json"
        text = self._fetch(method, path, headers, None if body is None else json.dumps(body))
        return json.loads(text) if text else None

    def _fetch(self, method: str, path: str, headers: dict[str, str], body: str | None) -> str:
        if self.inside is None:
            return fetch(method, self.url + path, headers, body)
        script = f"{inspect.getsource(fetch)}\nprint(fetch(*json.loads(sys.argv[1])), end='')"
        given = json.dumps([method, self.url + path, headers, body])
        imports = "import json, sys, urllib.request\n"
        try:
            return self.inside.run(sys.executable, "-c", imports + script, given)
        except subprocess.CalledProcessError as problem:
            raise OSError(problem.stderr[-500:]) from None

    @property
    def own_data(self) -> tuple[Path, ...]:
        """Where each node keeps what is its own: its journal, and its copy of the directory."""
        if len(self.own_ports) <= 1:
            return (self.data,)
        return tuple(self.data / "nodes" / f"node-{number + 1}" for number in range(len(self.own_ports)))

    def kill(self) -> None:
        """All its processes in one moment, as when the machine loses power; who starts nodes again goes first."""
        nodes = range(len(self.own_ports)) if len(self.own_ports) > 1 else ()
        for pid in (self.process.pid, *[self.node_pid(number) for number in nodes]):
            os.kill(pid, signal.SIGKILL)
        self.process.wait()

    def node_pid(self, number: int) -> int:
        """The process of one node of several, the first is 0."""
        wanted = f"POC_FABRIC__NODE=node-{number + 1}".encode()
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            if wanted in Path(f"/proc/{child}/environ").read_bytes().split(b"\0"):
                return int(child)
        raise RuntimeError(f"node {number} does not run")

    def node_metric(self, number: int, name: str) -> float:
        """The value of one metric of one node of several."""
        text = fetch("GET", f"http://127.0.0.1:{self.own_ports[number]}/metrics", {}, None)
        return next(float(line.split()[1]) for line in text.splitlines() if line.startswith(name + " "))

    def node_status(self, number: int, path: str) -> int:
        """What one node of several answers to GET: 200, 503, ..."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.own_ports[number]}{path}", timeout=10) as answer:
            return int(answer.status)

    def metric(self, name: str) -> float:
        """The value of one metric without labels; of several nodes the sum."""
        if len(self.own_ports) > 1:
            return sum(self.node_metric(number, name) for number in range(len(self.own_ports)))
        for line in self._fetch("GET", "/metrics", {}, None).splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        raise KeyError(name)


def fetch(method: str, url: str, headers: dict[str, str], body: str | None) -> str:
    """What is answered. Stands alone, for it is also run inside namespaces. Raises OSError."""
    request = urllib.request.Request(url, method=method, headers=headers)
    with urllib.request.urlopen(request, None if body is None else body.encode(), timeout=10) as answer:
        return answer.read().decode()


@contextmanager
def running_city(
    data: Path,
    *options: str,
    env: dict[str, str] | None = None,
    inside: Namespace | None = None,
    first: bool = False,
    cold: bool = False,
    nodes: int = NODES,
    redis: str | None = None,
) -> Iterator[City]:
    """The demo city without bots on a free port of the loopback (or inside a namespace), ended by SIGTERM.

    Several ``nodes`` have one TCP port in common and one each, and meet on ``redis`` (None: one of its own).
    ``first``: before others on the machine (see `tests.support.priority`). ``cold``: by its command line, as is a city
    inside a namespace, and each of several nodes; else as `tests.support.warm` says.
    """
    port = free_port()
    log = data.with_suffix(".log")
    data.mkdir(parents=True, exist_ok=True)
    command = ["demo", "--data", str(data), "--port", str(port), "--no-bots"]
    own_ports, ended = (port,), contextlib.ExitStack()
    if nodes > 1:
        own_ports = ports_in_a_row(nodes)
        options = (*options, "--nodes", str(nodes))
        redis = redis or ended.enter_context(running_redis()).url
        # A loaded machine is no reason to be isolated or given up.
        patience = {"POC_FABRIC__TIMEOUT_MS": "2000", "POC_FABRIC__LEASE_MS": "2500"}
        env = {**patience, **(env or {}), "POC_FABRIC__REDIS": redis, "POC_SERVER__OWN_PORT": str(own_ports[0])}
    prefix = [*(priority.first() if first else ()), *(inside.prefix if inside else ())]
    process = started([*command, *options], log, env or {}, prefix, cold=cold or inside is not None)
    city = City(port, process, data, log, inside, own_ports)
    try:
        wait_ready(city)
        yield city
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        ended.close()


def started(
    command: Sequence[str], log: Path, env: Mapping[str, str], prefix: Sequence[str] = (), *, cold: bool = False
) -> Running:
    """``poc-server`` with this command. ``prefix`` is put before it; what is not ``cold`` can only be put first."""
    whole = {**os.environ, **env}
    if not cold:
        return Forked(command, whole, log, first=bool(prefix))
    with log.open("wb") as output:
        return subprocess.Popen(
            [*prefix, sys.executable, "-m", "poc_server.cli", *command],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=whole,
        )


def wait_ready(city: City) -> None:
    """Until it serves, on each node. Raises RuntimeError when it ended, or will not come up."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if city.process.poll() is not None:
            raise RuntimeError(f"the server ended at start: {city.log.read_text()[-2000:]}")
        with contextlib.suppress(OSError):
            if city.get("/readyz"):
                for own in city.own_ports if len(city.own_ports) > 1 else ():
                    fetch("GET", f"http://127.0.0.1:{own}/readyz", {}, None)
                return
        time.sleep(0.1)
    raise RuntimeError(f"the server did not come up: {city.log.read_text()[-2000:]}")
