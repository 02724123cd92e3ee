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

GROUPS, PHONES = 4, 40
"""Groups on air all the time, and phones in each."""
SECONDS = 20.0
CLOSE = 4
"""Phones of each group that read what they hear, for the relay's times."""
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
    free, chosen = read_links_file(links), dict[str, list[Phone]]()
    for group in sorted({group for each in free for group in each.groups}, key=str):
        found = [each for each in free if group in each.groups][:PHONES]
        if len(found) < PHONES or len(chosen) == GROUPS:
            continue
        free = [each for each in free if each not in found]
        chosen[group] = []
        for each in found:
            number = sum(map(len, chosen.values())) + 1
            phone = Phone(reactor, credentials, each, number, closely=len(chosen[group]) < CLOSE, chatty=False)
            await phone.connect(urls[number % len(urls)])
            await phone.select(group)
            chosen[group].append(phone)

    def heard(_slot: int, mark: Mark, stamp: int) -> None:
        times.append((stamp - mark.sent_ns) / 1e6)

    for phones in chosen.values():
        for phone in phones[:CLOSE]:
            phone.voice.on_mark = heard
    pids = [city.process.pid] if nodes == 1 else [city.node_pid(number) for number in range(nodes)]
    talkers = [asyncio.create_task(_talk(phones[-1], group)) for group, phones in chosen.items()]
    await asyncio.sleep(2)
    before = {pid: cpu_s(pid) for pid in pids}
    counted, began = _packets(chosen), time.monotonic()
    times.clear()
    await asyncio.sleep(SECONDS)
    took = time.monotonic() - began
    cpu = [(cpu_s(pid) - before[pid]) / took for pid in pids]
    delivered = (_packets(chosen) - counted) / took
    for task in talkers:
        task.cancel()
    await asyncio.gather(*talkers, return_exceptions=True)
    for phone in (phone for phones in chosen.values() for phone in phones):
        phone.close()
    reactor.close()
    times.sort()
    p50, p95, p99 = (round(times[int(len(times) * part)], 2) for part in (0.5, 0.95, 0.99))
    return Run(nodes, GROUPS * PHONES, [round(each, 3) for each in cpu], round(delivered), p50, p95, p99)


def _packets(chosen: dict[str, list[Phone]]) -> int:
    return sum(slot.packets for phones in chosen.values() for phone in phones for slot in phone.voice.slots)


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
            options = ("--links", str(links), "--people", "400")
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
