"""The desk: one node of the city decides calls and emergencies, for phones of every node.

Which node it is, a lease says. The others send it what their phones ask, and carry out what it orders. It tells them
what floors and slots must know: groups that live with their call, conditions, reserved groups. When it dies another
takes its place and reads what lasts from SQL and from the fabric. A node without Redis is its own desk.
Why one: docs/decisions/0019-several-nodes.md.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import structlog

from groups.vocabulary import GroupId, Refusal
from poc_server.fabric.interface import Unavailable
from poc_server.neighbours.desk import decided
from poc_server.neighbours.desk.asked import READ_S, Asked
from poc_server.neighbours.desk.sayings import Sayings
from poc_server.neighbours.known.far_phone import FarPhone
from poc_server.requests.reception import carry_out
from poc_server.talk.calls.call_facts import CallFacts
from poc_server.talk.later import Later
from signaling.messages import FloorRequest, decode_client, encode

if TYPE_CHECKING:
    from poc_server.neighbours.known.neighbour import Neighbour
    from poc_server.neighbours.known.others import Others
    from poc_server.neighbours.voice.losses import Losses
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)

LOOK_AGAIN_S = 1.0


class Desk:
    """This node's part in the desk.

    Attributes:
        here: whether it is here.
        calls: those that go on, while it is elsewhere.
        asked: what phones of this node ask of it.
    """

    def __init__(self, others: Others, losses: Losses) -> None:
        self._others = others
        self._node = others.node
        self.here = False
        self.calls: dict[GroupId, CallFacts] = {}
        self._holder: str | None = None
        self._was_alone = False
        self._dirty: set[GroupId] = set()
        self._opening = asyncio.Lock()
        self._is_read = asyncio.Event()
        """What lasts, since the desk is here; or who needs it has waited long enough."""
        self._reads_till: asyncio.TimerHandle | None = None
        self._unread: set[GroupId] = set()
        """While it is read what lasts: groups of which the others may know more than this node does."""
        self._reading: asyncio.Future[list[bool]] | None = None
        self.asked = Asked(others, losses, self)
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
        await self.asked.aclose()
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
        self.asked.unanswered.lost(neighbour.id)
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
    def opening(self) -> bool:
        """It has just come here, and what lasts is still waited for."""
        return self.here and not self._is_read.is_set()

    async def read(self) -> None:
        """Returns when that is read, or is not waited for any more."""
        await self._is_read.wait()

    @property
    def _decides(self) -> bool:
        """Whether others follow this node: not one that was alone and has not learnt yet who has the desk now."""
        return self.here and self._holder == self._others.me

    @property
    def there(self) -> Neighbour | None:
        """The node that has it; None when that is this one, or nobody knows."""
        return self._others.nodes.get(self._holder or "")

    @property
    def url(self) -> str:
        """Where it answers HTTP when it is on another node, "" when it is here or nowhere."""
        there = None if self.here else self.there
        return "" if there is None else there.url

    # --- what phones of other nodes ask ------------------------------------------------------------------------------

    def requested(self, neighbour: Neighbour, order: dict[str, Any], blob: bytes, *, waited: bool = False) -> None:
        """A phone of another node asks something of the desk, which is here (or was, and will not answer).

        ``waited``: long enough for what lasts to have been read.
        """
        phone = self._node.phones.get(order["key"])
        if not self.here or not isinstance(phone, FarPhone) or phone.neighbour is not neighbour:
            return
        phone.lost = order.get("lost")
        message = decode_client(blob)
        if self.asked.waits(message) and not waited:
            self._later.spawn(self._requested_later(neighbour, order, blob))
            return
        carry_out(self._node, phone, message)
        self._others.order(neighbour, {"do": "done", "to": phone.key, "number": order["number"]}, b"")

    async def _requested_later(self, neighbour: Neighbour, order: dict[str, Any], blob: bytes) -> None:
        await self.read()
        self.requested(neighbour, order, blob, waited=True)

    def begins_call(self, phone: Phone, message: FloorRequest) -> None:
        """A key went down in a group that is talked in by calls: the desk begins one, and then the key counts."""
        there = self.there
        if there is None:
            phone.refuse(Refusal.UNAVAILABLE, message.id)
        else:
            # Should it die over it, whoever holds the key is told.
            self.asked.unanswered.asked(phone, message.id)
            self.asked.unanswered.taken(phone, message.id, there.id)
            self._others.order(there, {"do": "begins_call", "key": phone.key}, encode(message))

    def came(self, phone: Phone) -> None:
        """A phone of another node connected: it learns of the calls and emergencies that concern it."""
        self._node.arrivals.came(phone)

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
            self._waits_for_reading(mine)
            if self._reading is not None and not mine:
                self._reading.cancel()  # who left it does not wait for SQL to stop leading
            self._later.spawn(self._opened() if mine else self._left())
            return
        if mine and self._was_alone:
            self._later.spawn(self._read_again())
        self.asked.again()

    def _waits_for_reading(self, mine: bool) -> None:
        """All who ask wait together, once: where SQL hangs, nothing that is asked later waits again."""
        if self._reads_till is not None:
            self._reads_till.cancel()
        if mine:
            self._is_read.clear()
            self._reads_till = asyncio.get_running_loop().call_later(READ_S, self._is_read.set)
        else:
            self._is_read.set()

    async def _opened(self) -> None:
        """This node is the desk: read what lasts, then say so."""
        try:
            async with self._opening:
                self._take_up()
                await self._read()
        finally:
            self._is_read.set()
        self.asked.take_all()
        self._follow_all()
        # Not all there is: what others know of emergencies holds while SQL, which would say more, is away.
        self._dirty |= self._groups()
        self._others.flush_soon()

    def _take_up(self) -> None:
        """What needs no SQL."""
        node = self._node
        self._unread = decided.groups(node, self.calls)
        node.conditions.forget()
        for what in self.calls.values():
            node.calls.take_up(what)
        self.calls.clear()
        self.asked.take_all()

    async def _read(self) -> bool:
        """Take up what lasts and is not known here yet; whether all of it was read.

        What is decided meanwhile about other groups is told at once: no call waits for SQL.
        """
        node = self._node
        desks = (node.emergency, node.texts, node.dispatch)
        self._reading = asyncio.gather(*(each.start() for each in desks if each is not None))
        try:
            return all(await self._reading)
        except asyncio.CancelledError:
            if self.here:
                raise
            return False  # it is another node's now (see `_hold`)
        finally:
            self._reading, self._unread = None, set()

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
        emergency = self._node.emergency
        while emergency is not None and self.here and not await emergency.store.answers():  # noqa: ASYNC110 - SQL tells nobody
            await asyncio.sleep(LOOK_AGAIN_S)  # what is known here is not forgotten before there is more
        async with self._opening:
            if not self.here:
                return
            self._unread = self._groups()
            if emergency is not None:
                self._node.conditions.forget()
                emergency.rest()
            complete = await self._read()
        self._follow_all()
        self._tell_read(complete)

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
            complete = self.here and await self._read()
        self._tell_read(complete)

    def _tell_read(self, complete: bool) -> None:
        """After reading: everything, or what is known as long as SQL, which would say more, is away."""
        if complete:
            self.tell_all()
        else:
            self._dirty |= self._groups()
            self._others.flush_soon()

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
        elif self._decides and (told := self._dirty - self._unread):
            self._dirty -= told
            self._others.say("desk", {"groups": {group: decided.of(self._node, group) for group in told}})

    def tell_all(self) -> None:
        """Tell the others everything."""
        if self._decides and not self._opening.locked():
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
