"""Who heard whom in each way to talk, and who got no packet at all: kept in build/calls.json."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.handsets import WAIT_S, Handset

FILE = Path(__file__).resolve().parents[2] / "build" / "calls.json"


class Ears:
    """What one phone heard, by the number of the talker in each packet's mark."""

    def __init__(self, phone: Handset) -> None:
        self.phone = phone
        self.heard: dict[int, int] = {}
        self.before = phone.packets()
        self._more = asyncio.Event()
        phone.voice.on_mark = self._note

    def _note(self, _slot: int, mark: Any, _stamp: int) -> None:
        self.heard[mark.phone] = self.heard.get(mark.phone, 0) + 1
        self._more.set()

    async def until(self, talker: Handset, packets: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while self.heard.get(talker.number, 0) < packets:
                self._more.clear()
                await self._more.wait()

    def packets(self) -> int:
        """All that came, marked or not."""
        return self.phone.packets() - self.before


class Way:
    """One way to talk while it is tried: the right phones are to hear, the wrong ones to get nothing."""

    def __init__(self, report: WaysReport, name: str, right: Iterable[Handset], wrong: Iterable[Handset]) -> None:
        self.name = name
        self.right = [Ears(phone) for phone in right]
        self.wrong = [Ears(phone) for phone in wrong]
        self.figures: dict[str, float] = {}
        self._report = report

    async def heard(self, talker: Handset, packets: int) -> None:
        """Every right phone but the talker has heard so much of him; no wrong phone has got any packet."""
        for ears in self.right:
            if ears.phone is not talker:
                await ears.until(talker, packets)
        assert {ears.phone.user: ears.packets() for ears in self.wrong if ears.packets()} == {}, self.name
        self._report.add(self, talker)


class WaysReport:
    """All ways of one run."""

    def __init__(self) -> None:
        self.ways: dict[str, dict[str, Any]] = {}
        self.figures: dict[str, list[float]] = {}

    def way(self, name: str, right: Iterable[Handset], wrong: Iterable[Handset]) -> Way:
        return Way(self, name, right, wrong)

    def figure(self, name: str, ms: float) -> None:
        self.figures.setdefault(name, []).append(round(ms, 2))

    def add(self, way: Way, talker: Handset) -> None:
        entry = self.ways.setdefault(way.name, {"heard": {}, "wrong_people": {}})
        entry["heard"][talker.user] = {
            ears.phone.user: ears.heard.get(talker.number, 0) for ears in way.right if ears.phone is not talker
        }
        entry["wrong_people"] |= {ears.phone.user: ears.packets() for ears in way.wrong}

    def write(self) -> None:
        if not self.ways:
            return
        FILE.parent.mkdir(exist_ok=True)
        figures = {name: _summed(values) for name, values in sorted(self.figures.items())}
        FILE.write_text(json.dumps({"ways": self.ways, "figures_ms": figures}, ensure_ascii=False, indent=1) + "\n")


def _summed(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))
    return {"samples": len(ordered), "median": ordered[len(ordered) // 2], "p95": ordered[at], "most": ordered[-1]}
