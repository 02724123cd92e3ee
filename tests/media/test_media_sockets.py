"""The edge's sockets and addresses: drops, buffers, one port everywhere, what phones are told, whose an address is."""

from __future__ import annotations

import socket

import pytest

from poc_server.media import MediaEdge, MediaSettings
from poc_server.media.shared import wall_ms
from poc_server.media.wire.udp import UdpPort, machine_addresses
from tests.media.handmade import HandPhone
from tests.media.slots import SPEECH
from tests.media.stage import open_edge, until

pytestmark = pytest.mark.wire


async def test_the_kernel_s_drops_are_counted() -> None:
    async with open_edge(socket_buffer_bytes=65_536) as small:
        stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        for _ in range(2_000):  # the loop has no turn meanwhile, so nothing is read
            stranger.sendto(b"x" * 1000, ("127.0.0.1", small.port))
        stranger.close()
        assert small.counters.kernel_drops > 100
        await until(lambda: small.counters.datagrams_in + small.counters.kernel_drops == 2_000)


async def test_buffers_are_asked_for_and_what_was_granted_is_known() -> None:
    async with open_edge(socket_buffer_bytes=65_536) as edge:
        assert edge.buffer_bytes == 65_536
    async with open_edge(socket_buffer_bytes=1 << 30) as edge:
        assert 65_536 <= edge.buffer_bytes < 1 << 30


async def test_one_port_on_every_address_of_the_machine() -> None:
    port = UdpPort.open(MediaSettings(loopback=True))
    assert {one.port for one in port.sockets} == {port.port}
    assert [one.host for one in port.sockets] == machine_addresses(loopback=True)
    with pytest.raises(OSError, match="in use"):
        UdpPort.open(MediaSettings(loopback=True, port=port.port))
    port.close()


async def test_an_address_the_machine_has_lost_is_told_to_no_phone_and_serves_those_who_are_there() -> None:
    has = ["127.0.0.1", "127.0.0.2"]
    edge = await MediaEdge.open(MediaSettings(warm_up_ms=0), wall_ms, addresses=lambda: list(has))
    assert edge.candidates() == [("127.0.0.1", edge.port), ("127.0.0.2", edge.port)]
    phone = await HandPhone(edge, host="127.0.0.2").connect()
    has[:] = ["127.0.0.1", "127.0.0.3"]
    edge.follow_addresses()
    assert edge.candidates() == [("127.0.0.1", edge.port), ("127.0.0.3", edge.port)]
    await phone.check()  # a floating address that flickers cuts nobody off
    phone.peer.close()
    edge.follow_addresses()
    has.append("127.0.0.2")
    edge.follow_addresses()
    again = await HandPhone(edge, host="127.0.0.2").connect()
    has.clear()
    edge.follow_addresses()
    assert len(edge.candidates()) == 3, "a machine that has lost all gets some back"
    phone.close()
    again.close()
    await edge.aclose()


async def test_an_address_is_another_s_only_when_he_answers_there() -> None:
    """Anybody can write another's address on a check of his own; where a NAT has given it away, he receives there."""
    async with open_edge() as edge:
        phone, thief = await HandPhone(edge).connect(), HandPhone(edge)
        thief.peer.answer(thief.answer())
        asked = len(phone.asked)
        phone.send(thief.ice.request())  # it comes from the address of ``phone``
        await until(lambda: len(phone.asked) == asked + 1)
        phone.send(phone.seal(SPEECH))
        await until(lambda: edge.counters.voice_in == 1)
        await phone.check()
        assert thief.peer._path is None
        reply = thief.ice.reply(phone.asked[-1], ("127.0.0.1", edge.port))
        assert reply is not None
        phone.send(reply)
        phone.send(phone.seal(SPEECH))
        await until(lambda: edge.counters.srtp_refused == 1)
        assert thief.peer._path is not None
        phone.close()
        thief.close()


async def test_addresses_told_to_phones_are_configuration() -> None:
    async with open_edge(announce=("203.0.113.5", "2001:db8::5")) as edge:
        phone = HandPhone(edge)
        assert phone.offer.candidates == (("203.0.113.5", edge.port), ("2001:db8::5", edge.port))
        phone.close()
