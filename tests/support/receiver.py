"""Stands for push services and vendors: a process of its own that keeps what it is sent and answers as its paths say.

``/ok/…`` 201 · ``/gone/…`` 410 · ``/flaky/…`` 503 twice, then 201 · ``/refuses/…`` 400 · ``/holds/…`` 201 after a
``GET /let_go``. ``GET /taken`` tells all.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
import urllib.request
from base64 import b64decode, b64encode
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

TAKEN: list[dict[str, object]] = []
TRIES: Counter[str] = Counter()
LET_GO = threading.Event()


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/taken":
            self._answer(200, json.dumps(TAKEN).encode())
        elif self.path == "/let_go":
            LET_GO.set()
            self._answer(200, b"")
        else:
            self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        TRIES[self.path] += 1
        kind = self.path.split("/")[1]
        status = {"ok": 201, "holds": 201, "gone": 410, "refuses": 400}.get(kind, 201 if TRIES[self.path] > 2 else 503)
        headers = {name.lower(): value for name, value in self.headers.items()}
        TAKEN.append({"path": self.path, "headers": headers, "body": b64encode(body).decode(), "status": status})
        if kind == "holds":
            LET_GO.wait()
        self._answer(status, b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@dataclass(frozen=True)
class Taken:
    path: str
    headers: dict[str, str]
    body: bytes
    status: int


@dataclass(frozen=True)
class Receiver:
    url: str

    def taken(self, path: str = "/") -> list[Taken]:
        with urllib.request.urlopen(f"{self.url}/taken", timeout=10) as answer:
            found = [Taken(**(each | {"body": b64decode(each["body"])})) for each in json.loads(answer.read())]
        return [each for each in found if each.path.startswith(path)]

    def let_go(self) -> None:
        """Answer what ``/holds/…`` has held until now, and all further ones at once."""
        urllib.request.urlopen(f"{self.url}/let_go", timeout=10).close()

    def until(self, path: str, count: int = 1, seconds: float = 30.0) -> list[Taken]:
        """What came to this path, once it is at least ``count``."""
        end = time.monotonic() + seconds
        while len(found := self.taken(path)) < count:
            assert time.monotonic() < end, f"{len(found)} of {count} at {path}"
            time.sleep(0.05)
        return found


@contextmanager
def receiver() -> Iterator[Receiver]:
    program = [sys.executable, str(Path(__file__))]
    with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Receiver(f"http://127.0.0.1:{process.stdout.readline().strip()}")
        finally:
            process.kill()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()
