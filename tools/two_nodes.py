"""What a second node brings: the same phones and voices on one node and on two, and what each node's core had to do.

    python -m tools.two_nodes            # build/two_nodes.json

On a machine of two cores the fleet takes what it needs of them too, so nobody can saturate both nodes and watch from
beside. What is measured instead is the work: CPU seconds of each node's process over the same stretch of voice, with
the phones of every group on both nodes. Two nodes carry as many times the phones of one, at the same use of a core, as
the one node's CPU is of the busier of the two. Relay times are taken in the same runs, to see that they are alike.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

from loadtest.mark import Mark
from loadtest.phone import Phone
from loadtest.speech import recording
from loadtest.wire.dtls import Credentials
from loadtest.wire.reactor import Reactor
from tests.support.city import City, running_city
from tests.support.handsets import read_links_file
from tests.support.redis import running_redis

GROUPS, PHONES, SLOTS = 4, 500, 4
"""The greatest groups are on air all the time; so many of their people hear all of theirs, up to so many at once."""
SECONDS = 15.0
CLOSE = 25
"""Phones that read what they hear, for the relay's times: one in so many."""
FRAME_S = 0.04
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Run:
    """What one run came to. CPU in parts of a core, times in ms."""

    nodes: int
    phones: int
    cpu: list[float]
    delivered_per_s: float
    relay_p50_ms: float
    relay_p95_ms: float
    relay_p99_ms: float


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


async def measure(city: City, links: Path, nodes: int) -> Run:
    reactor, credentials, times = Reactor(), Credentials(), list[float]()
    urls = [f"ws://127.0.0.1:{port}/ws" for port in city.own_ports]
    people = read_links_file(links)
    sizes = Counter(group for each in people for group in each.groups)
    groups = [group for group, _ in sizes.most_common(GROUPS)]
    people = [each for each in people if set(groups) & set(each.groups)][:PHONES]
    phones: list[Phone] = []

    def heard(_slot: int, mark: Mark, stamp: int) -> None:
        times.append((stamp - mark.sent_ns) / 1e6)

    for number, each in enumerate(people):
        close = number % CLOSE == 0
        phone = Phone(reactor, credentials, each, number + 1, closely=close, chatty=False, slots=SLOTS)
        await phone.connect(urls[number % len(urls)])
        mine = [group for group in groups if group in each.groups]
        await phone.select(mine[number % len(mine)])
        await phone.listen([group for group in mine if group != phone.selected])
        if close:
            phone.voice.on_mark = heard
        phones.append(phone)
    talkers = []
    for group in groups:
        able = (p for p in phones if p.selected == group and _may_talk(p, group) and not p.closely)
        one = next(able, None)
        if one is not None:
            talkers.append(asyncio.create_task(_talk(one, group)))
    pids = [city.process.pid] if nodes == 1 else [city.node_pid(number) for number in range(nodes)]
    await asyncio.sleep(2)
    before = {pid: cpu_s(pid) for pid in pids}
    counted, began = _packets(phones), time.monotonic()
    times.clear()
    await asyncio.sleep(SECONDS)
    took = time.monotonic() - began
    cpu = [(cpu_s(pid) - before[pid]) / took for pid in pids]
    delivered = (_packets(phones) - counted) / took
    for task in talkers:
        task.cancel()
    await asyncio.gather(*talkers, return_exceptions=True)
    for phone in phones:
        phone.close()
    reactor.close()
    times.sort()
    p50, p95, p99 = (round(times[int(len(times) * part)], 2) for part in (0.5, 0.95, 0.99))
    return Run(nodes, len(phones), [round(each, 3) for each in cpu], round(delivered), p50, p95, p99)


def _packets(phones: list[Phone]) -> int:
    return sum(slot.packets for phone in phones for slot in phone.voice.slots)


def _may_talk(phone: Phone, group: str) -> bool:
    return phone.welcome is not None and any(each.id == group and each.may_talk for each in phone.welcome.groups)


async def _talk(phone: Phone, group: str) -> None:
    speech, spoken = recording("zh-report"), 0
    while True:
        press = phone.press_key(group)
        await press.settled
        due = time.monotonic()
        for number in range(500):
            frame = speech.frames[number % len(speech.frames)]
            phone.speak(frame.marked(phone.number, press.number, number, time.time_ns()), spoken)
            spoken += speech.step
            due += FRAME_S
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        phone.release_key()
        await asyncio.sleep(0.2)


def main() -> int:
    runs = []
    for nodes in (1, 2):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="poc-nodes-")))
            redis = stack.enter_context(running_redis())
            links = folder / "links"
            options = ("--links", str(links), "--people", "1000")
            city = stack.enter_context(running_city(folder / "data", *options, nodes=nodes, redis=redis.url))
            runs.append(asyncio.run(measure(city, links, nodes)))
        print(runs[-1], flush=True)
    one, two = runs
    ratio = round(one.cpu[0] / max(two.cpu), 2)
    print(f"two nodes carry {ratio} x the phones of one at the same use of a core")
    target = Path("build/two_nodes.json")
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"ratio": ratio, "runs": [asdict(run) for run in runs]}, indent=1))
    return 0 if ratio >= 1.6 else 1


if __name__ == "__main__":
    sys.exit(main())
