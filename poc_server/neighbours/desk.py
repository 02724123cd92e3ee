"""The desk: one node of the city decides calls and emergencies, for phones of every node (docs/decisions: one desk).

Which node it is, a lease says. The others send it what their phones ask, and carry out what it orders. It tells them
what floors and slots must know: groups that live with their call, conditions, reserved groups. When it dies another
takes its place and reads what lasts from SQL and from the fabric. A node without Redis is its own desk.
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial
from typing import TYPE_CHECKING, Any

import structlog

from groups.vocabulary import GroupId, Refusal
from poc_server.fabric.interface import Unavailable
from poc_server.neighbours import decided
from poc_server.neighbours.far_phone import FarPhone
from poc_server.neighbours.sayings import Sayings
from poc_server.requests import AT_DESK
from poc_server.requests.floor import floor_request
from poc_server.requests.reception import carry_out
from poc_server.talk.beginning import Beginning
from poc_server.talk.later import Later
from signaling.messages import FloorRequest, Receipt, decode_client, encode

if TYPE_CHECKING:
    from poc_server.neighbours.losses import Losses
    from poc_server.neighbours.neighbour import Neighbour
    from poc_server.neighbours.others import Others
    from poc_server.talk.phone import Phone
    from poc_server.talk.talkgroup import Talkgroup

log = structlog.get_logger(__name__)

ANSWER_S = 1.5
"""The desk has so long to take a request; then the phone is told that it cannot be done now, and may ask again."""
LOOK_AGAIN_S = 0.1
MAX_HELD = 64
"""Messages of one phone that may wait behind a request of its own that is on its way to the desk."""


class Desk:
    """This node's part in the desk.

    Attributes:
        here: whether it is here.
        calls: those that go on, while it is elsewhere.
    """

    def __init__(self, others: Others, losses: Losses) -> None:
        self._others = others
        self._losses = losses
        self._node = others.node
        self.here = False
        self.calls: dict[GroupId, Beginning] = {}
        self._holder: str | None = None
        self._was_alone = False
        self._held: dict[str, deque[Any]] = {}
        self._asked: dict[str, tuple[int, Any, asyncio.TimerHandle]] = {}
        self._number = 0
        self._dirty: set[GroupId] = set()
        self._opening = asyncio.Lock()
        self._later = Later()
        self._sayings = Sayings()

    # --- life --------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Seek the lease."""
        self._node.roster.on_changed = self._changed
        self._node.conditions.on_changed = self._changed
        self._later.spawn(self._seek())

    async def aclose(self) -> None:
        """Leave the desk to another."""
        await self._later.aclose()
        if self.here and not self._others.fabric.alone:
            await self._others.fabric.drop("desk")

    def alone(self, alone: bool) -> None:
        """Without Redis every node is its own desk; with it the lease says."""
        if alone:
            self._was_alone = True
            self._hold(self._others.me)
            self._sayings.of_holder(self._sayings.came, None)
        else:
            self._holder = None

    def died(self, neighbour: Neighbour) -> None:
        """A node is dead; when it had the desk, somebody has to take it: its lease need not run out."""
        if self._holder == neighbour.id:
            self._holder = None
            if not self._others.fabric.alone:
                self._later.spawn(self._inherit(neighbour.id))

    async def _inherit(self, dead: str) -> None:
        await self._others.fabric.drop("desk", of=dead)
        await self._take_lease()

    async def _take_lease(self) -> None:
        if not self._node.draining:
            came = self._sayings.came
            try:
                self._hold(await self._others.fabric.hold("desk"))
            except Unavailable:
                log.debug("desk_unknown")
            else:
                self._take(came)

    @property
    def found(self) -> bool:
        """Whether somebody is known to have it."""
        return self._holder is not None

    @property
    def known(self) -> bool:
        """Whether somebody has it, and this node is ready when that is this one."""
        return (self.here or self._holder is not None) and not self._opening.locked()

    @property
    def _decides(self) -> bool:
        """Whether others follow this node: not one that was alone and has not learnt yet who has the desk now."""
        return self.here and self._holder == self._others.me and not self._opening.locked()

    @property
    def url(self) -> str:
        """Where it answers HTTP when it is on another node, "" when it is here or nowhere."""
        there = None if self.here else self._others.nodes.get(self._holder or "")
        return "" if there is None else there.url

    # --- requests ----------------------------------------------------------------------------------------------------

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
        if self.here and not busy:
            return False
        self._held[phone.key] = deque()
        if busy:
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
        if self.here:
            self._take_here(phone, message)
        else:
            self._ask(phone, message)

    def done(self, phone: Phone, number: int) -> None:
        """The desk has taken a request: what the phone said after it is carried out now."""
        asked = self._asked.get(phone.key)
        if asked is not None and asked[0] == number:
            self._go_on(phone)

    def requested(self, neighbour: Neighbour, order: dict[str, Any], blob: bytes) -> None:
        """A phone of another node asks something of the desk, which is here (or was, and will not answer)."""
        phone = self._node.phones.get(order["key"])
        if not self.here or not isinstance(phone, FarPhone) or phone.neighbour is not neighbour:
            return
        phone.lost = order.get("lost")
        carry_out(self._node, phone, decode_client(blob))
        self._others.order(neighbour, {"do": "done", "to": phone.key, "number": order["number"]}, b"")

    def begins_call(self, phone: Phone, message: FloorRequest) -> None:
        """A key went down in a group that is talked in by calls: the desk begins one, and then the key counts."""
        there = self._others.nodes.get(self._holder or "")
        if there is None:
            phone.refuse(Refusal.UNAVAILABLE, message.id)
        else:
            self._others.order(there, {"do": "begins_call", "key": phone.key}, encode(message))

    def press(self, phone: Phone, message: FloorRequest) -> None:
        """The call of a key that went down is up; where its others are, is told a moment later."""
        wait = LOOK_AGAIN_S if self._seems_alone(message) else 0.0
        asyncio.get_running_loop().call_later(wait, partial(floor_request, self._node, phone, message, up=True))

    def came(self, phone: Phone) -> None:
        """A phone of another node connected: it learns of the calls and emergencies that concern it."""
        self._node.arrivals.came(phone)

    def _ask(self, phone: Phone, message: Any) -> None:
        self._number += 1
        timer = asyncio.get_running_loop().call_later(ANSWER_S, self._unanswered, phone)
        self._asked[phone.key] = (self._number, message, timer)
        self._send(phone.key)

    def _send(self, key: str) -> None:
        number, message, _ = self._asked[key]
        there = self._others.nodes.get(self._holder or "")
        if there is not None:
            order = {"do": "request", "key": key, "number": number}
            phone = self._node.phones.get(key)
            if isinstance(message, Receipt) and phone is not None:
                order["lost"] = self._losses.since(phone)
            self._others.order(there, order, encode(message))

    def _unanswered(self, phone: Phone) -> None:
        _, message, _ = self._asked[phone.key]
        phone.refuse(Refusal.UNAVAILABLE, getattr(message, "id", None))
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

    # --- which node it is --------------------------------------------------------------------------------------------

    async def _seek(self) -> None:
        fabric = self._others.fabric
        # Others that live answer first: so this node is not the desk, nor ready, before it knows them.
        await asyncio.sleep(fabric.settings.heartbeat_ms / 1000)
        while True:
            if fabric.alone:
                self._hold(self._others.me)
            else:
                await self._take_lease()
            await asyncio.sleep(fabric.settings.heartbeat_ms / 1000)

    def _hold(self, holder: str) -> None:
        if holder == self._holder and (holder == self._others.me) == self.here:
            return
        self._holder = holder
        mine = holder == self._others.me
        if mine != self.here:
            log.info("desk", here=mine)
            self.here = mine
            self._later.spawn(self._opened() if mine else self._left())
            return
        if mine and self._was_alone:
            self._later.spawn(self._read_again())
        # Asked of the one that died: the new one is asked instead.
        for key in tuple(self._asked):
            self._send(key)

    async def _opened(self) -> None:
        """This node is the desk: read what lasts, then say so."""
        node = self._node
        async with self._opening:
            node.conditions.forget()
            for what in self.calls.values():
                node.calls.take_up(what)
            self.calls.clear()
            await self._read()
        self._follow_all()
        # Not all there is: what others know of emergencies holds while SQL, which would say more, is away.
        self._dirty |= self._groups()
        self._others.flush_soon()
        for key, (_, message, _) in tuple(self._asked.items()):
            phone = node.phones.get(key)
            if phone is not None and not isinstance(phone, FarPhone):
                carry_out(node, phone, message)
                self._go_on(phone)

    async def _read(self) -> None:
        """Take up what lasts and is not known here yet."""
        node = self._node
        if node.emergency is not None:
            await node.emergency.start()
        if node.texts is not None:
            await node.texts.start()
        if node.dispatch is not None:
            await node.dispatch.start()

    async def _left(self) -> None:
        """Another node is the desk: what is decided there is told from there."""
        async with self._opening:
            if self._was_alone:
                # What was begun here while alone is known nowhere else.
                self._node.calls.end_all()
            self._node.calls.rest()
            if self._node.emergency is not None:
                self._node.emergency.rest()
            for talkgroup in self._node.talkgroups.values():
                talkgroup.followed = False
            if self._was_alone:
                self._was_alone = False
                self._others.say("came", [phone.key for phone in self._node.phones.here()])

    async def _read_again(self) -> None:
        """This node is still the desk, or again: others that were alone too may have kept what it does not know."""
        self._was_alone = False
        await asyncio.sleep(2 * self._others.beat_s)
        async with self._opening:
            if self.here and self._node.emergency is not None:
                self._node.conditions.forget()
                self._node.emergency.rest()
            if self.here:
                await self._read()
        self._follow_all()
        self.tell_all()

    def again(self, _: Neighbour, keys: list[str]) -> None:
        """Phones of a node that was alone: they learn anew of what concerns them."""
        if not self.here:
            return
        for key in keys:
            phone = self._node.phones.get(key)
            if phone is not None and phone.connection is not None:
                self.came(phone)
        self._later.spawn(self._take_in())

    async def _take_in(self) -> None:
        """What a node kept while it alone was without Redis is led from here now; and it learns what was decided."""
        async with self._opening:
            if self.here:
                await self._read()
        self.tell_all()

    # --- what was decided --------------------------------------------------------------------------------------------

    def _changed(self, group: GroupId) -> None:
        """A transient group, a condition or a reserved group is another now."""
        if self.here:
            self._dirty.add(group)
            self._follow(group)
            self._others.flush_soon()

    def tell(self) -> None:
        """Tell the others what changed."""
        if not self.here:
            self._dirty.clear()
        elif self._dirty and self._decides:
            dirty, self._dirty = self._dirty, set()
            self._others.say("desk", {"groups": {group: decided.of(self._node, group) for group in dirty}})

    def tell_all(self) -> None:
        """Tell the others everything."""
        if self._decides:
            self._dirty.clear()
            groups = self._groups()
            told = {group: decided.of(self._node, group) for group in groups}
            self._others.say("desk", {"all": sorted(groups), "groups": told})

    def heard(self, sender: Neighbour, said: dict[str, Any]) -> None:
        """A node decided something: that counts when it has the desk, not when it slept and has lost it."""
        if self.here:
            return
        if self._node.draining:
            self._holder = sender.id  # this one asks for the lease no more
        self._sayings.add(sender.id, said)
        if self._node.draining or (len(self._sayings) == 1 and sender.id == self._holder):
            self._take(self._sayings.came)
        elif self._holder is not None:
            self._later.spawn(self._take_lease())

    def _take(self, came: int) -> None:
        for said in self._sayings.of_holder(came, self._holder):
            if not self.here:
                decided.take_all(self._node, self.calls, said)

    def _groups(self) -> set[GroupId]:
        return decided.groups(self._node, self._node.calls.groups() if self.here else self.calls)

    def _follow_all(self) -> None:
        for group in self._groups():
            self._follow(group)

    def _follow(self, group: GroupId) -> None:
        """The desk follows the floor of what it decides about, whether it has phones there or not."""
        wanted = group in self._groups() and self._node.roster.group(group) is not None
        if wanted:
            self._node.talkgroups.open(group).followed = True
        elif group in self._node.talkgroups:
            self._node.talkgroups[group].followed = False
