"""Samples and what is told of them."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

Summary = dict[str, float | int | None]


class Series:
    """Samples of one figure, eight bytes each."""

    __slots__ = ("_samples", "add")

    def __init__(self, samples: Iterable[float] = ()) -> None:
        self._samples = array("d", samples)
        self.add = self._samples.append
        """Count one sample."""

    def __len__(self) -> int:
        return len(self._samples)

    def values(self) -> npt.NDArray[np.float64]:
        """All samples, in the order they came."""
        return np.array(self._samples, dtype=np.float64)

    def summary(self) -> Summary:
        """``{p50, p95, p99, max, count}``; the first four are None without samples."""
        if not self._samples:
            return {"p50": None, "p95": None, "p99": None, "max": None, "count": 0}
        values = self.values()
        p50, p95, p99 = (round(float(q), 3) for q in np.percentile(values, (50, 95, 99)))
        return {"p50": p50, "p95": p95, "p99": p99, "max": round(float(values.max()), 3), "count": len(values)}
