"""What a second node brings: one who speaks to many, on one node and on two, and what each node's core had to do.

    python -m tools.bench.two_nodes            # build/two_nodes.json
    python -m tools.bench.two_nodes --rounds 3 # the medians of three

Three runs: so many phones on one node; the same phones on two; and 1.6 times the phones on two. Two nodes carry 1.6
times the phones of one where the busier of the two then uses its core no more than the one did, at equal p99: from the
moment a talker sends a packet to its arrival at a phone, by the kernel's clock, 99 of 100 take no longer than on one
node and what a second may add. How late the fleet itself spoke is told beside: where that is more than a ruler may be
off, the times were not measured, and only a quiet machine can show them. The command ends with 1 when a bar does not
hold, with 2 when the work does and the times were not measured.

Work is measured as CPU seconds of each node's process over the same stretch of voice: on a machine of two cores
the fleet takes what it needs of them too, so nobody can fill both nodes and watch from beside.

Everybody comes to the one port of all nodes and says which group he will talk in, as pages do: so the phones of a small
group are on one node. ``--apart`` takes each second phone of a group to the next node instead, which keeps it: what a
packet costs that is work on both.

Everybody has selected one group, in which one talker speaks all the time: that is what fills a node
(docs/performance.md has the knee). ``--groups 4`` shares the phones out over so many groups with a talker each: the
fewer hear one talker, the more of the work is done once for each packet on every node that hears it, and the less a
second node takes over. With ``--more-groups`` 1.6 times the phones are in 1.6 times the groups, else each group grows.

A node that is far from full mostly pays for being woken, which a second one does not halve. ``--core 0.25`` fills
nodes with what this machine can watch: while there is voice each gets a quarter of a core only
(`tools.bench.slow_core`), and two carry 1.6 times the phones of one where at equal p99 no packet is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from statistics import median

from loadtest.fleet import allow_descriptors
from loadtest.identity import Identity
from loadtest.mark import Mark
from loadtest.phone import Phone
from loadtest.priority import before_others
from loadtest.scenarios.crowd import share_out
from loadtest.speech import recording
from loadtest.wire.dtls import Credentials
from loadtest.wire.reactor import Reactor
from tests.support.city import City, running_city
from tests.support.handsets import read_links_file
from tests.support.redis import running_redis
from tools.bench.slow_core import slow_cores

MORE = 1.6
ADDS_MS = 4.0
"""What the way over a second node may add to the relay."""
RULER_MS = 5.0
"""A fleet that is later itself (p99) measures no times."""
CLOSE = 25
"""Phones that read what they hear, for the relay's times: one in so many."""
AT_ONCE = 16
FRAME_S = 0.04
BURST_FRAMES = 500
GOLDEN = (5**0.5 - 1) / 2
PRESSED_WITHIN_S = 1.0
"""Within this the first key of each group goes down."""
SETTLE_S = 5.0
STAFF = 60
"""A demo city's own people, of whom some may not talk."""
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    """What one run came to. CPU in parts of a core, of each node; times in ms, from all phones that read closely."""

    nodes: int
    phones: int
    cpu: list[float]
    idle_cpu: list[float]
    """The same phones and nodes before anybody spoke."""
    delivered_per_s: float
    lost: int
    relay_p50_ms: float
    relay_p95_ms: float
    relay_p99_ms: float
    across_p99_ms: float
    """Of packets whose talker is on the other node; 0 where there is none."""
    fleet_late_p99_ms: float
    """How late the talkers themselves were: the ruler."""


@dataclass
class Judgement:
    """Whether two nodes carry `MORE` times the phones of one. CPU of the busier node; medians of all rounds."""

    one_cpu: float
    same_cpu: float
    """Of two nodes with the phones of the one."""
    more_cpu: float
    one_p99_ms: float
    more_p99_ms: float
    fleet_late_p99_ms: float
    """The worse of both."""
    more_lost: int
    """Packets, in all rounds."""
    core: float | None
    """What part of one each node got, where it was limited."""

    @property
    def carried(self) -> bool:
        """On whole cores by what each used of its own; on limited ones, which both fill, by what got through."""
        return self.more_cpu <= self.one_cpu if self.core is None else self.more_lost == 0

    @property
    def timed(self) -> bool:
        return self.fleet_late_p99_ms <= RULER_MS

    @property
    def equal(self) -> bool:
        return self.more_p99_ms <= self.one_p99_ms + ADDS_MS

    @property
    def code(self) -> int:
        """For the shell."""
        if not self.carried or (self.timed and not self.equal):
            return 1
        return 0 if self.timed else 2

    def lines(self) -> list[str]:
        """In words."""
        times = f"{self.more_p99_ms} ms there, {self.one_p99_ms} ms on one (at most {ADDS_MS} more), the fleet late by "
        said = ("holds" if self.equal else "MISSED") if self.timed else f"NOT MEASURED (ruler: {RULER_MS} ms at most)"
        limit = "" if self.core is None else f" ({self.core} allowed), {self.more_lost} packets lost"
        return [
            f"the same phones: the one node's CPU is {self.one_cpu / self.same_cpu:.2f} x that of the busier of two",
            f"{MORE} x the phones on two: {self.more_cpu} of a core where the one used {self.one_cpu}{limit}: "
            + ("holds" if self.carried else "MISSED"),
            f"relay p99: {times}{self.fleet_late_p99_ms}: {said}",
        ]


