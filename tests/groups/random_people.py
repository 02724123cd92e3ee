"""Who and what there is in the random city: its people, standing groups and phones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from groups.floor.options import FloorOptions
from groups.precedence import Voice
from groups.vocabulary import BurstId, GroupId, UserId

USERS = tuple(UserId(f"u{n}") for n in range(9))
STANDING = {
    GroupId("east"): (USERS[:6], FloorOptions()),
    GroupId("west"): (USERS[3:9], FloorOptions(queueing=False, revoke_grace_ms=0)),
    GroupId("city"): (USERS, FloorOptions(dual_floor=True, transmit_limit_ms=8_000)),
}
DISPATCHER = UserId("dispatcher")
"""A member of no group: what he hears he monitors."""
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
    """One device; ``slots`` is what its lines carry, kept apart from the audience and compared with it.

    ``patched``: group → the patch it is joined by, of the whole city.
    """

    key: str
    user: UserId
    here: bool = True
    selected: GroupId | None = None
    listens: tuple[GroupId, ...] = ()
    brought: tuple[GroupId, ...] = ()
    monitors: tuple[GroupId, ...] = ()
    patched: Mapping[GroupId, GroupId] = field(default_factory=dict)
    slots: tuple[OnAir | None, ...] = SILENT

    def present(self) -> tuple[GroupId, ...]:
        """The groups it is in; in the place of one that is patched its patch comes first."""
        selected = () if self.selected is None else (self.selected,)
        return self._with_patches((*self.brought, *selected, *self.listens))

    def groups(self) -> tuple[GroupId, ...]:
        """All it hears: what it monitors after all it is in."""
        return tuple(dict.fromkeys((*self.present(), *self._with_patches(self.monitors))))

    def _with_patches(self, groups: tuple[GroupId, ...]) -> tuple[GroupId, ...]:
        every = (each for group in groups for each in (self.patched.get(group, group), group))
        return tuple(dict.fromkeys(every)) if self.here else ()
