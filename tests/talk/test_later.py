"""What becomes of work under way when another node does it from now on: nobody who asked is left without an answer."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

from groups.vocabulary import Refusal
from poc_server.talk.later import Later


class Asking:
    """A phone that asked something."""

    def __init__(self) -> None:
        self.refused: list[tuple[Refusal, str]] = []
        self.user = SimpleNamespace(id="u-1")

    def refuse(self, code: Refusal, request: str) -> None:
        self.refused.append((code, request))


async def test_who_waits_is_told_to_ask_again_and_what_nobody_waits_for_ends_by_itself() -> None:
    later, phone, gate = Later(), Asking(), asyncio.Event()
    done: asyncio.Queue[str] = asyncio.Queue()

    async def work(name: str) -> None:
        await gate.wait()
        done.put_nowait(name)

    waits: Any = phone
    later.answer(waits, "r1", work("confirmation"))
    later.spawn(work("kept"))
    await asyncio.sleep(0)
    later.rest()
    assert phone.refused == [(Refusal.UNAVAILABLE, "r1")]
    later.rest()
    assert len(phone.refused) == 1, "told once"
    gate.set()
    later.answer(waits, "r2", work("asked again"))
    async with asyncio.timeout(30):
        assert [await done.get(), await done.get()] == ["kept", "asked again"]
    assert phone.refused == [(Refusal.UNAVAILABLE, "r1")]


async def test_nothing_is_read_any_more() -> None:
    later, asked = Later(), []

    async def load() -> None:
        asked.append(1)

    away: Any = SimpleNamespace(ready=False)
    await later.load(away, load, "emergencies")
    (loader,) = later._loads
    later.rest()
    await asyncio.wait((loader,))
    assert loader.cancelled()
    assert asked == []
    await later.aclose()
