"""Runs the demo city: the server, its people, and bots as a process of their own that speak only the wire."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from starlette.types import ASGIApp

from groups.vocabulary import UserId
from poc_server import logs
from poc_server.app import App
from poc_server.config import Config
from poc_server.demo.city import build_city, lively, make_links, offered
from poc_server.demo.walks import Walks
from poc_server.lan import Certificates, Front, LanPage, ensure_certificates, terminal_code
from poc_server.media.wire.udp import machine_addresses

BOTS_PER_GROUP = 3
console = Console(emoji=False)


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What ``poc-server demo`` was asked for."""

    people: int = 40
    links: Path | None = None
    bots: bool = True
    lan: bool = False
    https_port: int = 8_443
    join: bool = False
    """Another node founds the city."""


async def run(config: Config, options: DemoOptions) -> None:
    """Serve the demo city until stopped. Raises OSError when a port is taken."""
    logs.configure(config.log)
    lan = _Lan.prepare(config, options.https_port) if options.lan else None
    front = lan.front if lan else lambda served: served
    async with App(config, front, preparing="the demo city is being founded") as app:
        users = [] if options.join else await build_city(app.store, options.people)
        if options.links is not None:
            await make_links(app.store, app.auth, users, options.links)
        app.prepared()
        bots = await _start_bots(app) if options.bots else None
        walks = Walks(app.store) if options.bots else contextlib.nullcontext()
        if not options.join:
            console.print(f"[bold]poc-server demo[/]  http://localhost:{app.port}   (Ctrl-C ends it)")
        if lan is not None:
            await app.listen_tls(options.https_port, lan.certificates.cert, lan.certificates.key)
            lan.show()
        try:
            async with walks:
                await app.run_until_stopped()
        finally:
            if bots is not None:
                await _end(bots)


@dataclass(frozen=True, slots=True)
class _Lan:
    """What phones on the local network need: HTTPS, and help to trust it."""

    certificates: Certificates
    page: LanPage

    @classmethod
    def prepare(cls, config: Config, https_port: int) -> _Lan:
        hosts = [*machine_addresses(loopback=True), socket.gethostname(), f"{socket.gethostname()}.local"]
        certificates = ensure_certificates(config.server.data, hosts)
        return cls(certificates, LanPage(certificates.ca, https_port, config.server.port, hosts))

    def front(self, served: ASGIApp) -> ASGIApp:
        return Front(served, self.page)

    def show(self) -> None:
        console.print(f"\nPhones on this network open [bold]{self.page.url}[/]  手机扫码打开：\n", highlight=False)
        console.out(terminal_code(self.page.url), highlight=False)
        console.print(f"Certificate fingerprint (SHA-256): {self.page.fingerprint}", highlight=False, soft_wrap=True)


async def _start_bots(app: App) -> asyncio.subprocess.Process:
    """Bots are simulated phones outside this process: a lone visitor meets voices, and the wire is proved by use."""
    links = app.config.server.data / "bots.jsonl"
    await make_links(app.store, app.auth, _speakers(app), links)
    command = [sys.executable, "-m", "loadtest.bots", "--url", f"ws://127.0.0.1:{app.port}/ws", "--links", str(links)]
    for group in lively(app.store.directory):
        command += ["--group", group]
    # In a session of their own: a Ctrl-C would reach them before they can take it, and leave a trace of their start.
    return await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True)


def _speakers(app: App) -> list[UserId]:
    """Members of the lively groups that no visitor is offered, so that nobody meets himself."""
    directory = app.store.directory
    taken = set(offered(directory))
    chosen: list[UserId] = []
    for group in lively(directory):
        free = [user for user, place in directory.members(group).items() if place.may_talk and user not in taken]
        chosen += free[:BOTS_PER_GROUP]
        taken.update(chosen)
    return chosen


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), 5)
        except TimeoutError:
            process.kill()
            await process.wait()
