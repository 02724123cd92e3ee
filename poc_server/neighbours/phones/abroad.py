"""Phones of other nodes by the groups they are in, and those whose node died, as long as they may come back."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from groups.vocabulary import GroupId, UserId
from poc_server.neighbours.known.far_phone import FarPhone
from signaling.limits import RESUME_S

if TYPE_CHECKING:
    from groups.model import User
    from poc_server.talk.phones import Phones


class Abroad:
    """Implements `poc_server.talk.presence.Abroad`.

    Presence asks each second of every group, on every node, and a second node halves its own phones only: so the others
    are counted when one of them is different, and not when somebody asks.
    """

    def __init__(self, phones: Phones) -> None:
        self._phones = phones
        self._in_group: dict[GroupId, dict[str, FarPhone]] = {}
        self._counted: dict[GroupId, tuple[set[UserId], set[UserId]]] = {}
        self._lost: dict[str, FarPhone] = {}

    def users_in(self, group: GroupId) -> tuple[set[UserId], set[UserId]]:
        """Users whose phones on other nodes are connected in ``group``, and those of them that would hear."""
        if group not in self._in_group:
            return set(), set()
        counted = self._counted.get(group)
        if counted is None:
            there = [phone for phone in self._in_group[group].values() if phone.connection is not None]
            there = [phone for phone in there if phone.is_in(group)]
            counted = {phone.user.id for phone in there}, {phone.user.id for phone in there if phone.hears}
            self._counted[group] = counted
        return counted

    @property
    def awaited(self) -> int:
        """Phones of dead nodes that may come to any other yet."""
        return len(self._lost)

    def phones_in(self, group: GroupId) -> Iterable[FarPhone]:
        """Those that hear ``group``."""
        return self._in_group.get(group, {}).values()

    def monitors_of(self, group: GroupId) -> dict[UserId, User]:
        """Users on other nodes who hear ``group`` without being in it, and do not hide it."""
        phones = [phone for phone in self._in_group.get(group, {}).values() if group in phone.monitors]
        seen = [phone for phone in phones if phone.connection is not None and not phone.hidden]
        return {phone.user.id: phone.user for phone in seen if not phone.is_in(group)}

    def placed(self, phone: FarPhone, before: Iterable[GroupId], after: Iterable[GroupId]) -> None:
        """A phone of another node is different, and hears these groups now, or none."""
        for group in before:
            here = self._in_group.get(group, {})
            here.pop(phone.key, None)
            if not here:
                self._in_group.pop(group, None)
            self._counted.pop(group, None)
        for group in after:
            self._in_group.setdefault(group, {})[phone.key] = phone
            self._counted.pop(group, None)

    def lost(self, phones: Iterable[FarPhone], now: float) -> None:
        """Their node is dead: each may come to any other, and has its place for a while. ``now``: loop time."""
        for phone in phones:
            phone.neighbour, phone.connection, phone.hears, phone.dropped_at = None, None, False, now
            self._lost[phone.key] = phone
            for group in phone.groups:
                self._counted.pop(group, None)

    def gone(self, now: float) -> list[FarPhone]:
        """Those of the lost that came back nowhere in time. Each is told once."""
        for key, phone in tuple(self._lost.items()):
            if self._phones.get(key) is not phone:
                del self._lost[key]  # it is on another node, or on this one
        gone = [each for each in self._lost.values() if now - (each.dropped_at or 0.0) > RESUME_S]
        for phone in gone:
            del self._lost[phone.key]
        return gone
