"""Which burst each of this node's phones hears on which slot, carried out: slots into routes, `slot` messages out.

Who hears what is decided in `groups.audience`; here the decision becomes media routes and messages.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from groups.audience import Audience, Change
from groups.model import User
from groups.precedence import Voice
from groups.vocabulary import BurstId, GroupId, Tier, UserId
from poc_server.talk.phone import person
from signaling.connection import frame
from signaling.limits import MAX_SLOTS
from signaling.messages import Slot as SlotMessage

if TYPE_CHECKING:
    from poc_server.media.downlink.slot import Slot
    from poc_server.media.relay import Route
    from poc_server.talk.phone import Phone


@dataclass(eq=False, slots=True)
class OnAir:
    """One talk burst on air on this node, with the slots that carry it (`groups.audience.Heard`)."""

    burst: BurstId
    group: GroupId
    talker: User
    tier: Tier
    voice: Voice
    number: int
    route: Route
    began_ms: int
    spoken_in: GroupId
    slots: dict[Slot, None] = field(default_factory=dict)
    frames: dict[tuple[int, GroupId], bytes] = field(default_factory=dict)

    @property
    def speaker(self) -> UserId:
        """Who says it."""
        return self.talker.id

    def slot_frame(self, index: int, group: GroupId) -> bytes:
        """The `slot` message for slot ``index``, framed once however many phones get it that call the group so."""
        framed = self.frames.get((index, group))
        if framed is None:
            framed = self.frames[index, group] = frame(
                SlotMessage(slot=index, group=group, burst=self.burst, by=person(self.talker), tier=self.tier)
            )
        return framed

    def named_for(self, phone: Phone) -> GroupId:
        """The group a phone is told of: that in which it is said, or through which the phone hears it."""
        if self.spoken_in == self.group:
            return self.group
        names = phone.names_of(self.group)
        return self.spoken_in if self.spoken_in in names else names[0]


class Ears:
    """Every phone's slots. A phone has ears while it has a media path."""

    def __init__(self) -> None:
        self._audience: Audience[Phone, OnAir] = Audience()
        self._silent_frames = tuple(frame(SlotMessage(slot=index)) for index in range(MAX_SLOTS))

    def listeners(self, group: GroupId) -> Collection[Phone]:
        """The phones to `place` when something changes in a group."""
        return self._audience.listeners(group)

    def began(self, on_air: OnAir) -> None:
        """A burst is on air, or more urgent now; phones hear it after `place`."""
        self._audience.began(on_air)

    def ended(self, on_air: OnAir) -> None:
        """A burst is over; its slots are free after `place`."""
        self._audience.ended(on_air.group, on_air.burst)

    def affiliated(self, phone: Phone) -> None:
        """A phone listens to other groups now, and hears, at once, what is on air there."""
        self._audience.listen(phone, phone.groups)
        self.place((phone,))

    def place(self, phones: Iterable[Phone]) -> None:
        """Decide anew what these phones hear, and carry it out."""
        touched: set[OnAir] = set()
        for phone in phones:
            if phone.peer is None:
                continue
            if not self._audience.knows(phone):
                self._audience.join(phone, phone.user.id, phone.slots, phone.groups)
            for change in self._audience.place(phone):
                self._carry_out(change, phone.peer.slots[change.slot], touched)
        for on_air in touched:
            on_air.route.set_audience(tuple(on_air.slots))

    def tell(self, phone: Phone) -> None:
        """Say of each of its slots what it carries: the phone is back and has missed what changed."""
        for index, on_air in enumerate(self._audience.heard(phone)):
            phone.write(
                self._silent_frames[index] if on_air is None else on_air.slot_frame(index, on_air.named_for(phone))
            )

    def forget(self, phone: Phone) -> None:
        """A phone is gone, or its media path is, and its slots with it."""
        touched: set[OnAir] = set()
        heard = self._audience.leave(phone)
        if phone.peer is not None:
            for slot, on_air in zip(phone.peer.slots, heard, strict=False):
                self._leave(on_air, slot, touched)
        for on_air in touched:
            on_air.route.set_audience(tuple(on_air.slots))

    def _carry_out(self, change: Change[Phone, OnAir], slot: Slot, touched: set[OnAir]) -> None:
        phone, index, old, new = change
        self._leave(old, slot, touched)
        if old is not None and new is not None:
            # The old burst ends on this slot before the new one begins on it: never two on one.
            old.route.set_audience(tuple(old.slots))
        if new is not None:
            new.slots[slot] = None
            touched.add(new)
            phone.write(new.slot_frame(index, new.named_for(phone)))
        else:
            phone.write(self._silent_frames[index])

    @staticmethod
    def _leave(on_air: OnAir | None, slot: Slot, touched: set[OnAir]) -> None:
        if on_air is not None and slot in on_air.slots:
            del on_air.slots[slot]
            touched.add(on_air)
