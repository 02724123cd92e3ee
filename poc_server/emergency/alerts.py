"""SOS and its alert: heard first, kept, then told; claimed by exactly one; closed."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import structlog

from groups.emergency import alert as machine
from groups.emergency.alert import AlertInput, AlertOptions
from groups.model import User
from groups.policy import Act, may
from groups.reach import visible
from groups.vocabulary import GroupId, Refusal, Tier, UserId
from poc_server.emergency import live_alert, said_in
from poc_server.emergency.alert_keeping import AlertKeeping, Overtaken
from poc_server.emergency.alert_telling import AlertTelling
from poc_server.emergency.attendance import Attendance
from poc_server.emergency.gatherings import Gathering
from poc_server.emergency.live_alert import LiveAlert
from poc_server.ground.refused import Refused
from poc_server.store import emergency as kept
from poc_server.store.journal import AlertKept
from signaling.messages import Sos

if TYPE_CHECKING:
    from poc_server.emergency.desk import Desk
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)
KEEP_AGAIN_S = 1.0
"""While SQL is away an alert is told and led, and its keeping there is tried again so often."""


class Alerts:
    """Every open alert."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._field = desk.field
        self._live: dict[str, LiveAlert] = {}
        self._keeping = AlertKeeping(desk)
        self._telling = AlertTelling(desk, self._live)
        self._attendance = Attendance(desk, self._live, self._unattended, self._officer_gone_or_back)

    def __len__(self) -> int:
        return len(self._live)

    def rest(self) -> None:
        """Another node is the desk: it leads them."""
        for live in self._live.values():
            if live.timer is not None:
                live.timer.cancel()
        self._live.clear()

    async def load(self) -> None:
        """Take up what was open when the server ended. Raises `Refused` (unavailable); may be called again."""
        async with self._desk.store.reading() as connection:
            found = await kept.open_alerts(connection)
            still = {each.id for each in found}
            for over in [each for each, live in self._live.items() if live.saved and each not in still]:
                found += [each for each in [await kept.find_alert(connection, over)] if each is not None]
        for each in found:
            user, known = self._field.roster.user(each.user), self._live.get(each.id)
            if known is not None:
                if known.kept().content == each.content:
                    known.stands_in_sql()
                elif each.version > known.record.version or (not known.saved and each.version == known.record.version):
                    self._settle(known, each)
            elif user is not None and each.open:
                live = live_alert.from_content(user, each.content)
                live.stands_in_sql()
                self._begin(live)
                self._telling.announce(live)

    def take_up(self) -> None:
        """Lead on, without waiting for SQL, what the node told that led it until now."""
        for each in self._desk.take_heard(AlertKept):
            user = self._field.roster.user(each.user)
            if user is None or each.id in self._live:
                continue
            live = live_alert.from_content(user, each.content)
            live.noted = live.kept_now = True
            self._begin(live)
            self._telling.announce(live)
            self._again_soon(live)

    # --- SOS ---------------------------------------------------------------------------------------------------------

    def press(self, user: User, sos: Sos, selected: GroupId | None = None) -> LiveAlert:
        """One pressed SOS, or says so again: he has the emergency tier and is heard before anything is waited for.

        Returns the alert it belongs to: give it to `keep`. Raises `Refused`: not_allowed, conflict (the id is
        another's).
        """
        live = self._live.get(sos.alert)
        if live is not None and live.record.user != user.id:
            raise Refused(Refusal.CONFLICT, "alert")
        if live is None:
            live = next((each for each in self._live.values() if each.record.user == user.id), None)
        if live is None:
            return self._raise(user, sos, selected)
        if live_alert.knows_more(live, self._desk.store.places, sos, self._field.fabric.now()):
            if live.announced:
                self._telling.more(live)
            self._desk.spawn(self._more_known(live))
        return live

    async def keep(self, live: LiveAlert) -> LiveAlert:
        """Returns when the alert is kept and was told. Raises `Refused`: unavailable (told, but nothing keeps it)."""
        async with live.lock:
            return live if live.noted else await self._keep_first(live)

    async def _more_known(self, live: LiveAlert) -> None:
        """Those who lead it see it already; whoever leads it next shall, too."""
        try:
            await self.step(live.record.id, live.user, machine.MoreKnown())
        except Refused as refused:
            log.warning("alert_place_not_kept", alert=live.record.id, code=refused.code)

    def _raise(self, user: User, sos: Sos, selected: GroupId | None) -> LiveAlert:
        origin = said_in.group(self._desk, user, sos.group, selected)
        now, settings, places = self._field.fabric.now(), self._desk.settings, self._desk.store.places
        options = AlertOptions(settings.escalate_s * 1000, settings.escalations, settings.unattended_s * 1000)
        covert = (sos.covert or settings.covert) and settings.covert_allowed
        # Of a covert one only dispatchers hear: a colleague's loudspeaker beside him would give him away.
        group = GroupId(f"so-{secrets.token_hex(8)}") if covert else origin
        live = LiveAlert(
            machine.raised(sos.alert, user.id, group, sos.pressed_ms, now, options),
            user,
            live_alert.whereabouts(places, user, sos, now),
            live_alert.battery(places, user, sos),
            sos.incident,
            covert,
            origin,
        )
        # Heard before it is written: the next message on the officer's socket is his request for the floor.
        self._begin(live)
        return live

    async def _keep_first(self, live: LiveAlert) -> LiveAlert:
        try:
            before = await self._keeping.first(live)
        except Refused:
            # Who is in danger is told of even so; his phone goes on sending until it is kept, and we go on trying.
            self._told_once(live)
            raise
        finally:
            if not live.saved:
                self._again_soon(live)
        if before is None:
            self._told_once(live)
            return live
        if before.user != live.user.id:
            self._over(live)
            raise Refused(Refusal.CONFLICT, "alert")
        self._settle(live, before)
        return live

    def _told_once(self, live: LiveAlert) -> None:
        """However often it could not be kept: each telling wakes everybody who is away."""
        if not live.announced:
            self._telling.announce(live)

    def _again_soon(self, live: LiveAlert) -> None:
        if live.keep_again is None:
            live.keep_again = asyncio.get_running_loop().call_later(KEEP_AGAIN_S, self._keep_later, live)

    def _keep_later(self, live: LiveAlert) -> None:
        """The phone may be gone by now: what was told is kept without it."""
        live.keep_again = None
        if not live.saved and (self._live.get(live.record.id) is live or not live.record.open):
            self._desk.spawn(self._kept_later(live))

    async def _kept_later(self, live: LiveAlert) -> None:
        try:
            if not live.noted:
                await self.keep(live)
                return
            version = live.record.version
            before = await self._keeping.standing(live)
        except Refused as refused:
            if not live.noted:
                log.warning("alert_not_kept", alert=live.record.id, code=refused.code)
            self._again_soon(live)
            return
        async with live.lock:
            if live.record.version != version:
                self._again_soon(live)
                return
            live.saved = True
            if before is None:
                self._on_record(live)
            elif self._live.get(live.record.id) is live and before.user == live.user.id:
                self._settle(live, before)

    async def _kept_on_disk(self, live: LiveAlert, version: int) -> None:
        """Its disk was slow, or failed: it has it now."""
        await self._desk.store.journal.flush()
        if live.record.version == version:
            self._on_record(live)

    def _on_record(self, live: LiveAlert) -> None:
        """SQL or the disk has taken what was told before: who leads it need not wonder any more."""
        if live.kept_now:
            return
        live.noted = live.kept_now = True
        if self._live.get(live.record.id) is live and live.announced:
            self._telling.more(live)

    def _settle(self, live: LiveAlert, before: kept.Kept) -> None:
        """It was raised before this server started: that is how it stands, claimed or closed meanwhile."""
        if before.open:
            self._adopt(live, before)
            return
        # The phone that still sends it did not hear that it was closed.
        live.record = live_alert.from_content(live.user, before.content).record
        live.stands_in_sql()
        self._over(live)
        self._telling.announce(live)

    def _adopt(self, live: LiveAlert, before: kept.Kept) -> None:
        """Lead it from here on as it stands in SQL: somebody may have claimed it."""
        earlier = live_alert.from_content(live.user, before.content)
        self._over(live)
        live.record, live.covert, live.origin = earlier.record, earlier.covert, earlier.origin
        live.incident = live.incident or earlier.incident
        live.stands_in_sql()
        self._begin(live)
        self._telling.announce(live)

    def _begin(self, live: LiveAlert) -> None:
        """From now on the officer has the emergency tier, and dispatchers hear his group."""
        record = live.record
        self._live[record.id] = live
        self._arm(live)
        self._attendance.look_soon()
        if record.group is not None and live.covert:
            self._field.roster.put(said_in.hidden(self._desk, live.user, record.group))
            self._field.conditions.reserve(record.group, record.user)
        if record.group is None or self._field.roster.group(record.group) is None:
            return
        self._field.conditions.declare(record.group, record.id, record.user, Tier.EMERGENCY, sos=True)
        claimers = self._desk.claimers(live.user)
        first = [phone for phone in self._field.phones.values() if phone.user.id in claimers | {record.user}]
        users = claimers | {record.user} | self._field.roster.members(record.group).keys()
        self._desk.gatherings.begin(
            Gathering(record.id, "alert", record.group, live.user, Tier.EMERGENCY, frozenset(users)), first
        )

    # --- what is done about it ---------------------------------------------------------------------------------------

    async def step(self, alert: str, user: User | None, given: AlertInput) -> list[Any]:
        """One step of an alert by ``user`` (None: the clock). Returns the effects that answer him.

        Raises `Refused`: not_found, not_allowed, the machine's own codes, unavailable (another node leads it).
        """
        live = self._live.get(alert)
        if live is None:
            raise Refused(await self._closed(alert, user))
        self._allowed(live, user, given)
        async with live.lock:
            try:
                effects = await self._step(live, user, given)
            except Overtaken:
                await self._catch_up(live)
                effects = await self._step(live, user, given)
        for each in effects:
            if isinstance(each, machine.Refused):
                raise Refused(each.code)
        return list(effects)

    def is_kept(self, alert: str) -> bool:
        """Whether SQL or the disk has the last step of an alert that is led here."""
        live = self._live.get(alert)
        return live is None or live.kept_now

    async def _catch_up(self, live: LiveAlert) -> None:
        """Another node led it meanwhile, and told of it: go on from how it stands."""
        newest = await self._keeping.newest(live)
        if newest is not None and newest.open:
            live.record = live_alert.from_content(live.user, newest.content).record
            live.stands_in_sql()
            self._arm(live)
        elif newest is not None and self._live.get(live.record.id) is live:
            self._settle(live, newest)

    async def _step(self, live: LiveAlert, user: User | None, given: AlertInput) -> Sequence[Any]:
        record, effects = machine.handle(live.record, given, self._field.fabric.now())
        changed = next((each for each in effects if isinstance(each, machine.Changed)), None)
        if changed is not None:
            before, live.record = live.record, record
            try:
                case = (record.state, record.claimed_by) != (before.state, before.claimed_by)
                await self._keeping.changed(live, changed.action, user, tell_case=case)
            except BaseException:
                live.record = before
                raise
            if not live.saved:
                self._again_soon(live)
            if not live.kept_now:
                self._desk.spawn(self._kept_on_disk(live, record.version))
            self._arm(live)
            if any(isinstance(each, machine.Over) for each in effects):
                self._over(live)
            if isinstance(given, machine.MoreKnown):
                self._telling.others(live)
            else:
                self._telling.announce(live)
        return effects

    async def cancel(self, alert: str, user: User) -> None:
        """The officer, or one who may, takes it back. Raises `Refused`."""
        live = self._live.get(alert)
        group = None if live is None else live.record.group
        owner = user.id if live is None else live.record.user
        await self.step(alert, user, machine.Cancel(user.id, self._field.conditions.another_talks(group, owner)))

    def _allowed(self, live: LiveAlert, user: User | None, given: AlertInput) -> None:
        if user is None or isinstance(given, machine.MoreKnown):
            return  # by the clock, or said by his own phone
        act = Act.CANCEL_EMERGENCY if isinstance(given, machine.Cancel) else Act.CLAIM_ALERT
        refused = may(act, user, live.user, self._field.roster)
        if refused is not None:
            self._desk.audit_refused(user, act, live.user, refused)
            raise Refused(refused if visible(user, live.user, self._field.roster) else Refusal.NOT_FOUND)

    async def _closed(self, alert: str, user: User | None) -> Refusal:
        async with self._desk.store.reading() as connection:
            found = await kept.find_alert(connection, alert)
        owner = None if found is None else self._field.roster.user(found.user)
        if owner is None or user is None:
            return Refusal.NOT_FOUND
        seen = user.id == owner.id or may(Act.CLAIM_ALERT, user, owner, self._field.roster) is None
        if seen and found is not None and found.open:
            return Refusal.UNAVAILABLE  # it is not led here yet, or not any more: nobody may take it to be over
        return Refusal.ALERT_OVER if seen else Refusal.NOT_FOUND

    def _over(self, live: LiveAlert) -> None:
        record = live.record
        self._live.pop(record.id, None)
        if live.timer is not None:
            live.timer.cancel()
        if record.group is not None:
            self._field.conditions.clear(record.group, record.id, force=True)
        self._desk.gatherings.end(record.id)
        if record.group is not None and live.covert:
            self._field.conditions.reserve(record.group, None)
            self._field.roster.drop(record.group)

    def _arm(self, live: LiveAlert) -> None:
        if live.timer is not None:
            live.timer.cancel()
        due = machine.deadline(live.record)
        if due is not None:
            wait = max(0.0, (due - self._field.fabric.now()) / 1000)
            live.timer = asyncio.get_running_loop().call_later(wait, self._due, live)

    def _due(self, live: LiveAlert) -> None:
        if self._live.get(live.record.id) is live:
            self._desk.spawn(self._escalate(live))

    async def _escalate(self, live: LiveAlert) -> None:
        """Where another node kept something as new, and SQL does not say what, this is tried again."""
        try:
            await self.step(live.record.id, None, machine.Tick())
        except Refused as refused:
            log.warning("alert_not_escalated", alert=live.record.id, code=refused.code)
            if self._live.get(live.record.id) is live:
                live.timer = asyncio.get_running_loop().call_later(KEEP_AGAIN_S, self._due, live)

    async def _unattended(self, live: LiveAlert, given: machine.Unattended) -> None:
        """What fails is tried again with the next look."""
        try:
            await self.step(live.record.id, None, given)
        except Refused as refused:
            log.warning("alert_left_unattended", alert=live.record.id, code=refused.code)

    def _officer_gone_or_back(self, live: LiveAlert) -> None:
        if live.announced:
            self._telling.more(live)

    def claimed_by(self, user: UserId) -> list[LiveAlert]:
        """The open alerts a dispatcher has claimed, in the order they were raised."""
        mine = [live for live in self._live.values() if live.record.claimed_by == user]
        return sorted(mine, key=lambda live: live.record.raised_at)

    def came(self, phone: Phone) -> None:
        """A phone connected: it is told of every open alert that concerns it."""
        self._telling.came(phone)
