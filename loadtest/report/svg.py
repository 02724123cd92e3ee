"""Plots as inline SVG: a distribution, and curves over a count."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np
import numpy.typing as npt

from loadtest.stats import Series

WIDTH: Final = 640
HEIGHT: Final = 260
LEFT: Final = 56
RIGHT: Final = 16
TOP: Final = 20
BOTTOM: Final = 40
MAX_STEPS: Final = 400
"""Points of a distribution's curve; more would not be seen."""
_PERCENTILES: Final = ((50, "p50"), (95, "p95"), (99, "p99"))
_STYLE: Final = (
    "svg{font:11px system-ui,sans-serif;fill:#666}.grid{stroke:#8883}.mark{stroke:#c0392b;stroke-dasharray:4 3}"
    ".mid{text-anchor:middle}.end{text-anchor:end}"
)
"""Inside the picture, so that it also stands alone; grey reads on white and on black."""
_COLOURS: Final = ("#1664c0", "#c0392b", "#1e8449", "#8e44ad", "#b9770e")


@dataclass(frozen=True, slots=True)
class Axis:
    """Maps values to pixels, linearly or by their logarithm."""

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def at(self, value: float) -> float:
        """The pixel of ``value``; what lies beyond the axis is put on its edge."""
        low, high, here = self.low, self.high, min(max(value, self.low), self.high)
        if self.log:
            low, high, here = math.log10(low), math.log10(high), math.log10(here)
        share = (here - low) / (high - low) if high > low else 0.5
        return round(self.start + share * (self.end - self.start), 1)

    def ticks(self) -> list[float]:
        """Round values to label."""
        if self.log:
            first, last = math.ceil(math.log10(self.low)), math.floor(math.log10(self.high))
            return [10.0**power for power in range(first, last + 1)]
        step = 10 ** math.floor(math.log10((self.high - self.low) or 1))
        step *= next((f for f in (0.2, 0.5, 1, 2) if (self.high - self.low) / (step * f) <= 6), 2)
        first = math.ceil(self.low / step)
        return [step * n for n in range(first, int(self.high / step + 1e-9) + 1)]


def distribution(series: Series, unit: str) -> str:
    """The share of samples below each value, on a logarithmic axis, with p50, p95, p99 marked."""
    values = np.sort(series.values())
    if not len(values):
        return _frame(f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" class="mid">no samples</text>')
    floor = max(0.01, float(values[0]))
    x = Axis(
        10 ** math.floor(math.log10(floor)),
        10 ** math.ceil(math.log10(max(values[-1], 10 * floor))),
        LEFT,
        WIDTH - RIGHT,
        log=True,
    )
    y = Axis(0.0, 100.0, HEIGHT - BOTTOM, TOP)
    steps = np.unique(np.linspace(0, len(values) - 1, MAX_STEPS).astype(int))
    points = [(x.at(float(values[i])), y.at(100 * (i + 1) / len(values))) for i in steps]
    marks = "".join(_percentile(x, values, share, name) for share, name in _PERCENTILES)
    return _frame(_grid(x, y, unit, "% of samples") + _line(points, _COLOURS[0]) + marks)


def curves(lines: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str, *, log_x: bool = False) -> str:
    """Several curves of (x, y) points with a legend."""
    every = [point for line in lines.values() for point in line]
    if not every:
        return _frame(f'<text x="{WIDTH / 2}" y="{HEIGHT / 2}" class="mid">no points</text>')
    xs, ys = [p[0] for p in every], [p[1] for p in every]
    x = Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT, log=log_x)
    y = Axis(0.0, max(ys) * 1.15 or 1.0, HEIGHT - BOTTOM, TOP)
    out = _grid(x, y, across, up)
    for index, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[index % len(_COLOURS)]
        points = [(x.at(a), y.at(b)) for a, b in sorted(line)]
        dots = "".join(f'<circle cx="{a}" cy="{b}" r="3" fill="{colour}"/>' for a, b in points)
        out += _line(points, colour) + dots
        out += f'<text x="{LEFT + 8}" y="{TOP + 14 + 15 * index}" fill="{colour}">{escape(name)}</text>'
    return _frame(out)


def _percentile(x: Axis, values: npt.NDArray[np.float64], share: int, name: str) -> str:
    value = float(np.percentile(values, share))
    at, row = x.at(value), TOP + 12 + 14 * [s for s, _ in _PERCENTILES].index(share)
    return (
        f'<line x1="{at}" x2="{at}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" class="mark"/>'
        f'<text x="{at + 4}" y="{row}">{name} {value:.3g}</text>'
    )


def _grid(x: Axis, y: Axis, across: str, up: str) -> str:
    out = []
    for value in x.ticks():
        at = x.at(value)
        out.append(f'<line x1="{at}" x2="{at}" y1="{y.start}" y2="{y.end}" class="grid"/>')
        out.append(f'<text x="{at}" y="{y.start + 15}" class="mid">{value:g}</text>')
    for value in y.ticks():
        at = y.at(value)
        out.append(f'<line x1="{x.start}" x2="{x.end}" y1="{at}" y2="{at}" class="grid"/>')
        out.append(f'<text x="{x.start - 6}" y="{at + 4}" class="end">{value:g}</text>')
    out.append(f'<text x="{(LEFT + WIDTH) / 2}" y="{HEIGHT - 6}" class="mid">{escape(across)}</text>')
    out.append(f'<text x="{LEFT - 40}" y="{TOP - 7}">{escape(up)}</text>')
    return "".join(out)


def _line(points: Sequence[tuple[float, float]], colour: str) -> str:
    path = " ".join(f"{a},{b}" for a, b in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _frame(inside: str) -> str:
    head = f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" xmlns="http://www.w3.org/2000/svg">'
    return f"{head}<style>{_STYLE}</style>{inside}</svg>"
