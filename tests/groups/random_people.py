"""Who and what there is in the random city: its people, standing groups and phones."""

from __future__ import annotations

from dataclasses import dataclass

from groups.floor.options import FloorOptions
from groups.precedence import Voice
from groups.vocabulary import BurstId, GroupId, UserId

USERS = tuple(UserId(f"u{n}") for n in range(9))
STANDING = {
    GroupId("east"): (USERS[:6], FloorOptions()),
    GroupId("west"): (USERS[3:9], FloorOptions(queueing=False, revoke_grace_ms=0)),
    GroupId("city"): (USERS, FloorOptions(dual_floor=True, transmit_limit_ms=8_000)),
}
SLOTS = 2
SILENT = (None,) * SLOTS


@dataclass(eq=False)
class OnAir:
    """A burst on air (`groups.audience.Heard`)."""

    group: GroupId
    burst: BurstId
    speaker: UserId
    voice: Voice
    number: int


@dataclass(eq=False)
class Phone:
    """One device; ``slots`` is what its lines carry, kept apart from the audience and compared with it."""

    key: str
    user: UserId
    here: bool = True
    selected: GroupId | None = None
    listens: tuple[GroupId, ...] = ()
    brought: tuple[GroupId, ...] = ()
    slots: tuple[OnAir | None, ...] = SILENT

    def groups(self) -> tuple[GroupId, ...]:
        selected = () if self.selected is None else (self.selected,)
        return tuple(dict.fromkeys((*self.brought, *selected, *self.listens))) if self.here else ()
