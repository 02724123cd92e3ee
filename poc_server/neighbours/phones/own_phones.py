"""What the other nodes are told of the phones of this one: at once where one changed, and all of them after a gap."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from groups.vocabulary import GroupId, UserId
from poc_server.neighbours.known.far_phone import FarPhone, record_of
from poc_server.talk.clock import loop_time
from poc_server.talk.people import on_air

if TYPE_CHECKING:
    from poc_server.neighbours.known.this_node import ThisNode
    from poc_server.talk.phone import Phone

PHONES_AT_ONCE = 200
"""Phones in one message, and the pause after it, when everything is told: a whole node comes back at this pace."""
PAUSE_S = 0.02
BEATS = 4
"""Within so many heartbeats every phone of this node was looked at."""
LEAST_LOOKED_AT = 64


class OwnPhones:
    """Keeps what was told, so that only what differs is told again. ``cast``: says something to all other nodes."""

    def __init__(self, node: ThisNode, cast: Callable[[dict[str, Any]], None]) -> None:
        self._node = node
        self._cast = cast
        self._changed: dict[str, None] = {}
        self._told: dict[str, tuple[bool, GroupId | None]] = {}
        self._on_air: dict[UserId, GroupId] = {}
        self._to_look_at: list[Phone] = []
        self._at_once = LEAST_LOOKED_AT

    def keys(self) -> list[str]:
        """Of all phones that are on this node."""
        return [phone.key for phone in self._node.phones.here()]

    def changed(self, phone: Phone) -> None:
        """It is different, or gone: the next `tell` says so, once however often it changed until then."""
        self._changed[phone.key] = None

    def tell(self) -> None:
        """What changed since it was told last. A phone that is gone, or on another node now, is told as ``null``."""
        changed, self._changed = self._changed, {}
        if changed:
            self._cast({"phones": {key: self._record(key) for key in changed}})

    async def tell_again(self, keys: Sequence[str]) -> None:
        """All of ``keys`` that are here still, in pieces with a pause after each."""
        for start in range(0, len(keys), PHONES_AT_ONCE):
            records = {key: self._record(key) for key in keys[start : start + PHONES_AT_ONCE]}
            self._cast({"phones": {key: record for key, record in records.items() if record is not None}})
            await asyncio.sleep(PAUSE_S)

    def told_otherwise(self, now: float) -> list[Phone]:
        """Phones of which the others know what holds no more, though no change was said. ``now``: seconds, `loop_time`.

        With each heartbeat: nobody is told who talks but those who hear it. That one would hear ends by itself, and for
        that a part of the phones is looked at each time.
        """
        before, self._on_air = self._on_air, on_air(self._node.talkgroups)
        phones = self._node.phones
        talked_or_talk = {user for user, _ in before.items() ^ self._on_air.items()}
        seen = {phone.key: phone for phone in phones.among(talked_or_talk) if phone.away is None}
        seen |= {phone.key: phone for phone in self._next() if phones.get(phone.key) is phone}
        return [
            phone
            for phone in seen.values()
            if self._told.get(phone.key) != (phone.would_hear(now), self._on_air.get(phone.user.id))
        ]

    def _next(self) -> list[Phone]:
        """Those whose turn it is; of the last round some may be gone."""
        if not self._to_look_at:
            self._to_look_at = self._node.phones.here()
            self._at_once = max(LEAST_LOOKED_AT, -(-len(self._to_look_at) // BEATS))
        part = self._to_look_at[-self._at_once :]
        del self._to_look_at[-self._at_once :]
        return part

    def _record(self, key: str) -> dict[str, Any] | None:
        phone = self._node.phones.get(key)
        if phone is None or isinstance(phone, FarPhone):
            self._told.pop(key, None)
            return None
        record = record_of(phone, loop_time(), self._on_air.get(phone.user.id))
        self._told[key] = (record["hears"], record["talking"])
        return record
