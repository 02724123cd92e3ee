"""Polygons on the map, in degrees: whether one can be used, and whether a place lies in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import islice, pairwise

Point = tuple[float, float]
"""(longitude, latitude)."""
MIN_POINTS = 4
"""A triangle with its first point repeated."""
MAX_SPAN_DEGREES = 5.0
"""Larger than any city, smaller than a mistake of sign."""
MAX_LOOKS = 6_000
"""Pairs of edges at one latitude that are compared: each of 500 with 24 others. What is drawn has a fraction of it."""
DATUM_DEGREES = 0.01
"""No datum puts a place farther from where another one does: 700 m (`gateway.mapping.datum`)."""


def usable(ring: Sequence[Point], most: int) -> bool:
    """Whether ``ring`` is closed, of 4 to ``most`` points, not too large, not flat, and does not cross itself.

    One so intricate that to find out would hold up voice is not.
    """
    if not MIN_POINTS <= len(ring) <= most or tuple(ring[0]) != tuple(ring[-1]):
        return False
    if not all(math.isfinite(x) and math.isfinite(y) and abs(x) <= 180 and abs(y) <= 90 for x, y in ring):
        return False
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    if max(xs) - min(xs) > MAX_SPAN_DEGREES or max(ys) - min(ys) > MAX_SPAN_DEGREES:
        return False
    return abs(_double_area(ring)) > 0 and not _crosses(ring)


class Inside:
    """A usable ring, made ready to be asked of everybody in a city."""

    def __init__(self, ring: Sequence[Point]) -> None:
        xs, ys = [x for x, _ in ring], [y for _, y in ring]
        self._west, self._east, self._south, self._north = min(xs), max(xs), min(ys), max(ys)
        edges = list(pairwise(ring))
        # A ray to the east meets only edges of its own latitude.
        self._rows: list[list[tuple[Point, Point]]] = [[] for _ in edges]
        self._rows_a_degree = len(edges) / (self._north - self._south)
        for a, b in edges:
            for row in range(self._row(min(a[1], b[1])), self._row(max(a[1], b[1])) + 1):
                self._rows[row].append((a, b))

    def about(self, x: float, y: float) -> bool:
        """Whether a point may lie in it, whatever datum its degrees are of: worth to look closer."""
        return (
            self._west - DATUM_DEGREES <= x <= self._east + DATUM_DEGREES
            and self._south - DATUM_DEGREES <= y <= self._north + DATUM_DEGREES
        )

    def holds(self, point: Point) -> bool:
        """Whether it lies in the polygon: a ray to the east crosses its edges an odd number of times."""
        x, y = point
        if not self._south <= y <= self._north:
            return False
        odd = False
        for (ax, ay), (bx, by) in self._rows[self._row(y)]:
            if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
                odd = not odd
        return odd

    def _row(self, y: float) -> int:
        return min(int((y - self._south) * self._rows_a_degree), len(self._rows) - 1)


def _double_area(ring: Sequence[Point]) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(ring))


def _crosses(ring: Sequence[Point]) -> bool:
    """Whether two of its edges meet; or so many lie beside each other that to find out would hold up voice."""
    edges = sorted((min(a[1], b[1]), max(a[1], b[1]), number, a, b) for number, (a, b) in enumerate(pairwise(ring)))
    last, looks = len(edges) - 1, 0
    for at, (_, top, i, a, b) in enumerate(edges):
        if a == b:
            return True
        for low, _, j, c, d in islice(edges, at + 1, None):
            if low > top:
                break
            looks += 1
            if looks > MAX_LOOKS:
                return True
            if abs(i - j) not in (1, last) and _meet(a, b, c, d):
                return True
    return False


def _meet(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two edges touch or cross."""
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return False
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    return _side(a, b, c) * _side(a, b, d) <= 0 and _side(c, d, a) * _side(c, d, b) <= 0


def _side(a: Point, b: Point, p: Point) -> int:
    cross = (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])
    return (cross > 0) - (cross < 0)
