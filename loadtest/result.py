"""What a scenario found: figures for programs, series for pictures, and what to know before believing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from loadtest.fleet import Fleet, Progress
from loadtest.procfs import Cost
from loadtest.stats import Series

LATE_MS: Final = 5.0
"""When one packet in a hundred was sent or read later than this, the fleet itself was the limit."""


class CannotRun(Exception):
    """The scenario needs something this server or these identities do not offer; the text says what."""


__all__ = ["CannotRun", "Progress", "Result", "fleet_figures", "server_figures"]


@dataclass(slots=True)
class Result:
    """``figures`` are what ``--json`` writes; ``series`` are drawn; ``notes`` are sentences for the reader."""

    figures: dict[str, Any]
    series: Mapping[str, Series] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def server_figures(before: Cost, after: Cost, delivered: int, idle: Cost, phones: int) -> dict[str, float | None]:
    """Cost of the server process between ``before`` and ``after``; ``idle`` is its cost before the phones came."""
    cpu = after.cpu_s - before.cpu_s
    return {
        "cpu_s": round(cpu, 3),
        "us_per_delivered": round(cpu / delivered * 1e6, 3) if delivered else None,
        "rss_mb": round(after.rss_bytes / 2**20, 1),
        "kb_per_phone": round((before.rss_bytes - idle.rss_bytes) / 1024 / phones, 1) if phones else None,
    }


def fleet_figures(fleet: Fleet, notes: list[str]) -> dict[str, Any]:
    """How late this process was itself, and whether that makes the figures worthless; adds the sentences to notes."""
    lag, late = fleet.reactor.lag_ms.summary(), fleet.speaker.late_ms.summary()
    drops = fleet.kernel_drops()
    reasons = []
    if (late["p99"] or 0) > LATE_MS:
        reasons.append(f"it sent late (p99 {late['p99']} ms)")
    if (lag["p99"] or 0) > LATE_MS:
        reasons.append(f"it read late (p99 {lag['p99']} ms; receive times are the kernel's and stay true)")
    if drops:
        reasons.append(f"the kernel dropped {drops} datagrams it had not read")
    if reasons:
        notes.append("The fleet, not the server, was the limit: " + "; ".join(reasons) + ".")
    if fleet.dropped:
        notes.append(f"{len(fleet.dropped)} phones lost the server: {', '.join(sorted(set(fleet.dropped))[:5])}.")
    if fleet.air.strangers:
        notes.append(f"{fleet.air.strangers} voice packets came from phones of another fleet.")
    return {
        "limit": "fleet" if reasons else "server",
        "send_late_ms": late,
        "read_lag_ms": lag,
        "kernel_drops": drops,
        "phones_lost": len(fleet.dropped),
    }
