"""A demo city and a simulated case system joined by a bridge, each a process that may be killed and started again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.gateway.case_system import KEY, SECRET
from tests.support.city import ROOT, City
from tests.support.ports import free_port

PATIENCE_S = 90
SETUP = """
[retry]
delays_s = [0.2, 0.4, 0.8, 1.0]
probe_cap_s = 1.0

[[senders]]
id = "cases"
proof = {{ kind = "api_key", keys = ["{key}"] }}

[[receivers]]
id = "cases"
url = "http://127.0.0.1:{port}/hook"
secrets = ["{secret}"]
timeout_s = 2
"""


def until(what: str, true: Callable[[], Any], within_s: float = PATIENCE_S) -> Any:
    """Looks until it is so; says what it waited for when it never is."""
    end = time.monotonic() + within_s
    while True:
        found = true()
        if found:
            return found
        assert time.monotonic() < end, f"not within {within_s:g} s: {what}"
        time.sleep(0.05)


def call(method: str, url: str, body: Any = None, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON; 0 when nobody answers."""
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=15) as answer:
            text = answer.read()
            return answer.status, json.loads(text) if text else None
    except urllib.error.HTTPError as problem:
        text = problem.read()
        return problem.code, json.loads(text) if text else None
    except OSError:
        return 0, None


@dataclass
class Process:
    """One that can die and come back."""

    command: list[str]
    log: Path
    running: subprocess.Popen[bytes] | None = None
    environment: dict[str, str] = field(default_factory=dict)

    def start(self) -> None:
        with self.log.open("ab") as output:
            self.running = subprocess.Popen(
                self.command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **self.environment}
            )

    def end(self, how: int) -> None:
        if self.running is not None:
            self.running.send_signal(how)
            self.running.wait(20)
            self.running = None


class Bridged:
    """Both processes. ``environment``: more settings of the city, from the case system's port."""

    def __init__(
        self,
        folder: Path,
        setup: str = SETUP,
        options: tuple[str, ...] = ("--no-bots",),
        environment: Callable[[int], dict[str, str]] = lambda _: {},
    ) -> None:
        self.port, case_port = free_port(), free_port()
        self.url, self.case_url = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{case_port}"
        file = folder / "bridge.toml"
        file.write_text(setup.format(port=case_port, key=KEY, secret=SECRET))
        demo = ["-m", "poc_server.cli", "demo", "--data", str(folder / "data"), "--port", str(self.port)]
        self.city = Process(
            [sys.executable, *demo, *options],
            folder / "city.log",
            environment={
                "POC_BRIDGE__FILE": str(file),
                "POC_BRIDGE__PUBLIC_URL": self.url,
                **environment(case_port),
            },
        )
        case = ["-m", "tests.gateway.case_system", "--port", str(case_port), "--poc", self.url]
        self.case = Process([sys.executable, *case, "--folder", str(folder / "case")], folder / "case.log")

    def __enter__(self) -> Bridged:
        try:
            self.start_case()
            self.start_city()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.city.end(signal.SIGTERM)
        self.case.end(signal.SIGKILL)

    def start_city(self) -> None:
        self.city.start()
        until("the city is there", lambda: self.poc("GET", "/incidents")[0] == 200)

    def start_case(self) -> None:
        self.case.start()
        until("the case system is there", lambda: call("GET", f"{self.case_url}/control")[0] == 200)

    def poc(self, method: str, path: str, body: Any = None, key: str = KEY) -> tuple[int, Any]:
        """The server's API, as the case system."""
        return call(method, f"{self.url}/api/v1{path}", body, {"X-Api-Key": key, "Content-Type": "application/json"})

    def as_city(self) -> City:
        """The demo city alone, for simulated phones."""
        assert self.city.running is not None
        return City(self.port, self.city.running, self.city.log.parent, self.city.log)

    def token(self, badge: str) -> str:
        """An access token of one of the demo's people."""
        status, signed = call("POST", f"{self.url}/api/v1/demo/people/{self.people()[badge]}/step-in", {})
        assert status == 200
        return str(signed["access_token"])

    def api(self, method: str, path: str, token: str, body: Any = None) -> tuple[int, Any]:
        """The server's API, as one of its people."""
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        return call(method, f"{self.url}/api/v1{path}", body, headers)

    def control(self, **order: Any) -> None:
        assert call("POST", f"{self.case_url}/control", order)[0] == 200

    def told(self) -> dict[str, Any]:
        """What the case system received, and what it still has to tell."""
        status, state = call("GET", f"{self.case_url}/control")
        assert status == 200
        return state  # type: ignore[no-any-return]

    def people(self) -> dict[str, str]:
        """Badge → user id of the demo's people."""
        status, found = call("GET", f"{self.url}/api/v1/demo/people")
        assert status == 200
        return {person["badge"]: person["id"] for person in (found["people"] if isinstance(found, dict) else found)}
