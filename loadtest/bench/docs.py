"""Writes the figures of a run into docs/performance.md, between its marks, and the pictures of growth beside it.

What the page says in words stands for itself; what follows from figures (table, cost of a phone, sizes of cities) is
made here, so that it is never older than they are.
"""

from __future__ import annotations

import datetime as dt
import math
import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from loadtest.bench.page import FANOUT_PPS, growth
from loadtest.bench.run import Bench
from loadtest.bench.table import Measured, file_name, markdown
from loadtest.scenarios.fanout import SETTLE_S

PAGE: Final = "performance.md"
_UNDER: Final = 0.6
"""Of a core: what a node is to be filled to."""
_SELF: Final = 0.05
_PLACES: Final = (
    ("a district: 500 officers, 50 groups of ten, 10 on air", 500, 100, 10),
    ("a city: 5,000 phones, 300 groups, 60 on air with 15 listeners each", 5_000, 900, 60),
    ("a leader speaks to all 5,000 of them", 5_000, 5_000, 1),
)
"""What it is, phones connected, phones that hear somebody, groups on air."""
_PACKETS_A_SECOND: Final = 25
"""Of one who talks in the default audio profile."""


class NotMarked(Exception):
    """The page has no place for it."""


def between(page: str, name: str, text: str) -> str:
    """``page`` with ``text`` between the marks ``begin NAME`` and ``end NAME``. Raises `NotMarked`."""
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
    if begin not in page or end not in page:
        raise NotMarked(f"no place for {name}")
    before, rest = page.split(begin, 1)
    return before + begin + text + end + rest.split(end, 1)[1]


def write(folder: Path, rows: list[Measured], done: Bench, command: str) -> None:
    """Bring the page in ``folder`` and its pictures up to date; a missing run leaves gaps. Raises `NotMarked`."""
    path = folder / PAGE
    page = between(path.read_text(), "table", f"{_where(command, done)}\n\n{markdown(rows)}")
    page = between(page, "knee", knee(done.growth))
    path.write_text(between(page, "sizing", sizing(done.runs)))
    for title, svg in growth(done).items():
        picture = folder / "pictures" / f"{file_name(title)}.svg"
        if picture.exists():  # the page shows some of them
            picture.write_text(svg)


def _where(command: str, done: Bench) -> str:
    today = dt.datetime.now(tz=dt.UTC).date().isoformat()
    kernel, python = platform.release().split("-")[0], ".".join(platform.python_version_tuple()[:2])
    return (
        f"`{command}` on {today}: {os.cpu_count()} cores ({platform.machine()}), Linux {kernel}, Python {python}; "
        f"{sum(done.took_s.values()) / 60:.0f} minutes. The bare C loop's relay time says how quiet the machine was. "
        "One node, loopback, plain WebSocket, default audio profile (40 ms, 20 kb/s) but for the fan-out (20 ms, 80 B)."
    )


def knee(growth: Mapping[int, Mapping[str, Mapping[str, Any]]]) -> str:
    """One talker before more and more listeners: what arrived, how soon, and how full the core was."""
    lines = ["| listeners | packets/s | delivered | core | relay p50 | relay p99 |", "|---|---|---|---|---|---|"]
    for listeners, kinds in growth.items():
        run = kinds.get("fanout")
        if run is None:
            continue
        seconds, relay = run["sent"] / FANOUT_PPS + SETTLE_S, run["relay_ms"]
        cells = (
            f"{listeners:,}",
            f"{run['expected'] / run['sent'] * FANOUT_PPS:,.0f}",
            f"{100 * run['delivered'] / run['expected']:.2f} %",
            f"{100 * run['cpu_s'] / seconds:.0f} %",
            f"{relay['p50']} ms",
            f"{relay['p99']} ms",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Prices:
    """CPU in µs: of a phone a second, of a packet at each of its listeners, and of a talker's packet before them."""

    phone: float
    listener: float
    talker: float

    def core(self, phones: int, listeners: int, on_air: int) -> float:
        """What part of a core such a place takes."""
        voice = _PACKETS_A_SECOND * (self.listener * listeners + self.talker * on_air)
        return _SELF + (self.phone * phones + voice) / 1e6


def prices(runs: Mapping[str, Mapping[str, Any]]) -> Prices:
    """Read off the runs ``idle``, ``fanout`` and ``talk``. Raises KeyError when one is missing."""
    phone, listener, talk = runs["idle"]["cpu_us_per_phone_second"], runs["fanout"]["us_per_delivered"], runs["talk"]
    rest = talk["server"]["cpu_s"] * 1e6 - talk["seconds"] * talk["phones"] * phone - talk["delivered"] * listener
    return Prices(phone, listener, max(0.0, rest / talk["sent"]))


def sizing(runs: Mapping[str, Mapping[str, Any]]) -> str:
    """What a node pays for what, and what three places take."""
    try:
        found, idle, storm = prices(runs), runs["idle"], runs["storm"]
    except KeyError as missing:
        return f"Not measured: {missing.args[0]}.\n"
    each, said = found.listener * _PACKETS_A_SECOND / 1e6, found.talker * _PACKETS_A_SECOND / 1e6
    rows = (
        ("each phone that is connected", f"{idle['kb_per_phone']:.0f} KB, and {found.phone:.0f} µs of CPU a second"),
        ("each phone that connects", f"{storm['cpu_ms_per_phone']:.1f} ms of CPU"),
        (
            "each packet at each listener",
            f"{found.listener:.1f} µs of CPU; who talks sends {_PACKETS_A_SECOND} a second",
        ),
        ("each packet of a talker, and all else that talk in small groups brings", f"{found.talker:.0f} µs of CPU"),
        ("itself", "0.2 GB of memory"),
    )
    table = "".join(f"| {what} | {price} |\n" for what, price in rows)
    formula = (
        f"For P phones connected, G groups on air and L phones that hear somebody at the same moment: "
        f"**core ≈ {found.phone / 1e6:.5f} · P + {said:.4f} · G + {each:.5f} · L + {_SELF}**, "
        f"to be kept under {_UNDER} on each node.\n"
    )
    places = "".join(
        f"- *{name}*: {core:.2f} of a core: {math.ceil(core / _UNDER)} node{'s' if core > _UNDER else ''}"
        f"{', and one more to lose one' if core > _UNDER else ''}.\n"
        for name, *place in _PLACES
        for core in (found.core(*place),)
    )
    return f"| for | a node pays |\n|---|---|\n{table}\n{formula}\n{places}"
