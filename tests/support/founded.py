"""A real server without a demo: an agency is founded on the command line, its administrators enrol by their links."""

from __future__ import annotations

import re
import signal
import time
import urllib.error
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.city import START_S, fetch, started
from tests.support.ports import free_port
from tests.support.warm import Running


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
    process = started(["serve"], made.log, {**own, **(env or {})})
    try:
        _wait_ready(url, process)
        yield made
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def found(data: Path, agency: str, url: str) -> tuple[str, ...]:
    """The links of an agency's three administrators; a server that runs already learns of it at its next poll."""
    data.parent.mkdir(parents=True, exist_ok=True)
    said = data.with_suffix(".found")
    if started(["found", agency, "--data", str(data), "--url", url], said, {}).wait(START_S) != 0:
        raise RuntimeError(said.read_text())
    return tuple(re.findall(r"http\S+/enrol/[a-z2-7]{26}", said.read_text()))


def _wait_ready(url: str, process: Running) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        try:
            fetch("GET", f"{url}/readyz", {}, None)
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not come up")
