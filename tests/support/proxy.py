"""Debian's Caddy with the configuration of deploy/: it ends TLS before the nodes of a city."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from websockets.asyncio.client import connect
from websockets.typing import Subprotocol

from loadtest.identity import Identity
from signaling.limits import SUBPROTOCOL
from signaling.messages import ClientInfo, Hello, Welcome, decode_server, encode
from tests.support.city import ROOT
from tests.support.ports import free_port

START_S = 60
NEWER = re.compile(r"^\s*stream_close_delay .*\n", re.MULTILINE)
"""What Debian's Caddy of before 2.7 does not know."""
OF_THE_TEST = """{{
	admin off
	skip_install_trust
	default_bind 127.0.0.1
	http_port {plain}
}}
"""
"""Before the configuration of deploy/: nothing leaves the loopback, and nothing of the machine is changed."""


@dataclass
class Proxy:
    """A running one; its certificate is of an authority of its own."""

    port: int
    folder: Path

    @property
    def trust(self) -> ssl.SSLContext:
        """Trusts that authority alone."""
        return ssl.create_default_context(cafile=self.folder / "caddy/pki/authorities/local/root.crt")

    def status(self, path: str) -> int:
        """What it answers to GET: 200, 404, ..."""
        try:
            with urllib.request.urlopen(f"https://localhost:{self.port}{path}", timeout=10, context=self.trust) as got:
                return int(got.status)
        except urllib.error.HTTPError as refused:
            return refused.code

    async def sign_on(self, identity: Identity, hold: contextlib.AsyncExitStack) -> bool:
        """A page's socket, open as long as ``hold`` is; whether a node took it in."""
        url, known = f"wss://localhost:{self.port}/ws", [Subprotocol(SUBPROTOCOL)]
        socket = await hold.enter_async_context(connect(url, ssl=self.trust, subprotocols=known))
        client = ClientInfo(name="proxy", version="1", language="en")
        await socket.send(encode(Hello(id="h", token=identity.token, client=client, slots=1)).decode())
        return isinstance(decode_server(await socket.recv(decode=False)), Welcome)


@contextmanager
def running_proxy(folder: Path, nodes: Iterable[int]) -> Iterator[Proxy]:
    """Before the nodes on these ports of the loopback."""
    made = Proxy(free_port(), folder)
    text = NEWER.sub("", (ROOT / "deploy" / "Caddyfile").read_text())
    (folder / "Caddyfile").write_text(OF_THE_TEST.format(plain=free_port()) + text)
    given = {
        "SITE": f"https://localhost:{made.port}",
        "TLS": "internal",
        "SERVERS": " ".join(f"127.0.0.1:{port}" for port in nodes),
        "XDG_DATA_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    log = folder / "caddy.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            ["caddy", "run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"],
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **given},
        )
    try:
        _until_it_answers(made, process, log)
        yield made
    finally:
        process.terminate()
        process.wait()


def _until_it_answers(proxy: Proxy, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + START_S
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError):
            if proxy.status("/healthz") == 200:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the proxy did not come up: {log.read_text()[-2000:]}")
