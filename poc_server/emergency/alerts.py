"""SOS and its alert: heard first, kept, then told; claimed by exactly one; closed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import structlog

from gateway.effects import EventType
from gateway.lifecycle import Happened
from groups.emergency import alert as machine
from groups.emergency.alert import AlertInput, AlertOptions, AlertRecord
from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import GroupId, Refusal, Tier, UserId
from poc_server.emergency.gatherings import Gathering
from poc_server.refused import Refused
from poc_server.store import emergency as kept
from poc_server.store import incident_happenings
from poc_server.store.places import Battery, Datum, Place, Position
from poc_server.talk.phone import person
from poc_server.talk.slices import Slices
from signaling.endpoint import frame
from signaling.messages import Alert, AlertInfo, Sos, Whereabouts

if TYPE_CHECKING:
    from poc_server.emergency.desk import Emergency
    from poc_server.talk.phone import Phone

log = structlog.get_logger(__name__)


@dataclass(eq=False, slots=True)
class LiveAlert:
    """An open alert. ``saved``: it stands in SQL."""

    record: AlertRecord
    user: User
    place: Whereabouts | None
    battery: int | None
    incident: str | None
    covert: bool
    saved: bool = False
    told: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    timer: asyncio.TimerHandle | None = None

    def content(self) -> dict[str, Any]:
        """The plain form that is kept."""
        return {
            "record": json.loads(self.record.to_json()),
            "place": None if self.place is None else self.place.model_dump(exclude_none=True),
            "battery": self.battery,
            "incident": self.incident,
            "covert": self.covert,
        }


class Alerts:
    """Every open alert."""

    def __init__(self, desk: Emergency) -> None:
        self._desk = desk
        self._node = desk.node
        self._live: dict[str, LiveAlert] = {}
        self._slices = Slices()

    def __len__(self) -> int:
        return len(self._live)

    async def load(self) -> None:
        """Take up what was open when the server ended."""
        async with self._desk.store.reading() as connection:
            found = await kept.open_alerts(connection)
        for each in found:
            user = self._node.roster.user(each.user)
            if user is not None:
                live = _from_content(user, each.content)
                live.saved = True
                self._begin(live)

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
        return self._raise(user, sos, selected) if live is None else live

    async def keep(self, live: LiveAlert) -> LiveAlert:
        """Returns when the alert stands in SQL and was told. Raises `Refused`: unavailable (told, but SQL is away)."""
        async with live.lock:
            return live if live.saved else await self._keep_first(live)

    def _raise(self, user: User, sos: Sos, selected: GroupId | None) -> LiveAlert:
        group = self._group(user, sos.group, selected)
        now, settings = self._node.fabric.now(), self._desk.settings
        options = AlertOptions(settings.escalate_s * 1000, settings.escalations)
        place = self._place(user, sos, now)
        live = LiveAlert(
            machine.raised(sos.alert, user.id, group, sos.pressed_ms, now, options),
            user,
            place,
            self._battery(user, sos),
            sos.incident,
            sos.covert and settings.covert_allowed,
        )
        # Heard before it is written: the next message on the officer's socket is his request for the floor.
        self._begin(live)
        return live

    async def _keep_first(self, live: LiveAlert) -> LiveAlert:
        try:
            async with self._desk.store.writing() as connection:
                before = await kept.find_alert(connection, live.record.id)
                if before is None:
                    await kept.put_alert(connection, self._kept(live), [self._entry(live, "alert.raise", live.user)])
                    await self._tell_incident(connection, live)
        except Refused:
            # Who is in danger is told of even so; the phone goes on sending until it is kept.
            self._announce(live)
            raise
        if before is not None:
            # It was closed before this server started; the phone that still sends it did not hear so.
            self._over(live)
            if before.user != live.user.id:
                raise Refused(Refusal.CONFLICT, "alert")
            return _from_content(live.user, before.content)
        live.saved = True
        self._announce(live)
        return live

    def _group(self, user: User, asked: str | None, selected: GroupId | None) -> GroupId | None:
        """Where it is said: the dedicated group, the one asked for or selected, else the first that allows it."""
        dedicated = GroupId(self._desk.settings.sos_group)
        mine = [GroupId(each.id) for each in self._node.groups_of(user)]
        refused = Refusal.NOT_ALLOWED
        for each in (dedicated, GroupId(asked or ""), selected, *mine):
            group = None if not each else self._node.roster.group(each)
            if group is None:
                continue
            refused_here = may(Act.RAISE_SOS, user, group, self._node.roster)
            if refused_here is None:
                return group.id
            refused = refused_here if refused_here is Refusal.DISABLED else refused
        if may(Act.CANCEL_EMERGENCY, user, user, self._node.roster) is not None:
            raise Refused(refused)  # no right to SOS at all
        return None

    def _place(self, user: User, sos: Sos, now: int) -> Whereabouts | None:
        """The newest of what the phone says and what was known; what it says is known from now on."""
        known = self._desk.store.places.of(user.id)
        last = None if known is None else known.position
        if sos.place is not None and sos.place.at_ms <= now + 60_000:
            said = sos.place
            position = Position(
                at_ms=said.at_ms,
                longitude=said.longitude,
                latitude=said.latitude,
                accuracy_m=said.accuracy_m,
                datum=Datum(said.datum),
            )
            battery = None if sos.battery is None else Battery(at_ms=sos.pressed_ms, percent=sos.battery)
            self._desk.store.places.put(
                Place(
                    user=user.id,
                    agency=user.agency,
                    at_ms=said.at_ms,
                    received_ms=now,
                    position=position,
                    battery=battery,
                )
            )
            if last is None or last.at_ms <= said.at_ms:
                return said
        if last is None:
            return sos.place
        return Whereabouts(
            longitude=last.longitude,
            latitude=last.latitude,
            accuracy_m=last.accuracy_m,
            datum=last.datum.value,
            at_ms=last.at_ms,
        )

    def _battery(self, user: User, sos: Sos) -> int | None:
        known = self._desk.store.places.of(user.id)
        last = None if known is None or known.battery is None else known.battery.percent
        return sos.battery if sos.battery is not None else last

    def _begin(self, live: LiveAlert) -> None:
        """From now on the officer has the emergency tier, and dispatchers hear his group."""
        record = live.record
        self._live[record.id] = live
        self._arm(live)
        if record.group is None or self._node.roster.group(record.group) is None:
            return
        self._node.conditions.declare(record.group, record.id, record.user, Tier.EMERGENCY, sos=True)
        claimers = self._desk.claimers(live.user)
        first = [phone for phone in self._node.phones.values() if phone.user.id in claimers | {record.user}]
        users = claimers | {record.user} | self._node.roster.members(record.group).keys()
        self._desk.gatherings.begin(
            Gathering(record.id, "alert", record.group, live.user, Tier.EMERGENCY, frozenset(users)), first
        )

    # --- what is done about it ---------------------------------------------------------------------------------------

    async def step(self, alert: str, user: User | None, given: AlertInput) -> list[Any]:
        """One step of an alert by ``user`` (None: the clock). Returns the effects that answer him.

        Raises `Refused`: not_found, not_allowed, the machine's own codes, unavailable.
        """
        live = self._live.get(alert)
        if live is None:
            raise Refused(await self._closed(alert, user))
        self._allowed(live, user, given)
        async with live.lock:
            record, effects = machine.handle(live.record, given, self._node.fabric.now())
            changed = next((each for each in effects if isinstance(each, machine.Changed)), None)
            if changed is not None:
                before, live.record = live.record, record
                try:
                    async with self._desk.store.writing() as connection:
                        entry = self._entry(live, changed.action, user)
                        await kept.put_alert(connection, self._kept(live), [entry])
                        await self._tell_incident(connection, live)
                except BaseException:
                    live.record = before
                    raise
                self._arm(live)
                if any(isinstance(each, machine.Over) for each in effects):
                    self._over(live)
                self._announce(live)
        for each in effects:
            if isinstance(each, machine.Refused):
                raise Refused(each.code)
        return list(effects)

    async def cancel(self, alert: str, user: User) -> None:
        """The officer, or one who may, takes it back. Raises `Refused`."""
        live = self._live.get(alert)
        group = None if live is None else live.record.group
        owner = user.id if live is None else live.record.user
        await self.step(alert, user, machine.Cancel(user.id, self._node.conditions.another_talks(group, owner)))

    def _allowed(self, live: LiveAlert, user: User | None, given: AlertInput) -> None:
        if user is None:
            return
        act = Act.CANCEL_EMERGENCY if isinstance(given, machine.Cancel) else Act.CLAIM_ALERT
        refused = may(act, user, live.user, self._node.roster)
        if refused is not None:
            self._desk.audit_refused(user, act, live.user, refused)
            raise Refused(refused)

    async def _closed(self, alert: str, user: User | None) -> Refusal:
        async with self._desk.store.reading() as connection:
            found = await kept.find_alert(connection, alert)
        owner = None if found is None else self._node.roster.user(found.user)
        if owner is None or user is None:
            return Refusal.NOT_FOUND
        seen = user.id == owner.id or may(Act.CLAIM_ALERT, user, owner, self._node.roster) is None
        return Refusal.ALERT_OVER if seen else Refusal.NOT_FOUND

    def _over(self, live: LiveAlert) -> None:
        record = live.record
        self._live.pop(record.id, None)
        if live.timer is not None:
            live.timer.cancel()
        if record.group is not None:
            self._node.conditions.clear(record.group, record.id, force=True)
        self._desk.gatherings.end(record.id)

    def _arm(self, live: LiveAlert) -> None:
        if live.timer is not None:
            live.timer.cancel()
        due = machine.deadline(live.record)
        if due is not None:
            wait = max(0.0, (due - self._node.fabric.now()) / 1000)
            live.timer = asyncio.get_running_loop().call_later(wait, self._due, live)

    def _due(self, live: LiveAlert) -> None:
        if live.record.id in self._live:
            self._desk.spawn(self.step(live.record.id, None, machine.Tick()))

    # --- telling -----------------------------------------------------------------------------------------------------

    def came(self, phone: Phone) -> None:
        """A phone connected: it is told of every open alert that concerns it."""
        for live in self._live.values():
            queue = self._desk.may_claim(phone.user, live.user)
            if queue or self._concerns(live, phone.user.id):
                phone.send(Alert(alert=self.info(live), queue=queue))

    def info(self, live: LiveAlert) -> AlertInfo:
        """The alert as pages see it."""
        record, user = live.record, self._node.roster.user
        group = None if record.group is None else self._node.roster.group(record.group)
        claimed = None if record.claimed_by is None else user(record.claimed_by)
        ended = None if record.ended_by is None else user(record.ended_by)
        return AlertInfo(
            id=record.id,
            by=person(live.user),
            state=record.state,
            group=record.group,
            group_name="" if group is None else group.name,
            pressed_ms=record.pressed_at,
            raised_ms=record.raised_at,
            place=live.place,
            battery=live.battery,
            incident=live.incident,
            covert=live.covert,
            claimed_by=None if claimed is None else person(claimed),
            claimed_ms=record.claimed_at,
            acknowledged_ms=record.acknowledged_at,
            ended_by=None if ended is None else person(ended),
            ended_ms=record.ended_at,
            note=record.note,
            escalated=record.escalated,
            version=record.version,
        )

    def _announce(self, live: LiveAlert) -> None:
        info = self.info(live)
        queue, known = frame(Alert(alert=info, queue=True)), frame(Alert(alert=info))
        claimers = [p for p in self._node.phones.values() if self._desk.may_claim(p.user, live.user)]
        for phone in claimers:
            phone.write(queue)
        live.told = sum(phone.connection is not None for phone in claimers)
        self._slices.add(self._tell(live, known, {phone.key for phone in claimers}))

    def _tell(self, live: LiveAlert, framed: bytes, but: set[str]) -> Iterator[None]:
        for phone in tuple(self._node.phones.values()):
            if phone.key not in but and self._concerns(live, phone.user.id):
                phone.write(framed)
                yield

    def _concerns(self, live: LiveAlert, user: UserId) -> bool:
        group = live.record.group
        return user == live.record.user or (group is not None and user in self._node.roster.members(group))

    async def _tell_incident(self, connection: Any, live: LiveAlert) -> None:
        """The case of an incident learns of an emergency in its group, and who took it; of a covert one it does not."""
        record = live.record
        if record.group is None or live.covert:
            return
        claimer = None if record.claimed_by is None else self._node.roster.user(record.claimed_by)
        data: dict[str, Any] = {
            "alert": record.id,
            "state": record.state.value,
            "name": live.user.name,
            "claimed_by": None if claimer is None else {"id": claimer.id, "name": claimer.name},
            "place": None if live.place is None else live.place.model_dump(exclude_none=True),
        }
        told = f"alert/{record.id}/{record.state.value}"
        happened = Happened(told, EventType.EMERGENCY, self._node.fabric.now(), live.user.id, data)
        await incident_happenings.tell(connection, record.group, happened)

    def _kept(self, live: LiveAlert) -> kept.Kept:
        record = live.record
        return kept.Kept(
            record.id,
            live.user.agency,
            record.user,
            record.open,
            record.raised_at,
            live.content(),
            record.state.value,
        )

    def _entry(self, live: LiveAlert, action: str, user: User | None) -> Any:
        record = live.record
        detail = {"user": record.user, "group": record.group, "state": record.state, "escalated": record.escalated}
        return self._desk.entry(user, action, "alert", record.id, detail, live.user.agency)


def _from_content(user: User, content: dict[str, Any]) -> LiveAlert:
    place = content["place"]
    return LiveAlert(
        AlertRecord.from_json(json.dumps(content["record"])),
        user,
        None if place is None else Whereabouts.model_validate(place),
        content["battery"],
        content["incident"],
        content["covert"],
    )
