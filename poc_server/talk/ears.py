"""Which burst each of this node's phones hears on which slot, carried out: slots into routes, `slot` messages out.

Who hears what is decided in `groups.audience`; here the decision becomes media routes and messages.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from groups.audience import assign
from groups.model import User
from groups.vocabulary import BurstId, GroupId, Tier, UserId
from poc_server.talk.phone import person
from signaling.endpoint import frame
from signaling.messages import Slot as SlotMessage

if TYPE_CHECKING:
    from poc_server.media.relay import Route
    from poc_server.media.slot import Slot
    from poc_server.talk.phone import Phone


@dataclass(eq=False, slots=True)
class OnAir:
    """One talk burst on air on this node, with the slots that carry it."""

    burst: BurstId
    group: GroupId
    talker: User
    tier: Tier
    route: Route
    began_ms: int
    slots: dict[Slot, None] = field(default_factory=dict)
    frames: dict[int, bytes] = field(default_factory=dict)
    changed: bool = False

    def slot_frame(self, index: int) -> bytes:
        """The `slot` message for slot ``index``, framed once however many phones get it."""
        framed = self.frames.get(index)
        if framed is None:
            framed = self.frames[index] = frame(
                SlotMessage(slot=index, group=self.group, burst=self.burst, by=person(self.talker), tier=self.tier)
            )
        return framed


class Ears:
    """Every phone's slots."""

    def __init__(self) -> None:
        self._on_air: dict[GroupId, list[OnAir]] = {}
        self._heard: dict[Phone, tuple[OnAir | None, ...]] = {}
        self._silent_frames = tuple(frame(SlotMessage(slot=index)) for index in range(16))

    def on_air(self, group: GroupId) -> tuple[OnAir, ...]:
        """The bursts on air in a group."""
        return tuple(self._on_air.get(group, ()))

    def began(self, on_air: OnAir) -> None:
        """A burst is on air; phones hear it after `place`."""
        self._on_air.setdefault(on_air.group, []).append(on_air)

    def ended(self, on_air: OnAir) -> None:
        """A burst is over; its slots are free after `place`."""
        bursts = self._on_air.get(on_air.group, [])
        if on_air in bursts:
            bursts.remove(on_air)
        if not bursts:
            self._on_air.pop(on_air.group, None)

    def place(self, phones: Iterable[Phone]) -> None:
        """Decide anew what these phones hear, and carry it out."""
        touched: set[OnAir] = set()
        for phone in phones:
            self._place(phone, touched)
        for on_air in touched:
            on_air.route.set_audience(tuple(on_air.slots))

    def forget(self, phone: Phone) -> None:
        """A phone is gone, and its slots with it."""
        touched: set[OnAir] = set()
        if phone.peer is not None:
            for slot, heard in zip(phone.peer.slots, self._heard.get(phone, ()), strict=False):
                self._leave(heard, slot, touched)
        self._heard.pop(phone, None)
        for on_air in touched:
            on_air.route.set_audience(tuple(on_air.slots))

    def heard(self, phone: Phone) -> tuple[OnAir | None, ...]:
        """What each slot of a phone carries now."""
        return self._heard.get(phone, (None,) * phone.slots)

    def _place(self, phone: Phone, touched: set[OnAir]) -> None:
        if phone.peer is None:
            return
        before = self.heard(phone)
        after = assign(before, self._candidates(phone, phone.user.id))
        if after == before:
            return
        self._heard[phone] = after
        for index, (old, new) in enumerate(zip(before, after, strict=True)):
            if old is new:
                continue
            slot = phone.peer.slots[index]
            self._leave(old, slot, touched)
            if old is not None and new is not None:
                # The old burst ends on this slot before the new one begins on it: never two on one.
                old.route.set_audience(tuple(old.slots))
            if new is not None:
                new.slots[slot] = None
                touched.add(new)
                phone.write(new.slot_frame(index))
            else:
                phone.write(self._silent_frames[index])

    def _candidates(self, phone: Phone, user: UserId) -> list[OnAir]:
        found = [b for group in phone.groups for b in self._on_air.get(group, ()) if b.talker.id != user]
        if len(found) > 1:
            found.sort(key=lambda b: -b.tier)  # stable: within a tier the order of the phone's list
        return found

    @staticmethod
    def _leave(on_air: OnAir | None, slot: Slot, touched: set[OnAir]) -> None:
        if on_air is not None and slot in on_air.slots:
            del on_air.slots[slot]
            touched.add(on_air)
