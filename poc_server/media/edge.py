"""The media edge of a node: all its phones on one UDP port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from poc_server.media.counters import MediaCounters
from poc_server.media.paths import Ask, Path
from poc_server.media.peer import Peer, PeerOwner
from poc_server.media.relay import Relay
from poc_server.media.rounds import Rounds
from poc_server.media.settings import MediaSettings
from poc_server.media.shared import Shared
from poc_server.media.wire import ice
from poc_server.media.wire.ice import Credentials, IceLite
from poc_server.media.wire.udp import Address, Addresses, LocalSocket, UdpPort

LOOKS = 10
"""Per report interval, for phones that are due."""
FOLLOW_ADDRESSES_EVERY_S = 10.0


class MediaEdge:
    """Binds the port, tells datagrams apart (RFC 7983), finds the phone they belong to."""

    def __init__(self, shared: Shared, port: UdpPort) -> None:
        self.shared = shared
        self.relay = Relay(shared)
        self._port = port
        self.asked: dict[bytes, Ask] = {}
        """Checks of ours that wait for their answer, by transaction."""
        self._phones: dict[bytes, tuple[IceLite, Peer]] = {}
        self._rounds: Rounds[Peer] = Rounds()
        self._voice = 0
        self._follow_at = shared.loop.time() + FOLLOW_ADDRESSES_EVERY_S
        self._timer: asyncio.TimerHandle | None = None
        self._goes_on: asyncio.Handle | None = None

    @classmethod
    async def open(
        cls, settings: MediaSettings, clock: Callable[[], int], addresses: Addresses | None = None
    ) -> MediaEdge:
        """Bind the port and serve. ``clock`` is floor control's, in ms; ``addresses`` tells those of the machine.

        Raises:
            OSError: the port cannot be bound.
        """
        shared = Shared(settings, clock)
        edge = cls(shared, UdpPort.open(settings, addresses))
        edge._port.start(edge.datagram)
        edge._tick()
        return edge

    @property
    def port(self) -> int:
        """The UDP port of all phones."""
        return self._port.port

    @property
    def kernel(self) -> str:
        """Who carries voice to audiences: ``native`` code or ``python``."""
        return self.shared.kernel

    @property
    def counters(self) -> MediaCounters:
        """What came in, went out, and was dropped."""
        self.shared.counters.kernel_drops = self._port.kernel_drops()
        return self.shared.counters

    @property
    def buffer_bytes(self) -> int:
        """What the kernel granted of ``socket_buffer_bytes``; less than asked for is worth a warning."""
        return self._port.buffer_bytes

    def quiet_s(self) -> float:
        """For how many seconds nobody has spoken and no phone has connected; exact to a fraction of ``report_s``."""
        return self.shared.quiet_s()

    def connect(self, key: str, slots: int, owner: PeerOwner) -> Peer:
        """A new phone with ``slots`` slots. Send it `Peer.offer`.

        Raises:
            ValueError: more slots than ``max_slots``, or none.
        """
        if not 1 <= slots <= self.shared.settings.max_slots:
            raise ValueError("slots")
        peer = Peer(self, key, slots, owner)
        self.look_after(peer, self.shared.loop.time() + self.shared.settings.report_s)
        return peer

    async def aclose(self) -> None:
        """Say goodbye to all phones and give the port back."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._goes_on is not None:
            self._goes_on.cancel()
            self._goes_on = None
        for peer in tuple(self._rounds):
            peer.close()
        await asyncio.sleep(0)
        self._port.close()

    def follow_addresses(self) -> None:
        """Serve on the addresses the machine has now; called by itself every ten seconds."""
        self._port.follow_addresses()

    # --- what peers call --------------------------------------------------------------------------------------

    def candidates(self) -> list[tuple[str, int]]:
        """Where phones are told to send."""
        hosts = self.shared.settings.announce or self._port.hosts()
        return [(host, self.port) for host in hosts]

    def new_ice(self, peer: Peer) -> IceLite:
        """Fresh credentials by which ``peer`` is found."""
        fresh = Credentials.fresh()
        while fresh.ufrag.encode() in self._phones:
            fresh = Credentials.fresh()
        made = IceLite(fresh)
        self._phones[fresh.ufrag.encode()] = (made, peer)
        return made

    def forget_ice(self, old: IceLite) -> None:
        """These credentials find nobody any more."""
        self._phones.pop(old.local.ufrag.encode(), None)

    def forget(self, peer: Peer, *credentials: IceLite | None) -> None:
        """``peer`` is closed."""
        for one in credentials:
            if one is not None:
                self.forget_ice(one)
        self._rounds.forget(peer)

    def look_after(self, peer: Peer, at: float) -> None:
        """Call its `Peer.tick` at ``at`` of the loop's clock, unless that is to be done sooner."""
        self._rounds.want(peer, at)

    # --- datagrams --------------------------------------------------------------------------------------------

    def datagram(self, data: bytes, address: Address, local: LocalSocket) -> None:
        """Whatever arrived: tell apart by its first byte (RFC 7983 §7)."""
        counters = self.shared.counters
        counters.datagrams_in += 1
        first = data[0]
        if 128 <= first < 192:
            peer: Peer | None = local.phones.get(address) or local.asked.get(address)
            if peer is None:
                counters.from_unproven += 1
            else:
                peer.protected(data)
        elif first < 4:
            self._stun(data, address, local)
        elif 20 <= first < 64:
            self._dtls(data, address, local)
        else:
            counters.unclassified += 1

    def _stun(self, data: bytes, address: Address, local: LocalSocket) -> None:
        counters = self.shared.counters
        counters.stun_in += 1
        request = ice.parse_request(data)
        if request is None:
            self._stun_answer(data, (local, address))
            return
        found = self._phones.get(request.ours)
        if found is None or not found[1].check(found[0], request, local, address):
            counters.stun_refused += 1

    def _stun_answer(self, data: bytes, path: Path) -> None:
        answer = ice.parse_answer(data)
        ask = self.asked.get(answer.transaction) if answer is not None else None
        if answer is None or ask is None or not ask.phone.answered(ask, answer, path):
            self.shared.counters.stun_refused += 1

    def _dtls(self, data: bytes, address: Address, local: LocalSocket) -> None:
        counters = self.shared.counters
        counters.dtls_in += 1
        peer: Peer | None = local.phones.get(address) or local.asked.get(address)
        if peer is None:
            counters.from_unproven += 1
        elif peer.connected:
            peer.dtls(data)
        elif not self.shared.gate.enter(peer.dtls, data):
            counters.dtls_overflow += 1

    def _tick(self) -> None:
        loop, settings = self.shared.loop, self.shared.settings
        self._timer = loop.call_later(settings.report_s / LOOKS, self._tick)
        now = loop.time()
        if self._goes_on is None:
            self._make_rounds()
        voice = self.shared.counters.voice_in + self.shared.counters.voice_out
        if voice != self._voice:
            self._voice = voice
            self.shared.busy(now)
        self.shared.trimmer.tick(self.shared.quiet_s())
        if now >= self._follow_at:
            self._follow_at = now + FOLLOW_ADDRESSES_EVERY_S
            self.follow_addresses()

    def _make_rounds(self) -> None:
        """In slices, as the fan-out: all who came together, or hear the same burst, are due together."""
        loop, settings = self.shared.loop, self.shared.settings
        now = loop.time()
        until, soonest = now + settings.slice_us / 1e6, now + settings.report_s / LOOKS
        self._goes_on = None
        while (peer := self._rounds.due(now)) is not None:
            again = soonest
            try:
                again = peer.tick(now)
            finally:
                if not peer.closed:
                    self.look_after(peer, max(again, soonest))
            if loop.time() >= until:
                self._goes_on = loop.call_soon(self._make_rounds)
                return
