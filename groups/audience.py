"""Which talk bursts each listener hears, and on which of its slots: computed apart from sending.

What is on air, and who listens to what, is told to an `Audience` at once; what that means for a listener is worked out
by `Audience.place`, one listener at a time, so that a node can do five thousand of them in slices between packets.
A change concerns only the listeners of one group, and costs nothing for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from typing import Generic, NamedTuple, Protocol, TypeVar

from groups.precedence import BY_PLACE, Rank, Voice, rank
from groups.vocabulary import BurstId, GroupId, UserId


class Heard(Protocol):
    """What must be known of a talk burst on air; compared by identity. Burst ids are unique within a group only."""

    @property
    def group(self) -> GroupId:
        """The group it is said in."""

    @property
    def burst(self) -> BurstId:
        """Its id."""

    @property
    def speaker(self) -> UserId:
        """Who says it."""

    @property
    def voice(self) -> Voice:
        """What kind of voice it is."""

    @property
    def number(self) -> int:
        """The speaker's priority, 0–255."""


Burst = TypeVar("Burst", bound=Heard)
Thing = TypeVar("Thing")
Key = TypeVar("Key", bound=Hashable)


class Change(NamedTuple, Generic[Key, Burst]):
    """From now on ``slot`` of ``listener`` carries ``now``, and no longer ``before``.

    Where both have one group and burst id, what is said of the burst or how it is carried has changed.
    """

    listener: Key
    slot: int
    before: Burst | None
    now: Burst | None


class _OnAir(Generic[Burst]):
    """A burst on air, and the part of its rank that is the same for all listeners."""

    __slots__ = ("first", "heard", "same_for_all")

    def __init__(self, heard: Burst, first: int) -> None:
        self.heard = heard
        self.first = first
        by_place = heard.voice in BY_PLACE
        self.same_for_all = None if by_place else rank(heard.voice, 0, heard.number, first)

    def rank(self, place: int) -> Rank:
        """Its rank for a listener who has its group in that place."""
        return self.same_for_all or rank(self.heard.voice, place, self.heard.number, self.first)


class _Listener(Generic[Burst]):
    """What one connection listens to (group → place on its list) and hears."""

    __slots__ = ("groups", "silent", "slots", "user")

    def __init__(self, user: UserId, slots: int) -> None:
        self.user = user
        self.groups: dict[GroupId, int] = {}
        self.silent: tuple[Burst | None, ...] = (None,) * slots
        self.slots: tuple[Burst | None, ...] = self.silent


