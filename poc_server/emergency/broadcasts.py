"""A leader's broadcasts: everybody brought in, a receipt per person, and nobody missed without it being known."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import structlog

from codec import opus
from gateway.waking.notice import Notice, NoticeKind
from groups.emergency import broadcast as rules
from groups.emergency.broadcast import BroadcastState, Life
from groups.floor.options import FloorOptions
from groups.model import Group, Membership, User
from groups.policy import Act, may
from groups.vocabulary import BroadcastKind, BurstEnd, GroupId, GroupKind, ReceiptState, Refusal, Tier, UserId
from poc_server.emergency import live_broadcast, recipients
from poc_server.emergency.broadcast_keeping import BroadcastKeeping
from poc_server.emergency.gatherings import Gathering
from poc_server.emergency.live_broadcast import LiveBroadcast
from poc_server.emergency.receipts import Receipts
from poc_server.ground.refused import Refused
from poc_server.store import emergency as kept
from poc_server.store.ids import id_after
from poc_server.talk.clock import loop_time
from poc_server.talk.roster import Transient
from poc_server.talk.slices import Slices
from signaling.connection import frame
from signaling.messages import Broadcast, BroadcastStart

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk
    from poc_server.talk.burst import BurstMeta
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)
LOST = frozenset({BurstEnd.MEDIA_LOST, BurstEnd.LEFT, BurstEnd.CUT})
"""Ends of a burst that its talker did not mean: he may come back and go on."""


class Broadcasts:
    """All that are not final."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._field = desk.field
        self._live: dict[str, LiveBroadcast] = {}
        self._of_group: dict[GroupId, LiveBroadcast] = {}
        self._slices = Slices()
        self._keeping = BroadcastKeeping(desk)
        self.receipts = Receipts(desk, self._keeping)

    def __len__(self) -> int:
        return len(self._live)

    def __iter__(self) -> Iterator[LiveBroadcast]:
        return iter(tuple(self._live.values()))

    def get(self, broadcast: str) -> LiveBroadcast | None:
        """The broadcast with that id, while it is not final."""
        return self._live.get(broadcast)

    def rest(self) -> None:
        """Another node is the desk: it leads them."""
        for live in self._live.values():
            if live.timer is not None:
                live.timer.cancel()
        self._live.clear()
        self._of_group.clear()

    async def load(self) -> None:
        """Take up what was under way when the server ended; phones that are here already are told.

        Raises `Refused` (unavailable); may be called again.
        """
        async with self._desk.store.reading() as connection:
            rows = await kept.open_broadcasts(connection)
            found = [(row, await kept.receipts(connection, row.id)) for row in rows]
        for row, receipts in found:
            by = self._field.roster.user(row.user)
            if by is None:
                continue
            before, known = live_broadcast.from_kept(row, by, receipts), self._live.get(row.id)
            if known is None:
                self._take_up(before)
            elif known.by.id == by.id:
                known.learn(before)

    def _take_up(self, live: LiveBroadcast) -> LiveBroadcast:
        """Lead what another server, or this one in another life, began; phones that are here are told."""
        if live.life.talking:
            quiet_ms = self._desk.settings.broadcast_quiet_s * 1000
            live.life = rules.released(live.life, lost=True, now=self._field.fabric.now(), quiet_ms=quiet_ms)
        self._begin(live)
        for phone in tuple(self._field.phones.values()):
            self._catch_up(live, phone)
        return live

    # --- beginning and end ----

    async def start(self, by: User, asked: BroadcastStart, users: frozenset[UserId] | None = None) -> LiveBroadcast:
        """Begin a broadcast; asked again with the same id it is the same. Raises `Refused`.

        ``users``: whom it reaches, where that was worked out already.
        """
        while (known := self._live.get(asked.broadcast)) is not None:
            if known.by.id != by.id:
                raise Refused(Refusal.CONFLICT, "broadcast")
            async with known.lock:
                if self._live.get(asked.broadcast) is known or known.life.state in rules.FINAL:
                    return known
            # The first request of it failed meanwhile, or found it begun by a desk that died.
        users = users if users is not None else recipients.resolve(self._desk, Act.BROADCAST, by, asked.to)
        samples = self._check(asked)
        # The same group whichever desk begins it, though it knows of no other.
        group = GroupId(id_after("br", by.id, asked.broadcast)) if asked.kind is BroadcastKind.LIVE else None
        quiet_ms = self._desk.settings.broadcast_quiet_s * 1000
        live = live_broadcast.new(asked, by, users, self._field.fabric.now(), quiet_ms, group, samples)
        self._live[live.id] = live
        try:
            async with live.lock:
                before = await self._keeping.first(live)
                if before is not None:
                    return self._take_up(before)
        except BaseException:
            self._live.pop(live.id, None)
            raise
        self._begin(live)
        self._tell_all(live)
        self._desk.wake_away(live.receipts, self._notice(live))
        return live

    async def end(self, by: User, broadcast: str, *, withdraw: bool) -> None:
        """End a live one, or take one back from all. Raises `Refused`: not_found, not_allowed, unavailable."""
        live = self._live.get(broadcast)
        if live is None:
            raise Refused(Refusal.NOT_FOUND)
        self.may_end(by, broadcast)
        await self._become(live, lambda life: rules.ended(life, withdraw, self._field.fabric.now()), by)

    def may_end(self, by: User, broadcast: str) -> None:
        """Raises `Refused` (not_allowed, not_found) when it is not his to end; what is not under way is anybody's."""
        live = self._live.get(broadcast)
        if live is not None and live.by.id != by.id:
            recipients.judge(self._desk, Act.CANCEL_EMERGENCY, by, live.by)

    def _check(self, asked: BroadcastStart) -> int:
        """Whether what is to be said is there; of a recorded message how long it is, in samples."""
        if asked.kind in (BroadcastKind.TEXT, BroadcastKind.ROLL_CALL) and not asked.text.strip():
            raise Refused(Refusal.BAD_MESSAGE, "text")
        if asked.kind is not BroadcastKind.RECORDED:
            return 0
        spoken = self._desk.spoken
        found = None if spoken is None or asked.message is None else spoken.find(asked.message)
        if found is None:
            raise Refused(Refusal.NOT_FOUND, "message")
        return found.samples

    def _begin(self, live: LiveBroadcast) -> None:
        self._live[live.id] = live
        self._arm(live)
        self._remind_later(live)
        if live.group is None or not live.running:
            return
        self._of_group[live.group] = live
        self._field.roster.put(self._made(live, live.group))
        self._field.conditions.reserve(live.group, live.by.id)
        if live.tier is not Tier.NORMAL:
            self._field.conditions.declare(live.group, live.id, live.by.id, live.tier)
        users = frozenset(live.receipts) | {live.by.id}
        gathering = Gathering(live.id, "broadcast", live.group, live.by, live.tier, users)
        self._desk.gatherings.begin(gathering, self._field.phones.of(live.by.id))

    def _made(self, live: LiveBroadcast, group: GroupId) -> Transient:
        limit_ms = self._desk.settings.broadcast_limit_s * 1000
        options = FloorOptions(queueing=False, transmit_limit_ms=limit_ms)
        name = (live.text or live.by.name)[:128]
        model = Group(group, live.by.agency, live.by.unit, name, GroupKind.BROADCAST, options)
        members = {user: Membership(group, user, may_talk=False) for user in live.receipts}
        members[live.by.id] = Membership(group, live.by.id, may_preempt=True, priority=255)
        return Transient(model, members)

    async def _become(self, live: LiveBroadcast, step: Callable[[Life], Life], by: User | None = None) -> None:
        """Another state: kept, then told. Steps come in the order they were asked for."""
        async with live.lock:
            before = live.life
            life = step(before)
            if life == before:
                return
            live.life = life
            live.version += 1
            final = life.state in rules.FINAL
            missed = self._miss(live) if final else ()
            action = f"broadcast.{life.state.value}"
            entry = self._desk.entry(by, action, "broadcast", live.id, live.counts(), live.by.agency)
            entries = [entry] if life.state != before.state else []
            try:
                await self._keeping.changed(live, entries, missed)
            except Refused:
                # What is over is over for those who listen; the disk that failed has it in its queue.
                log.warning("broadcast_not_kept", broadcast=live.id)
            self._arm(live)
            if life.state is before.state:
                return
            if before.state is BroadcastState.RUNNING:
                self._close_group(live)
            if final:
                self._live.pop(live.id, None)
        self._tell_all(live)
        self.receipts.tally_soon(live)

    def _close_group(self, live: LiveBroadcast) -> None:
        if live.group is None:
            return
        self._of_group.pop(live.group, None)
        self._field.conditions.clear(live.group, live.id, force=True)
        self._field.conditions.reserve(live.group, None)
        self._desk.gatherings.end(live.id)
        self._field.roster.drop(live.group)

    def _miss(self, live: LiveBroadcast) -> list[UserId]:
        now, missed = self._field.fabric.now(), []
        for user, receipt in live.receipts.items():
            after = rules.advance(receipt, ReceiptState.MISSED, now)
            if after is not receipt:
                live.receipts[user] = after
                live.changed[user] = None
                missed.append(user)
        return missed

    def _arm(self, live: LiveBroadcast) -> None:
        if live.timer is not None:
            live.timer.cancel()
            live.timer = None
        due = rules.deadline(live.life)
        if due is not None:
            wait = max(0.0, (due - self._field.fabric.now()) / 1000)
            live.timer = asyncio.get_running_loop().call_later(min(wait, 86_400.0), self._due, live)

    def _due(self, live: LiveBroadcast) -> None:
        if self._live.get(live.id) is live:
            self._desk.spawn(self._timed(live))

    async def _timed(self, live: LiveBroadcast) -> None:
        await self._become(live, lambda life: rules.timed(life, self._field.fabric.now()))
        self._arm(live)

    @staticmethod
    def nothing_said() -> dict[str, Any]:
        """The content of one that was taken back before it came."""
        life = Life(BroadcastKind.TEXT, 0, BroadcastState.WITHDRAWN)
        told = {"kind": BroadcastKind.TEXT.value, "tier": 0, "text": "", "acknowledge": False, "exercise": False}
        return {**told, "group": None, "message": None, "said": 0, "life": asdict(life)}

    # --- the voice of a live one (`poc_server.talk.burst.BurstListener`) ----

    def begin(self, meta: BurstMeta) -> BroadcastTap | None:
        """Its initiator has the floor."""
        live = self._of_group.get(meta.group.id)
        if live is None:
            return None
        live.said = live.packets = 0
        live.began_at = loop_time()
        live.lost_before = {
            phone.key: sum(slot.total_lost for slot in phone.peer.slots)
            for phone in self._field.phones.values()
            if phone.peer is not None and phone.user.id in live.receipts
        }
        self._desk.spawn(self._become(live, lambda life: rules.spoke(life, meta.burst)))
        return BroadcastTap(self, live)

    def said(self, live: LiveBroadcast, end: BurstEnd) -> None:
        """His burst ended."""
        quiet_ms = self._desk.settings.broadcast_quiet_s * 1000
        now, lost = self._field.fabric.now(), end in LOST
        self._desk.spawn(self._become(live, lambda life: rules.released(life, lost, now, quiet_ms)))

    # --- to everybody ----

    def came(self, phone: Phone) -> None:
        """A phone connected: what waited for its user comes in order, and a leader sees his tallies."""
        for live in tuple(self._live.values()):
            self._catch_up(live, phone)

    def _catch_up(self, live: LiveBroadcast, phone: Phone) -> None:
        receipt = live.receipts.get(phone.user.id)
        if receipt is not None and live.shown(receipt):
            self._send(live, phone)
        if live.by.id == phone.user.id:
            self.receipts.tally_soon(live)

    def _tell_all(self, live: LiveBroadcast) -> None:
        self._slices.add(self._tell(live))

    def _tell(self, live: LiveBroadcast) -> Iterator[None]:
        framed: dict[ReceiptState, bytes] = {}
        for phone in tuple(self._field.phones.values()):
            receipt = live.receipts.get(phone.user.id)
            if receipt is not None and phone.connection is not None:
                state = receipt.state or ReceiptState.SENT
                if state not in framed:
                    framed[state] = frame(Broadcast(broadcast=live.info(), receipt=state))
                phone.write(framed[state])
                self.receipts.advance(live, phone.user.id, ReceiptState.SENT)
                yield

    def _remind_later(self, live: LiveBroadcast) -> None:
        settings = self._desk.settings
        if live.reminded < settings.reminders and self._live.get(live.id) is live:
            asyncio.get_running_loop().call_later(settings.remind_s, self._remind, live)

    def _remind(self, live: LiveBroadcast) -> None:
        """Escalation: who has not taken it, or not acknowledged what wants it, is told again."""
        if self._live.get(live.id) is not live:
            return
        live.reminded += 1
        late = {user for user, receipt in live.receipts.items() if live.wanted(receipt)}
        for phone in tuple(self._field.phones.values()):
            if phone.user.id in late and phone.connection is not None:
                self._send(live, phone, live.reminded)
        self._desk.wake_away(late, self._notice(live).again(live.reminded))
        self._remind_later(live)

    @staticmethod
    def _notice(live: LiveBroadcast) -> Notice:
        return Notice(NoticeKind.BROADCAST, live.id, live.by.name, live.text, live.tier, live.exercise)

    def _send(self, live: LiveBroadcast, phone: Phone, reminder: int = 0) -> None:
        receipt = live.receipts[phone.user.id]
        phone.send(Broadcast(broadcast=live.info(), receipt=receipt.state or ReceiptState.SENT, reminder=reminder))
        self.receipts.advance(live, phone.user.id, ReceiptState.SENT)

    # --- who may see, what is kept ----

    def may_see(self, user: User, broadcast_by: User) -> bool:
        """Whether the report is his to read: the initiator's, and of those who may cancel it."""
        return user.id == broadcast_by.id or may(Act.CANCEL_EMERGENCY, user, broadcast_by, self._field.roster) is None


@dataclass(eq=False, slots=True)
class BroadcastTap:
    """Counts what is said in a broadcast."""

    broadcasts: Broadcasts
    live: LiveBroadcast

    def voice(self, packet: Any) -> None:
        """One voice packet."""
        self.live.packets += 1
        self.live.said += opus.samples(packet.payload)

    def end(self, outcome: BurstEnd) -> None:
        """It is over."""
        self.broadcasts.said(self.live, outcome)
