"""A real server without a demo: an agency is founded on the command line, its administrators enrol by their links."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.city import ROOT, START_S, fetch
from tests.support.ports import free_port


@dataclass(frozen=True)
class Founded:
    """Where it serves, its data, and the links of its system, security and audit administrators."""

    url: str
    links: tuple[str, ...]
    data: Path

    @property
    def log(self) -> Path:
        """What it writes."""
        return self.data.with_suffix(".log")


@contextmanager
def founded(data: Path, agency: str = "江城市城管局", env: dict[str, str] | None = None) -> Iterator[Founded]:
    url = f"http://127.0.0.1:{(port := free_port())}"
    links = found(data, agency, url)
    made = Founded(url, links, data)
    own = {"POC_SERVER__DATA": str(data), "POC_SERVER__PORT": str(port), "POC_MEDIA__LOOPBACK": "true"}
    with made.log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "poc_server.cli", "serve"],
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **own, **(env or {})},
        )
    try:
        _wait_ready(url, process)
        yield made
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def found(data: Path, agency: str, url: str) -> tuple[str, ...]:
    """The links of an agency's three administrators; a server that runs already learns of it at its next poll."""
    command = [sys.executable, "-m", "poc_server.cli", "found", agency, "--data", str(data), "--url", url]
    printed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return tuple(re.findall(r"http\S+/enrol/[a-z2-7]{26}", printed.stdout + printed.stderr))


def _wait_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            fetch("GET", f"{url}/readyz", {}, None)
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not come up")
