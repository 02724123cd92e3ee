"""What the fan-out does per listener, and a node per packet of a talker, counted in bytecodes and calls of C.

They are the guard against either growing unseen.

Times depend on the machine and on what else it does; these counts do not. Who makes the fan-out leaner lowers the
limits; who must make it dearer raises them, and says why. Python 3.11 ran 159 and 135 bytecodes when this was written.
"""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from os import urandom
from types import FrameType
from typing import Any, Literal

import pylibsrtp
import pytest

from codec import rtp
from poc_server.media.downlink.slot import Slot
from poc_server.media.relay import Relay
from poc_server.media.settings import MediaSettings
from poc_server.media.shared import Shared
from poc_server.media.wire.sdp import OPUS
from poc_server.media.wire.srtp import Sender, SrtpKeys
from poc_server.media.wire.udp import UdpPort
from tests.media.handmade import SSRC, HandPhone
from tests.media.slots import SPEECH, settle, voice
from tests.media.stage import Watcher, open_edge, until

PACKETS = 3


@dataclass
class Counted:
    bytecodes: int = 0
    c_calls: int = 0


def count(work: Callable[[], None]) -> Counted:
    """How many bytecodes ``work`` runs and how often it calls C."""
    found = Counted()

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        frame.f_trace_opcodes = True
        if event == "opcode":
            found.bytecodes += 1
        return trace

    def profile(_frame: FrameType, event: str, _: Any) -> None:
        found.c_calls += event == "c_call"

    before = sys.gettrace(), sys.getprofile()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before[0])
    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(before[1])
    return found


async def of_audience(listeners: int, way: str) -> Counted:
    """The counts of `PACKETS` packets to ``listeners``, sent for real to a socket of the loopback."""
    kernel: Literal["native", "python"] = "native" if way == "native" else "python"
    settings = MediaSettings(listen=("127.0.0.1",), slice_us=20_000, kernel=kernel)
    shared, port = Shared(settings, lambda: 0), UdpPort.open(settings)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        slots = []
        for _ in range(listeners):
            key, salt = urandom(32), urandom(12)
            profile = pylibsrtp.Policy.SRTP_PROFILE_AEAD_AES_256_GCM
            stream = Sender(SrtpKeys(profile, True, key, salt, key, salt)).stream(77)
            slot = Slot(0, 77, 0)
            if way != "one by one":
                slot.open(stream, red=False)
            else:
                slot.stream = stream
            slot.direct(port.sockets[0], ear.getsockname())
            slots.append(slot)
        route = Relay(shared).begin(1, None, Watcher(), ())
        route.set_audience(tuple(slots))
        route.push(voice(0))
        await settle()
        sent, number = shared.counters.voice_out, 0

        def work() -> None:
            nonlocal number
            for _ in range(PACKETS):
                number += 1
                route.push(voice(number))
                while shared.fanout._jobs:
                    shared.fanout._run()

        found = count(work)
        assert shared.counters.voice_out - sent == 2 * PACKETS * listeners
        port.close()
    return found


@pytest.mark.parametrize(
    ("way", "bytecodes", "c_calls"), [("native", 3, 0.1), ("batches", 175, 5), ("one by one", 150, 5)]
)
async def test_a_packet_costs_no_more_per_listener_than_it_did(way: str, bytecodes: int, c_calls: float) -> None:
    few, many = await of_audience(32, way), await of_audience(96, way)
    each = PACKETS * 64
    assert (many.bytecodes - few.bytecodes) / each <= bytecodes
    assert (many.c_calls - few.c_calls) / each <= c_calls


async def test_a_talkers_packet_costs_no_more_from_its_socket_to_its_listeners_than_it_did() -> None:
    async with open_edge() as edge:
        talker, listener = await HandPhone(edge).connect(), await HandPhone(edge).connect()
        route = edge.relay.begin(1, talker.peer, Watcher(), (Watcher(),))
        route.set_audience(listener.peer.slots)
        talker.send(talker.seal(SPEECH))
        await until(lambda: listener.voice)
        sealing = talker.dtls.sender()
        # Timestamps that hardly move, so that no packet waits for its time.
        packets = iter([sealing.protect(rtp.build(OPUS, 1 + n, 1 + n, SSRC, SPEECH)) for n in range(2 * PACKETS)])
        (local,) = (each for each in edge._port.sockets if each.phones)
        asyncio.get_running_loop().remove_reader(local.fd)

        def work() -> None:
            for _ in range(PACKETS):
                talker.send(next(packets))
                edge._port._readable(local)
                while edge.shared.fanout._jobs:
                    edge.shared.fanout._run()

        sent = edge.counters.voice_out
        found = count(work)
        assert edge.counters.voice_out - sent == 2 * PACKETS
        assert found.bytecodes / PACKETS <= 1_500
        assert found.c_calls / PACKETS <= 48
        talker.close()
        listener.close()
