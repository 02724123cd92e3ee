"""Receipts of a broadcast: judged, kept before they are answered, and told to its initiator as a live tally."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from groups.emergency import broadcast as rules
from groups.emergency.broadcast import Hearing
from groups.vocabulary import ReceiptState, Refusal, UserId
from poc_server.emergency.live_broadcast import LiveBroadcast
from poc_server.ground.refused import Refused
from poc_server.talk.clock import loop_time
from poc_server.talk.phone import person
from signaling.messages import BroadcastTally, Ok, PersonReceipt, Receipt

if TYPE_CHECKING:
    from poc_server.emergency.broadcast_keeping import BroadcastKeeping
    from poc_server.emergency.desk import Desk
    from poc_server.talk.phone import Phone


class Receipts:
    """The receipts of all broadcasts."""

    def __init__(self, desk: Desk, keeping: BroadcastKeeping) -> None:
        self._desk = desk
        self._keeping = keeping
        self._field = desk.field

    def said(self, live: LiveBroadcast | None, phone: Phone, said: Receipt) -> None:
        """How far it came with one person; answered when it is kept.

        Raises `Refused`: expired (it is final, unknown, or not for him), not_heard.
        """
        user = phone.user.id
        if live is None or user not in live.receipts:
            raise Refused(Refusal.EXPIRED)
        if said.state is ReceiptState.HEARD:
            refused = self._heard(live, phone, said)
            if refused is not None:
                raise Refused(refused)
        if not self.advance(live, user, said.state) and user not in live.dirty:
            phone.send(Ok(id=said.id))
            return
        live.dirty.setdefault(user, []).append((phone, said.id))
        self._flush_soon(live)

    def _heard(self, live: LiveBroadcast, phone: Phone, said: Receipt) -> Refusal | None:
        if live.life.talking:
            return Refusal.NOT_HEARD
        # What was heard from a recording came by HTTP: of that RTCP knows nothing.
        lost = None if said.again or live.message is not None else self._lost(live, phone)
        return rules.judge(
            Hearing(
                said.samples_expected,
                said.samples_played,
                live.said,
                phone.would_hear(loop_time()),
                lost,
            )
        )

    def _lost(self, live: LiveBroadcast, phone: Phone) -> float | None:
        """What its RTCP says since the burst began; None without a report since then, or on another connection."""
        if phone.away is not None:
            lost = phone.away.lost
            return None if lost is None or not live.packets else lost / live.packets
        before = live.lost_before.get(phone.key)
        if before is None or phone.peer is None or not live.packets:
            return None
        slots = phone.peer.slots
        if not any(slot.report_came > live.began_at for slot in slots):
            return None
        return max(0, sum(slot.total_lost for slot in slots) - before) / live.packets

    def advance(self, live: LiveBroadcast, user: UserId, to: ReceiptState) -> bool:
        """Note how far it came; False when that is nothing new."""
        before = live.receipts[user]
        after = rules.advance(before, to, self._field.fabric.now())
        if after is before:
            return False
        live.receipts[user] = after
        live.changed[user] = None
        live.dirty.setdefault(user, [])
        self._flush_soon(live)
        self.tally_soon(live)
        return True

    def _flush_soon(self, live: LiveBroadcast) -> None:
        if not live.flushing:
            live.flushing = True
            self._desk.spawn(self._flush(live))

    async def _flush(self, live: LiveBroadcast) -> None:
        pause = self._desk.settings.receipts_ms / 1000
        try:
            while live.dirty:
                await asyncio.sleep(pause)
                dirty, live.dirty = live.dirty, {}
                try:
                    await self._keeping.receipts(live, dirty)
                except Refused as refused:
                    self._not_kept(live, dirty, refused.code)
                    pause = 1.0
                    continue
                for waiting in dirty.values():
                    for phone, request in waiting:
                        phone.send(Ok(id=request))
        finally:
            live.flushing = False

    @staticmethod
    def _not_kept(live: LiveBroadcast, dirty: dict[UserId, list[tuple[Phone, str]]], code: Refusal) -> None:
        for user, waiting in dirty.items():
            live.dirty.setdefault(user, [])
            for phone, request in waiting:
                phone.refuse(code, request)

    # --- the initiator's tally ----

    def tally_soon(self, live: LiveBroadcast) -> None:
        """The initiator is told how it stands, at most so often as the settings say."""
        if not live.telling:
            live.telling = True
            asyncio.get_running_loop().call_later(self._desk.settings.tally_ms / 1000, self._tally, live)

    def _tally(self, live: LiveBroadcast) -> None:
        live.telling = False
        phones = self._field.phones.of(live.by.id)
        message = self.tally(live, live.take_changed())
        for phone in phones:
            phone.send(message)
        if live.changed:
            self.tally_soon(live)

    def tally(self, live: LiveBroadcast, changed: list[UserId]) -> BroadcastTally:
        """How it stands."""
        online = {phone.user.id for phone in self._field.phones.values() if phone.connection is not None}
        said = []
        for each in changed:
            user, receipt = self._field.roster.user(each), live.receipts[each]
            if user is not None and receipt.state is not None:
                said.append(
                    PersonReceipt(person=person(user), state=receipt.state, at_ms=receipt.at, online=each in online)
                )
        return BroadcastTally(
            broadcast=live.id,
            state=live.life.state.value,
            people=len(live.receipts),
            changed=said,
            **live.counts(),
        )
