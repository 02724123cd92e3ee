"""Voice from phone to phone through the edge, with aiortc's full peer connection as the phones."""

from __future__ import annotations

import pytest

from tests.media.stage import Tone, Watcher, open_edge, phones, until

pytestmark = pytest.mark.wire

LOUD = 4_000.0
QUIET = 400.0


async def test_a_talker_is_heard_and_the_burst_is_watched() -> None:
    async with open_edge() as edge, phones(edge, 440.0, 1000.0) as ((talker, talker_peer, _), (listener, peer, _)):
        watcher = Watcher()
        talker.microphone.speaking.set()
        route = edge.relay.begin(1, talker_peer, watcher, (watcher,))
        route.set_audience((peer.slots[0],))
        await until(lambda: listener.ears[0].loudness(440.0) > LOUD)
        assert watcher.started
        assert watcher.packets
        talker.microphone.speaking.clear()
        await until(lambda: watcher.stopped)
        assert watcher.stopped[-1] == watcher.packets[-1].arrived_ms
        route.end()
        await until(lambda: edge.counters.silence_out == 1)
        assert talker.ears[0].loudness(440.0) < QUIET, "the talker does not hear itself"


async def test_without_a_grant_nobody_hears_and_all_is_counted() -> None:
    async with open_edge() as edge, phones(edge, 440.0, 1000.0) as ((talker, _, owner), (listener, _, _)):
        talker.microphone.speaking.set()
        await until(lambda: edge.counters.voice_in >= 25)
        talker.microphone.speaking.clear()
        await owner.hears("without_floor")
        await until(lambda: edge.counters.without_floor == edge.counters.voice_in)
        assert edge.counters.voice_out == 0
        assert listener.ears[0].loudness(440.0) < QUIET


async def test_two_bursts_of_two_talkers_on_one_slot() -> None:
    async with (
        open_edge() as edge,
        phones(edge, 440.0, 1000.0, 700.0) as ((first, first_peer, _), (second, second_peer, _), (listener, peer, _)),
    ):
        for burst, (phone, talker) in enumerate([(first, first_peer), (second, second_peer)]):
            watcher = Watcher()
            route = edge.relay.begin(burst, talker, watcher, (watcher,))
            route.set_audience(peer.slots[:1])
            phone.microphone.speaking.set()
            await until(lambda: listener.ears[0].loudness(phone.microphone.hertz) > LOUD)  # noqa: B023
            phone.microphone.speaking.clear()
            await until(lambda: watcher.stopped)  # noqa: B023
            route.end()
        assert edge.counters.srtp_refused == 0
        await until(lambda: edge.counters.silence_out == 2)


async def test_late_entry_gets_the_last_packet_at_once() -> None:
    async with open_edge() as edge, phones(edge, 440.0, 1000.0) as ((talker, talker_peer, _), (listener, peer, _)):
        watcher = Watcher()
        route = edge.relay.begin(1, talker_peer, watcher, (watcher,))
        route.set_audience(())
        talker.microphone.speaking.set()
        await until(lambda: len(watcher.packets) > 10)
        assert edge.counters.voice_out == 0
        relayed = len(watcher.packets)
        route.set_audience(peer.slots)
        await until(lambda: edge.counters.voice_out >= 2, within=0.2)
        assert len(watcher.packets) <= relayed + 1
        await until(lambda: listener.ears[1].loudness(440.0) > LOUD)


async def test_a_wrong_certificate_is_refused() -> None:
    async with open_edge(handshake_s=5) as edge:
        from tests.media.stage import AiortcPhone, Owner

        phone, owner = AiortcPhone(Tone(440.0)), Owner()
        peer = edge.connect("phone", 1, owner)
        answer = await phone.answer(peer.offer)
        lines = answer.split("\r\n")
        forged = [
            line if not line.startswith("a=fingerprint:") else line.split(" ")[0] + " " + "AB:" * _bytes(line) + "AB"
            for line in lines
        ]
        peer.answer("\r\n".join(forged))
        await owner.hears("gone dtls")
        assert edge.counters.dtls_refused == 1
        assert edge.counters.connected == 0
        await phone.close()


def _bytes(line: str) -> int:
    return line.split(" ")[1].count(":")
