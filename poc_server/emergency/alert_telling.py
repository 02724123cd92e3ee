"""Who learns of an alert: those who may claim it, its group, its officer, those to be woken, and the other nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from gateway.waking.notice import Notice, NoticeKind
from groups.vocabulary import AlertState, Tier, UserId
from poc_server.emergency.live_alert import LiveAlert
from poc_server.store.journal import AlertKept
from poc_server.talk.slices import Slices
from signaling.connection import frame
from signaling.messages import Alert

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk
    from poc_server.talk.phone import Phone


class AlertTelling:
    """Tells of ``alerts``, the open ones by id."""

    def __init__(self, desk: Desk, alerts: Mapping[str, LiveAlert]) -> None:
        self._desk = desk
        self._field = desk.field
        self._alerts = alerts
        self._slices = Slices()

    def came(self, phone: Phone) -> None:
        """A phone connected: it is told of every open alert that concerns it."""
        for live in self._alerts.values():
            queue = self._desk.may_claim(phone.user, live.user)
            if queue and phone.key not in live.rang:
                live.rang.add(phone.key)
                self._tell_officer(live)
            if queue or self._concerns(live, phone.user.id):
                phone.send(Alert(alert=live.info(self._field.roster), queue=queue))

    def announce(self, live: LiveAlert) -> None:
        """It began or is different now."""
        live.announced = True
        self.others(live)
        claimers = self._claimers(live)
        live.rang = {phone.key for phone in claimers if phone.connection is not None}
        info = live.info(self._field.roster)
        queue, known = frame(Alert(alert=info, queue=True)), frame(Alert(alert=info))
        for phone in claimers:
            phone.write(queue)
        if live.record.state is AlertState.RAISED:
            notice = Notice(NoticeKind.SOS, live.record.id, live.user.name, info.group_name, Tier.EMERGENCY)
            self._desk.wake_away(self._desk.claimers(live.user), notice.again(live.record.escalated))
        self._slices.add(self._tell(live, known, {phone.key for phone in claimers}))

    def more(self, live: LiveAlert) -> None:
        """Where he is came after it was told: nobody rings or is woken for that, and it is told before it is kept."""
        queue = frame(Alert(alert=live.info(self._field.roster), queue=True))
        for phone in self._claimers(live):
            phone.write(queue)

    def others(self, live: LiveAlert) -> None:
        """To the other nodes, of which one may have to lead it on."""
        self._desk.tell_standing(AlertKept.of(live.kept(), None))

    def _claimers(self, live: LiveAlert) -> list[Phone]:
        claimers = self._desk.claimers(live.user)
        return [phone for phone in self._field.phones.values() if phone.user.id in claimers]

    def _tell_officer(self, live: LiveAlert) -> None:
        """It rings at one more: whoever read that nobody was there must not go on believing it."""
        framed = frame(Alert(alert=live.info(self._field.roster)))
        for phone in self._field.phones.values():
            if phone.user.id == live.record.user:
                phone.write(framed)

    def _tell(self, live: LiveAlert, framed: bytes, but: set[str]) -> Iterator[None]:
        for phone in tuple(self._field.phones.values()):
            if phone.key not in but and self._concerns(live, phone.user.id):
                phone.write(framed)
                yield

    def _concerns(self, live: LiveAlert, user: UserId) -> bool:
        group = live.record.group
        return user == live.record.user or (group is not None and user in self._field.roster.members(group))
