"""Polygons on the map, in degrees: whether one can be used, and whether a place lies in it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

Point = tuple[float, float]
"""(longitude, latitude)."""
MIN_POINTS = 4
"""A triangle with its first point repeated."""
MAX_SPAN_DEGREES = 5.0
"""Larger than any city, smaller than a mistake of sign."""


def usable(ring: Sequence[Point], most: int) -> bool:
    """Whether ``ring`` is closed, of 4 to ``most`` points, not too large, not flat, and does not cross itself."""
    if not MIN_POINTS <= len(ring) <= most or tuple(ring[0]) != tuple(ring[-1]):
        return False
    if not all(math.isfinite(x) and math.isfinite(y) and abs(x) <= 180 and abs(y) <= 90 for x, y in ring):
        return False
    xs, ys = [x for x, _ in ring], [y for _, y in ring]
    if max(xs) - min(xs) > MAX_SPAN_DEGREES or max(ys) - min(ys) > MAX_SPAN_DEGREES:
        return False
    return abs(_double_area(ring)) > 0 and not _crosses(ring)


def inside(ring: Sequence[Point], point: Point) -> bool:
    """Whether ``point`` lies in the polygon: a ray to the east crosses its edges an odd number of times."""
    x, y = point
    odd = False
    for (ax, ay), (bx, by) in pairwise(ring):
        if (ay > y) != (by > y) and x < (bx - ax) * (y - ay) / (by - ay) + ax:
            odd = not odd
    return odd


def _double_area(ring: Sequence[Point]) -> float:
    return sum(ax * by - bx * ay for (ax, ay), (bx, by) in pairwise(ring))


def _crosses(ring: Sequence[Point]) -> bool:
    edges = list(pairwise(ring))
    last = len(edges) - 1
    for i, (a, b) in enumerate(edges):
        if a == b:
            return True
        for j in range(i + 1, len(edges)):
            neighbours = j == i + 1 or (i == 0 and j == last)
            if not neighbours and _meet(a, b, *edges[j]):
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