def judge(rounds: list[tuple[Run, Run, Run]], core: float | None = None) -> Judgement:
    """Of rounds of one node, two with the same phones, two with more; ``core``: what part of one each node got."""
    one, same, more = zip(*rounds, strict=True)
    cpus = (round(median(max(each.cpu) for each in runs), 3) for runs in (one, same, more))
    p99s = (round(median(each.relay_p99_ms for each in runs), 2) for runs in (one, more))
    late = max(median(each.fleet_late_p99_ms for each in runs) for runs in (one, more))
    return Judgement(*cpus, *p99s, round(late, 2), sum(each.lost for each in more), core)


@dataclass(frozen=True)
class Asked:
    """How each run is made. ``core``: what part of one each node gets while there is voice; ``apart``: see above."""

    seconds: float
    core: float | None
    apart: bool


class Crowd:
    """The phones of one run."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._reactor, self._credentials = Reactor(), Credentials()
        self.phones: list[Phone] = []
        self.relay_ms: list[float] = []
        self.across_ms: list[float] = []
        self._node_of: dict[int, int] = {}
        """Each phone's, by the port it speaks to."""
        self.late_ms: list[float] = []
        self._talking: list[asyncio.Task[None]] = []

    async def connect(self, groups: dict[str, list[Identity]]) -> None:
        """Everybody, by turns at the ``urls``: each second phone of a group, and of each second group the talker."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(phone: Phone, url: str, group: str) -> None:
            async with gate:
                await phone.connect(f"{url}?group={group}")
                await phone.select(group)
                self._node_of[phone.number] = phone.voice.address[1]

        coming = []
        for index, (group, people) in enumerate(groups.items()):
            for place, each in enumerate(people, index):
                number = len(self.phones)
                close = number % CLOSE == 1
                made = Phone(self._reactor, self._credentials, each, number + 1, closely=close, chatty=False)
                self.phones.append(made)
                coming.append(one(made, self._urls[place % len(self._urls)], group))
        allow_descriptors(2 * len(self.phones) + 256)
        await asyncio.gather(*coming)
        for phone in self.phones:
            if phone.closely:
                phone.voice.on_mark = partial(self._heard, self._node_of[phone.number])

    def talk(self, groups: dict[str, list[Identity]]) -> None:
        """One in each group, till `close`.

        Their keys go down one after the other: of keys that go down together most first packets come late behind the
        others' requests, and a burst stays as late as its first packet was (decision 0046). By the golden ratio, so
        that their packets are as evenly spread over a frame's time whatever their number is: a hundred keys ten
        milliseconds apart speak in lumps of 25, which cost a node half of what as many single packets do.
        """
        for index, group in enumerate(groups):
            # Best not one of those whose ears are timed; a group that nobody was left for stays silent.
            talker = min((p for p in self.phones if p.selected == group), key=lambda p: p.closely, default=None)
            if talker is None:
                continue
            after_s = index * GOLDEN % 1 * PRESSED_WITHIN_S
            self._talking.append(asyncio.create_task(self._talk(talker, group, after_s)))

    def packets(self) -> tuple[int, int]:
        """Arrived, and lost on the way, at all phones so far."""
        slots = [slot for phone in self.phones for slot in phone.voice.slots]
        return sum(slot.packets for slot in slots), sum(slot.lost for slot in slots)

    async def close(self) -> None:
        for task in self._talking:
            task.cancel()
        await asyncio.gather(*self._talking, return_exceptions=True)
        for phone in self.phones:
            phone.close()
        self._reactor.close()

    def forget(self) -> None:
        """What was timed so far."""
        for times in (self.relay_ms, self.across_ms, self.late_ms):
            times.clear()

    def _heard(self, node: int, _slot: int, mark: Mark, stamp: int) -> None:
        took = (stamp - mark.sent_ns) / 1e6
        self.relay_ms.append(took)
        if self._node_of[mark.phone] != node:
            self.across_ms.append(took)

    async def _talk(self, phone: Phone, group: str, after_s: float) -> None:
        speech, spoken = recording("zh-report"), 0
        await asyncio.sleep(after_s)
        while True:
            press = phone.press_key(group)
            if not await press.settled:
                raise RuntimeError(f"not granted: {press.outcome} {press.cause}")
            due = time.monotonic()
            for number in range(BURST_FRAMES):
                self.late_ms.append((time.monotonic() - due) * 1000)
                frame = speech.frames[number % len(speech.frames)]
                phone.speak(frame.marked(phone.number, press.number, number, time.time_ns()), spoken)
                spoken += speech.step
                due += FRAME_S
                await asyncio.sleep(max(0.0, due - time.monotonic()))
            phone.release_key()
            await asyncio.sleep(0.2)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def _stretch(pids: list[int], seconds: float) -> tuple[list[float], float]:
    """What each process used of a core while so many seconds went by, and how many they were."""
    before, began = [cpu_s(pid) for pid in pids], time.monotonic()
    await asyncio.sleep(seconds)
    took = time.monotonic() - began
    return [round((cpu_s(pid) - was) / took, 3) for pid, was in zip(pids, before, strict=True)], took


async def measure(city: City, links: Path, nodes: int, phones: int, groups: int, asked: Asked) -> Run:
    seconds, core = asked.seconds, asked.core
    pids = [city.process.pid] if nodes == 1 else [city.node_pid(number) for number in range(nodes)]
    crowd = Crowd([f"ws://127.0.0.1:{port}/ws" for port in (city.own_ports if asked.apart else (city.port,))])
    shares = share_out(read_links_file(links), groups, phones)
    await crowd.connect(shares)
    await asyncio.sleep(SETTLE_S)
    idle, _ = await _stretch(pids, seconds / 3)
    limited: AbstractContextManager[None] = nullcontext() if core is None else slow_cores(pids, core)
    with limited:
        crowd.talk(shares)
        await asyncio.sleep(2)
        heard, lost = crowd.packets()
        crowd.forget()
        cpu, took = await _stretch(pids, seconds)
        heard_after, lost_after = crowd.packets()
    await crowd.close()
    p50, p95, p99 = (_part(crowd.relay_ms, part) for part in (0.5, 0.95, 0.99))
    delivered = round((heard_after - heard) / took)
    across, late = _part(crowd.across_ms, 0.99), _part(crowd.late_ms, 0.99)
    return Run(nodes, phones, cpu, idle, delivered, lost_after - lost, p50, p95, p99, across, late)


def _part(values: list[float], part: float) -> float:
    return round(sorted(values)[int(len(values) * part)], 2) if values else 0.0


def run(nodes: int, phones: int, groups: int, asked: Asked) -> Run:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="poc-nodes-")))
        redis = stack.enter_context(running_redis())
        links = folder / "links"
        options = ("--links", str(links), "--people", str(phones + STAFF))
        city = stack.enter_context(running_city(folder / "data", *options, nodes=nodes, redis=redis.url, cold=True))
        return asyncio.run(measure(city, links, nodes, phones, groups, asked))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.two_nodes", description=__doc__.splitlines()[0])
    parser.add_argument("--phones", type=int, default=750, help="on one node; 1.6 times as many on two")
    parser.add_argument("--groups", type=int, default=1, help="over which they are shared out, a talker in each")
    parser.add_argument("--more-groups", action="store_true", help="more phones are in more groups, not in larger ones")
    parser.add_argument("--seconds", type=float, default=15.0)
    parser.add_argument("--core", type=float, help="so much of one for each node while there is voice, 0 to 1")
    parser.add_argument("--apart", action="store_true", help="the people of every group on both nodes")
    parser.add_argument("--rounds", type=int, default=1, help="one after the other; the medians count")
    given = parser.parse_args()
    before_others(os.getpid())  # and whatever it starts
    groups = round(given.groups * MORE) if given.more_groups else given.groups
    few, many = (given.phones, given.groups), (round(given.phones * MORE), groups)
    asked = Asked(given.seconds, given.core, given.apart)
    rounds: list[tuple[Run, Run, Run]] = []
    for _ in range(given.rounds):
        made = [run(nodes, *spread, asked) for nodes, spread in ((1, few), (2, few), (2, many))]
        print(*made, sep="\n", flush=True)
        rounds.append((made[0], made[1], made[2]))
    judged = judge(rounds, given.core)
    print(*judged.lines(), sep="\n")
    target = Path("build/two_nodes.json")
    target.parent.mkdir(exist_ok=True)
    said = {
        "judged": asdict(judged),
        "carried": judged.carried,
        "equal_p99": judged.equal if judged.timed else None,
        "groups": [given.groups, groups],
        "rounds": [[asdict(each) for each in runs] for runs in rounds],
    }
    target.write_text(json.dumps(said, indent=1))
    return judged.code


if __name__ == "__main__":
    sys.exit(main())
