"""A city's case system as a process of its own: tells of cases over HTTP and keeps what it is told, in all weathers.

``python -m tests.gateway.case_system --port P --poc URL --folder F``. It shares no code with the product: it signs and
verifies by the library of the standard, and keeps what it received in a file, so that it may be killed.

``POST /control``: {"mode": up | slow | error | half | gone | flaky, "tell": [news …], "shuffle": seed, "repeat": n,
"list": [rows for a poller], "own": up | refuse}. ``GET /control``: what it received, what it still has to tell.
``POST /hook``: the receiver. ``/own/…``: an API of its own making, which answers {"ok": true} or 422; what was asked of
it stands in ``own`` of the state. ``GET /list?since=ms``: its cases, for a poller. ``GET /voice?url=…``: fetches a
recording, as the browser of one who works on the case would. ``GET /case?log=…``: the page of a case with its log in a
frame.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import html
import json
import random
import socket
import struct
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

SECRET = "whsec_Y2FzZS1zeXN0ZW0tc2VjcmV0LW9mLXRoZS10ZXN0"
KEY = "the-case-systems-key"
TELLERS = 8
SLOW_S = 0.3
CASE_PAGE = """<!doctype html><title>案卷</title><style>body{margin:1rem;font:15px sans-serif}
iframe{width:100%;height:76rem;border:1px solid #9aa4ae}</style><h1>案卷管理</h1><iframe src="LOG"></iframe>"""


class CaseSystem:
    """What it knows, under one lock."""

    def __init__(self, poc: str, folder: Path) -> None:
        self.poc, self.mode = poc, "up"
        self.lock = threading.Lock()
        self.log = (folder / "received.jsonl").open("a+", encoding="utf-8")
        self.log.seek(0)
        self.received: list[dict[str, Any]] = [json.loads(line) for line in self.log]
        self.to_tell: list[dict[str, Any]] = []
        self.telling = 0
        self.listed: list[dict[str, Any]] = []
        self.refused: list[str] = []
        self.own: list[dict[str, Any]] = []
        self.own_mode = "up"
        self.random = random.Random(5)
        for _ in range(TELLERS):
            threading.Thread(target=self._tell, daemon=True).start()

    def take(self, event: dict[str, Any]) -> None:
        with self.lock:
            self.received.append(event)
            self.log.write(json.dumps(event, ensure_ascii=False) + "\n")
            self.log.flush()

    def weather(self) -> str:
        with self.lock:
            if self.mode != "flaky":
                return self.mode
            return self.random.choice(("up", "up", "slow", "error", "half", "lost"))

    def control(self, order: dict[str, Any]) -> None:
        with self.lock:
            self.mode = order.get("mode", self.mode)
            self.own_mode = order.get("own", self.own_mode)
            self.listed += order.get("list", [])
            news = order.get("tell", []) * order.get("repeat", 1)
            if "shuffle" in order:
                random.Random(order["shuffle"]).shuffle(news)
            self.to_tell += news

    def rows(self, since: int) -> list[dict[str, Any]]:
        """What a poller sees: cases changed since then, the oldest first."""
        with self.lock:
            return sorted((row for row in self.listed if row["t"] >= since), key=lambda row: row["t"])

    def state(self) -> dict[str, Any]:
        with self.lock:
            return {
                "received": list(self.received),
                "left": len(self.to_tell) + self.telling,
                "refused": list(self.refused),
                "own": list(self.own),
            }

    def _tell(self) -> None:
        while True:
            with self.lock:
                news = self.to_tell.pop() if self.to_tell else None
                self.telling += news is not None
            if news is None:
                time.sleep(0.02)
                continue
            while not self._told(news):
                time.sleep(0.2)
            with self.lock:
                self.telling -= 1

    def _told(self, news: dict[str, Any]) -> bool:
        """Tries again what was not taken for a passing reason, as any case system worth its name does."""
        body = dict(news)
        code = urllib.parse.quote(body.pop("code"))
        method, path = ("PUT", f"/incidents/{code}") if body.pop("put", False) else ("POST", f"/incidents/{code}/news")
        request = urllib.request.Request(self.poc + "/api/v1" + path, method=method, data=json.dumps(body).encode())
        request.add_header("Content-Type", "application/json")
        request.add_header("X-Api-Key", KEY)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
        except urllib.error.HTTPError as problem:
            if problem.code in (429, 500, 502, 503):
                return False
            with self.lock:
                self.refused.append(f"{problem.code} {problem.read().decode()[:300]}")
        except OSError:
            return False
        return True


class Handler(BaseHTTPRequestHandler):
    system: CaseSystem
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path.startswith("/list"):
            query = urllib.parse.parse_qs(self.path.partition("?")[2])
            self._answer(200, json.dumps({"rows": self.system.rows(int(query["since"][0]))}).encode())
        elif self.path.startswith("/voice?"):
            url = urllib.parse.parse_qs(self.path.partition("?")[2])["url"][0]
            with urllib.request.urlopen(url, timeout=10) as answer:
                self._answer(200, answer.read(), answer.headers.get("content-type", ""))
        elif self.path.startswith("/case?"):
            log = urllib.parse.parse_qs(self.path.partition("?")[2])["log"][0]
            self._answer(200, CASE_PAGE.replace("LOG", html.escape(log)).encode(), "text/html; charset=utf-8")
        else:
            self._answer(200, json.dumps(self.system.state()).encode())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        if self.path == "/control":
            self.system.control(json.loads(body))
            self._answer(200, b"{}")
        elif self.path.startswith("/own/"):
            self._own(body)
        else:
            self._hook(body)

    def do_PUT(self) -> None:
        self.do_POST()

    def _own(self, body: bytes) -> None:
        """Calls of a mapping file: kept as they came, the body in base64."""
        with self.system.lock:
            if self.system.own_mode == "refuse":
                self._answer(422, b"not so")
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = {"method": self.command, "path": self.path, "headers": headers}
            self.system.own.append({**asked, "body": base64.b64encode(body).decode()})
        self._answer(200, b'{"ok": true}')

    def _hook(self, body: bytes) -> None:
        weather = self.system.weather()
        if weather == "error":
            self._answer(500, b"out of order")
        elif weather == "gone":
            self._answer(410, b"")
        elif weather == "half":
            self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhal")
            self._cut()
        else:
            Webhook(SECRET).verify(body, dict(self.headers.items()))
            self.system.take(json.loads(body))
            if weather == "slow":
                time.sleep(SLOW_S)
            if weather == "lost":
                self._cut()  # taken, but the sender never learns of it and tells again
            else:
                self._answer(200, b'{"code": 0}')

    def _answer(self, status: int, body: bytes, kind: str = "application/json") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def handle(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().handle()

    def finish(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().finish()

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 64


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--poc", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    Handler.system = CaseSystem(options.poc, options.folder)
    Server(("127.0.0.1", options.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
