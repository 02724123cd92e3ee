"""``make chaos``: phones talk on two nodes while nodes and Redis fail; a checker reads what was granted and heard.

Every second phone comes as a page does, to the port of both nodes, and is where its group is; the others are on any.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from loadtest.identity import Identity
from loadtest.mark import Mark
from loadtest.phone import Phone, PhoneFailed
from loadtest.press import Press
from loadtest.priority import before_others
from loadtest.speech import recording
from loadtest.wire.dtls import Credentials
from loadtest.wire.link import LinkFailed
from loadtest.wire.reactor import Reactor
from signaling.messages import FloorIdle, FloorRelease
from tests.support.city import City, running_city
from tests.support.handsets import read_links_file
from tests.support.redis import RedisServer, running_redis
from tools.chaos import checker
from tools.chaos.checker import ENOUGH_PACKETS, Verdict
from tools.chaos.schedule import Event, Fault, length, schedule
from tools.chaos.seen import Back, Granted, Heard, Idle, Killed, Paused, Spoken, Unanswered

GROUPS = 3
PHONES_PER_GROUP = 4
FRAME_S = 0.04
COME_S, AGAIN_S = 4.0, 0.2
"""A phone lets a node so long take it in, and tries the next one so much later."""
RECORDED_S = 45.0
"""So long a record may wait on disk for a node that was started again."""
DEFAULTS = {"POC_FABRIC__TIMEOUT_MS": "300", "POC_FABRIC__LEASE_MS": "2000"}
"""Tests are more patient than the product is."""
ANSWER_S = 5.0
"""So long a key waits for the floor, which others may have."""


class Caller:
    """One phone that talks now and then, and comes back wherever a node takes it."""

    def __init__(self, chaos: Chaos, number: int, identity: Identity, group: str) -> None:
        self.chaos, self.number, self.identity, self.group = chaos, number, identity, group
        self.rng = random.Random(chaos.seed * 1_000 + number)
        self.phone: Phone | None = None
        self.node = 0
        self.lost = asyncio.Event()
        self.holds: int | None = None
        """The burst it was granted and has not released on a socket that lived."""
        self.spoken, self.pressed = 0, 0.0

    async def run(self) -> None:
        while True:
            try:
                phone = await self._connected()
                await self._pause(self.rng.expovariate(1 / 2.5))
                if phone.gone is not None:
                    continue
                self.pressed = self.chaos.now()
                press = phone.press_key(self.group)
                async with asyncio.timeout(ANSWER_S):
                    await press.settled
                self.holds = press.burst
                if press.burst is not None:
                    await self._talk(phone, press, press.burst)
                self._release(phone)
            except (PhoneFailed, TimeoutError, OSError, LinkFailed):
                if self.phone is not None:
                    self._unanswered(self.phone)
                    self._release(self.phone)

    async def _talk(self, phone: Phone, press: Press, burst: int) -> None:
        """Speak for a while, or until the floor or the node is gone."""
        chaos, frames = self.chaos, recording("zh-report")
        began, packets = chaos.now(), 0
        chaos.granted.append(Granted(began, self.group, self.node, self.number, burst, press.number))
        try:
            for frame in itertools.islice(itertools.cycle(frames.frames), self.rng.randrange(15, 60)):
                if press.revoked.done() or phone.gone is not None:
                    break
                phone.speak(frame.marked(self.number, press.number, packets, time.time_ns()), self.spoken)
                self.spoken += frames.step
                packets += 1
                await asyncio.sleep(FRAME_S)
        finally:
            chaos.spoken.append(Spoken(began, chaos.now(), self.group, self.number, press.number, packets))

    def _unanswered(self, phone: Phone) -> None:
        """A key that the phone still holds, of which it was told nothing at all."""
        if phone.gone is None and phone.press is not None and phone.press.outcome is None:
            self.chaos.unanswered.append(Unanswered(self.pressed, self.group, self.number))

    async def _connected(self) -> Phone:
        """Where a node takes it: a phone that lost its node goes on there with its group, as a page does."""
        while self.phone is None or self.phone.gone is not None:
            url, known = self.chaos.way_in(self), self.phone
            try:
                async with asyncio.timeout(COME_S):
                    if known is None:
                        self.phone = await self._new(url)
                    else:
                        await known.come_back(url)
                        self.node = self.chaos.node_of(known)
                        known.voice.on_mark = self._heard
                        self._release(known)  # nobody holds the key of a phone that says "reconnecting"
                        if known.welcome is not None and known.welcome.selected != self.group:
                            await known.select(self.group)
                self.chaos.backs.append(Back(self.chaos.now(), self.number))
            except (PhoneFailed, TimeoutError, OSError, LinkFailed):
                if known is not None and known.gone is None:
                    known.gone = "not taken"
                await asyncio.sleep(AGAIN_S)
        return self.phone

    async def _pause(self, seconds: float) -> None:
        """Say nothing for a while, or until the node is gone: a phone comes back at once."""
        self.lost.clear()
        began = self.chaos.now()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self.lost.wait()
        finally:
            self.chaos.paused.append(Paused(began, self.chaos.now(), self.number))

    def _release(self, phone: Phone) -> None:
        if phone.gone is not None:
            return  # it is said when it is back
        if phone.press is not None:
            phone.release_key()
        elif self.holds is not None:
            phone.link.send(FloorRelease(id="again", group=self.group, burst=self.holds))
        self.holds = None

    async def _new(self, url: str) -> Phone:
        made = Phone(self.chaos.reactor, self.chaos.credentials, self.identity, self.number, closely=True)
        made.on_gone = lambda _: self.lost.set()
        try:
            await made.connect(url)
            self.node = self.chaos.node_of(made)
            made.voice.on_mark, made.on_message = self._heard, self._told
            await made.select(self.group)
        except BaseException:
            made.vanish()
            raise
        return made

    def _told(self, message: Any, _stamp: int) -> None:
        if isinstance(message, FloorIdle):
            self.chaos.idles.append(Idle(self.chaos.now(), message.group, message.burst))

    def _heard(self, _slot: int, mark: Mark, _stamp: int) -> None:
        spoken_in = self.chaos.group_of(mark.phone)  # one may be brought in to hear what is said to all
        heard = Heard(self.chaos.now(), spoken_in, self.number, self.node, mark.phone, mark.burst)
        self.chaos.heard.append(heard)


class Chaos:
    """One run."""

    def __init__(self, seed: int, city: City, redis: RedisServer, links: Path) -> None:
        self.seed, self.city, self.redis = seed, city, redis
        self.urls = [f"ws://127.0.0.1:{port}/ws" for port in city.own_ports]
        self.shared = f"ws://127.0.0.1:{city.port}/ws"
        self._node_of: dict[int, int] = {}
        """Each node by its UDP port."""
        self.identities = read_links_file(links)
        self.reactor, self.credentials = Reactor(), Credentials()
        self.granted: list[Granted] = []
        self.spoken: list[Spoken] = []
        self.paused: list[Paused] = []
        self.unanswered: list[Unanswered] = []
        self.heard: list[Heard] = []
        self.idles: list[Idle] = []
        self.backs: list[Back] = []
        self.killed: Killed | None = None
        self._callers: list[Caller] = []
        self._events: list[Event] = []
        self._began = time.monotonic()

    def now(self) -> float:
        return time.monotonic() - self._began

    def callers(self) -> list[Caller]:
        """Of so many groups so many people each who may talk there, nobody twice."""
        free, out, groups = list(self.identities), [], 0
        for group in sorted({group for each in self.identities for group in each.talks}):
            found = [each for each in free if group in each.talks][:PHONES_PER_GROUP]
            if len(found) == PHONES_PER_GROUP and groups < GROUPS:
                groups += 1
                out += [Caller(self, len(out) + n + 1, each, group) for n, each in enumerate(found)]
                free = [each for each in free if each not in found]
        return out

    def way_in(self, caller: Caller) -> str:
        """Every second phone comes as a page does and is where its group is, by whichever node it came; the others are
        on any, so that groups have people on both."""
        return f"{self.shared}?group={caller.group}" if caller.number % 2 else caller.rng.choice(self.urls)

    def node_of(self, phone: Phone) -> int:
        """Where a phone's voice goes. A port that was not there at first is of the node that was killed."""
        nodes = range(len(self.urls))
        other = next((each.node for each in self._events if each.fault is Fault.KILL), nodes[0])
        return self._node_of.get(phone.voice.address[1], other)

    async def _look_round(self) -> None:
        """Learn which node has which UDP port."""
        for node, url in enumerate(self.urls):
            scout = Phone(self.reactor, self.credentials, self.identities[-1], 0)
            await scout.connect(url)
            self._node_of[scout.voice.address[1]] = node
            scout.close()

    def group_of(self, number: int) -> str:
        """Where a phone talks."""
        return self._callers[number - 1].group

    async def run(self, events: list[Event]) -> Verdict:
        self._events = events
        await self._look_round()
        callers = self._callers = self.callers()
        tasks = [asyncio.create_task(caller.run()) for caller in callers]
        self._first()
        self._began = time.monotonic()
        try:
            for event in events:
                await asyncio.sleep(max(0.0, event.at - self.now()))
                print(f"{self.now():6.1f} s  {event.fault.value} (node {event.node + 1})", flush=True)
                await self._do(event)
            await asyncio.sleep(max(0.0, length(events) - self.now()))
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            for caller in callers:
                if caller.phone is not None:
                    caller.phone.close()
            await asyncio.sleep(0.5)
            self.reactor.close()
        for each in ended:
            if not isinstance(each, asyncio.CancelledError):
                raise RuntimeError("a phone gave up") from each
        return await asyncio.to_thread(self._judge, events)

    def _first(self) -> None:
        """Nodes, Redis and phones run before what else this machine does: that is not what is tried here."""
        nodes = [self.city.node_pid(number) for number in range(len(self.city.own_ports))]
        for pid in (os.getpid(), self.city.process.pid, *nodes, *([self.redis.pid] if self.redis.pid else [])):
            before_others(pid)

    async def _do(self, event: Event) -> None:
        rest = event.until - event.at
        if event.fault is Fault.KILL:
            pid = await asyncio.to_thread(self.city.node_pid, event.node)
            there = [(c, c.phone) for c in self._callers if c.node == event.node and c.phone is not None]
            on_air = {c.group: c.holds for c, _ in there if c.holds is not None}
            self.killed = Killed(self.now(), frozenset(c.number for c, _ in there), on_air)
            os.kill(pid, signal.SIGKILL)
        elif event.fault is Fault.SLEEP:
            pid = await asyncio.to_thread(self.city.node_pid, event.node)
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(rest)
            os.kill(pid, signal.SIGCONT)
        elif event.fault is Fault.REDIS_FROZEN:
            self.redis.freeze()
            await asyncio.sleep(rest)
            self.redis.thaw()
        elif event.fault is Fault.REDIS_FULL:
            await asyncio.to_thread(self.redis.command, "CONFIG", "SET", "maxmemory", "1")
            await asyncio.sleep(rest)
            await asyncio.to_thread(self.redis.command, "CONFIG", "SET", "maxmemory", "0")
        else:
            self.redis.stop()
            await asyncio.sleep(rest)
            await asyncio.to_thread(self.redis.start)

    def _judge(self, events: list[Event]) -> Verdict:
        verdict = Verdict(grants=len(self.granted), heard=len(self.heard))
        verdict.double_talk = checker.double_talk(self.heard, events)
        verdict.not_serial = checker.not_serial(self.granted, events)
        groups = {g: [c.number for c in self._callers if c.group == g] for g in {c.group for c in self._callers}}
        verdict.deaf = checker.deaf(self.spoken, self.heard, self.backs, groups, events)
        verdict.unanswered = checker.unanswered(self.unanswered, events)
        verdict.recovery_s = checker.recovery(self.heard, events, groups, self.paused, self.spoken)
        if self.killed is not None:
            verdict.after_kill_s = checker.after_kill(self.killed, self.granted, self.idles, self.backs)
        verdict.lost_records = self._lost_records()
        return verdict

    def _lost_records(self) -> list[str]:
        """Bursts that were heard and stand in no record."""
        counts = Counter((each.talker, each.press) for each in self.heard)
        missing = {(g.group, g.burst): g for g in self.granted if counts[g.talker, g.press] >= ENOUGH_PACKETS}
        end = time.monotonic() + RECORDED_S
        while missing and time.monotonic() < end:
            known = self._recorded()
            missing = {burst: grant for burst, grant in missing.items() if burst not in known}
            time.sleep(1)
        return [f"{group}: burst {burst} at {grant.at:.2f} s" for (group, burst), grant in missing.items()]

    def _recorded(self) -> set[tuple[str, int]]:
        """Group and number of each burst that stands in SQL: two groups may have one number."""
        with contextlib.closing(sqlite3.connect(self.city.data / "poc.sqlite")) as database:
            return {(str(group), int(burst)) for group, burst in database.execute("SELECT group_id, id FROM burst")}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--short", action="store_true", help="a third of the times")
    parser.add_argument("--report", type=Path, help="write the verdict here as JSON")
    given = parser.parse_args()
    events = schedule(given.seed, 2, given.short)
    print(f"seed {given.seed}, {length(events):.0f} s")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="poc-chaos-")))
        redis = stack.enter_context(running_redis())
        links = folder / "links"
        options = ("--links", str(links))
        city = stack.enter_context(running_city(folder / "data", *options, nodes=2, redis=redis.url, env=DEFAULTS))
        verdict = asyncio.run(_run(given.seed, city, redis, links, events))
    print(f"{verdict.grants} grants, {verdict.heard} packets heard")
    for name, seconds in verdict.recovery_s.items():
        print(f"  every phone hears who would speak to it {seconds:5.1f} s after: {name}")
    for name, seconds in verdict.after_kill_s.items():
        print(f"  {name} {seconds:5.2f} s after the kill")
    for name, found in verdict.faults.items():
        print(f"  {name}: {len(found)}", *(f"\n    {each}" for each in found[:10]))
    if given.report is not None:
        said = {"seed": given.seed, "ok": verdict.ok, "grants": verdict.grants, "recovery_s": verdict.recovery_s}
        said |= {"after_kill_s": verdict.after_kill_s, "faults": verdict.faults}
        given.report.write_text(json.dumps(said, indent=1))
    return 0 if verdict.ok else 1


async def _run(seed: int, city: City, redis: RedisServer, links: Path, events: list[Event]) -> Verdict:
    return await Chaos(seed, city, redis, links).run(events)


if __name__ == "__main__":
    sys.exit(main())