class Audience(Generic[Key, Burst]):
    """All listeners of one node. ``Key`` names a connection."""

    def __init__(self) -> None:
        self._listeners: dict[Key, _Listener[Burst]] = {}
        self._of_group: dict[GroupId, dict[Key, None]] = {}
        self._on_air: dict[GroupId, dict[BurstId, _OnAir[Burst]]] = {}
        self._begun = 0

    # --- who listens -------------------------------------------------------------------------------------------------

    def join(self, listener: Key, user: UserId, slots: int, groups: Sequence[GroupId] = ()) -> None:
        """A connection of ``user`` with ``slots`` slots; what it was before is forgotten."""
        self.leave(listener)
        self._listeners[listener] = _Listener(user, slots)
        self.listen(listener, groups)

    def listen(self, listener: Key, groups: Sequence[GroupId]) -> None:
        """What it listens to from now on: the selected group first, then the others, most important first."""
        known = self._listeners.get(listener)
        if known is None:
            return
        wanted = {group: place for place, group in reversed(tuple(enumerate(groups)))}
        for group in known.groups.keys() - wanted.keys():
            self._forget(group, listener)
        for group in wanted.keys() - known.groups.keys():
            self._of_group.setdefault(group, {})[listener] = None
        known.groups = wanted

    def leave(self, listener: Key) -> tuple[Burst | None, ...]:
        """The connection is gone; what its slots carried until now."""
        known = self._listeners.pop(listener, None)
        if known is None:
            return ()
        for group in known.groups:
            self._forget(group, listener)
        return known.slots

    # --- what is on air ----------------------------------------------------------------------------------------------

    def began(self, heard: Burst) -> None:
        """A burst is on air, or something else is known of it now: its listeners are to be placed."""
        bursts = self._on_air.setdefault(heard.group, {})
        known = bursts.get(heard.burst)
        bursts[heard.burst] = _OnAir(heard, self._begun if known is None else known.first)
        self._begun += 1

    def ended(self, group: GroupId, burst: BurstId) -> None:
        """A burst is over: its listeners are to be placed, and its slots free for what waits."""
        bursts = self._on_air.get(group, {})
        bursts.pop(burst, None)
        if not bursts:
            self._on_air.pop(group, None)

    # --- who hears what ----------------------------------------------------------------------------------------------

    def listeners(self, group: GroupId) -> Collection[Key]:
        """Who is to be placed when something changes in a group; a copy, for others come and go meanwhile."""
        return tuple(self._of_group.get(group, ()))

    def knows(self, listener: Key) -> bool:
        """Whether it joined and did not leave."""
        return listener in self._listeners

    def heard(self, listener: Key) -> tuple[Burst | None, ...]:
        """What each slot carries, as last placed."""
        known = self._listeners.get(listener)
        return () if known is None else known.slots

    def place(self, listener: Key) -> tuple[Change[Key, Burst], ...]:
        """Work out anew what one listener hears: what changes on which slot, nothing for one who is gone."""
        known = self._listeners.get(listener)
        if known is None:
            return ()
        before, wanted = known.slots, self._wanted(known)
        if not wanted and before == known.silent:
            return ()
        still: tuple[Burst | None, ...] = tuple([None if burst is None else self._still(burst) for burst in before])
        now = assign(still, wanted)
        known.slots = now
        return tuple(
            [
                Change(listener, slot, was, is_now)
                for slot, (was, is_now) in enumerate(zip(before, now, strict=True))
                if was is not is_now
            ]
        )

    def _still(self, heard: Burst) -> Burst | None:
        """What is said of a burst now: it may have become an emergency since, and keeps its slot."""
        found = self._on_air.get(heard.group, {}).get(heard.burst)
        return None if found is None else found.heard

    def _wanted(self, known: _Listener[Burst]) -> list[Burst]:
        found = [
            (place, burst)
            for place, bursts in self._bursts_of(known)
            for burst in bursts.values()
            if burst.heard.speaker != known.user
        ]
        if len(found) > len(known.slots):
            found.sort(key=_rank)
        return [burst.heard for _, burst in found]

    def _bursts_of(self, known: _Listener[Burst]) -> Iterator[tuple[int, dict[BurstId, _OnAir[Burst]]]]:
        # The shorter of the two: few groups are on air, or few are listened to.
        if len(self._on_air) < len(known.groups):
            yield from (
                (known.groups[group], bursts) for group, bursts in self._on_air.items() if group in known.groups
            )
        else:
            yield from ((place, self._on_air[group]) for group, place in known.groups.items() if group in self._on_air)

    def _forget(self, group: GroupId, listener: Key) -> None:
        of = self._of_group.get(group, {})
        of.pop(listener, None)
        if not of:
            self._of_group.pop(group, None)


def assign(slots: tuple[Thing | None, ...], wanted: Sequence[Thing]) -> tuple[Thing | None, ...]:
    """Put the most important of the bursts on air into the slots.

    Args:
        slots: what each slot carries now.
        wanted: the bursts this listener may and wants to hear, most important first.

    Returns:
        What each slot carries from now on. A burst that stays keeps its slot, so nothing is cut to be moved.
    """
    chosen = wanted[: len(slots)]
    after: list[Thing | None] = [burst if burst is not None and burst in chosen else None for burst in slots]
    waiting = iter([burst for burst in chosen if burst not in after])
    return tuple(next(waiting, None) if burst is None else burst for burst in after)


def _rank(entry: tuple[int, _OnAir[Burst]]) -> Rank:
    place, burst = entry
    return burst.rank(place)
