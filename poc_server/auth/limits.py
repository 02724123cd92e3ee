"""How often one may fail: pure, time in ms as an argument."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from poc_server.auth.settings import LimitSettings

REPEATS_REMEMBERED = 1_000


@dataclass(frozen=True, slots=True)
class _Failures:
    count: int
    open_at: int
    last: int


class FailureLimiter:
    """Counts failures per key.

    An attempt counts as a failure until it is known to be none, so that many at once do not slip by.
    """

    def __init__(self, settings: LimitSettings) -> None:
        self._settings = settings
        self._kept: OrderedDict[str, _Failures] = OrderedDict()

    def wait(self, key: str, now: int) -> int:
        """Ms until another attempt may go on."""
        found = self._found(key, now)
        # A clock that was set back makes nobody wait longer than he must.
        return min(max(found.open_at - now, 0), self._wait(found.count))

    def admit(self, key: str, now: int) -> int:
        """0 when an attempt may go on (and is counted), else ms to wait."""
        wait = self.wait(key, now)
        if not wait:
            self.count(key, now)
        return wait

    def count(self, key: str, now: int) -> None:
        """There was one attempt more."""
        count = self._found(key, now).count + 1
        self._kept[key] = _Failures(count, now + self._wait(count), now)
        self._kept.move_to_end(key)
        while len(self._kept) > self._settings.remembered:
            self._kept.popitem(last=False)

    def forget(self, key: str) -> None:
        """The attempt was right, and it was the account's own: begin anew."""
        self._kept.pop(key, None)

    def undo(self, key: str, now: int) -> None:
        """The attempt was no failure; what others failed at the same address still counts."""
        found = self._kept.get(key)
        if found is not None:
            count = max(found.count - 1, 0)
            self._kept[key] = _Failures(count, now + self._wait(count), found.last)

    def _found(self, key: str, now: int) -> _Failures:
        found = self._kept.get(key, _Failures(0, 0, now))
        return _Failures(0, 0, now) if now - found.last > self._settings.forget_s * 1000 else found

    def _wait(self, count: int) -> int:
        if count < self._settings.free:
            return 0
        doublings = min(count - self._settings.free, 30)
        seconds = min(self._settings.first_wait_s * float(2**doublings), self._settings.longest_s)
        return round(seconds * 1000)


class Sparing:
    """Lets through at a bounded rate what a stranger can drive, and counts what it holds back.

    Of each sort ``at_once`` go through together, then one every ``every_s`` seconds.
    """

    def __init__(self, at_once: int, every_s: float) -> None:
        self._at_once = at_once
        self._every_ms = every_s * 1000
        self._left: dict[str, tuple[float, int]] = {}
        self._held: dict[str, int] = {}
        self._seen: OrderedDict[object, int] = OrderedDict()

    def admit(self, sort: str, now: int, again: object = None) -> int | None:
        """How many of this sort were held back since the last one that went through; None: this one is, too.

        ``again``: what is the same each time, of which one goes through every ``every_s`` seconds.
        """
        tokens, at = self._left.get(sort, (float(self._at_once), now))
        tokens = min(self._at_once, tokens + max(0, now - at) / self._every_ms)
        seen = None if again is None else self._seen.get(again)
        repeated = seen is not None and 0 <= now - seen < self._every_ms
        if tokens < 1 or repeated:
            self._left[sort] = (tokens, now)
            self._held[sort] = self._held.get(sort, 0) + 1
            return None
        self._left[sort] = (tokens - 1, now)
        if again is not None:
            self._seen[again] = now
            self._seen.move_to_end(again)
            while len(self._seen) > REPEATS_REMEMBERED:
                self._seen.popitem(last=False)
        return self._held.pop(sort, 0)


def address_key(address: str) -> str:
    """What counts as one address: an IPv4 address, or the /64 that one IPv6 host can use as it likes."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)
