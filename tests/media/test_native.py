"""The native kernel of the fan-out beside Python: the same packets, each index once, whoever sends.

Real datagrams over the loopback, opened by libsrtp.
"""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field

import pylibsrtp
import pytest

from codec import rtp
from poc_server.media import native
from poc_server.media.downlink.slot import Slot
from poc_server.media.relay import Relay, Route
from poc_server.media.settings import MediaSettings
from poc_server.media.shared import Shared
from poc_server.media.wire.batch import socket_address
from poc_server.media.wire.sdp import OPUS, RED
from poc_server.media.wire.srtp import IndexRepeated, Receiver, Sender, SrtpKeys, Stream
from poc_server.media.wire.udp import UdpPort
from tests.media.slots import over, settle, stepped, voice
from tests.media.stage import Watcher

PROFILES = {
    32: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    16: pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
}


@dataclass
class Listener:
    """A slot and the socket it is sent to."""

    slot: Slot
    ear: socket.socket
    receiver: Receiver
    heard: list[rtp.RtpPacket] = field(default_factory=list)

    def listen(self) -> list[rtp.RtpPacket]:
        """All that came so far. Raises AssertionError for a packet that a phone would refuse."""
        while True:
            try:
                data = self.ear.recv(2048)
            except BlockingIOError:
                return self.heard
            plain = self.receiver.open(data)
            assert plain is not None, "a phone would refuse this packet"
            packet = rtp.parse(plain)
            assert packet is not None
            self.heard.append(packet)


class Street:
    """An edge's fan-out with a kernel of one's choice, and listeners on the loopback."""

    def __init__(self, kernel: str, family: str = "127.0.0.1", key_bytes: int = 32) -> None:
        self.settings = MediaSettings(listen=(family,), slice_us=20_000, kernel=kernel)
        self.shared, self.port = Shared(self.settings, lambda: 0), UdpPort.open(self.settings)
        self.shared._timestamp_origin = 0
        self.key_bytes = key_bytes
        self.listeners: list[Listener] = []

    def listener(self, *, red: bool = False, sequence: int | None = None) -> Listener:
        ear = socket.socket(self.port.sockets[0].family, socket.SOCK_DGRAM)
        ear.bind((self.settings.listen[0], 0))
        ear.setblocking(False)
        key, salt = bytes([len(self.listeners)]) * self.key_bytes, bytes([7]) * 12
        keys = SrtpKeys(PROFILES[self.key_bytes], True, key, salt, key, salt)
        slot = Slot(0, 77, 0)
        if sequence is not None:
            slot.position = type(slot.position)(sequence, 0)
        slot.open(Sender(keys).stream(77), red=red)
        slot.direct(self.port.sockets[0], ear.getsockname())
        self.listeners.append(Listener(slot, ear, Receiver(keys)))
        return self.listeners[-1]

    def begin(self, *heard_by: Listener) -> Route:
        route = Relay(self.shared).begin(1, None, Watcher(), ())
        route.set_audience(tuple(one.slot for one in heard_by))
        return route

    def close(self) -> None:
        for one in self.listeners:
            one.ear.close()
        self.port.close()


@pytest.fixture
def streets() -> Iterator[list[Street]]:
    made: list[Street] = []
    yield made
    for street in made:
        street.close()


def test_the_kernel_was_built() -> None:
    assert native.AVAILABLE, "a C compiler and Python's headers build it: pip install -e ."


@pytest.mark.parametrize("key_bytes", [16, 32])
@pytest.mark.parametrize("family", ["127.0.0.1", "::1"])
@stepped
async def test_a_burst_reaches_everybody_as_phones_expect_it(
    streets: list[Street], family: str, key_bytes: int
) -> None:
    street = Street("native", family, key_bytes)
    streets.append(street)
    listeners = [street.listener() for _ in range(130)]
    route = street.begin(*listeners)
    for number in range(4):
        route.push(voice(number))
        await settle()
    assert street.shared.counters.voice_out == 4 * 130
    for one in listeners:
        heard = one.listen()
        assert [packet.payload for packet in heard] == [voice(number).payload for number in range(4)]
        assert [packet.marker for packet in heard] == [True, False, False, False]
        assert [packet.sequence - heard[0].sequence for packet in heard] == [0, 1, 2, 3]
        assert [packet.timestamp - heard[0].timestamp for packet in heard] == [0, 1920, 3840, 5760]


@pytest.mark.parametrize("seed", range(4))
@stepped
async def test_whoever_sends_the_packets_are_the_same(streets: list[Street], seed: int) -> None:
    """Gaps, reordering, loss that brings frames twice, people who come and go, and the rollover of the number."""
    heard = []
    for kernel in ("native", "python"):
        dice = random.Random(seed)
        street = Street(kernel)
        street.shared.timestamp = lambda: 1_000  # type: ignore[method-assign]
        street.shared.fanout._timestamp = street.shared.timestamp
        streets.append(street)
        all_of_them = [street.listener(red=True, sequence=65_460 + number) for number in range(70)]
        for burst in range(3):
            route = street.begin(*dice.sample(all_of_them, 60))
            numbers = list(range(30))
            for _ in range(5):
                at = dice.randrange(28)
                numbers[at : at + 2] = reversed(numbers[at : at + 2])
            for number in numbers:
                if dice.random() < 0.1:
                    continue
                route.push(voice(100 * burst + number))
                if dice.random() < 0.2:
                    dice.choice(all_of_them).slot.lossy = dice.random() < 0.6
                if dice.random() < 0.2:
                    await settle()
                    route.set_audience(tuple(one.slot for one in dice.sample(all_of_them, 60)))
                await settle()
            route.end()
            await over()
        heard.append([one.listen() for one in all_of_them])
    assert heard[0] == heard[1]
    kinds = {packet.payload_type for packets in heard[0] for packet in packets}
    assert kinds == {OPUS, RED}


