"""Voice between nodes: what a packet costs that goes through Redis from one process to another, and how long it takes.

    python -m tools.bench.voice [--pps 5000] [--seconds 10]

Two processes with nothing but the line of `poc_server.fabric.redis.voice`, and a Redis of their own. One says so many
packets of a node's size each second, in steps of 5 ms, to the other. CPU is user and system time of each process; both
read the same clock. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import struct
import time
from multiprocessing.connection import Connection

from loadtest.priority import before_others
from loadtest.stats import Series
from poc_server.fabric.redis.voice import VoiceLine
from poc_server.neighbours.voice.between import HEAD
from tests.support.redis import running_redis

STEP_S = 0.005
CHANNEL = b"poc:v:bench"
PAYLOAD = 100
"""Bytes of the default profile: 40 ms at 20 kb/s."""
SENT = struct.Struct("!Q")


def _cpu_s() -> float:
    taken = os.times()
    return taken.user + taken.system


def hear(url: str, told: Connection) -> None:
    """The node of the listeners: until it is told to say what it heard."""
    asyncio.run(_hear(url, told))


async def _hear(url: str, told: Connection) -> None:
    late: list[int] = []
    line = VoiceLine(
        url, 16, lambda _, packet: late.append(time.monotonic_ns() - SENT.unpack_from(packet, HEAD.size)[0])
    )
    line.subscribe(CHANNEL)
    line.start()
    while not line.ready:  # noqa: ASYNC110 - only at the start
        await asyncio.sleep(0.01)
    told.send(None)
    began = _cpu_s()
    await asyncio.to_thread(told.recv)
    cpu_s = _cpu_s() - began
    await line.aclose()
    told.send((late, cpu_s))


async def say(url: str, pps: int, seconds: float) -> tuple[int, int, float]:
    """The node of the talkers: packets sent, packets that found no way, CPU."""
    line = VoiceLine(url, 2_000, lambda *_: None)
    line.subscribe(b"poc:v:none")
    line.start()
    while not line.ready:  # noqa: ASYNC110 - only at the start
        await asyncio.sleep(0.01)
    head, rest = bytes(HEAD.size), bytes(PAYLOAD - SENT.size)
    began, due = _cpu_s(), time.monotonic()
    for step in range(round(seconds / STEP_S)):
        for _ in range(round(pps * STEP_S * (step + 1)) - round(pps * STEP_S * step)):
            line.publish(CHANNEL, head + SENT.pack(time.monotonic_ns()) + rest)
        due += STEP_S
        await asyncio.sleep(max(0.0, due - time.monotonic()))
    cpu_s = _cpu_s() - began
    await asyncio.sleep(0.2)
    await line.aclose()
    return line.sent, line.dropped, cpu_s


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tools.bench.voice", description=__doc__.splitlines()[0])
    parser.add_argument("--pps", type=int, default=5_000)
    parser.add_argument("--seconds", type=float, default=10.0)
    given = parser.parse_args()
    before_others(os.getpid())  # and what it starts
    with running_redis() as redis:
        here, there = multiprocessing.Pipe()
        listener = multiprocessing.get_context("spawn").Process(target=hear, args=(redis.url, there))
        listener.start()
        here.recv()
        sent, dropped, saying_s = asyncio.run(say(redis.url, given.pps, given.seconds))
        here.send(None)
        late, hearing_s = here.recv()
        listener.join()
    took = Series()
    for each in late:
        took.add(each / 1e6)
    print(
        json.dumps(
            {
                "sent": sent,
                "heard": len(late),
                "dropped": dropped,
                "us_per_packet": {
                    "saying": round(saying_s / sent * 1e6, 1),
                    "hearing": round(hearing_s / max(1, len(late)) * 1e6, 1),
                },
                "late_ms": took.summary(),
            }
        )
    )


if __name__ == "__main__":
    main()
