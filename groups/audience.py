"""Which talk bursts each listener hears, and on which of its slots: computed apart from sending.

What is on air, and who listens to what, is told to an `Audience` at once; what that means for a listener is worked out
by `Audience.place`, one listener at a time, so that a node can do five thousand of them in slices between packets.
A change concerns only the listeners of one group, and costs nothing for the others.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from groups.precedence import BY_PLACE, Rank, Voice, rank
from groups.vocabulary import BurstId, GroupId, UserId

Burst = TypeVar("Burst")
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class OnAir:
    """A talk burst on air. ``number``: the talker's priority. Burst ids are unique within a group only."""

    group: GroupId
    burst: BurstId
    talker: UserId
    voice: Voice = Voice.NORMAL
    number: int = 0


class Change(NamedTuple, Generic[Key]):
    """From now on ``slot`` of ``listener`` carries ``now``, and no longer ``before``.

    Where both are the same burst only what is said of it changed.
    """

    listener: Key
    slot: int
    before: OnAir | None
    now: OnAir | None


class _Burst:
    """A burst on air, and the part of its rank that is the same for all listeners."""

    __slots__ = ("first", "on_air", "same_for_all")

    def __init__(self, on_air: OnAir, first: int) -> None:
        self.on_air = on_air
        self.first = first
        by_place = on_air.voice in BY_PLACE
        self.same_for_all = None if by_place else rank(on_air.voice, 0, on_air.number, first)

    def rank(self, place: int) -> Rank:
        """Its rank for a listener who has its group in that place."""
        return self.same_for_all or rank(self.on_air.voice, place, self.on_air.number, self.first)


class _Listener:
    """What one connection listens to (group → place on its list) and hears."""

    __slots__ = ("groups", "silent", "slots", "user")

    def __init__(self, user: UserId, slots: int) -> None:
        self.user = user
        self.groups: dict[GroupId, int] = {}
        self.silent: tuple[OnAir | None, ...] = (None,) * slots
        self.slots: tuple[OnAir | None, ...] = self.silent


class Audience(Generic[Key]):
    """All listeners of one node. ``Key`` names a connection."""

    def __init__(self) -> None:
        self._listeners: dict[Key, _Listener] = {}
        self._of_group: dict[GroupId, dict[Key, None]] = {}
        self._on_air: dict[GroupId, dict[BurstId, _Burst]] = {}
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

    def leave(self, listener: Key) -> tuple[OnAir | None, ...]:
        """The connection is gone; what its slots carried until now."""
        known = self._listeners.pop(listener, None)
        if known is None:
            return ()
        for group in known.groups:
            self._forget(group, listener)
        return known.slots

    # --- what is on air ----------------------------------------------------------------------------------------------

    def began(self, on_air: OnAir) -> Collection[Key]:
        """A burst begins, or is now of another kind: the listeners to place."""
        bursts = self._on_air.setdefault(on_air.group, {})
        known = bursts.get(on_air.burst)
        if known is None or known.on_air != on_air:
            bursts[on_air.burst] = _Burst(on_air, self._begun if known is None else known.first)
            self._begun += 1
        return self.listeners(on_air.group)

    def ended(self, group: GroupId, burst: BurstId) -> Collection[Key]:
        """A burst is over: the listeners to place. Its slots are free at once for a burst that waited."""
        bursts = self._on_air.get(group, {})
        bursts.pop(burst, None)
        if not bursts:
            self._on_air.pop(group, None)
        return self.listeners(group)

    # --- who hears what ----------------------------------------------------------------------------------------------

    def listeners(self, group: GroupId) -> Collection[Key]:
        """Who listens to a group now; a copy, so it may be worked off while others come and go."""
        return tuple(self._of_group.get(group, ()))

    def heard(self, listener: Key) -> tuple[OnAir | None, ...]:
        """What each slot carries, as last placed."""
        known = self._listeners.get(listener)
        return () if known is None else known.slots

    def place(self, listener: Key) -> tuple[Change[Key], ...]:
        """Work out anew what one listener hears: what changes on which slot, nothing for one who is gone."""
        known = self._listeners.get(listener)
        if known is None:
            return ()
        before, wanted = known.slots, self._wanted(known)
        if not wanted and before == known.silent:
            return ()
        still: tuple[OnAir | None, ...] = tuple([None if burst is None else self._still(burst) for burst in before])
        now = assign(still, wanted)
        known.slots = now
        return tuple(
            [
                Change(listener, slot, was, is_now)
                for slot, (was, is_now) in enumerate(zip(before, now, strict=True))
                if was is not is_now and was != is_now
            ]
        )

    def _still(self, heard: OnAir) -> OnAir | None:
        """What is said of a burst now: it may have become an emergency since, and keeps its slot."""
        found = self._on_air.get(heard.group, {}).get(heard.burst)
        return None if found is None else found.on_air

    def _wanted(self, known: _Listener) -> list[OnAir]:
        found = [
            (place, burst)
            for place, bursts in self._bursts_of(known)
            for burst in bursts.values()
            if burst.on_air.talker != known.user
        ]
        if len(found) > len(known.slots):
            found.sort(key=_rank)
        return [burst.on_air for _, burst in found]

    def _bursts_of(self, known: _Listener) -> Iterator[tuple[int, dict[BurstId, _Burst]]]:
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


def assign(slots: tuple[Burst | None, ...], wanted: Sequence[Burst]) -> tuple[Burst | None, ...]:
    """Put the most important of the bursts on air into the slots.

    Args:
        slots: what each slot carries now.
        wanted: the bursts this listener may and wants to hear, most important first.

    Returns:
        What each slot carries from now on. A burst that stays keeps its slot, so nothing is cut to be moved.
    """
    chosen = wanted[: len(slots)]
    after: list[Burst | None] = [burst if burst is not None and burst in chosen else None for burst in slots]
    waiting = iter([burst for burst in chosen if burst not in after])
    return tuple(next(waiting, None) if burst is None else burst for burst in after)


def _rank(entry: tuple[int, _Burst]) -> Rank:
    place, burst = entry
    return burst.rank(place)
