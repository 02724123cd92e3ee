"""Polygons: open, crossed, flat, empty, huge ones are refused; inside is inside."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groups.emergency import area

SQUARE = [(114.0, 30.0), (114.2, 30.0), (114.2, 30.2), (114.0, 30.2), (114.0, 30.0)]
MOST = 10


@pytest.mark.parametrize(
    "ring",
    [
        [],
        SQUARE[:-1],
        SQUARE[:2] + SQUARE[:1],
        [SQUARE[0]] * 5,
        [(0, 0), (1, 1), (1, 0), (0, 1), (0, 0)],
        [(0, 0), (1, 1), (2, 2), (0, 0)],
        [(0, 0), (5.1, 0), (5.1, 1), (0, 0)],
        [(0, 0), (0, 5.1), (1, 5.1), (0, 0)],
        [(179, 89), (181, 89), (180, 90), (179, 89)],
        [(10, 89), (11, 89), (10, 91), (10, 89)],
        [(0, 0), (float("nan"), 0), (1, 1), (0, 0)],
    ],
)
def test_what_cannot_be_used(ring: list[tuple[float, float]]) -> None:
    assert not area.usable(ring, MOST)


def ring_of(points: int) -> list[tuple[float, float]]:
    """A convex ring of so many points, the repeated one among them."""
    line = [(x / 10, (x / 10) ** 2) for x in range(points - 1)]
    return [*line, line[0]]


def test_at_the_limit_and_one_beyond() -> None:
    assert area.usable(ring_of(MOST), MOST)
    assert not area.usable(ring_of(MOST + 1), MOST)
    assert area.usable(ring_of(area.MIN_POINTS), MOST)


@given(st.floats(113.9, 114.3), st.floats(29.9, 30.3))
def test_inside_a_square(x: float, y: float) -> None:
    if all(abs(x - edge) > 1e-9 for edge in (114.0, 114.2)) and all(abs(y - edge) > 1e-9 for edge in (30.0, 30.2)):
        assert area.Inside(SQUARE).holds((x, y)) == (114.0 < x < 114.2 and 30.0 < y < 30.2)


@pytest.mark.parametrize("turned", [False, True])
def test_inside_where_edges_slant_and_corners_go_in(turned: bool) -> None:
    """An arrowhead that points east, its notch in the west at 2."""
    arrow = [(0.0, 0.0), (4.0, 2.0), (0.0, 4.0), (2.0, 2.0), (0.0, 0.0)]
    ring = arrow[::-1] if turned else arrow
    assert area.usable(ring, MOST)
    for point, holds in (
        ((1.0, 0.75), True),
        ((1.0, 0.25), False),
        ((3.0, 2.1), True),
        ((3.0, 3.1), False),
        ((1.0, 2.1), False),
        ((1.0, 3.25), True),
        ((5.0, 2.1), False),
    ):
        assert area.Inside(ring).holds(point) is holds, point


@given(st.lists(st.tuples(st.floats(-180, 180), st.floats(-90, 90)), max_size=12))
def test_no_ring_breaks_it(ring: list[tuple[float, float]]) -> None:
    if area.usable([*ring, *ring[:1]], MOST):
        area.Inside([*ring, *ring[:1]]).holds((0.0, 0.0))


@given(st.floats(0, 1), st.floats(0, 1))
def test_inside_a_ring_of_many_corners(x: float, y: float) -> None:
    """As of the circle it nearly is."""
    corners = [(math.cos(math.tau * each / 499), math.sin(math.tau * each / 499)) for each in range(499)]
    ring = [*corners, corners[0]]
    assert area.usable(ring, len(ring))
    if abs(math.hypot(x, y) - 1) > 1e-3:
        assert area.Inside(ring).holds((x, y)) == (math.hypot(x, y) < 1)
        assert area.Inside(ring).about(x, y)


def test_a_ring_that_would_take_long_to_judge_is_refused() -> None:
    """A comb: each tooth reaches from one end to the other."""

    def comb(teeth: int) -> list[tuple[float, float]]:
        up_and_down = [(number / 100, float(1 + number % 2)) for number in range(teeth)]
        return [*up_and_down, (teeth / 100, 0.0), (0.0, 0.0), up_and_down[0]]

    assert area.usable(comb(100), 500)
    assert not area.usable(comb(400), 500)