@stepped
async def test_an_address_that_cannot_be_reached_holds_nobody_back(streets: list[Street]) -> None:
    street = Street("native")
    streets.append(street)
    before, lost, after = street.listener(), street.listener(), street.listener()
    lost.slot.direct(street.port.sockets[0], ("255.255.255.255", 9))
    route = street.begin(before, lost, after)
    for number in range(3):
        route.push(voice(number))
        await settle()
    assert len(before.listen()) == len(after.listen()) == 3
    assert street.shared.counters.send_refused == 3
    assert street.shared.counters.voice_out == 6


def test_an_index_that_the_kernel_used_is_refused_to_python() -> None:
    assert native.fan is not None
    key = os.urandom(32)
    keys = SrtpKeys(PROFILES[32], True, key, bytes(12), key, bytes(12))
    stream = Sender(keys).stream(5)
    assert isinstance(stream, Stream)
    slot, route = Slot(0, 5, 0), object()
    slot.sealer, slot.route = stream, route
    stream.seal(OPUS, 10, 0, b"first")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        port = ear.getsockname()[1]
        slot.aim(
            ear.fileno(),
            socket.AF_INET.to_bytes(2, "little") + port.to_bytes(2, "big") + bytes([127, 0, 0, 1] + [0] * 8),
        )
        assert native.fan((slot,), 0, route, 11, 0, b"second", OPUS, False, False) == (1, 0, None)
        assert stream.highest == 11
        for index in (10, 11):
            with pytest.raises(IndexRepeated):
                stream.seal(OPUS, index, 0, b"again")
        assert native.fan((slot,), 0, route, 11, 0, b"again", OPUS, False, False) == (0, 0, [slot]), "Python judges it"
        assert native.fan((slot,), 0, route, 13, 0, b"a gap", OPUS, False, False) == (0, 0, [slot])


@pytest.mark.parametrize(
    "wrong",
    [
        ([], 0, None, 0, 0, b"", OPUS, False, False),
        ((object(),), 0, None, 0, 0, b"", OPUS, False, False),
        (tuple(object() for _ in range(64)), 0, None, 0, 0, b"", OPUS, False, False),
        ((), 0, None, "number", 0, b"", OPUS, False, False),
        ((), 0, None, 0, 0, "text", OPUS, False, False),
    ],
)
def test_what_is_not_a_slot_or_a_packet_is_an_error_and_not_a_crash(wrong: tuple[object, ...]) -> None:
    assert native.fan is not None
    with pytest.raises(TypeError):
        native.fan(*wrong)


def test_keys_and_addresses_of_the_wrong_size_are_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        native.Key(b"short")
    with pytest.raises(ValueError, match="bytes"):
        native.Sealer(native.Key(bytes(16)), bytes(11), 1)
    with pytest.raises(TypeError):
        native.Sealer(bytes(16), bytes(12), 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="socket address"):
        native.Line().aim(3, bytes(29))
    with pytest.raises(TypeError):
        native.Line().sealer = object()


def test_who_was_never_given_a_key_seals_nothing() -> None:
    assert native.fan is not None
    slot, route = Slot(0, 5, 0), object()
    slot.sealer, slot.route = native.Sealer.__new__(native.Sealer), route
    slot.aim(0, socket_address(socket.AF_INET, ("127.0.0.1", 9)))
    slot.first = slot.add_sequence = 0
    assert native.fan((slot,) * 10, 0, route, 1, 0, b"voice", OPUS, False, False) == (0, 0, [slot] * 10)


@pytest.mark.parametrize("size", [16, 32])
def test_the_cipher_of_a_phone_that_left_serves_the_next_under_its_own_key_alone(size: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(10)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
            for number in range(200):  # more than are made at once, and none of them stays
                key, salt = os.urandom(size), os.urandom(12)
                keys = SrtpKeys(PROFILES[size], True, key, salt, key, salt)
                sender, route = Sender(keys), object()
                slots = []
                for ssrc in (1, 2):  # two streams of one phone share its cipher
                    stream = sender.stream(ssrc)
                    assert isinstance(stream, Stream)
                    slot = Slot(0, ssrc, 0)
                    slot.sealer = stream
                    slot.route, slot.first, slot.add_sequence = route, 0, 0
                    slot.aim(out.fileno(), socket_address(ear.family, ear.getsockname()))
                    slots.append(slot)
                sent = native.fan(tuple(slots), 0, route, 0, number, b"voice", OPUS, False, False) if native.fan else ()
                assert sent == (2, 0, None)
                receiver = Receiver(keys)
                for _ in slots:
                    plain = receiver.open(ear.recv(2048))
                    assert plain is not None
                    assert plain[12:] == b"voice"
