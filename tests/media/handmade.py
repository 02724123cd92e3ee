"""A phone made by hand, so that a test can send what no phone sends: each datagram is the test's own."""

from __future__ import annotations

import asyncio
import socket
from collections import deque

from pylibsrtp import Session

from codec import rtp
from loadtest.wire.dtls import Credentials, DtlsClient
from loadtest.wire.ice import IceController
from loadtest.wire.sdp import Offer, read_offer, write_answer
from poc_server.media import MediaEdge, Peer
from poc_server.media.wire.rtcp import is_rtcp
from poc_server.media.wire.sdp import OPUS, RED
from tests.media.stage import Owner

SSRC = 4242


class HandPhone:
    """Speaks STUN, DTLS and SRTP only when told to; keeps everything it receives."""

    certificate = Credentials()

    def __init__(self, edge: MediaEdge, slots: int = 1, host: str = "127.0.0.1") -> None:
        self.owner = Owner()
        self.edge = edge
        self.host = host
        self.peer: Peer = edge.connect("by hand", slots, self.owner)
        self.offer: Offer = read_offer(self.peer.offer)
        self.ice = IceController(self.offer.ufrag, self.offer.password)
        self.dtls = DtlsClient(self.certificate, self.offer.fingerprint, self.send)
        self.voice: list[rtp.RtpPacket] = []
        self.reports: list[bytes] = []
        self.stun: deque[bytes] = deque()
        self.asked: list[bytes] = []
        self.receives = True
        """It answers checks: false as if the address on its datagrams were another's."""
        self.raw: list[bytes] = []
        self.sent: list[bytes] = []
        self.says_goodbye = False
        self.sequence = 0
        self._in: Session | None = None
        self._out: Session | None = None
        self.open_socket()

    def open_socket(self) -> None:
        """Go on from another port, as behind a NAT that forgot."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.setblocking(False)
        self.socket.bind((self.host, 0))
        asyncio.get_running_loop().add_reader(self.socket.fileno(), self._readable, self.socket)

    def close_socket(self) -> None:
        asyncio.get_running_loop().remove_reader(self.socket.fileno())
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.sent.append(data)
        self.socket.sendto(data, (self.host, self.edge.port))

    def answer(self, *, red: bool = False) -> str:
        text = write_answer(
            self.offer,
            ufrag=self.ice.ufrag,
            password=self.ice.password,
            fingerprint=self.certificate.fingerprint,
            ssrc=SSRC,
        )
        if red:
            text = text.replace(f"SAVPF {OPUS}", f"SAVPF {OPUS} {RED}").replace(
                f"a=rtpmap:{OPUS} opus/48000/2", f"a=rtpmap:{OPUS} opus/48000/2\r\na=rtpmap:{RED} red/48000/2"
            )
        return text

    async def connect(self, *, red: bool = False) -> HandPhone:
        """The whole way to keys."""
        self.peer.answer(self.answer(red=red))
        await self.check()
        self.dtls.step()
        await self.owner.hears("connected")
        async with asyncio.timeout(5):
            while not self.dtls.connected:  # noqa: ASYNC110 - the last flight is on its way
                await asyncio.sleep(0.001)
        return self

    async def check(self) -> bytes:
        """One connectivity check that nominates, and its answer."""
        before = len(self.stun)
        self.send(self.ice.request())
        async with asyncio.timeout(5):
            while len(self.stun) == before:  # noqa: ASYNC110
                await asyncio.sleep(0.001)
        assert self.ice.answered(self.stun[-1])
        return self.stun[-1]

    def seal(self, payload: bytes, *, sequence: int | None = None, ssrc: int = SSRC, payload_type: int = OPUS) -> bytes:
        """A protected voice packet, not sent."""
        if self._out is None:
            self._out = self.dtls.sender()
        if sequence is None:
            sequence, self.sequence = self.sequence, self.sequence + 1
        return bytes(self._out.protect(rtp.build(payload_type, sequence, sequence * 1920, ssrc, payload)))

    def seal_rtcp(self, packet: bytes) -> bytes:
        if self._out is None:
            self._out = self.dtls.sender()
        return bytes(self._out.protect_rtcp(packet))

    def _readable(self, one: socket.socket) -> None:
        while True:
            try:
                data = one.recv(2048)
            except OSError:
                return
            self.raw.append(data)
            if data[:2] == b"\0\1":
                self.asked.append(data)
                reply = self.ice.reply(data, (self.host, self.edge.port)) if self.receives else None
                if reply is not None:
                    self.send(reply)
            elif data[0] < 4:
                self.stun.append(data)
            elif data[0] < 64:
                self.says_goodbye |= not self.dtls.receive(data)
            else:
                self._protected(data)

    def _protected(self, data: bytes) -> None:
        if self._in is None:
            self._in = self.dtls.receiver()
        if is_rtcp(data):
            self.reports.append(self._in.unprotect_rtcp(data))
            return
        packet = rtp.parse(self._in.unprotect(data))
        assert packet is not None
        self.voice.append(packet)

    def close(self) -> None:
        self.close_socket()
        self.peer.close()
