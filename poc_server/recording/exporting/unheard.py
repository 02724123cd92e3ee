"""Which exports nobody makes any more, judged by this node's own watch: a clock that is wrong gives none of them up."""

from __future__ import annotations

from collections.abc import Iterable

from poc_server.store.records.exports import LET_GO_MS, Sign

WITHIN_S = 60.0
"""Who makes an export says so more often."""


class Unheard:
    """What one node has heard of the exports of all.

    Args:
        node: this node's name.
        within_s: an export of which nothing new is heard for so long is lost.
    """

    def __init__(self, node: str, within_s: float = WITHIN_S) -> None:
        self._node = node
        self._within_s = within_s
        self._since: dict[Sign, float] | None = None

    def look(self, signs: Iterable[Sign], now: float) -> list[Sign]:
        """Those that are lost; ``now`` in seconds of a clock that nobody sets.

        At the first look also what this node was making before it began anew.
        """
        before = self._since
        self._since = {sign: (before or {}).get(sign, now) for sign in signs}
        return [
            sign
            for sign, since in self._since.items()
            if sign.alive_ms == LET_GO_MS
            or now - since >= self._within_s
            or (before is None and sign.node == self._node)
        ]

    def interrupted(self) -> None:
        """SQL was away, and nobody could say anything: what was heard before that is as good as heard now."""
        if self._since:
            self._since = {}
