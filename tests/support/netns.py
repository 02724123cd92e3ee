"""Network namespaces that a test makes for itself, and streets between them. Needs no root where users may make them.

with city_and_street(Street(rtt_ms=80, jitter_ms=30, loss=0.02)) as (city, street, carried):
    subprocess.Popen([*city.prefix, "python", "-m", …])   # reachable from the street at city.address

Whatever way the test ends, its namespaces go: their holders end with the pipe to this process.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from tests.support.priority import first

PROGRAM = Path(__file__).with_name("street.py")


@dataclass(frozen=True)
class Street:
    """A way between two namespaces: a round trip takes ``rtt_ms`` ± ``jitter_ms``; ``loss`` is that of one way."""

    rtt_ms: float = 0.0
    jitter_ms: float = 0.0
    loss: float = 0.0
    seed: int = 1


@dataclass(frozen=True)
class Namespace:
    """A network namespace with its loopback up. ``prefix`` before a command runs the command there."""

    pid: int
    address: str
    prefix: tuple[str, ...]

    def run(self, *command: str) -> str:
        """What the command prints there. Raises CalledProcessError when it fails."""
        done = subprocess.run([*self.prefix, *command], check=True, capture_output=True, text=True, timeout=30)
        return done.stdout


@dataclass
class Carried:
    """Packets carried and lost, city to street and back; known when the street is closed."""

    orders: IO[str]
    to_street: dict[str, int] = field(default_factory=dict)
    to_city: dict[str, int] = field(default_factory=dict)

    def forget(self) -> None:
        """Nothing goes any more to the UDP ports that phones of the street have sent from; new ones are served."""
        self.orders.write("forget\n")
        self.orders.flush()


@contextmanager
def city_and_street(shape: Street) -> Iterator[tuple[Namespace, Namespace, Carried]]:
    """Two namespaces, 10.77.0.1 and 10.77.0.2, with a street of this shape between them and no other way anywhere."""
    with ExitStack() as stack:
        city = stack.enter_context(_namespace("10.77.0.1"))
        street = stack.enter_context(_namespace("10.77.0.2", beside=city))
        carried = stack.enter_context(_street(city, street, shape))
        yield city, street, carried


@contextmanager
def _namespace(address: str, beside: Namespace | None = None) -> Iterator[Namespace]:
    if os.geteuid() == 0:
        make, enter = ["unshare", "--net"], ["nsenter", "--net"]
    elif beside is None:
        make, enter = ["unshare", "--user", "--map-root-user", "--net"], _ENTER_AS_USER
    else:
        # Both lie in one user namespace, so that a street may be opened between them.
        own_user = ["nsenter", "--user", "--preserve-credentials", "-t", str(beside.pid)]
        make, enter = [*own_user, "unshare", "--net"], _ENTER_AS_USER
    quiet = "for c in default all lo; do echo 1 > /proc/sys/net/ipv6/conf/$c/disable_ipv6; done"
    script = f"{quiet}; ip link set lo up && echo $$ && exec cat"
    with _held([*make, "sh", "-c", script]) as (_, said):
        pid = int(said)
        yield Namespace(pid, address, (*enter, "-t", str(pid), "--"))


_ENTER_AS_USER = ["nsenter", "--user", "--preserve-credentials", "--net"]


@contextmanager
def _street(city: Namespace, street: Namespace, shape: Street) -> Iterator[Carried]:
    ends = [{"netns": f"/proc/{end.pid}/ns/net", "address": f"{end.address}/24"} for end in (city, street)]
    given = {
        "name": "street",
        "ends": ends,
        "delay_s": shape.rtt_ms / 2_000,
        "jitter_s": shape.jitter_ms / 2_000,
        "loss": shape.loss,
        "seed": shape.seed,
    }
    with _held([*first(), *city.prefix, sys.executable, str(PROGRAM), json.dumps(given)]) as (output, _):
        carried = Carried(output.stdin)
        yield carried
        carried.to_street, carried.to_city = json.loads(output())


@contextmanager
def _held(command: list[str]) -> Iterator[tuple[_Rest, str]]:
    """A process that lives as long as its standard input; gives its first line, and later the rest of what it says."""
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin"}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    try:
        first = process.stdout.readline()
        if not first:
            raise RuntimeError(f"{command}: {process.stderr.read()}")
        yield _Rest(process.stdin, process.stdout), first.strip()
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
        process.stderr.close()


@dataclass
class _Rest:
    stdin: IO[str]
    stdout: IO[str]

    def __call__(self) -> str:
        self.stdin.close()
        return self.stdout.read()
