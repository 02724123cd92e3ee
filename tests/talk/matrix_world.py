"""Two agencies on a real server in this process; a phone of every role, and targets near, far and foreign to it."""

from __future__ import annotations

import itertools
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from gateway.incidents.case_code import incident_code
from gateway.incidents.document import read_document
from groups.model import Agency, Group, Membership, Unit, User
from groups.policy import Act, may
from groups.reach import Target
from groups.vocabulary import AgencyId, GroupId, Refusal, Role, UnitId, UserId
from loadtest.identity import Identity
from loadtest.phone import PhoneFailed
from loadtest.wire.reactor import Reactor
from poc_server.app import App
from poc_server.config import Config, ServerSettings
from poc_server.media.settings import MediaSettings
from poc_server.recording.settings import RecordingSettings
from poc_server.store import StoreSettings, plans
from poc_server.store import tables as t
from poc_server.store.city import duty, groups, sharing, units
from poc_server.store.ids import now_ms
from signaling.messages import (
    BroadcastStart,
    Call,
    CallStart,
    EmergencyCall,
    FloorDeny,
    Recipients,
    Select,
    Sos,
)
from tests.fixtures.people import QUICK, Clock, Town, found_town
from tests.support.handsets import Handset

PLACES = ("near", "far", "foreign", "member", "hearer", "shared", "unknown")
"""Where the target lies: below the caller's unit, beside it, in another agency; in a group the callers are in as
talkers, as listeners, or by a share of the other agency; nowhere."""
_numbers = itertools.count(1)


def number() -> str:
    """An id nobody used."""
    return f"x{next(_numbers)}"


@dataclass
class Place:
    """A group, a person in it with a phone, who leads him, and what is going on there now."""

    where: str
    unit: UnitId
    group: GroupId
    user: UserId
    lead: UserId
    agency: AgencyId
    plan: str = "pl-none"
    doomed_plan: str = "pl-none"
    incident: str = "E0101202601010001"
    case: str = "case-x"
    recording: str = f"b-{0:024x}"
    doomed: str = f"b-{0:024x}"
    material: str = f"{0:024x}"
    doomed_material: str = f"{0:024x}"
    shift: str = "sh-x"
    session: str = "se-x"
    target: Handset | None = None
    leader: Handset | None = None
    alert: str = ""
    call: str = ""
    broadcast: str = ""
    emergency: bool = False


