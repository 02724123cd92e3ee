"""A real coturn for tests: on one address of a namespace, with a secret shared with the server under test."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.netns import Namespace

PORT = 3478
START_S = 60


@dataclass(frozen=True)
class Turn:
    """Where it is, and what to configure."""

    address: str
    secret: str
    log: Path

    def settings(self) -> dict[str, str]:
        """Environment for a server that hands out credentials for it."""
        urls = f'["turn:{self.address}:{PORT}?transport=udp"]'
        return {"POC_TURN__URLS": urls, "POC_TURN__SECRET": self.secret}


@contextmanager
def coturn(inside: Namespace, folder: Path, secret: str) -> Iterator[Turn]:
    """Run coturn ``inside`` a namespace, on its address, until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "turn.log"
    command = [
        "turnserver", "-n", "--use-auth-secret", f"--static-auth-secret={secret}", "--realm=poc-server", "--no-cli",
        "--no-tls", "--no-dtls", f"--listening-ip={inside.address}", f"--relay-ip={inside.address}",
        f"--listening-port={PORT}", "--min-port=49152", "--max-port=49252", "--log-file=stdout", "--simple-log", "-v",
        f"--userdb={folder / 'turndb'}", f"--pidfile={folder / 'turn.pid'}",
    ]  # fmt: skip
    with log.open("wb") as output:
        process = subprocess.Popen([*inside.prefix, *command], stdout=output, stderr=subprocess.STDOUT, cwd=folder)
    try:
        _wait_listening(inside, process, log)
        yield Turn(inside.address, secret, log)
    finally:
        process.terminate()
        process.wait(10)


def _wait_listening(inside: Namespace, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while f":{PORT}" not in inside.run("ss", "-Hlun"):
        if process.poll() is not None or time.monotonic() > end:
            raise RuntimeError(f"coturn did not come up: {log.read_text()[-2000:]}")
        time.sleep(0.05)
