"""A server of this test's own making: one phone at a time, ICE-lite, DTLS, and an echo of its voice on slot 0."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aioice import stun
from OpenSSL import SSL
from pylibsrtp import Policy, Session
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from groups.vocabulary import DenyCause, Refusal
from loadtest.wire.dtls import Credentials
from signaling.limits import SUBPROTOCOL
from signaling.messages import (
    Answer,
    Error,
    FloorDeny,
    FloorGranted,
    FloorQueued,
    FloorRelease,
    FloorRequest,
    Hello,
    IceRestart,
    Limits,
    Listening,
    Offer,
    Ok,
    Person,
    Welcome,
    decode_client,
    encode,
)

UFRAG, PASSWORD = "lite", "p" * 24
SLOT_SSRC = 4242


class EchoServer:
    """Counts what it saw; ``deaf`` first DTLS datagrams are dropped, ``fingerprint`` can be made a lie."""

    def __init__(self) -> None:
        self.url = ""
        self.deaf = 0
        self.said: list[Any] = []
        self.answers: list[str] = []
        self.ufrag = UFRAG
        self.credentials = Credentials()
        self.fingerprint = self.credentials.fingerprint
        self.floor: list[Any] = []
        self.phones: set[tuple[str, int]] = set()
        self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.udp.setblocking(False)
        self.udp.bind(("127.0.0.1", 0))
        self._tls: SSL.Connection | None = None
        self._in: Session | None = None
        self._out: Session | None = None

    def offer(self) -> str:
        head = ["v=0", "o=- 1 1 IN IP4 0.0.0.0", "s=-", "t=0 0", "a=ice-lite", "a=group:BUNDLE u 0 1"]
        for mid, direction in (("u", "recvonly"), ("0", "sendonly"), ("1", "sendonly")):
            head += [
                "m=audio 9 UDP/TLS/RTP/SAVPF 111 63",
                f"a=mid:{mid}",
                f"a={direction}",
                f"a=ice-ufrag:{self.ufrag}",
                f"a=ice-pwd:{PASSWORD}",
                f"a=fingerprint:sha-256 {self.fingerprint}",
                "a=setup:actpass",
                "a=rtpmap:111 opus/48000/2",
                "a=rtpmap:63 red/48000/2",
                f"a=candidate:1 1 udp 2130706431 127.0.0.1 {self.udp.getsockname()[1]} typ host",
            ]
            if direction == "sendonly":
                head.append(f"a=ssrc:{SLOT_SSRC + int(mid)} cname:poc")
        return "\r\n".join(head) + "\r\n"

    def readable(self) -> None:
        data, address = self.udp.recvfrom(2048)
        if data[0] < 4:
            self._stun(data, address)
        elif data[0] < 64 and self.deaf > 0:
            self.deaf -= 1
        elif data[0] < 64:
            self._dtls(data, address)
        elif self._in is not None and self._out is not None:
            plain = self._in.unprotect(data)
            self.udp.sendto(self._out.protect(plain[:8] + SLOT_SSRC.to_bytes(4, "big") + plain[12:]), address)

    def _stun(self, data: bytes, address: tuple[str, int]) -> None:
        request = stun.parse_message(data)
        if not request.attributes["USERNAME"].startswith(self.ufrag + ":"):
            return
        assert request.check_message_integrity(PASSWORD.encode())
        self.phones.add(address)
        reply = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE, request.transaction_id)
        reply.attributes["XOR-MAPPED-ADDRESS"] = address
        reply.add_message_integrity(PASSWORD.encode())
        self.udp.sendto(bytes(reply), address)

    def _dtls(self, data: bytes, address: tuple[str, int]) -> None:
        if self._tls is None:
            self._tls = SSL.Connection(self.credentials.context, None)
            self._tls.set_accept_state()
            self._tls.set_ciphertext_mtu(1200)
        self._tls.bio_write(data)
        try:
            self._tls.do_handshake()
        except SSL.WantReadError:
            pass
        else:
            keys = self._tls.export_keying_material(b"EXTRACTOR-dtls_srtp", 88)
            profile = Policy.SRTP_PROFILE_AEAD_AES_256_GCM
            self._in = Session(Policy(keys[:32] + keys[64:76], Policy.SSRC_ANY_INBOUND, srtp_profile=profile))
            self._out = Session(Policy(keys[32:64] + keys[76:], Policy.SSRC_ANY_OUTBOUND, srtp_profile=profile))
        try:
            self.udp.sendto(self._tls.bio_read(4096), address)
        except SSL.WantReadError:
            return

    async def talk(self, ws: ServerConnection) -> None:
        with contextlib.suppress(ConnectionClosed):
            await self._talk(ws)

    async def _talk(self, ws: ServerConnection) -> None:
        async for text in ws:
            message = decode_client(text)
            self.said.append(message)
            for reply in self._reply(message):
                await ws.send(encode(reply), text=True)

    def _reply(self, message: Any) -> list[Any]:
        match message:
            case Hello(token="bad"):
                return [Error(id=message.id, code=Refusal.BAD_TOKEN, message="no")]
            case Hello():
                return [self._welcome(message.id)]
            case Answer():
                self.answers.append(message.sdp)
                return [Ok(id=message.id)]
            case IceRestart():
                self.ufrag = "again"
                return [Offer(id=message.id, sdp=self.offer())]
            case FloorRequest(group="busy"):
                self.floor.append(message)
                return [
                    FloorDeny(
                        id=message.id,
                        group="busy",
                        cause=DenyCause.ANOTHER_HAS_FLOOR,
                        code=Refusal.FLOOR_TAKEN,
                        message="busy",
                    )
                ]
            case FloorRequest(group="queue"):
                return [
                    FloorQueued(id=message.id, group="queue", position=1, size=1),
                    FloorGranted(group="queue", burst=9, duration_ms=30_000, from_queue=True),
                ]
            case FloorRequest(group="silent") | Listening():
                return []
            case FloorRequest():
                return [FloorGranted(id=message.id, group=message.group, burst=8, duration_ms=30_000)]
            case FloorRelease():
                return [Ok(id=message.id)]
            case _:
                return [Error(id=message.id, code=Refusal.NOT_ALLOWED, message="no")]

    def _welcome(self, request: str) -> Welcome:
        return Welcome(
            id=request,
            user=Person(id="u1", name="张三"),
            roles=[],
            rights=[],
            groups=[],
            limits=Limits(message_bytes=65_536, messages_per_second=50, listening_expires_ms=5_000, resume_ms=60_000),
            ice_servers=[],
            offer=self.offer(),
            slots=2,
            resume="r",
            server_time_ms=0,
        )


@pytest.fixture
async def echo() -> AsyncIterator[EchoServer]:
    server = EchoServer()
    loop = asyncio.get_running_loop()
    loop.add_reader(server.udp.fileno(), server.readable)
    async with serve(server.talk, "127.0.0.1", 0, subprotocols=[Subprotocol(SUBPROTOCOL)]) as running:
        server.url = f"ws://127.0.0.1:{running.sockets[0].getsockname()[1]}/ws"
        yield server
    loop.remove_reader(server.udp.fileno())
    server.udp.close()
