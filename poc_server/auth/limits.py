"""How often one may fail: pure, time in ms as an argument."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from dataclasses import dataclass

from poc_server.auth.settings import LimitSettings


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

    def admit(self, key: str, now: int) -> int:
        """0 when an attempt may go on (and is counted), else ms to wait."""
        found = self._kept.get(key, _Failures(0, 0, now))
        if now - found.last > self._settings.forget_s * 1000:
            found = _Failures(0, 0, now)
        if now < found.open_at:
            # A clock that was set back makes nobody wait longer than he must.
            return min(found.open_at - now, self._wait(found.count))
        count = found.count + 1
        self._kept[key] = _Failures(count, now + self._wait(count), now)
        self._kept.move_to_end(key)
        while len(self._kept) > self._settings.remembered:
            self._kept.popitem(last=False)
        return 0

    def forget(self, key: str) -> None:
        """The attempt was right, and it was the account's own: begin anew."""
        self._kept.pop(key, None)

    def undo(self, key: str, now: int) -> None:
        """The attempt was no failure; what others failed at the same address still counts."""
        found = self._kept.get(key)
        if found is not None:
            self._kept[key] = _Failures(found.count - 1, now + self._wait(found.count - 1), found.last)

    def _wait(self, count: int) -> int:
        if count < self._settings.free:
            return 0
        doublings = min(count - self._settings.free, 30)
        seconds = min(self._settings.first_wait_s * float(2**doublings), self._settings.longest_s)
        return round(seconds * 1000)


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
