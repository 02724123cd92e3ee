"""What consoles cost that keep looking at who is there: `python -m tools.bench.presence [phones [consoles]]`; JSON.

A demo server, phones that are merely there, and consoles of a dispatcher who sees them all, each asking every 4 s as
the page does: first for everybody, then for the news since the answer before. Meanwhile one phone sends pings: how late
those are answered is how long a console's question holds up floor control.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import httpx

from groups.vocabulary import NotListening
from loadtest.phone import Phone
from loadtest.scenarios.crowd import AT_ONCE, all_ready, calm, fleet_for, share_out
from loadtest.server import Target, started
from loadtest.stats import Series
from signaling.messages import Listening, Ping

ASK_EVERY_S = 4.0
SECONDS = 16.0
PING_EVERY_S = 0.025
CHANGE_EVERY_S = 0.1
"""Somebody's page is hidden, and a moment later is not: ten a second."""
DISPATCHER = "PQ-002"


Ask = Callable[[int], Awaitable[int]]
"""The question of one console, by its number: how many bytes the answer has."""


async def asking(ask: Ask, consoles: int, target: Target, phones: list[Phone]) -> dict[str, Any]:
    """``ask`` by each console, spread over the interval; what it cost the server, and what pings took meanwhile."""
    pings, sizes, took = Series(), [], Series()
    end = time.monotonic() + SECONDS

    async def console(number: int) -> None:
        await asyncio.sleep(number * ASK_EVERY_S / consoles)
        while time.monotonic() < end:
            began = time.monotonic()
            sizes.append(await ask(number))
            took.add((time.monotonic() - began) * 1000)
            await asyncio.sleep(max(0.0, began + ASK_EVERY_S - time.monotonic()))

    async def changing() -> None:
        for number in range(round(SECONDS / CHANGE_EVERY_S)):
            phones[number % len(phones)].link.send(Listening(state="no", reason=NotListening.HIDDEN))
            await asyncio.sleep(CHANGE_EVERY_S)

    async def pinging() -> None:
        phone, number = phones[0], 0
        while time.monotonic() < end:
            number, sent = number + 1, time.time_ns()
            _, stamp = await phone.request(Ping(id=f"look-{number}"))
            pings.add((stamp - sent) / 1e6)
            await asyncio.sleep(PING_EVERY_S)

    before, began = target.cost().cpu_s, time.monotonic()
    await asyncio.gather(pinging(), changing(), *(console(number) for number in range(consoles)))
    cpu, span = target.cost().cpu_s - before, time.monotonic() - began
    return {
        "answers": len(sizes),
        "kb_an_answer": round(sum(sizes) / len(sizes) / 1000, 1) if sizes else None,
        "answered_ms": took.summary(),
        "core_percent": round(100 * cpu / span, 1),
        "ping_ms": pings.summary(),
    }


async def main(phones: int, consoles: int) -> dict[str, Any]:
    """Nobody asks, all ask for everybody, all ask for the news: one after the other."""
    async with started(phones, first=True) as target, fleet_for(target) as fleet:
        for group, people in share_out(target.identities, max(1, phones // 20), phones).items():
            made = fleet.make(people, closely_every=phones)
            all_ready(await fleet.connect(made, at_once=AT_ONCE, progress=lambda *_: None, then=group))
        fleet.settle()
        await calm(target, phones)
        api = target.url.replace("ws://", "http://").removesuffix("/ws") + "/api/v1"
        async with httpx.AsyncClient(timeout=60.0, trust_env=False) as client:
            everybody = (await client.get(f"{api}/demo/people")).json()
            own = next(each["id"] for each in everybody if each["badge"] == DISPATCHER)
            tokens = (await client.post(f"{api}/demo/people/{own}/step-in")).json()
            client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
            marks: dict[int, str] = {}

            async def whole(_: int) -> int:
                return len((await client.get(f"{api}/presence")).content)

            async def news(console: int) -> int:
                answer = await client.get(f"{api}/presence/news", params={"since": marks.get(console, "")})
                marks[console] = answer.json()["mark"]
                return len(answer.content)

            for console in range(consoles):
                await news(console)  # everybody, once
            return {
                "phones": phones,
                "consoles": consoles,
                "seen": len((await client.get(f"{api}/presence")).json()),
                "nobody_asks": await asking(whole, 0, target, fleet.phones),
                "for_everybody": await asking(whole, consoles, target, fleet.phones),
                "for_news": await asking(news, consoles, target, fleet.phones),
            }


if __name__ == "__main__":
    given = [int(each) for each in sys.argv[1:]] + [2_000, 20][len(sys.argv) - 1 :]
    print(json.dumps(asyncio.run(main(*given[:2])), indent=1))