@dataclass
class World:
    app: App
    town: Town
    foreign: Town
    middle: UnitId
    units: dict[str, UnitId]
    reactor: Reactor = field(default_factory=Reactor)
    phones: list[Handset] = field(default_factory=list)
    callers: dict[Role, Handset] = field(default_factory=dict)

    async def phone(self, user: UserId) -> Handset:
        signed = await self.app.auth.start_session(user, "demo")
        identity = Identity(user=user, token=signed.access_token)
        made = Handset(self.reactor, identity, len(self.phones) + 1, 2)
        self.phones.append(made)
        await made.connect(f"ws://127.0.0.1:{self.app.port}/ws")
        return made

    async def place(self, where: str) -> Place:
        if where == "unknown":
            return Place(where, UnitId("un-x"), GroupId("gr-x"), UserId("us-x"), UserId("us-y"), self.town.agency)
        town = self.foreign if where in ("foreign", "shared") else self.town
        unit = self.units.get(where, self.units["far"] if town is self.town else town.unit)
        user, lead = await town.person(unit=unit), await town.person(Role.LEADER, Role.SHIFT_LEADER, unit=unit)
        async with self.app.store.change() as change:
            group = await groups.create_group(change, groups.GroupDraft(town.agency, unit, "组"))
            inside = [Membership(group, user), Membership(group, lead)]
            if where == "shared":
                await sharing.offer(change, group, self.town.agency)
                await sharing.grant(change, group, self.town.agency)
            if where in ("member", "hearer", "shared"):
                users = [UserId(phone.user) for phone in self.callers.values()]
                inside += [Membership(group, each, may_talk=where != "hearer") for each in users]
            await groups.set_members(change, group, inside)
            content = {"what": "broadcast", "kind": "text", "text": "集合", "to": {"users": [user]}}
            plan, doomed = [await plans.create_plan(change, town.agency, unit, "预案", content) for _ in range(2)]
        made = Place(where, unit, group, user, lead, town.agency, plan, doomed)
        made.target, made.leader = await self.phone(user), await self.phone(lead)
        await made.target.select(group)
        await self._past(made)
        return made

    async def _past(self, place: Place) -> None:
        """What was said, seen and done at a place before anybody asks."""
        store, now = self.app.store, now_ms()
        place.recording, place.doomed = (f"b-{random.getrandbits(96):024x}" for _ in range(2))
        place.material, place.doomed_material = (f"{random.getrandbits(96):024x}" for _ in range(2))
        place.case = f"case-{place.where}"
        where = {"agency_id": place.agency, "unit_id": place.unit, "group_id": place.group}
        (self.app.config.server.data / "recordings").mkdir(exist_ok=True)
        (self.app.config.server.data / "recordings" / "kept").write_bytes(b"OggS")
        said = {
            **where, "from_ms": now, "user_id": place.user, "user_name": "目标", "tier": 0, "priority": 100,
            "node": "n", "started_ms": now, "ended_ms": now + 1, "end_reason": "released", "duration_ms": 1,
            "packets": 1, "lost": 0, "unrecorded": 0, "filled_ms": 0, "file": "kept", "size": 4, "sha256": "0" * 64,
            "peaks": b"", "kept_ms": now,
        }  # fmt: skip
        seen = {
            **where, "kind": "photo", "state": "kept", "user_id": place.user, "user_name": "目标", "note": "",
            "origin": "camera", "taken_ms": now, "clock_offset_ms": 0, "begun_ms": now, "kept_ms": now,
            "media_type": "image/png", "size": 4, "sha256": "1" * 64, "file": "kept", "detail": "",
        }  # fmt: skip
        async with store.writing() as connection:
            keys = enumerate((place.recording, place.doomed), now)
            await connection.execute(insert(t.burst), [{**said, "id": at, "key": key} for at, key in keys])
            both = (place.material, place.doomed_material)
            await connection.execute(insert(t.material), [{**seen, "id": key} for key in both])
        async with store.change() as change:
            draft = duty.ShiftDraft(place.agency, place.unit, "班", now, now + 3_600_000, frozenset({place.user}))
            place.shift = await duty.create_shift(change, draft)
        document = read_document({"title": "占道", "parties": [{"kind": "user", "id": place.user}]})
        await self.app.bridge.bridge.news(place.agency, incident_code(place.case), document)

    # --- what is going on at a place: begun when a caller has ended it ------------------------------------------------

    async def open_alert(self, place: Place) -> str:
        if place.target is not None:
            place.alert = place.alert or number()
            told, _ = await place.target.request(Sos(id=number(), alert=place.alert, pressed_ms=1))
            if told.state not in ("raised", "claimed", "acknowledged"):
                place.alert = number()
                await place.target.request(Sos(id=number(), alert=place.alert, pressed_ms=1))
        return place.alert or "al-x"

    async def open_call(self, place: Place) -> str:
        if place.leader is not None and self.app.node.calls.get(place.call) is None:
            asked = CallStart(id=number(), kind="group", users=[place.user], name="调度")
            call, _ = await place.leader.request(asked)
            assert isinstance(call, Call)
            place.call = call.call
        return place.call or "ca-x"

    async def open_broadcast(self, place: Place) -> str:
        if place.leader is not None:
            place.broadcast = number()
            to = Recipients(users=[place.user])
            asked = BroadcastStart(id=number(), broadcast=place.broadcast, to=to, kind="text", text="通知")
            await place.leader.request(asked)
        return place.broadcast or "br-x"

    async def open_emergency(self, place: Place) -> str:
        if place.leader is not None and not place.emergency:
            place.emergency = True
            to = Recipients(groups=[place.group])
            await place.leader.request(EmergencyCall(id=number(), call=number(), to=to))
        return place.group


