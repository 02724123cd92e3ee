"""Long lists for SQL, some at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

IN_LIMIT = 300
"""Values that one statement names."""
T = TypeVar("T")


def in_parts(values: Iterable[T], size: int = IN_LIMIT) -> Iterator[list[T]]:
    """``values`` in their order, so many at a time."""
    rest = iter(values)
    while part := list(islice(rest, size)):
        yield part
