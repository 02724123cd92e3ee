"""What the wire tests of the media plane share: an edge, owners who remember, and aiortc as an independent phone."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import av
import numpy as np
from aiortc import MediaStreamTrack, RTCPeerConnection, RTCSessionDescription

from codec.packet import VoicePacket
from poc_server.media import MediaEdge, MediaSettings, Peer
from poc_server.media.shared import wall_ms

FRAME = 960  # aiortc's encoder takes 20 ms at a time


class Owner:
    """Remembers what it was told, and lets a test wait for it."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self._waiters: list[asyncio.Event] = []

    def media_connected(self) -> None:
        self._tell("connected")

    def media_gone(self, reason: str) -> None:
        self._tell(f"gone {reason}")

    def media_without_floor(self) -> None:
        self._tell("without_floor")

    def _tell(self, what: str) -> None:
        self.told.append(what)
        for one in self._waiters:
            one.set()

    async def hears(self, what: str, within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while what not in self.told:
                event = asyncio.Event()
                self._waiters.append(event)
                await event.wait()
                self._waiters.remove(event)


class Watcher:
    """A burst observer and a tap in one."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.stopped: list[int] = []
        self.packets: list[VoicePacket] = []

    def media_started(self, at_ms: int) -> None:
        self.started.append(at_ms)

    def media_stopped(self, last_packet_ms: int) -> None:
        self.stopped.append(last_packet_ms)

    def voice(self, packet: VoicePacket) -> None:
        self.packets.append(packet)


class Tone(MediaStreamTrack):
    """A microphone that hears a tone of ``hertz`` while ``speaking``; sends nothing at all while it is not."""

    kind = "audio"

    def __init__(self, hertz: float) -> None:
        super().__init__()
        self.hertz = hertz
        self.speaking = asyncio.Event()
        self._at = 0
        self._due = 0.0

    async def recv(self) -> av.AudioFrame:
        if not self.speaking.is_set():
            await self.speaking.wait()
            self._due = 0.0
        loop = asyncio.get_running_loop()
        self._due = self._due or loop.time()
        await asyncio.sleep(max(0.0, self._due - loop.time()))
        self._due += FRAME / 48_000
        sound = self.sound(self._at).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(sound, format="s16", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = 48_000, self._at, fractions.Fraction(1, 48_000)
        self._at += FRAME
        return frame

    def sound(self, at: int) -> np.ndarray:
        """The samples of the frame that begins with this one."""
        return np.sin(2 * np.pi * self.hertz * (at + np.arange(FRAME)) / 48_000) * 12_000


class Speech(Tone):
    """A microphone before which this is said over and over (samples at 48 kHz, 16 bit)."""

    def __init__(self, samples: np.ndarray) -> None:
        super().__init__(0.0)
        self.samples = samples

    def sound(self, at: int) -> np.ndarray:
        return np.take(self.samples, at + np.arange(FRAME), mode="wrap")


class Ear:
    """Decoded sound of one slot: how loud a tone is in what has been heard."""

    def __init__(self, track: MediaStreamTrack) -> None:
        self._track = track
        self._heard: list[np.ndarray] = []
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        while True:
            frame = await self._track.recv()
            samples = frame.to_ndarray().reshape(-1, len(frame.layout.channels))[:, 0]
            self._heard.append(samples.astype(float))

    def sound(self) -> np.ndarray:
        """All that was heard, at 48 kHz; where nothing came there is nothing."""
        return np.concatenate([np.zeros(0), *self._heard])

    def loudness(self, hertz: float) -> float:
        """The strongest that a tone has been in any 100 ms, as an amplitude."""
        sound = self.sound()
        sound = sound[: len(sound) // 4800 * 4800].reshape(-1, 4800)
        wave = np.exp(-2j * np.pi * hertz * np.arange(4800) / 48_000)
        return float(np.max(np.abs(sound @ wave)) / 2400) if len(sound) else 0.0

    def stop(self) -> None:
        self._task.cancel()


class AiortcPhone:
    """An officer's phone made of aiortc's full peer connection: nothing of it is ours."""

    def __init__(self, microphone: Tone) -> None:
        self.pc = RTCPeerConnection()
        self.microphone = microphone
        self.ears: list[Ear] = []
        self.pc.on("track", lambda track: self.ears.append(Ear(track)))

    async def answer(self, offer: str, change: Callable[[str], str] = str) -> str:
        await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        uplink = self.pc.getTransceivers()[0]
        uplink.sender.replaceTrack(self.microphone)
        uplink.direction = "sendonly"
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        return change(self.pc.localDescription.sdp)

    async def close(self) -> None:
        for ear in self.ears:
            ear.stop()
        self.microphone.speaking.set()
        await self.pc.close()


@asynccontextmanager
async def open_edge(**settings: object) -> AsyncIterator[MediaEdge]:
    # Phones count every packet: none but those of bursts, unless a test asks for them.
    edge = await MediaEdge.open(MediaSettings(listen=("127.0.0.1", "::1"), **{"warm_up_ms": 0, **settings}), wall_ms)
    try:
        yield edge
    finally:
        await edge.aclose()


async def until(holds: Callable[[], object], within: float = 10.0) -> None:
    """Wait for what other tasks bring about; looks every 5 ms."""
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
            await asyncio.sleep(0.005)


@asynccontextmanager
async def phones(
    edge: MediaEdge, *hertz: float, slots: int = 2
) -> AsyncIterator[list[tuple[AiortcPhone, Peer, Owner]]]:
    """Connected phones, one per tone."""
    made = []
    try:
        for number, tone in enumerate(hertz):
            owner, phone = Owner(), AiortcPhone(Tone(tone))
            peer = edge.connect(f"phone{number}", slots, owner)
            made.append((phone, peer, owner))
            peer.answer(await phone.answer(peer.offer))
        for _, _, owner in made:
            await owner.hears("connected")
        yield made
    finally:
        for phone, peer, _ in made:
            await phone.close()
            peer.close()