@dataclass
class Scene:
    """One caller before one place."""

    world: World
    place: Place
    caller: User
    phone: Handset

    @property
    def facts(self) -> Any:
        return self.world.app.node.roster

    @property
    def agency(self) -> Agency:
        found = self.world.app.store.directory.agency(self.caller.agency)
        assert found is not None
        return found

    @property
    def shift(self) -> Any:
        return self.world.app.store.directory.snapshot.shifts.get(self.place.shift)

    @property
    def root(self) -> Unit | None:
        """That of the caller's agency."""
        return self.world.app.store.directory.unit(self.world.town.unit)

    @property
    def case_unit(self) -> Unit | None:
        """Whose the case is, when it is one of the caller's agency."""
        return self.unit if self.place.agency == self.caller.agency else None

    @property
    def user(self) -> User | None:
        found: User | None = self.facts.user(self.place.user)
        return found

    @property
    def lead(self) -> User | None:
        found: User | None = self.facts.user(self.place.lead)
        return found

    @property
    def unit(self) -> Unit | None:
        found: Unit | None = self.facts.unit(self.place.unit)
        return found

    @property
    def own_unit(self) -> Unit | None:
        found: Unit | None = self.facts.unit(self.caller.unit)
        return found

    def group(self, key: str | None = None) -> Group | None:
        found: Group | None = self.facts.group(GroupId(key or self.place.group))
        return found

    def may(self, act: Act, target: Target | None, absent: Refusal) -> Refusal | None:
        """The table's answer; ``absent`` for what is not there or belongs to others."""
        if target is None:
            return absent
        said = may(act, self.caller, target, self.facts)
        return absent if said in (Refusal.UNKNOWN_USER, Refusal.UNKNOWN_GROUP, Refusal.NOT_FOUND) else said

    def hears(self) -> Refusal | None:
        group = self.group()
        said = self.may(Act.SELECT, group, Refusal.UNKNOWN_GROUP)
        return None if self.may(Act.MONITOR, group, Refusal.UNKNOWN_GROUP) is None else said

    async def ask(self, message: Any) -> Refusal | None:
        """The code with which the server says no, None when it did as asked."""
        try:
            answer, _ = await self.phone.request(message)
        except PhoneFailed as failed:
            if failed.code is None:
                raise
            return failed.code
        return answer.code if isinstance(answer, FloorDeny) else None

    async def select(self) -> bool:
        return await self.ask(Select(id=number(), group=self.place.group)) is None


@asynccontextmanager
async def opened(folder: Path, store: StoreSettings) -> AsyncIterator[World]:
    config = Config(
        store=store,
        server=ServerSettings(host="127.0.0.1", port=0, data=folder, pages=folder / "none", drain_s=0),
        media=MediaSettings(loopback=True),
        recording=RecordingSettings(),
        auth=QUICK,
    )
    async with App(config) as app:
        town = await found_town(app.store, app.auth, Clock())
        foreign = await found_town(app.store, app.auth, Clock(), "邻市")
        async with app.store.change() as change:
            middle = await units.create_unit(change, town.agency, town.unit, "中")
            low = await units.create_unit(change, town.agency, middle, "下")
            side = await units.create_unit(change, town.agency, town.unit, "旁")
        world = World(app, town, foreign, middle, {"near": low, "far": side})
        try:
            for role in Role:
                user = await town.person(role, name=role.value, unit=middle)
                world.callers[role] = await world.phone(user)
            yield world
        finally:
            for phone in world.phones:
                phone.close()
            world.reactor.close()
