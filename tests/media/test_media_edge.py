"""What strangers, thieves and bad networks do to the edge, datagram by datagram."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import AsyncIterator

import pytest
from aioice import stun

from codec import red
from loadtest.wire.sdp import read_offer
from poc_server.media import MediaEdge, Peer, SdpRefused
from poc_server.media.wire import rtcp
from poc_server.media.wire.rtcp import ReportBlock
from poc_server.media.wire.sdp import OPUS, RED
from tests.media.handmade import SSRC, HandPhone
from tests.media.slots import FRAME, SPEECH
from tests.media.stage import Owner, Watcher, open_edge, until

pytestmark = pytest.mark.wire


@pytest.fixture
async def edge() -> AsyncIterator[MediaEdge]:
    async with open_edge() as opened:
        yield opened


@pytest.fixture
async def phone(edge: MediaEdge) -> AsyncIterator[HandPhone]:
    made = await HandPhone(edge).connect(red=True)
    yield made
    made.close()


@pytest.fixture
async def listener(edge: MediaEdge) -> AsyncIterator[HandPhone]:
    made = await HandPhone(edge).connect(red=True)
    yield made
    made.close()


async def quiet(phone: HandPhone) -> int:
    """How many datagrams have come once the edge has done all it was given."""
    await phone.check()
    return len(phone.raw)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_voice_over_both_families_from_the_address_that_was_asked(edge: MediaEdge, host: str) -> None:
    phone = await HandPhone(edge, host=host).connect()
    watcher = Watcher()
    route = edge.relay.begin(1, None, watcher)
    route.set_audience(phone.peer.slots)
    talker = await HandPhone(edge, host=host).connect()
    own = edge.relay.begin(2, talker.peer, watcher, (watcher,))
    own.set_audience(phone.peer.slots)
    talker.send(talker.seal(SPEECH))
    await until(lambda: phone.voice)
    assert phone.voice[0].payload == SPEECH
    own.end()
    await until(lambda: len(phone.voice) == 2)
    phone.close()
    talker.close()


async def test_a_stranger_gets_no_answer_whatever_he_sends(edge: MediaEdge, phone: HandPhone) -> None:
    stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    stranger.setblocking(False)
    forged = stun.Message(
        stun.Method.BINDING, stun.Class.REQUEST, attributes={"USERNAME": f"{phone.offer.ufrag}:x", "PRIORITY": 1}
    )
    forged.add_message_integrity(b"guessed-password-0123456")
    unsigned = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    sent = [
        bytes(forged),
        bytes(unsigned),
        b"\x00",
        bytes([22, 254, 253]) + bytes(60),
        phone.seal(SPEECH),
        bytes([0x80, 200]) + bytes(40),
        b"GET / HTTP/1.1",
        b"\xff" * 1500,
    ]
    for data in sent:
        stranger.sendto(data, ("127.0.0.1", edge.port))
    await until(lambda: edge.counters.from_unproven == 3)
    await phone.check()
    with pytest.raises(BlockingIOError):
        stranger.recv(2048)
    assert edge.counters.stun_refused == 3
    assert edge.counters.unclassified == 2
    stranger.close()


async def test_a_captured_check_sent_from_another_address_moves_nothing(edge: MediaEdge, phone: HandPhone) -> None:
    captured = phone.ice.request()
    phone.send(captured)
    await until(lambda: phone.ice.answered(phone.stun[-1]))
    thief = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    thief.setblocking(False)
    refused = edge.counters.stun_refused
    thief.sendto(captured, ("127.0.0.1", edge.port))
    await until(lambda: edge.counters.stun_refused == refused + 1)
    assert edge.counters.migrations == 0
    with pytest.raises(BlockingIOError):
        thief.recv(2048)
    thief.close()


async def test_the_newest_nominated_address_is_followed_without_loss(
    edge: MediaEdge, phone: HandPhone, listener: HandPhone
) -> None:
    route = edge.relay.begin(1, phone.peer, Watcher())
    route.set_audience(listener.peer.slots)
    for number in range(6):
        if number == 3:
            listener.close_socket()
            listener.open_socket()
            await listener.check()
        phone.send(phone.seal(SPEECH + bytes([number])))
        await until(lambda: len(listener.voice) == number + 1)  # noqa: B023
    assert [packet.payload[-1] for packet in listener.voice] == list(range(6))
    assert edge.counters.migrations == 1


async def test_voice_goes_to_no_address_where_its_listener_has_not_answered(
    edge: MediaEdge, phone: HandPhone, listener: HandPhone
) -> None:
    route = edge.relay.begin(1, phone.peer, Watcher())
    route.set_audience(listener.peer.slots)
    first = listener.socket
    listener.open_socket()
    listener.receives = False
    for _ in range(3):
        await listener.check()
    assert len(set(listener.asked[-3:])) == 1, "the same question till it is answered: the answer may be late"
    phone.send(phone.seal(SPEECH))
    await until(lambda: listener.voice)
    assert edge.counters.migrations == 0, "it went to where he was"
    listener.receives = True
    await listener.check()
    await until(lambda: edge.counters.migrations == 1)
    moved, listener.socket = listener.socket, first
    listener.close_socket()
    listener.socket = moved
    phone.send(phone.seal(SPEECH))
    await until(lambda: len(listener.voice) == 2)


async def test_nothing_but_checks_goes_to_an_address_that_does_not_answer(edge: MediaEdge) -> None:
    phone = HandPhone(edge)
    phone.receives = False
    phone.peer.answer(phone.answer())
    await phone.check()
    phone.dtls.step()
    await until(lambda: edge.counters.dtls_in)
    await phone.check()
    assert (len(phone.raw), len(phone.stun), len(phone.asked)) == (4, 2, 2)
    for answer in (b"\x01\x01" + phone.asked[-1][2:], phone.stun[-1]):
        phone.send(answer)
    await until(lambda: edge.counters.stun_refused == 2)
    phone.receives = True
    await phone.check()
    await phone.owner.hears("connected")
    phone.close()


async def test_a_phone_shows_again_and_again_that_it_receives() -> None:
    async with open_edge(consent_s=0.5, report_s=0.1, ask_again_s=0.05) as short:
        phone = await HandPhone(short).connect()
        asked = len(phone.asked)
        while len(phone.asked) < asked + 3:
            await phone.check()
        assert phone.peer.connected
        phone.receives = False
        while not phone.peer.closed:
            answered = len(phone.stun)
            phone.send(phone.ice.request())
            await until(lambda: phone.peer.closed or len(phone.stun) > answered)  # noqa: B023
        assert phone.owner.told == ["connected", "gone consent"]
        phone.close()


async def test_an_ice_restart_keeps_keys_and_moves_when_the_phone_nominates(
    edge: MediaEdge, phone: HandPhone, listener: HandPhone
) -> None:
    route = edge.relay.begin(1, phone.peer, Watcher())
    route.set_audience(listener.peer.slots)
    old = listener.ice
    offer = read_offer(listener.peer.restart_ice())
    assert (offer.ufrag, offer.password) != (listener.offer.ufrag, listener.offer.password)
    assert (offer.fingerprint, offer.slots) == (listener.offer.fingerprint, listener.offer.slots)
    phone.send(phone.seal(SPEECH + b"0"))
    await until(lambda: len(listener.voice) == 1)
    await listener.check()  # the old pair still serves
    listener.close_socket()
    listener.open_socket()
    listener.offer = offer
    listener.ice = type(old)(offer.ufrag, offer.password)
    listener.peer.answer(listener.answer(red=True))
    await listener.check()
    phone.send(phone.seal(SPEECH + b"1"))
    await until(lambda: len(listener.voice) == 2)
    refused = edge.counters.stun_refused
    listener.send(old.request())
    await until(lambda: edge.counters.stun_refused == refused + 1)
    assert listener.owner.told == ["connected"]
    with pytest.raises(SdpRefused):
        listener.peer.answer(listener.answer())


async def test_by_its_session_id_an_offer_is_of_the_path_there_is_or_of_a_new_one(edge: MediaEdge) -> None:
    def session_and_fingerprint(offer: str) -> tuple[str, str]:
        return offer.split("\r\no=", 1)[1].split(" ")[1], read_offer(offer).fingerprint

    peer, other = edge.connect("one", 1, Owner()), edge.connect("two", 1, Owner())
    first = session_and_fingerprint(peer.offer)
    again, new = session_and_fingerprint(peer.restart_ice()), session_and_fingerprint(other.offer)
    assert again == first
    assert new[0] != first[0]
    assert new[1] == first[1], "one certificate a run: it does not tell them apart"


async def test_an_answer_to_a_restart_with_another_certificate_is_refused(phone: HandPhone) -> None:
    phone.offer = read_offer(phone.peer.restart_ice())
    forged = phone.answer().replace(phone.certificate.fingerprint, ":".join(["AB"] * 32))
    with pytest.raises(SdpRefused, match="certificate"):
        phone.peer.answer(forged)
    phone.peer.answer(phone.answer())


async def test_checks_and_hello_that_overtake_the_answer_are_kept(edge: MediaEdge) -> None:
    phone = HandPhone(edge)
    await phone.check()
    phone.dtls.step()
    await until(lambda: edge.counters.dtls_in)
    phone.peer.answer(phone.answer())
    await phone.owner.hears("connected", within=0.5)
    phone.close()


async def test_replayed_and_damaged_voice_is_counted_and_heard_by_nobody(
    edge: MediaEdge, phone: HandPhone, listener: HandPhone
) -> None:
    watcher = Watcher()
    route = edge.relay.begin(1, phone.peer, watcher, (watcher,))
    route.set_audience(listener.peer.slots)
    packet = phone.seal(SPEECH)
    damaged = bytearray(phone.seal(SPEECH))
    damaged[-1] ^= 1
    for data in (packet, packet, bytes(damaged), packet[:11], packet[:12], phone.seal(SPEECH, ssrc=SSRC + 1)):
        phone.send(data)
    phone.send(phone.seal(SPEECH, payload_type=0))
    phone.send(phone.seal(bytes([10 << 3])))
    await until(lambda: edge.counters.bad_voice == 2)
    assert edge.counters.srtp_refused == 4
    assert edge.counters.wrong_ssrc == 1
    assert len(watcher.packets) == 1


async def test_replayed_reports_and_handshakes_change_nothing(edge: MediaEdge, phone: HandPhone) -> None:
    report = phone.seal_rtcp(rtcp.receiver_report(SSRC, ReportBlock(9, 0, 0, 0, 0)))
    before = edge.counters.rtcp_in
    phone.send(report)
    phone.send(report)
    await until(lambda: edge.counters.srtp_refused == 1)
    assert edge.counters.rtcp_in == before + 1
    flights = [data for data in phone.sent if 20 <= data[0] < 64]
    assert len(flights) >= 2
    for data in flights:
        phone.send(data)
    await phone.check()
    phone.send(phone.seal(SPEECH))
    await until(lambda: edge.counters.voice_in == 1)
    assert (phone.owner.told, edge.counters.handshakes, edge.counters.dtls_refused) == (["connected"], 1, 0)


async def test_the_uplink_s_source_is_learned_from_the_first_voice_if_the_answer_names_none(edge: MediaEdge) -> None:
    phone = HandPhone(edge)
    without = "\r\n".join(line for line in phone.answer().split("\r\n") if not line.startswith("a=ssrc"))
    phone.peer.answer(without)
    await phone.check()
    phone.dtls.step()
    await phone.owner.hears("connected")
    await until(lambda: phone.dtls.connected)
    phone.send(phone.seal(SPEECH, ssrc=9))
    await until(lambda: edge.counters.voice_in == 1)
    phone.send(phone.seal(SPEECH, ssrc=10))
    await until(lambda: edge.counters.wrong_ssrc == 1)
    phone.close()


async def test_a_phone_without_consent_is_gone(edge: MediaEdge) -> None:
    async with open_edge(consent_s=0.3, report_s=0.1) as short:
        phone = await HandPhone(short).connect()
        never = HandPhone(short)
        await phone.owner.hears("gone consent")
        await never.owner.hears("gone consent")
        assert not phone.peer.connected
        await until(lambda: phone.says_goodbye)
        assert (short.counters.consent_lost, short.counters.connected) == (2, 0)
        assert not short._phones
        assert not any(one.phones for one in short._port.sockets)
        with pytest.raises(SdpRefused):
            never.peer.answer(never.answer())
        phone.close()
        never.close()


async def test_goodbye_of_the_phone_ends_its_path(edge: MediaEdge, phone: HandPhone) -> None:
    phone.dtls.close()
    await phone.owner.hears("gone closed")
    assert edge.counters.connected == 0


async def test_closing_a_peer_tells_the_phone_and_nobody_else(edge: MediaEdge, phone: HandPhone) -> None:
    phone.peer.close()
    await until(lambda: phone.says_goodbye)
    assert phone.owner.told == ["connected"]
    phone.peer.close()
    assert phone.peer.closed
    assert phone.peer.restart_ice() == phone.peer.offer
    assert not edge._phones


async def test_a_listener_who_reports_loss_gets_each_frame_twice_till_it_is_over(edge: MediaEdge) -> None:
    async with open_edge(red_hold_s=0.3, report_s=0.1) as quick:
        phone = await HandPhone(quick).connect()
        lossy = await HandPhone(quick).connect(red=True)
        other = await HandPhone(quick).connect(red=True)
        plain = await HandPhone(quick).connect()
        slots = tuple(one.peer.slots[0] for one in (lossy, other, plain))
        route = quick.relay.begin(1, phone.peer, Watcher())
        route.set_audience(slots)
        for one, lost in ((lossy, 6), (other, 5), (plain, 255)):
            block = ReportBlock(one.peer.slots[0].ssrc, lost, 1, 1, 0)
            one.send(one.seal_rtcp(rtcp.receiver_report(SSRC, block)))
        await until(lambda: quick.counters.rtcp_in == 3)
        for number in range(2):
            phone.send(phone.seal(SPEECH + bytes([number])))
        await until(lambda: all(len(one.voice) == 2 for one in (lossy, other, plain)))
        assert [packet.payload_type for packet in lossy.voice] == [OPUS, RED]
        assert red.parse(lossy.voice[1].payload, OPUS) == red.RedPacket(
            SPEECH + b"\x01", (red.Block(FRAME, SPEECH + b"\x00"),)
        )
        assert [packet.payload_type for packet in other.voice] == [OPUS, OPUS], "1.95 % is less than 2 %"
        assert [packet.payload_type for packet in plain.voice] == [OPUS, OPUS], "it did not take RED"
        await until(lambda: not slots[0].lossy)
        phone.send(phone.seal(SPEECH))
        await until(lambda: len(lossy.voice) == 3)
        assert lossy.voice[2].payload_type == OPUS
        for one in (phone, lossy, other, plain):
            one.close()


async def test_reports_go_to_the_talker_and_to_listeners() -> None:
    async with open_edge(report_s=0.1, sender_report_s=0.1) as quick:
        phone, listener = await HandPhone(quick).connect(), await HandPhone(quick).connect()
        route = quick.relay.begin(1, phone.peer, Watcher())
        route.set_audience(listener.peer.slots)
        for number in (0, 1, 3):
            phone.send(phone.seal(SPEECH, sequence=number))
        await until(lambda: phone.reports and listener.reports)
        talkers = rtcp.parse(phone.reports[-1])
        assert talkers is not None
        assert [(block.ssrc, block.fraction_lost, block.total_lost) for block in talkers.blocks] == [(SSRC, 64, 1)]
        listeners = rtcp.parse(listener.reports[-1])
        assert listeners is not None
        assert listeners.sender is not None
        assert listeners.sender.ssrc == listener.peer.slots[0].ssrc
        phone.close()
        listener.close()


async def test_a_phone_at_rest_is_looked_at_seldom_and_one_who_speaks_at_each_interval() -> None:
    async with open_edge(report_s=0.1, sender_report_s=60.0) as quick:
        phone, rests = await HandPhone(quick).connect(), await HandPhone(quick).connect()
        looks: list[Peer] = []
        tick = Peer.tick

        def noted(peer: Peer, now: float) -> float:
            looks.append(peer)
            return tick(peer, now)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Peer, "tick", noted)
            quick.relay.begin(1, phone.peer, Watcher())
            for number in range(3):
                phone.send(phone.seal(SPEECH))
                await until(lambda number=number: len(phone.reports) > number)
        assert looks.count(phone.peer) >= 3
        assert looks.count(rests.peer) <= 2, "after it came, and when its handshake is long over"
        phone.close()
        rests.close()


async def test_many_phones_that_are_due_together_do_not_hold_the_loop() -> None:
    async with open_edge(slice_us=100, report_s=0.1) as edge:
        peers = [edge.connect(f"phone{number}", 1, Owner()) for number in range(30)]
        looked: list[int] = []  # turns of the loop in which phones were looked at
        turn = 0
        tick = Peer.tick

        def noted(peer: Peer, now: float) -> float:
            looked.append(turn)
            busy_until = edge.shared.loop.time() + 60e-6  # as long as a report takes
            while edge.shared.loop.time() < busy_until:
                pass
            return tick(peer, now)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Peer, "tick", noted)
            async with asyncio.timeout(10):
                while len(looked) < len(peers):
                    turn += 1
                    await asyncio.sleep(0)
        assert max(looked.count(each) for each in set(looked)) <= 2
        for peer in peers:
            peer.close()


async def test_damaged_rtcp_is_counted(edge: MediaEdge, phone: HandPhone) -> None:
    sealed = phone.seal_rtcp(rtcp.receiver_report(SSRC, ReportBlock(1, 2, 3, 4, 5)))
    phone.send(sealed[:-1])
    phone.send(phone.seal_rtcp(b"\x85\xc9\x00\x01" + bytes(4)))
    await until(lambda: edge.counters.bad_rtcp == 1)
    assert edge.counters.srtp_refused == 1


async def test_packets_too_large_for_a_batch_are_sent_too(
    edge: MediaEdge, phone: HandPhone, listener: HandPhone
) -> None:
    route = edge.relay.begin(1, phone.peer, Watcher())
    route.set_audience(listener.peer.slots)
    sizes = [256, 257, 1200, 40]
    for number, size in enumerate(sizes):
        phone.send(phone.seal(bytes([10 << 3]) + bytes(size - 1)))
        await until(lambda: len(listener.voice) == number + 1)  # noqa: B023
    assert [len(packet.payload) for packet in listener.voice] == sizes


async def test_a_full_send_buffer_drops_and_counts(edge: MediaEdge, phone: HandPhone) -> None:
    for one in edge._port.sockets:
        one.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 0)
    slots = [HandPhone(edge) for _ in range(3)]
    for other in slots:
        await other.connect()
    route = edge.relay.begin(1, phone.peer, Watcher())
    route.set_audience(tuple(other.peer.slots[0] for other in slots))
    # Port 0 is an address the kernel refuses: the others must not suffer from it.
    slots[1].peer.slots[0].direct(edge._port.sockets[0], ("127.0.0.1", 0))
    phone.send(phone.seal(SPEECH))
    await until(lambda: edge.counters.voice_out == 2)
    assert edge.counters.send_refused == 1
    await until(lambda: slots[0].voice and slots[2].voice)
    for other in slots:
        other.close()


@pytest.mark.parametrize(("slots", "fine"), [(0, False), (1, True), (16, True), (17, False)])
async def test_so_many_slots_and_no_more(edge: MediaEdge, slots: int, fine: bool) -> None:
    if fine:
        assert len(edge.connect("x", slots, Owner()).slots) == slots
    else:
        with pytest.raises(ValueError, match="slots"):
            edge.connect("x", slots, Owner())


async def test_random_datagrams_from_a_proven_address_disturb_no_neighbour(
    edge: MediaEdge, phone: HandPhone, listener: HandPhone
) -> None:
    hostile = await HandPhone(edge).connect()
    route = edge.relay.begin(1, phone.peer, Watcher())
    route.set_audience(listener.peer.slots)
    dice = random.Random(2)
    local = edge._port.sockets[0]
    address = hostile.socket.getsockname()
    templates = [hostile.ice.request(), hostile.seal(SPEECH), bytes([22, 254, 253]) + bytes(60)]
    loop = asyncio.get_running_loop()
    failures: list[object] = []
    loop.set_exception_handler(lambda _, context: failures.append(context))
    for number in range(20_000):
        data = bytearray(dice.choice(templates)) if dice.random() < 0.7 else bytearray(dice.randbytes(60))
        for _ in range(dice.randint(1, 4)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        edge.datagram(bytes(data[: dice.randint(1, len(data))]), address, local)
        if number % 1000 == 0:
            phone.send(phone.seal(SPEECH))
            await until(lambda: len(listener.voice) == number // 1000 + 1)  # noqa: B023
    assert not failures
    hostile.close()
