"""Who heard whom in each way to talk, and who got no packet at all: kept in build/calls.json.

``python -m tests.talk.ways_report`` says which ways are in it, and fails when one is missing.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tests.support.handsets import FRAME_S, WAIT_S, Handset

FILE = Path(__file__).resolve().parents[2] / "build" / "calls.json"
WAYS = (
    "chat group",
    "several groups on one phone: the selected one and one listened to",
    "prearranged group",
    "prearranged group, late entry",
    "prearranged group, members changed",
    "broadcast group",
    "temporary group from people",
    "temporary group, one pulled in",
    "temporary group by merging",
    "temporary group by area",
    "private call",
    "private call by holding a name",
    "private call that rings",
    "private call, full duplex",
    "full duplex with one who is banned",
    "full duplex, the ban lifted",
    "first to answer",
    "dispatcher into several groups",
    "patched groups",
    "groups that were patched",
    "monitored: visible and hidden",
    "monitored no more",
    "monitored: a group that is new",
    "remote listening",
    "remote listening to one who talks in his group",
)
FIGURES = (
    "late entry: select → first packet",
    "KPI 2: private call, asked → may speak",
    "prearranged: press → granted, call set up",
    "20 press at once: first sent → all answered",
)


class Ears:
    """What one phone heard, by the number of the talker in each packet's mark."""

    def __init__(self, phone: Handset) -> None:
        self.phone = phone
        self.heard: dict[int, int] = {}
        self.before = phone.packets()
        self._since = time.time_ns()
        self._said_before = 0
        self._more = asyncio.Event()
        phone.voice.on_mark = self._note

    def _note(self, _slot: int, mark: Any, _stamp: int) -> None:
        if mark.sent_ns < self._since:
            self._said_before += 1
            return
        self.heard[mark.phone] = self.heard.get(mark.phone, 0) + 1
        self._more.set()

    async def until(self, talker: Handset, packets: int) -> None:
        async with asyncio.timeout(WAIT_S):
            while self.heard.get(talker.number, 0) < packets:
                self._more.clear()
                await self._more.wait()

    def packets(self) -> int:
        """All that came, marked or not, but what was said, and on its way, before this was begun."""
        return self.phone.packets() - self.before - self._said_before


class Way:
    """One way to talk while it is tried: the right phones are to hear, the wrong ones to get nothing."""

    def __init__(self, report: WaysReport, name: str, right: Iterable[Handset], wrong: Iterable[Handset]) -> None:
        self.name = name
        self.right = [Ears(phone) for phone in right]
        self.wrong = [Ears(phone) for phone in wrong]
        self.figures: dict[str, float] = {}
        self._report = report

    async def says(self, talker: Handset, group: str, packets: int = 8) -> None:
        """He presses and speaks until every right phone has heard so much of him, and releases.

        However long that takes: on a busy machine the first frames may be too old to be relayed.
        """
        press = talker.press_key(group)
        async with asyncio.timeout(WAIT_S):
            await press.settled
        assert press.burst is not None, f"{self.name}: {press.outcome} {press.cause}"
        speaking = asyncio.create_task(talker.utter(round(WAIT_S / FRAME_S)))
        try:
            await self.heard(talker, packets)
        finally:
            speaking.cancel()
            talker.release_key()

    async def heard(self, talker: Handset, packets: int) -> None:
        """Every right phone but the talker has heard so much of him; no wrong phone has got any packet."""
        for ears in self.right:
            if ears.phone is not talker:
                await ears.until(talker, packets)
        assert {ears.phone.user: ears.packets() for ears in self.wrong if ears.packets()} == {}, self.name
        self._report.add(self, talker)


class WaysReport:
    """The ways that one process of the tests has tried."""

    def __init__(self) -> None:
        self.ways: dict[str, dict[str, Any]] = {}
        self.figures: dict[str, list[float]] = {}

    def way(self, name: str, right: Iterable[Handset], wrong: Iterable[Handset]) -> Way:
        assert name in WAYS, f"name it above: {name}"
        return Way(self, name, right, wrong)

    def figure(self, name: str, ms: float) -> None:
        assert name in FIGURES, f"name it above: {name}"
        self.figures.setdefault(name, []).append(round(ms, 2))

    def add(self, way: Way, talker: Handset) -> None:
        entry = self.ways.setdefault(way.name, {"heard": {}, "wrong_people": {}})
        entry["heard"][talker.user] = {
            ears.phone.user: ears.heard.get(talker.number, 0) for ears in way.right if ears.phone is not talker
        }
        entry["wrong_people"] |= {ears.phone.user: ears.packets() for ears in way.wrong}

    def write(self, file: Path = FILE) -> None:
        """Put it beside what others have written: each process of the tests tries some of the ways."""
        if not self.ways and not self.figures:
            return
        file.parent.mkdir(exist_ok=True)
        with file.open("a+", encoding="utf-8") as kept:
            fcntl.flock(kept, fcntl.LOCK_EX)
            ways, figures = _read(file)
            ways |= self.ways
            figures |= {name: _summed(values) for name, values in self.figures.items()}
            kept.truncate(0)
            told = {"ways": _in_order(ways, WAYS), "figures_ms": _in_order(figures, FIGURES)}
            kept.write(json.dumps(told, ensure_ascii=False, indent=1) + "\n")


def missing(file: Path = FILE) -> list[str]:
    """The ways and figures that are not in it, and the ways in which a wrong person got a packet."""
    ways, figures = _read(file)
    absent = [name for name in (*WAYS, *FIGURES) if name not in ways and name not in figures]
    return absent + [name for name, way in ways.items() if any(way["wrong_people"].values())]


def _read(file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    told = json.loads(text) if text else {}
    return told.get("ways", {}), told.get("figures_ms", {})


def _in_order(found: dict[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: found[name] for name in names if name in found}


def _summed(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    at = min(len(ordered) - 1, round(0.95 * (len(ordered) - 1)))
    return {"samples": len(ordered), "median": ordered[len(ordered) // 2], "p95": ordered[at], "most": ordered[-1]}


if __name__ == "__main__":
    lacking = missing()
    print(f"{FILE.name}: {len(WAYS)} ways to talk, {len(FIGURES)} figures; missing or wrong: {lacking or 'none'}")
    sys.exit(bool(lacking))
