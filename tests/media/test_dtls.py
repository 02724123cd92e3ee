"""DTLS in memory against aiortc's own client; and the guard over the private names `dtls.py` lives on."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable

import aiortc.rtcdtlstransport as theirs
import pytest
from aiortc import RTCCertificate, RTCDtlsParameters, RTCDtlsTransport
from OpenSSL import SSL

from poc_server.media.wire import dtls
from poc_server.media.wire.dtls import DtlsRefused, DtlsSession, HandshakeGate, Identity


def test_the_private_names_of_aiortc_are_still_there() -> None:
    """Fails loudly when aiortc changes under `dtls.py`: read its source again before moving the version on."""
    transport = RTCDtlsTransport
    assert list(inspect.signature(RTCCertificate._create_ssl_context).parameters) == ["self", "srtp_profiles"]
    for name in ("_setup_srtp", "_write_ssl", "_set_role", "_set_state", "_do_handshake", "_recv_next"):
        assert callable(getattr(transport, name)), name
    for name, parameters in {
        "_setup_srtp": ["self"],
        "_write_ssl": ["self"],
        "_set_role": ["self", "role"],
        "_set_state": ["self", "state"],
        "_validate_peer_identity": ["self", "remoteParameters"],
        "start": ["self", "remoteParameters"],
    }.items():
        assert list(inspect.signature(getattr(transport, name)).parameters) == parameters, name
    source = inspect.getsource(transport)
    for use in (
        "self._write_ssl()",
        "self._setup_srtp()",
        "self._validate_peer_identity(remoteParameters)",
        "self.transport._recv()",
        "self._ssl.bio_write(data)",
        'self.emit("statechange")',
        "self._task = asyncio.ensure_future(self.__run())",
        "self.__local_certificate._create_ssl_context(",
    ):
        assert use in source, use
    assert {"CONNECTED", "FAILED", "CLOSED"} <= set(theirs.State.__members__)
    profile = theirs.SRTP_PROFILES[0]
    assert (profile.key_length, profile.salt_length) == (32, 12)
    assert profile.get_key_and_salt(bytes(range(88)), 1) == bytes(range(32, 64)) + bytes(range(76, 88))
    assert dtls.PROFILES[0] == "SRTP_AEAD_AES_256_GCM"


class Wire:
    """Two ends in memory; a test may look at, lose or repeat what the server sends."""

    role = "controlling"

    def __init__(self) -> None:
        self.identity = Identity()
        self.closed: list[bool] = []
        self.from_server: list[bytes] = []
        self.from_client: list[bytes] = []
        self.lose = 0
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self.server = DtlsSession(self.identity.certificate, self._to_client, self._closed)
        self.certificate = RTCCertificate.generateCertificate()
        self.client = RTCDtlsTransport(self, [self.certificate])  # type: ignore[arg-type]
        self.client._set_role("client")

    def _to_client(self, data: bytes) -> None:
        self.from_server.append(data)
        if self.lose:
            self.lose -= 1
        else:
            self._queue.put_nowait(data)

    def _closed(self, proven: bool) -> None:
        self.closed.append(proven)

    async def _recv(self) -> bytes:
        return await self._queue.get()

    async def _send(self, data: bytes) -> None:
        self.from_client.append(data)
        self.server.deliver(data)

    @property
    def fingerprints(self) -> tuple[tuple[str, str], ...]:
        return tuple((one.algorithm, one.value) for one in self.certificate.getFingerprints())

    async def connect(self) -> dtls.SrtpKeys:
        parameters = RTCDtlsParameters(fingerprints=self.identity.certificate.getFingerprints())
        client = asyncio.ensure_future(self.client.start(parameters))
        keys = await self.server.handshake("server", self.fingerprints, 5.0)
        await client
        return keys


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    made = Wire()
    yield made
    made.server.close()
    await made.client.stop()
    await asyncio.sleep(0)


async def happens(what: Callable[[], object]) -> None:
    """Let tasks run till ``what`` holds; nothing here waits for a clock."""
    for _ in range(1000):
        if what():
            return
        await asyncio.sleep(0)
    raise AssertionError("did not happen")


async def test_both_ends_come_to_the_same_keys(wire: Wire) -> None:
    keys = await wire.connect()
    assert keys.gcm
    assert (len(keys.send_key), len(keys.send_salt)) == (32, 12)
    view = wire.client._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 88)  # type: ignore[union-attr]
    assert keys.receive_key + keys.send_key + keys.receive_salt + keys.send_salt == view


async def test_the_other_way_round(wire: Wire) -> None:
    wire.client._set_role("server")
    parameters = RTCDtlsParameters(fingerprints=wire.identity.certificate.getFingerprints())
    client = asyncio.ensure_future(wire.client.start(parameters))
    keys = await wire.server.handshake("client", wire.fingerprints, 5.0)
    await client
    view = wire.client._ssl.export_keying_material(b"EXTRACTOR-dtls_srtp", 88)  # type: ignore[union-attr]
    assert keys.send_key + keys.receive_key + keys.send_salt + keys.receive_salt == view


async def test_a_client_hello_that_comes_again_is_answered_at_once_with_the_same_flight(wire: Wire) -> None:
    wire.lose = 1
    loop = asyncio.get_running_loop()
    connecting = asyncio.ensure_future(wire.connect())
    await happens(lambda: wire.from_server)
    again = loop.time()
    wire.server.deliver(wire.from_client[0])
    assert wire.from_server[1] == wire.from_server[0]
    await connecting
    assert loop.time() - again < 0.5, "OpenSSL's own timer would have taken a second"


async def test_a_flight_is_not_sent_again_without_end(wire: Wire) -> None:
    wire.lose = 10_000
    connecting = asyncio.ensure_future(wire.connect())
    await happens(lambda: wire.from_server)
    for _ in range(dtls.MAX_RESENT_FLIGHTS):
        assert wire.server.deliver(wire.from_client[0])
    assert not wire.server.deliver(wire.from_client[0])
    assert len(wire.from_server) == 1 + dtls.MAX_RESENT_FLIGHTS
    connecting.cancel()


async def test_the_second_fragment_of_a_repeated_hello_is_not_answered_again(wire: Wire) -> None:
    await wire.connect()
    wire.server._done = False
    sent = len(wire.from_server)
    second = bytearray(wire.from_client[0])
    second[21] = 200
    assert wire.server.deliver(bytes(second))
    assert len(wire.from_server) == sent


async def test_early_datagrams_are_kept_till_the_handshake_begins(wire: Wire) -> None:
    parameters = RTCDtlsParameters(fingerprints=wire.identity.certificate.getFingerprints())
    client = asyncio.ensure_future(wire.client.start(parameters))
    await happens(lambda: wire.from_client)
    await wire.server.handshake("server", wire.fingerprints, 5.0)
    await client


async def test_so_many_early_datagrams_are_kept_and_no_more(wire: Wire) -> None:
    for _ in range(dtls.MAX_EARLY_DATAGRAMS):
        assert wire.server.deliver(bytes([22]) + bytes(40))
    assert not wire.server.deliver(bytes([22]) + bytes(40))
    assert not Wire().server.deliver(bytes([22]) + bytes(dtls.MAX_DTLS_BYTES))
    assert Wire().server.deliver(bytes([22]) + bytes(dtls.MAX_DTLS_BYTES - 1))


async def test_another_certificate_than_the_answer_named_is_refused(wire: Wire) -> None:
    wire.certificate = RTCCertificate.generateCertificate()
    with pytest.raises(DtlsRefused):
        await wire.connect()


async def test_one_wrong_fingerprint_among_right_ones_is_refused(wire: Wire) -> None:
    right = dict(wire.fingerprints)
    forged = tuple((right | {"sha-384": "AB:" * 47 + "AB"}).items())
    parameters = RTCDtlsParameters(fingerprints=wire.identity.certificate.getFingerprints())
    client = asyncio.ensure_future(wire.client.start(parameters))
    with pytest.raises(DtlsRefused):
        await wire.server.handshake("server", forged, 5.0)
    await client


async def test_a_handshake_ends_after_its_time(wire: Wire) -> None:
    wire.server.deliver(bytes([22, 254, 255]) + bytes(40))
    with pytest.raises(DtlsRefused, match="TimeoutError"):
        await wire.server.handshake("server", wire.fingerprints, 0.05)


async def test_goodbye_of_the_phone_is_told_once(wire: Wire) -> None:
    await wire.connect()
    await wire.client.stop()
    await happens(lambda: wire.closed)
    assert wire.closed == [True]


async def test_goodbye_of_the_server_reaches_the_phone(wire: Wire) -> None:
    await wire.connect()
    wire.server.close()
    await happens(lambda: wire.client.state == "closed")
    assert wire.client.state == "closed"
    assert wire.closed == [], "one who closes is not told of it"


async def test_a_settled_session_has_no_tls_state_and_still_says_goodbye(wire: Wire) -> None:
    await wire.connect()
    before = len(wire.from_server)
    wire.server.settle()
    wire.server.settle()
    assert wire.server._transport is None
    assert len(wire.from_server) == before
    wire.server.close()
    await happens(lambda: wire.client.state == "closed")
    wire.server.close()
    assert len(wire.from_server) == before + 1


async def test_goodbye_to_a_settled_session_is_a_doubt(wire: Wire) -> None:
    await wire.connect()
    wire.server.settle()
    assert wire.server.deliver(bytes([23, 254, 253, 0, 1]) + bytes(30))
    assert wire.server.deliver(bytes([21, 254, 253, 0, 0]) + bytes(30)), "not of an encrypted epoch: anybody's"
    assert wire.closed == []
    await wire.client.stop()
    assert wire.closed == [False]


async def test_a_session_does_not_settle_before_its_keys(wire: Wire) -> None:
    wire.server.settle()
    await wire.connect()


def test_one_tls_context_serves_all_phones_and_keeps_no_sessions() -> None:
    identity = Identity()
    profiles = theirs.SRTP_PROFILES
    context = identity.certificate._create_ssl_context(profiles)
    assert identity.certificate._create_ssl_context(profiles) is context
    assert context.set_session_cache_mode(SSL.SESS_CACHE_OFF) == SSL.SESS_CACHE_OFF


def test_a_certificate_is_renewed_before_it_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = Identity()
    first = identity.certificate
    assert identity.certificate is first
    monkeypatch.setattr(dtls, "RENEW_BEFORE", dtls.RENEW_BEFORE * 10)
    assert identity.certificate is not first


async def test_the_gate_lets_few_datagrams_through_per_turn() -> None:
    gate, through = HandshakeGate(2), []
    for number in range(5):
        assert gate.enter(through.append, bytes([number]))
    seen = []
    for _ in range(4):
        await asyncio.sleep(0)
        seen.append(len(through))
    assert seen == [2, 4, 5, 5]
    assert through == [bytes([number]) for number in range(5)]
    assert gate.enter(through.append, b"again")
    await asyncio.sleep(0)
    assert through[-1] == b"again"


async def test_the_gate_holds_so_many_and_no_more() -> None:
    gate = HandshakeGate(1)
    for _ in range(HandshakeGate.MAX_WAITING):
        assert gate.enter(len, b"")
    assert not gate.enter(len, b"")
    gate._waiting.clear()


def record(size: int) -> bytes:
    return bytes([22, 254, 253]) + bytes(8) + size.to_bytes(2, "big") + bytes(size)


def test_a_flight_is_cut_between_records() -> None:
    one, two, three = record(500), record(600), record(300)
    assert dtls.cut(b"") == []
    assert dtls.cut(one) == [one]
    assert dtls.cut(one + two) == [one + two]
    assert dtls.cut(one + two + three) == [one + two, three]
    assert dtls.cut(record(2000) + one) == [record(2000), one]
    exact = record(dtls.MTU - len(one) - dtls.RECORD_HEADER_BYTES)
    assert dtls.cut(one + exact) == [one + exact]
    assert dtls.cut(one + exact + record(0)) == [one + exact, record(0)]
