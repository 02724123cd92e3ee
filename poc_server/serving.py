"""HTTP and phones' sockets on one TCP port: uvicorn with our own listening socket and our own end."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from signaling.endpoint import Endpoint

HEAD_S = 30.0
"""How long a peer may take to say what he asks for: the first time, and again on the same connection."""
READ_S = 60.0
"""How long one may read nothing of an answer that waits for him; a player that stopped asks for the rest anew."""


@dataclass(frozen=True, slots=True)
class Serving:
    """One port that is served."""

    port: int
    _http: uvicorn.Server
    _task: asyncio.Task[None]

    @classmethod
    def begin(
        cls,
        served: ASGIApp,
        phones: Endpoint,
        host: str,
        port: int,
        tls: tuple[Path, Path] | None = None,
        *,
        shared: bool = False,
        own: bool = False,
    ) -> Serving:
        """Serve; ``tls``: certificate and key; ``shared``: with other processes; ``own``: phones that come stay here.

        Raises OSError when the port is taken.
        """
        certificate, key = tls or (None, None)
        listening = _listen(host, port, shared)
        http = _Http(
            uvicorn.Config(
                served,
                http=Connection,
                ws=cast("Any", partial(phones.protocol, settled=own)),  # uvicorn only calls it
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                forwarded_allow_ips=trusted_proxies(),
                timeout_keep_alive=30,
                timeout_graceful_shutdown=3,
                ssl_certfile=certificate,
                ssl_keyfile=key,
            )
        )
        task = asyncio.create_task(http.serve(sockets=[listening]), name="http")
        return cls(int(listening.getsockname()[1]), http, task)

    def listen_no_more(self) -> None:
        """Whoever comes from now on is another's; who is here stays."""
        for each in self._http.servers:
            each.close()

    async def aclose(self) -> None:
        """Returns when all is said."""
        self._http.should_exit = True
        await self._task


def trusted_proxies() -> list[str]:
    """Who is believed when he says from where a request came: ``FORWARDED_ALLOW_IPS``, or else this machine itself.

    A socket for both families writes IPv4 as ::ffff:192.0.2.1, which to uvicorn is another address than 192.0.2.1.
    """
    named = [each.strip() for each in os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1,::1").split(",")]
    return [*named, *(mapped for each in named for mapped in _mapped(each))]


def _mapped(named: str) -> list[str]:
    """How IPv4 addresses are called on a socket for both families; nothing for what is none."""
    try:
        network = ip_network(named)
    except ValueError:
        return []
    if not isinstance(network, IPv4Network):
        return []
    return [f"::ffff:{network.network_address}/{96 + network.prefixlen}"]


def _listen(host: str, port: int, shared: bool = False) -> socket.socket:
    """A TCP socket that takes IPv4 and IPv6 when ``host`` is a wildcard. Raises OSError when the port is taken."""
    if host in ("0.0.0.0", "::") and socket.has_dualstack_ipv6():  # noqa: S104 - asked for by configuration
        made = socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=4_096, reuse_port=shared
        )
    else:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        made = socket.create_server((host, port), family=family, backlog=4_096, reuse_port=shared)
    # Accepted sockets inherit it. asyncio would not set it on them: it asks for a protocol number they do not carry.
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


class _Http(uvicorn.Server):
    """uvicorn without its own signal handling: signals are the app's, which drains first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take no signal."""
        yield


class Connection(H11Protocol):
    """uvicorn's connection, which waits for no stranger without end: neither for his request nor for him to read.

    uvicorn itself times only what comes after an answer, and only until the first byte. How long a body may take is the
    matter of `poc_server.api.body`.
    """

    head_s = HEAD_S
    read_s = READ_S
    _asking: asyncio.TimerHandle | None = None
    _reading: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connected."""
        super().connection_made(transport)
        self._time_the_head()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or more than one."""
        super().data_received(data)
        self._time_the_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """It is over."""
        for timer in (self._asking, self._reading):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """More waits for the peer than he has read."""
        super().pause_writing()
        self._time_the_reader()

    def resume_writing(self) -> None:
        """He has read on."""
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None
        super().resume_writing()

    def _time_the_head(self) -> None:
        asked = self.conn.their_state is not h11.IDLE
        # Between two requests uvicorn's own timer runs.
        resting = self.cycle is not None and not self.conn.trailing_data[0]
        if asked or resting:
            if self._asking is not None:
                self._asking.cancel()
                self._asking = None
        elif self._asking is None:
            self._asking = self.loop.call_later(self.head_s, self.transport.abort)

    def _time_the_reader(self) -> None:
        waiting = self.transport.get_write_buffer_size()
        self._reading = self.loop.call_later(self.read_s, self._looked_at, waiting)

    def _looked_at(self, waiting: int) -> None:
        if self.transport.get_write_buffer_size() >= waiting:
            self.transport.abort()
        else:
            self._time_the_reader()
