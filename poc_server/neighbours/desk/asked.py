"""What phones of this node ask of the desk: on its way there, taken here, or held back behind what was asked before."""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from groups.vocabulary import GroupId, Refusal
from poc_server.neighbours.desk.unanswered import Unanswered
from poc_server.neighbours.known.far_phone import FarPhone
from poc_server.requests import AT_DESK
from poc_server.requests.call import REQUESTS as CALLS
from poc_server.requests.floor import floor_request
from poc_server.requests.reception import carry_out
from poc_server.talk.later import Later
from signaling.messages import FloorRequest, Receipt, Sos, encode

if TYPE_CHECKING:
    from poc_server.neighbours.known.neighbour import Neighbour
    from poc_server.neighbours.known.others import Others
    from poc_server.neighbours.voice.losses import Losses
    from poc_server.talk.phone import Phone
    from poc_server.talk.talkgroup import Talkgroup

ANSWER_S = 1.5
"""The desk has so long to take a request; then the phone is told that it cannot be done now, and may ask again."""
LOOK_AGAIN_S = 0.1
READ_S = 1.0
"""A new desk has so long to read what lasts, till it answers without; less than `ANSWER_S`."""
WITHOUT_READING = frozenset({*CALLS, Sos})
"""Requests that a new desk takes at once: no call, and nobody in danger, waits for SQL."""
MAX_HELD = 64
"""Messages of one phone that may wait behind a request of its own that is on its way to the desk."""


class Place(Protocol):
    """Where the desk is (`poc_server.neighbours.desk.desk`)."""

    here: bool

    @property
    def opening(self) -> bool:
        """It has just come here, and what lasts is still waited for."""

    async def read(self) -> None:
        """Returns when that is read, or is not waited for any more."""

    @property
    def there(self) -> Neighbour | None:
        """The node that has it; None when that is this one, or nobody knows."""


class Asked:
    """The requests of this node's phones that the desk has not taken yet, and those that it has not answered."""

    def __init__(self, others: Others, losses: Losses, desk: Place) -> None:
        self._others = others
        self._losses = losses
        self._desk = desk
        self._node = others.node
        self._held: dict[str, deque[Any]] = {}
        self._asked: dict[str, tuple[int, Any, asyncio.TimerHandle]] = {}
        self._number = 0
        self.unanswered = Unanswered(self._node)
        self._later = Later()

    async def aclose(self) -> None:
        """End what waits."""
        await self._later.aclose()

    def takes(self, phone: Phone, message: Any) -> bool:
        """Whether a phone's message goes to the desk, or has to wait behind one that did."""
        held = self._held.get(phone.key)
        if held is not None:
            if len(held) >= MAX_HELD:
                phone.refuse(Refusal.UNAVAILABLE, getattr(message, "id", None))
            else:
                held.append(message)
            return True
        if isinstance(message, FloorRequest) and self._seems_alone(message):
            self._held[phone.key] = deque()
            self._later.spawn(self._look_again(phone, message))
            return True
        if type(message) not in AT_DESK:
            return False
        busy = [group for key in phone.groups if (group := self._node.talkgroups.get(key)) is not None and group.busy]
        if self._desk.here and not busy and not self.waits(message):
            return False
        self._held[phone.key] = deque()
        if busy or self._desk.here:
            self._later.spawn(self._after(busy, phone, message))
        else:
            self._ask(phone, message)
        return True

    def _seems_alone(self, message: FloorRequest) -> bool:
        talkgroup = self._node.talkgroups.get(GroupId(message.group))
        return bool(self._others.nodes) and talkgroup is not None and self._node.presence.participants(talkgroup) < 2

    async def _look_again(self, phone: Phone, message: FloorRequest) -> None:
        """Nobody else seems to be there: the word that somebody has just come to another node may be under way."""
        await asyncio.sleep(LOOK_AGAIN_S)
        self._take_here(phone, message)

    def _take_here(self, phone: Phone, message: Any) -> None:
        self._asked[phone.key] = (0, message, asyncio.get_running_loop().call_later(ANSWER_S, int))
        carry_out(self._node, phone, message)
        self._go_on(phone)

    async def _after(self, busy: list[Talkgroup], phone: Phone, message: Any) -> None:
        """What a phone did with its key before comes before what it asks now."""
        for group in busy:
            await group.settled()
        if self.waits(message):
            await self._desk.read()
        if self._desk.here:
            self._take_here(phone, message)
        else:
            self._ask(phone, message)

    def waits(self, message: Any) -> bool:
        """Whether the desk is here and cannot answer this yet: of what it has not read it would say that it is over."""
        return self._desk.opening and type(message) not in WITHOUT_READING

    def done(self, phone: Phone, number: int) -> None:
        """The desk has taken a request: what the phone said after it is carried out now."""
        asked = self._asked.get(phone.key)
        if asked is not None and asked[0] == number:
            if self._desk.there is not None:
                self.unanswered.taken(phone, asked[1].id, self._desk.there.id)
            self._go_on(phone)

    def press(self, phone: Phone, message: FloorRequest) -> None:
        """The call of a key that went down is up; where its others are, is told a moment later."""
        self.unanswered.here(phone, message.id)
        wait = LOOK_AGAIN_S if self._seems_alone(message) else 0.0
        asyncio.get_running_loop().call_later(wait, partial(floor_request, self._node, phone, message, up=True))

    def _ask(self, phone: Phone, message: Any) -> None:
        self._number += 1
        timer = asyncio.get_running_loop().call_later(ANSWER_S, self._unanswered, phone)
        self.unanswered.asked(phone, message.id)
        self._asked[phone.key] = (self._number, message, timer)
        self._send(phone.key)

    def _send(self, key: str) -> None:
        number, message, _ = self._asked[key]
        there = self._desk.there
        if there is not None:
            order = {"do": "request", "key": key, "number": number}
            phone = self._node.phones.get(key)
            if isinstance(message, Receipt) and phone is not None:
                order["lost"] = self._losses.since(phone)
            self._others.order(there, order, encode(message))

    def _unanswered(self, phone: Phone) -> None:
        _, message, _ = self._asked[phone.key]
        self.unanswered.here(phone, message.id)
        phone.refuse(Refusal.UNAVAILABLE, message.id)
        self._go_on(phone)

    def _go_on(self, phone: Phone) -> None:
        _, _, timer = self._asked.pop(phone.key)
        timer.cancel()
        held = self._held.pop(phone.key)
        while held:
            message = held.popleft()
            if self.takes(phone, message):
                self._held[phone.key].extend(held)
                return
            carry_out(self._node, phone, message)

    def again(self) -> None:
        """Asked of a node that has the desk no more: the one that has it now is asked instead."""
        for key in tuple(self._asked):
            self._send(key)

    def take_all(self) -> None:
        """The desk is here now, or has read what lasts."""
        for key, (_, message, _) in tuple(self._asked.items()):
            phone = self._node.phones.get(key)
            if self.waits(message):
                continue
            if phone is not None and not isinstance(phone, FarPhone):
                self.unanswered.here(phone, message.id)
                carry_out(self._node, phone, message)
                self._go_on(phone)
