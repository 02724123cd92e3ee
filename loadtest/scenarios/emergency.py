"""An SOS over a talker, and a leader's emergency call to everybody: how long until the last one knows and hears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from loadtest.fleet import Fleet
from loadtest.mark import Mark
from loadtest.phone import Phone
from loadtest.result import CannotRun, Progress, Result, fleet_figures
from loadtest.scenarios.crowd import AT_ONCE, all_ready, fleet_for
from loadtest.server import Target
from loadtest.speech import Recording, recording
from loadtest.stats import Series
from signaling.messages import BroughtIn, EmergencyCall, EmergencyCancel, Recipients, Sos, SosCancel

PATIENCE_S: Final = 30.0
TALK_S: Final = 1.0
BEFORE_S: Final = 1.0
"""Somebody talks for so long before the leader calls, as a measure for what comes then."""
BESIDE_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class EmergencyOptions:
    """``phones`` called at once, so many ``alerts`` and ``calls`` one after another."""

    phones: int = 1000
    alerts: int = 10
    calls: int = 5


@dataclass(slots=True)
class _People:
    leader: Phone
    dispatcher: Phone
    officer: Phone
    talker: Phone
    group: str


@dataclass(slots=True)
class _Beside:
    """What became of a burst in another group meanwhile, relay times in ms."""

    before: Series = field(default_factory=Series)
    during: Series = field(default_factory=Series)
    asked_ns: int | None = None
    """When the call was asked for; None while there is none."""

    def heard(self, mark: Mark, stamp: int) -> None:
        """One packet of it came."""
        series = self.before if self.asked_ns is None or mark.sent_ns < self.asked_ns else self.during
        series.add((stamp - mark.sent_ns) / 1e6)


async def run(target: Target, options: EmergencyOptions, progress: Progress) -> Result:
    """Raises `CannotRun`.

    ``sos_ms``: key → first packet of the officer's voice at a dispatcher, a frame of speech (40 ms) among it, while
    another talks in his group. ``alert_ms``: the leader's message → the last phone knows. ``voice_ms``: his first
    packet → the last phone's first packet. ``beside_ms``: how long the packets of one who talks in a group of his own
    took to another there, before such a call (``before``) and while all slots of all phones are worked out anew for it
    (``during``): asked → heard by the last.
    """
    people = target.identities[: options.phones]
    if len(people) < options.phones:
        raise CannotRun(f"{len(people)} identities, {options.phones} phones are asked for")
    speech = recording("zh-report")
    sos_ms, alert_ms, voice_ms, online = Series(), Series(), Series(), 0
    beside = _Beside()
    async with fleet_for(target) as fleet:
        phones = fleet.make(people, closely_every=1 if options.phones <= 50 else 50)
        all_ready(await fleet.connect(phones, at_once=AT_ONCE, progress=progress))
        cast = await _cast(phones)
        # Marks are read by who listens closely; the dispatcher must, wherever he stands in the list.
        cast.dispatcher.voice.closely = cast.officer.voice.closely = True
        fleet.settle()
        for number in range(options.alerts):
            sos_ms.add(await _sos(fleet, cast, speech, f"{number}-{time.time_ns()}"))
            progress("alerts", number + 1, options.alerts)
        for number in range(options.calls):
            alert, voice, online = await _call(fleet, cast, speech, f"{number}-{time.time_ns()}", beside)
            alert_ms.add(alert)
            voice_ms.add(voice)
            progress("calls", number + 1, options.calls)
        notes: list[str] = []
        figures: dict[str, Any] = {
            "phones": online,
            "sos_ms": sos_ms.summary(),
            "alert_ms": alert_ms.summary(),
            "voice_ms": voice_ms.summary(),
            "beside_ms": {"before": beside.before.summary(), "during": beside.during.summary()},
            "fleet": fleet_figures(fleet, notes),
        }
        series = {
            "SOS heard, ms": sos_ms,
            "call known everywhere, ms": alert_ms,
            "call heard everywhere, ms": voice_ms,
            "voice of others before a call, ms": beside.before,
            "voice of others during a call, ms": beside.during,
        }
        return Result(figures, series, notes)


async def _cast(phones: list[Phone]) -> _People:
    def one(role: str, right: str) -> Phone:
        for phone in phones:
            if phone.welcome is not None and role in phone.welcome.roles and right in phone.welcome.rights:
                return phone
        raise CannotRun(f"nobody is a {role} who may {right}")

    leader, dispatcher = one("leader", "emergency_call"), one("dispatcher", "alerts")
    officers = [p for p in phones if p.welcome is not None and p.welcome.roles == ["officer"]]
    for officer in officers:
        for talker in officers:
            shared = [g for g in officer.identity.talks if talker is not officer and g in talker.identity.talks]
            if shared:
                await officer.select(shared[0])
                await talker.select(shared[0])
                return _People(leader, dispatcher, officer, talker, shared[0])
    raise CannotRun("no two officers talk in one group")


async def _sos(fleet: Fleet, cast: _People, speech: Recording, name: str) -> float:
    fleet.air.begin(cast.talker.number, cast.talker.presses + 1, cast.group)
    other = asyncio.create_task(fleet.speaker.speak(cast.talker, cast.group, speech, seconds=TALK_S * 10))
    loop = asyncio.get_running_loop()
    heard: asyncio.Future[int] = loop.create_future()

    def marked(_slot: int, mark: Mark, stamp: int) -> None:
        if mark.phone == cast.officer.number and mark.burst == cast.officer.presses and not heard.done():
            heard.set_result(stamp)

    before, cast.dispatcher.voice.on_mark = cast.dispatcher.voice.on_mark, marked
    try:
        await _on_air(cast.talker)
        pressed_ns = time.time_ns()
        sos = Sos(id=f"sos-{name}", alert=f"lt-{name}", pressed_ms=pressed_ns // 1_000_000, group=cast.group)
        fleet.air.begin(cast.officer.number, cast.officer.presses + 1, cast.group)
        cast.officer.link.send(sos)
        await fleet.speaker.speak(cast.officer, cast.group, speech, seconds=TALK_S)
        async with asyncio.timeout(PATIENCE_S):
            stamp = await heard
    except TimeoutError:
        raise CannotRun("an SOS was not heard") from None
    finally:
        cast.dispatcher.voice.on_mark = before
    await other
    await cast.officer.request(SosCancel(id=f"cancel-{name}", alert=f"lt-{name}"))
    return (stamp - pressed_ns) / 1e6


async def _on_air(phone: Phone) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while phone.press is None or not phone.press.granted:  # noqa: ASYNC110 - the press is made by another task
            await asyncio.sleep(0.01)
    await asyncio.sleep(0.2)


async def _call(fleet: Fleet, cast: _People, speech: Recording, name: str, beside: _Beside) -> tuple[float, float, int]:
    """The two times in ms, and how many phones were called."""
    officer = cast.officer.voice
    before, officer.on_mark = officer.on_mark, partial(_marked_by, cast.talker, beside)
    fleet.air.begin(cast.talker.number, cast.talker.presses + 1, cast.group)
    talking = asyncio.create_task(fleet.speaker.speak(cast.talker, cast.group, speech, seconds=BESIDE_S))
    try:
        await _on_air(cast.talker)
        await asyncio.sleep(BEFORE_S)
        return await _called(fleet, cast, speech, name, beside)
    finally:
        beside.asked_ns, officer.on_mark = None, before
        talking.cancel()
        await asyncio.gather(talking, return_exceptions=True)


def _marked_by(talker: Phone, beside: _Beside, _slot: int, mark: Mark, stamp: int) -> None:
    if (mark.phone, mark.burst) == (talker.number, talker.presses):
        beside.heard(mark, stamp)


async def _called(
    fleet: Fleet, cast: _People, speech: Recording, name: str, beside: _Beside
) -> tuple[float, float, int]:
    call = f"lt-{name}"
    others = [phone for phone in fleet.phones if phone is not cast.leader]
    known, stop = _all_of(others, partial(_on_brought, call=call))
    beside.asked_ns = asked_ns = time.time_ns()
    started, _ = await cast.leader.request(EmergencyCall(id=call, call=call, to=Recipients(everyone=True)), PATIENCE_S)
    alert_ns = await _last(known, "were not told of the call")
    stop()
    heard = [_next_packet(phone) for phone in others]
    first_ns = time.time_ns() + speech.frame_ms * 1_000_000  # as a microphone does, one frame after the key
    fleet.air.begin(cast.leader.number, cast.leader.presses + 1, started.group.id)
    await fleet.speaker.speak(cast.leader, started.group.id, speech, seconds=TALK_S)
    voice_ns = await _last(heard, "did not hear the call")
    await cast.leader.request(EmergencyCancel(id=f"end-{name}", group=started.group.id))
    return (alert_ns - asked_ns) / 1e6, (voice_ns - first_ns) / 1e6, len(others)


def _on_brought(message: object, *, call: str) -> bool:
    return isinstance(message, BroughtIn) and message.call == call


def _all_of(
    phones: list[Phone], wanted: Callable[[object], bool]
) -> tuple[list[asyncio.Future[int]], Callable[[], None]]:
    """When each phone first got a wanted message, and what ends the watching."""
    futures = []
    for phone in phones:
        future: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        phone.on_message = partial(_note, future, wanted)
        futures.append(future)

    def stop() -> None:
        for phone in phones:
            phone.on_message = None

    return futures, stop


def _note(future: asyncio.Future[int], wanted: Callable[[object], bool], message: object, stamp: int) -> None:
    if not future.done() and wanted(message):
        future.set_result(stamp)


def _next_packet(phone: Phone) -> asyncio.Future[int]:
    future: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def came(_slot: int, stamp: int) -> None:
        future.set_result(stamp)

    phone.voice.on_next_packet = came
    return future


async def _last(futures: list[asyncio.Future[int]], failed: str) -> int:
    done, waiting = await asyncio.wait(futures, timeout=PATIENCE_S)
    if waiting:
        raise CannotRun(f"{len(waiting)} of {len(futures)} phones {failed}")
    return max(future.result() for future in done)
