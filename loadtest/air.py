"""Who heard whom, and when: read from the marks inside the voice that arrived."""

from __future__ import annotations

from dataclasses import dataclass

from loadtest.mark import Mark
from loadtest.stats import Series


@dataclass(slots=True)
class Heard:
    """One burst as all phones that listen closely heard it together. Times are the kernel's, ns."""

    group: str
    first_ns: int | None = None
    last_ns: int = 0


class Air:
    """Collects marks. ``relay_ms`` is talker's send → kernel receive at a listener.

    Two bursts of one group that were on air at the same time anywhere are *double talk*, which must never be with dual
    floor off: their spans, from the first reception at any phone to the last at any phone, overlap.
    """

    def __init__(self) -> None:
        self.relay_ms = Series()
        self._bursts: dict[tuple[int, int], Heard] = {}
        self.last_heard: dict[str, tuple[int, int, int]] = {}
        """When a packet of each group last arrived anywhere, and whose how-manieth burst it was of."""
        self.strangers = 0
        """Marks of bursts nobody of this fleet began: another fleet speaks in the same groups."""

    def begin(self, phone: int, burst: int, group: str) -> None:
        """``phone`` presses for its ``burst``-th time, in ``group``."""
        self._bursts[phone, burst] = Heard(group)

    def note(self, mark: Mark, stamp: int, *, repeated: bool = False) -> None:
        """A phone received ``mark`` at ``stamp``. ``repeated``: the last packet sent again to one who entered late."""
        heard = self._bursts.get((mark.phone, mark.burst))
        if heard is None:
            self.strangers += 1
            return
        heard.first_ns = stamp if heard.first_ns is None else min(heard.first_ns, stamp)
        heard.last_ns = max(heard.last_ns, stamp)
        self.last_heard[heard.group] = stamp, mark.phone, mark.burst
        if not repeated:
            self.relay_ms.add((stamp - mark.sent_ns) / 1e6)

    def double_talk(self) -> int:
        """How many bursts began in their group before an earlier one was over."""
        groups: dict[str, list[tuple[int, int]]] = {}
        for heard in self._bursts.values():
            if heard.first_ns is not None:
                groups.setdefault(heard.group, []).append((heard.first_ns, heard.last_ns))
        return sum(_overlaps(spans) for spans in groups.values())

    @property
    def bursts_heard(self) -> int:
        """Bursts of which at least one packet arrived somewhere."""
        return sum(1 for heard in self._bursts.values() if heard.first_ns is not None)


def _overlaps(spans: list[tuple[int, int]]) -> int:
    found, end = 0, None
    for first, last in sorted(spans):
        if end is not None and first < end:
            found += 1
        end = max(last, end or last)
    return found
