"""What a second node brings: one who speaks to many, on one node and on two, and what each node's core had to do.

    python -m tools.two_nodes            # build/two_nodes.json

Three runs: so many phones on one node; the same phones on two; and 1.6 times the phones on two. Two nodes carry 1.6
times the phones of one where the busier of the two then uses its core no more than the one did, and its phones hear no
later. Work is measured as CPU seconds of each node's process over the same stretch of voice: on a machine of two cores
the fleet takes what it needs of them too, so nobody can fill both nodes and watch from beside.

Everybody has selected one group, in which one talker speaks all the time: that is what fills a node
(docs/performance.md has the knee). ``--groups 4`` shares the phones out over so many groups with a talker each: the
fewer hear one talker, the more of the work is done once for each packet on every node that hears it, and the less a
second node takes over. With ``--more-groups`` 1.6 times the phones are in 1.6 times the groups, else each group grows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

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

MORE = 1.6
CLOSE = 25
"""Phones that read what they hear, for the relay's times: one in so many."""
AT_ONCE = 16
FRAME_S = 0.04
BURST_FRAMES = 500
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
    fleet_late_p99_ms: float
    """How late the talkers themselves were: the ruler."""


class Crowd:
    """The phones of one run."""

    def __init__(self, urls: list[str]) -> None:
        self._urls = urls
        self._reactor, self._credentials = Reactor(), Credentials()
        self.phones: list[Phone] = []
        self.relay_ms: list[float] = []
        self.late_ms: list[float] = []
        self._talking: list[asyncio.Task[None]] = []

    async def connect(self, groups: dict[str, list[Identity]]) -> None:
        """Everybody, each second phone of a group on the next node, and of each second group the talker, its first."""
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(phone: Phone, url: str, group: str) -> None:
            async with gate:
                await phone.connect(url)
                await phone.select(group)

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
                phone.voice.on_mark = self._heard

    def talk(self, groups: dict[str, list[Identity]]) -> None:
        """One in each group, till `close`."""
        for group in groups:
            # Best not one of those whose ears are timed; a group that nobody was left for stays silent.
            talker = min((p for p in self.phones if p.selected == group), key=lambda p: p.closely, default=None)
            if talker is None:
                continue
            self._talking.append(asyncio.create_task(self._talk(talker, group)))

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

    def _heard(self, _slot: int, mark: Mark, stamp: int) -> None:
        self.relay_ms.append((stamp - mark.sent_ns) / 1e6)

    async def _talk(self, phone: Phone, group: str) -> None:
        speech, spoken = recording("zh-report"), 0
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


async def measure(city: City, links: Path, nodes: int, phones: int, groups: int, seconds: float) -> Run:
    pids = [city.process.pid] if nodes == 1 else [city.node_pid(number) for number in range(nodes)]
    crowd = Crowd([f"ws://127.0.0.1:{port}/ws" for port in city.own_ports])
    shares = share_out(read_links_file(links), groups, phones)
    await crowd.connect(shares)
    await asyncio.sleep(SETTLE_S)
    idle, _ = await _stretch(pids, seconds / 3)
    crowd.talk(shares)
    await asyncio.sleep(2)
    (heard, lost), _ = crowd.packets(), crowd.relay_ms.clear()
    crowd.late_ms.clear()
    cpu, took = await _stretch(pids, seconds)
    heard_after, lost_after = crowd.packets()
    await crowd.close()
    p50, p95, p99 = (_part(crowd.relay_ms, part) for part in (0.5, 0.95, 0.99))
    delivered = round((heard_after - heard) / took)
    late = _part(crowd.late_ms, 0.99)
    return Run(nodes, phones, cpu, idle, delivered, lost_after - lost, p50, p95, p99, late)


def _part(values: list[float], part: float) -> float:
    return round(sorted(values)[int(len(values) * part)], 2)


def run(nodes: int, phones: int, groups: int, seconds: float) -> Run:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="poc-nodes-")))
        redis = stack.enter_context(running_redis())
        links = folder / "links"
        options = ("--links", str(links), "--people", str(phones + STAFF))
        city = stack.enter_context(running_city(folder / "data", *options, nodes=nodes, redis=redis.url))
        return asyncio.run(measure(city, links, nodes, phones, groups, seconds))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.two_nodes", description=__doc__.splitlines()[0])
    parser.add_argument("--phones", type=int, default=750, help="on one node; 1.6 times as many on two")
    parser.add_argument("--groups", type=int, default=1, help="over which they are shared out, a talker in each")
    parser.add_argument("--more-groups", action="store_true", help="more phones are in more groups, not in larger ones")
    parser.add_argument("--seconds", type=float, default=15.0)
    given = parser.parse_args()
    before_others(os.getpid())  # and whatever it starts
    runs = []
    groups = round(given.groups * MORE) if given.more_groups else given.groups
    few, many = (given.phones, given.groups), (round(given.phones * MORE), groups)
    for nodes, (phones, among) in ((1, few), (2, few), (2, many)):
        runs.append(run(nodes, phones, among, given.seconds))
        print(runs[-1], flush=True)
    one, two, more = runs
    ratio = round(one.cpu[0] / max(two.cpu), 2)
    carried = max(more.cpu) <= one.cpu[0]
    print(f"the same phones: the one node's CPU is {ratio} x that of the busier of two")
    print(f"{MORE} x the phones on two: {max(more.cpu)} of a core where the one used {one.cpu[0]}")
    print(f"relay p99: {more.relay_p99_ms} ms there, {one.relay_p99_ms} ms on one")
    target = Path("build/two_nodes.json")
    target.parent.mkdir(exist_ok=True)
    said = {
        "ratio": ratio,
        "carried": carried,
        "groups": [given.groups, groups],
        "runs": [asdict(each) for each in runs],
    }
    target.write_text(json.dumps(said, indent=1))
    return 0 if carried else 1


if __name__ == "__main__":
    sys.exit(main())
