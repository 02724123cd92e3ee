"""Many phones in many groups talk as people do; some walk from group to group and enter late."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from loadtest.fleet import Fleet
from loadtest.identity import Identity
from loadtest.mark import Mark
from loadtest.phone import Phone, PhoneFailed
from loadtest.press import Outcome
from loadtest.result import Progress, Result, fleet_figures, server_figures
from loadtest.scenarios.crowd import AT_ONCE, all_ready, calm, fleet_for, in_one_group, share_out
from loadtest.server import Target
from loadtest.speech import names, recording
from loadtest.stats import Series
from loadtest.traffic import LONGEST_BURST_S, Traffic

ROAMERS_PER_GROUP: Final = 1
ROAM_PAUSE_S: Final = (0.5, 2.0)
ENTRY_TIMEOUT_S: Final = 1.0
"""Who hears nothing for so long after selecting a group on air is counted with this time."""
STILL_ON_AIR_NS: Final = 250_000_000
"""The burst must have been heard by others for so long after, else it ended just then and nobody is to blame."""
ON_AIR_NS: Final = 70_000_000
"""A group is on air when somebody heard it so recently."""
SETTLE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class TalkOptions:
    """``crowd`` more phones listen to one talker who never pauses, in the largest group; they are in no other figure.

    ``seed`` makes who talks when repeatable, as far as the clock allows.
    """

    phones: int = 500
    groups: int = 50
    seconds: float = 60.0
    closely_every: int = 10
    traffic: Traffic = field(default_factory=Traffic)
    seed: int = 1
    crowd: int = 0


class Talk:
    """One run: the conversations of all groups, the walks between them, and what they measured."""

    def __init__(self, fleet: Fleet, options: TalkOptions) -> None:
        self._fleet = fleet
        self._traffic = options.traffic
        self._seconds = options.seconds
        self._random = random.Random(options.seed)
        self.access_ms = Series()
        self.late_entry_ms = Series()
        self.outcomes: Counter[Outcome] = Counter()
        self.sent = 0
        self._entering: dict[Phone, tuple[tuple[int, int], asyncio.Future[int]]] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._until = 0.0
        fleet.on_mark = self._hear

    async def run(self, groups: dict[str, list[Phone]], roamers: list[Phone]) -> None:
        """Talk for the time of the options; the last bursts end in their own time."""
        self._until = asyncio.get_running_loop().time() + self._seconds
        walks = [self._roam(phone, [g for g in phone.identity.talks if g in groups]) for phone in roamers]
        await asyncio.gather(*(self._converse(group, phones) for group, phones in groups.items()), *walks)
        await asyncio.gather(*self._background)

    def stop(self) -> None:
        """No burst begins any more; the last ones end in their own time."""
        self._until = 0.0

    # --- talking ------------------------------------------------------------------------------------------------------

    async def _converse(self, group: str, phones: list[Phone]) -> None:
        traffic, source, loop = self._traffic, self._random, asyncio.get_running_loop()
        await self._pause(source.uniform(0, traffic.pause_s))
        while loop.time() < self._until:
            session_end = loop.time() + traffic.time(traffic.session_s, source)
            talker: Phone | None = None
            while loop.time() < self._until and (talker is None or loop.time() < session_end):
                talker = self._free(phones, talker)
                if talker is None:
                    break
                seconds = traffic.burst(source)
                if source.random() < traffic.contention:
                    self._spawn(self._butt_in(group, phones, talker, source.uniform(0.1, seconds)))
                await self._burst(talker, group, seconds)
                await self._pause(traffic.time(traffic.turn_s, source))
            await self._pause(traffic.time(traffic.pause_s, source))

    async def _butt_in(self, group: str, phones: list[Phone], talker: Phone, after: float) -> None:
        await self._pause(after)
        phone = self._free(phones, talker)
        if phone is not None and asyncio.get_running_loop().time() < self._until:
            await self._burst(phone, group, self._traffic.burst(self._random))

    def _free(self, phones: list[Phone], but: Phone | None) -> Phone | None:
        able = [phone for phone in phones if phone.press is None and phone.gone is None and phone is not but]
        return self._random.choice(able) if able else None

    async def _burst(self, phone: Phone, group: str, seconds: float) -> None:
        self._fleet.air.begin(phone.number, phone.presses + 1, group)
        patience = self._traffic.time(self._traffic.patience_s, self._random)
        speech = recording(self._random.choice(names()))
        spoken = await self._fleet.speaker.speak(phone, group, speech, seconds=seconds, patience_s=patience)
        press = spoken.press
        self.sent += spoken.packets
        self.outcomes[press.outcome or Outcome.FAILED] += 1
        if press.access_ms is not None:
            self.access_ms.add(press.access_ms)

    # --- walking ------------------------------------------------------------------------------------------------------

    async def _roam(self, phone: Phone, groups: list[str]) -> None:
        loop = asyncio.get_running_loop()
        while loop.time() < self._until:
            await self._pause(self._random.uniform(*ROAM_PAUSE_S))
            here = phone.selected or ""
            if self._on_air(here):
                continue  # its tail would be heard after the select, and be no entry
            choices = [group for group in groups if group != here and self._on_air(group)]
            if choices:
                await self._enter(phone, self._random.choice(choices))

    async def _enter(self, phone: Phone, group: str) -> None:
        heard: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        _, *burst = self._fleet.air.last_heard[group]
        self._entering[phone] = ((burst[0], burst[1]), heard)
        asked = time.time_ns()
        try:
            await phone.select(group)
            async with asyncio.timeout(ENTRY_TIMEOUT_S):
                self.late_entry_ms.add((await heard - asked) / 1e6)
        except TimeoutError:
            stamp, *last = self._fleet.air.last_heard[group]
            if last == burst and stamp > asked + STILL_ON_AIR_NS:
                self.late_entry_ms.add(ENTRY_TIMEOUT_S * 1000)
        except PhoneFailed as problem:
            self._fleet.dropped.append(str(problem))
        finally:
            self._entering.pop(phone, None)

    def _on_air(self, group: str) -> bool:
        return time.time_ns() - self._fleet.air.last_heard.get(group, (0,))[0] < ON_AIR_NS

    def _hear(self, phone: Phone, mark: Mark, stamp: int) -> None:
        entering = self._entering.get(phone)
        repeated = False
        if entering is not None and not entering[1].done() and (mark.phone, mark.burst) == entering[0]:
            entering[1].set_result(stamp)
            repeated = True
        self._fleet.air.note(mark, stamp, repeated=repeated)

    # --- helpers ------------------------------------------------------------------------------------------------------

    async def _pause(self, seconds: float) -> None:
        # Never nothing: a group in which nobody may press would otherwise keep the loop from all others.
        await asyncio.sleep(min(max(0.02, seconds), max(0.0, self._until - asyncio.get_running_loop().time())))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


async def run(target: Target, options: TalkOptions, progress: Progress) -> Result:
    """Raises `CannotRun`."""
    crowd, crowd_group, others = _crowd(target.identities, options.crowd)
    shares = share_out(others, options.groups, options.phones)
    for name in names():
        recording(name)
    idle = target.cost()
    async with fleet_for(target) as fleet:
        groups = {group: fleet.make(people, closely_every=options.closely_every) for group, people in shares.items()}
        listeners = fleet.make(crowd, closely_every=max(1, len(crowd)))
        await bring_up(fleet, {**groups, crowd_group: listeners}, options.phones + len(crowd), progress)
        fleet.settle()
        await calm(target, len(fleet.phones))
        roamers = _roamers(groups)
        talkers = {group: [p for p in phones if p not in roamers] for group, phones in groups.items()}
        talk = Talk(fleet, options)
        heard, lost, before = fleet.packets_heard(), fleet.packets_lost(), target.cost()
        began = asyncio.get_running_loop().time()
        beside = [asyncio.create_task(_tell(progress, options.seconds))]
        if listeners:
            beside.append(asyncio.create_task(_hold_forth(fleet, listeners[0], crowd_group)))
        try:
            await talk.run(talkers, roamers)
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
        await asyncio.sleep(SETTLE_S)
        delivered = fleet.packets_heard() - heard
        notes = [] if roamers else ["No phone is a member of two of these groups: late entry was not measured."]
        figures = {
            "phones": options.phones,
            "seconds": round(asyncio.get_running_loop().time() - began, 2),
            "access_ms": talk.access_ms.summary(),
            "relay_ms": fleet.air.relay_ms.summary(),
            "late_entry_ms": talk.late_entry_ms.summary(),
            "outcomes": {outcome.value: talk.outcomes[outcome] for outcome in Outcome},
            "sent": talk.sent,
            "delivered": delivered,
            "lost": fleet.packets_lost() - lost,
            "double_talk": fleet.air.double_talk(),
            "server": server_figures(before, target.cost(), delivered, idle, options.phones + len(crowd)),
            "fleet": fleet_figures(fleet, notes),
        }
        series = {
            "access, ms": talk.access_ms,
            "relay, ms": fleet.air.relay_ms,
            "late entry, ms": talk.late_entry_ms,
            "fleet sends late, ms": fleet.speaker.late_ms,
        }
        return Result(figures, series, notes)


def _crowd(identities: Sequence[Identity], size: int) -> tuple[list[Identity], str, list[Identity]]:
    """The crowd, its group, and everybody else without that group."""
    if not size:
        return [], "", list(identities)
    group, crowd = in_one_group(identities, size)
    taken = {identity.user for identity in crowd}
    others = [
        identity.model_copy(update={"talks_in": tuple(g for g in identity.talks if g != group)})
        for identity in identities
        if identity.user not in taken
    ]
    return crowd, group, others


async def _hold_forth(fleet: Fleet, phone: Phone, group: str) -> None:
    """Talk without end, a burst after the other."""
    while True:
        fleet.air.begin(phone.number, phone.presses + 1, group)
        await fleet.speaker.speak(phone, group, recording("zh-report"), seconds=LONGEST_BURST_S)


async def bring_up(fleet: Fleet, groups: dict[str, list[Phone]], count: int, progress: Progress) -> None:
    """Connect all phones, each with its group selected. Raises `CannotRun`."""
    ready = 0

    def note(what: str, _done: float, _of: float) -> None:
        nonlocal ready
        ready += 1
        progress(what, ready, count)

    for group, phones in groups.items():
        all_ready(await fleet.connect(phones, at_once=AT_ONCE, progress=note, then=group))


def _roamers(groups: dict[str, list[Phone]]) -> list[Phone]:
    """Closely listening phones that are members of several of the groups; each group keeps two others of its own."""
    found = []
    for phones in groups.values():
        able = [p for p in phones[1:] if p.closely and sum(g in groups for g in p.identity.talks) > 1]
        found += able[: max(0, min(ROAMERS_PER_GROUP, len(phones) - 2))]
    return found


async def _tell(progress: Progress, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    start = loop.time()
    while True:
        progress("talking", min(seconds, loop.time() - start), seconds)
        await asyncio.sleep(0.25)
