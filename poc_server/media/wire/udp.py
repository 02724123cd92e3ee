"""One UDP port for all phones: a socket per address of this machine, all on the same port number.

A socket of its own per address, and not one for all, because a reply must leave from the very address that was asked:
a phone drops what comes from another. With the address bound there is nothing to look up per packet.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import socket
import struct
from collections.abc import Callable
from typing import Any

import ifaddr

from poc_server.media.settings import MediaSettings
from poc_server.media.wire.batch import Batch

Address = tuple[Any, ...]
"""As the socket gives it: (host, port) for IPv4, (host, port, flow, scope) for IPv6."""

MAX_DATAGRAM_BYTES = 2048
MAX_ADDRESSES = 64
_BIND_ATTEMPTS = 32

_SO_MEMINFO = 55
_MEMINFO = struct.Struct("9I")
_MEMINFO_DROPS = 8


class LocalSocket:
    """One bound address. ``phones`` finds who sends by the address where he has shown that he receives.

    ``asked``: who last said that he is at an address, and has yet to show it. What he sends is taken, for it proves
    itself; nothing but connectivity checks and their answers goes there.
    """

    __slots__ = ("asked", "batch", "family", "fd", "followers", "here", "host", "phones", "port", "socket")

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.here = True
        """The machine has the address; one that went may come back, and the socket serves it then."""
        self.family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(self.family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        try:
            if self.family == socket.AF_INET6:
                self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            self.socket.bind((host, port))
        except OSError:
            self.socket.close()
            raise
        self.port: int = self.socket.getsockname()[1]
        self.fd = self.socket.fileno()
        self.phones: dict[Address, Any] = {}
        self.asked: dict[Address, Any] = {}
        self.followers = 0
        """Phones whose voice goes by here: as long as there are any it stays open."""
        self.batch = Batch(self.fd)

    def size_buffers(self, wanted: int) -> int:
        """Ask for ``wanted`` bytes in each direction; the smaller of what the kernel granted."""
        granted = wanted
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self.socket.setsockopt(socket.SOL_SOCKET, option, wanted)
            # The kernel doubles what it grants for its own bookkeeping and reports the doubled figure.
            granted = min(granted, self.socket.getsockopt(socket.SOL_SOCKET, option) // 2)
        return granted

    def kernel_drops(self) -> int:
        """Datagrams the kernel dropped on this socket since it was opened, for want of buffer."""
        raw = self.socket.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        return int(_MEMINFO.unpack(raw)[_MEMINFO_DROPS]) if len(raw) == _MEMINFO.size else 0


Received = Callable[[bytes, Address, LocalSocket], None]
Addresses = Callable[[], list[str]]


def machine_addresses(*, loopback: bool) -> list[str]:
    """Every address of this machine a phone could reach: IPv4 first, no link-local ones, loopback only on request."""
    found = [
        ipaddress.ip_address(ip.ip if isinstance(ip.ip, str) else ip.ip[0])
        for adapter in ifaddr.get_adapters()
        for ip in adapter.ips
    ]
    usable = [
        address
        for address in found
        if not (address.is_link_local or address.is_multicast or address.is_unspecified)
        and (loopback or not address.is_loopback)
    ]
    usable.sort(key=lambda address: (address.is_loopback, address.version))
    return list(dict.fromkeys(str(address) for address in usable))[:MAX_ADDRESSES]


class UdpPort:
    """The sockets of the node. Datagrams go to ``received``, at most ``read_batch`` per wake-up and socket."""

    def __init__(self, sockets: list[LocalSocket], granted: int, settings: MediaSettings, addresses: Addresses) -> None:
        self._addresses = addresses
        self.sockets = sockets
        self.port = sockets[0].port
        self.buffer_bytes = granted
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._received: Received | None = None

    @classmethod
    def open(cls, settings: MediaSettings, addresses: Addresses | None = None) -> UdpPort:
        """Bind every address that is to be listened on to one port number; ``addresses`` tells those of the machine.

        Raises:
            OSError: no address, or the port is taken.
        """
        addresses = addresses or (lambda: machine_addresses(loopback=settings.loopback))
        hosts = list(settings.listen) or addresses()
        if not hosts:
            # A machine without network still serves itself.
            hosts = machine_addresses(loopback=True)
        sockets = _bind_all(hosts, settings.port)
        granted = min(one.size_buffers(settings.socket_buffer_bytes) for one in sockets)
        return cls(sockets, granted, settings, addresses)

    def start(self, received: Received) -> None:
        """Read from now on."""
        self._received = received
        for one in self.sockets:
            self._loop.add_reader(one.fd, self._readable, one)

    def hosts(self) -> list[str]:
        """The addresses phones can be told: those there are, or were when there are none."""
        return [one.host for one in self.sockets if one.here] or [one.host for one in self.sockets]

    def follow_addresses(self) -> None:
        """Bind what the machine has got meanwhile (DHCP, a floating address), and tell of no address that it has lost.

        The socket of a lost one is closed when no phone's voice goes by there any more. A machine that has lost all is
        taken to get some back.
        """
        here = [] if self._settings.listen else self._addresses()
        if not here:
            return
        for one in self.sockets:
            one.here = one.host in here
        for host in here:
            if not any(one.host == host for one in self.sockets):
                self._bind(host)
        if not any(one.here for one in self.sockets):
            return
        for gone in [one for one in self.sockets if not one.here and not one.followers]:
            self.sockets.remove(gone)
            self._loop.remove_reader(gone.fd)
            gone.socket.close()

    def _bind(self, host: str) -> None:
        try:
            one = LocalSocket(host, self.port)
        except OSError:
            return  # gone again, or another has the port there: asked anew the next time
        one.size_buffers(self._settings.socket_buffer_bytes)
        self.sockets.append(one)
        if self._received is not None:
            self._loop.add_reader(one.fd, self._readable, one)

    def kernel_drops(self) -> int:
        """Datagrams the kernel dropped on all sockets since they were opened."""
        return sum(one.kernel_drops() for one in self.sockets)

    def close(self) -> None:
        """Stop reading and give the port back."""
        for one in self.sockets:
            self._loop.remove_reader(one.fd)
            one.socket.close()
        self.sockets = []

    def _readable(self, one: LocalSocket) -> None:
        received, recvfrom = self._received, one.socket.recvfrom
        if received is None:
            return
        for _ in range(self._settings.read_batch):
            try:
                data, address = recvfrom(MAX_DATAGRAM_BYTES)
            except OSError:  # BlockingIOError: all read; anything else ends this batch too, the loop calls again
                return
            if data:
                received(data, address, one)


def _bind_all(hosts: list[str], port: int) -> list[LocalSocket]:
    for attempt in range(_BIND_ATTEMPTS):
        sockets: list[LocalSocket] = []
        try:
            for host in hosts:
                sockets.append(LocalSocket(host, port or (sockets[0].port if sockets else 0)))
        except OSError as error:
            for one in sockets:
                one.socket.close()
            # A port the system chose for the first address may be taken on the next: choose again.
            if port == 0 and error.errno == errno.EADDRINUSE and attempt + 1 < _BIND_ATTEMPTS:
                continue
            raise
        return sockets
    raise OSError(errno.EADDRINUSE, "no free port")
