"""One node: its phones, the groups active here, and the parts they talk through. Composed by `poc_server.app`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import structlog

from gateway.notice import Notice
from groups.floor.inputs import Left
from groups.model import User
from groups.policy import Act, may, rights_of
from groups.vocabulary import GroupId, GroupKind, IncidentCode, NotListening, Refusal, UserId
from poc_server.media.edge import MediaEdge
from poc_server.metrics import Metrics, Reading
from poc_server.store import Actor, audit
from poc_server.store.ids import now_ms
from poc_server.store.journal import AuditRecord, Record
from poc_server.store.places import Place
from poc_server.talk.calls import Calls
from poc_server.talk.conditions import Conditions
from poc_server.talk.ears import Ears
from poc_server.talk.phone import Phone, person
from poc_server.talk.phones import Phones
from poc_server.talk.presence import Presence
from poc_server.talk.reception import Reception
from poc_server.talk.resume import tell_again
from poc_server.talk.roster import Roster
from poc_server.talk.settings import TalkSettings
from poc_server.talk.talkgroup import BurstListener, Talkgroup
from signaling import limits
from signaling.endpoint import Connection, Endpoint
from signaling.messages import (
    Bye,
    FloorSnapshot,
    GroupSnapshot,
    GroupSummary,
    Hello,
    IceServer,
    IncidentSummary,
    Limits,
    Welcome,
)
from signaling.messages.incident import Tap
from signaling.words import refusal

if TYPE_CHECKING:
    from poc_server.auth import Auth
    from poc_server.emergency import Emergency
    from poc_server.fabric.interface import Fabric
    from poc_server.recording.missed import MissedVoice
    from poc_server.store.directory import Directory, DirectoryChange
    from poc_server.texts import TextDesk

log = structlog.get_logger(__name__)

LIMITS = Limits(
    message_bytes=limits.MAX_MESSAGE_BYTES,
    messages_per_second=limits.MESSAGES_PER_SECOND,
    listening_expires_ms=round(limits.LISTENING_EXPIRES_S * 1000),
    resume_ms=round(limits.RESUME_S * 1000),
)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a node is made of."""

    directory: Directory
    auth: Auth
    fabric: Fabric
    media: MediaEdge
    metrics: Metrics
    ice_servers: Callable[[str], list[IceServer]]
    burst_listeners: tuple[BurstListener, ...] = ()
    journal: Callable[[Record], None] = lambda _: None
    places: Callable[[], Iterable[Place]] = tuple
    talk: TalkSettings = field(default_factory=TalkSettings)
    name: str = "node"


class IncidentDesk(Protocol):
    """Where incidents are kept (`poc_server.bridge`)."""

    async def of_user(self, user: User, limit: int) -> list[IncidentSummary]:
        """The incidents that matter to a user, at most ``limit``. Refuses while SQL is away."""

    async def report(self, user: User, code: IncidentCode, tap: Tap) -> object:
        """A tap of an officer; returns when it is kept. Refuses one who is not a member."""

    def joined(self, user: User, group: GroupId) -> None:
        """A user affiliated with a group that may be an incident's."""


class Node:
    """Phones and groups of one process.

    Attributes:
        incidents: where incidents are kept, None while there is no bridge.
        texts: where written messages are kept.
        journal: takes what must be recorded but may not wait: audit, calls.
        wake: wakes people who have no phone connected.
        missed: tells who is back what he missed, None where nothing is recorded.
    """

    def __init__(self, parts: Parts) -> None:
        self.directory = parts.directory
        self.roster = Roster(parts.directory)
        self.auth = parts.auth
        self.fabric = parts.fabric
        self.media = parts.media
        self.metrics = parts.metrics
        self.conditions = Conditions(self)
        self.emergency: Emergency | None = None
        self.calls = Calls(self)
        self.burst_listeners = (self.calls, *parts.burst_listeners)
        self.ears = Ears()
        self.presence = Presence(self)
        self.phones = Phones()
        self.talkgroups: dict[GroupId, Talkgroup] = {}
        self.endpoint = Endpoint(lambda connection: Reception(self, connection))
        self.incidents: IncidentDesk | None = None
        self.missed: MissedVoice | None = None
        self.texts: TextDesk | None = None
        self.journal = parts.journal
        self.places = parts.places
        self.wake: Callable[[Iterable[UserId], Notice], None] = lambda _users, _notice: None
        self.settings = parts.talk
        self.name = parts.name
        self.draining = False
        self._ice_servers = parts.ice_servers
        self._sweeper: asyncio.Task[None] | None = None
        self.metrics.read_from(self._readings)

    # --- life ------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin serving."""
        self.presence.start()
        self._sweeper = asyncio.get_running_loop().create_task(self._sweep())
        self.directory.subscribe(self._directory_changed)

    async def drain(self, within_s: float) -> None:
        """Refuse new phones, let bursts on air come to their end, then say goodbye to every phone."""
        self.draining = True
        self.endpoint.accepting = False
        loop = asyncio.get_running_loop()
        end = loop.time() + within_s
        while any(group.routes for group in self.talkgroups.values()) and loop.time() < end:  # noqa: ASYNC110 - rare
            await asyncio.sleep(0.05)
        for phone in self.phones.values():
            phone.send(Bye(code=Refusal.DRAINING, message=phone.words(Refusal.DRAINING), reconnect=True))
        self.endpoint.close_all(limits.CLOSE_GOING_AWAY)

    def stop(self) -> None:
        """Stop at once."""
        self.presence.stop()
        self.conditions.stop()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for group in tuple(self.talkgroups.values()):
            group.close()
        self.endpoint.stop()

    def not_ready(self) -> str | None:
        """Why no phone should come, None when they may."""
        return "draining" if self.draining else None

    def loop_time(self) -> float:
        """Seconds on this node's monotonic clock, for what concerns this node alone."""
        return asyncio.get_running_loop().time()

    # --- phones ----------------------------------------------------------------------------------------------------

    def welcome(self, connection: Connection, user: User, session: str, hello: Hello) -> Phone:
        """Greet a phone: a known one comes back to its place, any other takes a new one."""
        key = f"{user.id}/{hello.device or ''}"
        phone = self.phones.get(key)
        resumed = phone is not None and hello.resume is not None and hello.resume == phone.resume
        if phone is not None:
            self._replace(phone, resumed)
        if phone is None or not resumed:
            phone = self.phones[key] = Phone(key=key, user=user, session=session, slots=hello.slots)
        phone.connection, phone.dropped_at, phone.session = connection, None, session
        keeps_media = resumed and phone.peer is not None and phone.peer.connected
        if not keeps_media:
            self.open_media(phone)
        assert phone.peer is not None  # noqa: S101 - open_media sets it
        phone.send(
            Welcome(
                id=hello.id,
                user=person(user),
                roles=sorted(user.roles),
                rights=sorted(rights_of(user)),
                groups=self._to_choose(phone),
                selected=phone.selected,
                limits=LIMITS,
                ice_servers=self._ice_servers(user.id),
                offer=None if keeps_media else phone.peer.offer,
                slots=phone.slots,
                resume=phone.resume,
                resumed=resumed,
                server_time_ms=self.fabric.now(),
            )
        )
        if resumed:
            tell_again(self, phone)
        self.presence.changed(phone.groups)
        self.calls.came(phone)
        if self.emergency is not None:
            self.emergency.came(phone)
        if self.texts is not None:
            self.texts.came(phone)
        if self.missed is not None and not keeps_media:
            self.missed.came(phone)
        return phone

    def phones_of(self, user: UserId) -> list[Phone]:
        """The phones of a user that have a place here."""
        return self.phones.of(user)

    def phones_among(self, users: Iterable[UserId]) -> Iterator[Phone]:
        """The phones of these users that have a place here."""
        for user in users:
            yield from self.phones.of(user)

    def open_media(self, phone: Phone) -> None:
        """Give a phone a new media path; the old one, if any, ends."""
        self.ears.forget(phone)
        if phone.peer is not None:
            phone.peer.close()
            for group in phone.groups:
                # What it was saying came over the old path; it presses again on the new one.
                self.talkgroup(group).submit(Left(phone.user.id, phone.key))
        phone.peer = self.media.connect(phone.key, phone.slots, _MediaOf(self, phone))

    def dropped(self, phone: Phone) -> None:
        """Its socket is lost; it keeps its place for `limits.RESUME_S`."""
        phone.connection = None
        phone.dropped_at = self.loop_time()
        if self.missed is not None:
            self.missed.went(phone)
        phone.listening_until = 0.0
        self.presence.changed(phone.groups)

    def remove(self, phone: Phone) -> None:
        """A phone leaves for good: groups, floor, queue, slots and media path."""
        if self.phones.get(phone.key) is phone:
            del self.phones[phone.key]
        for group in phone.brought:
            self.let_go(phone, group)
        self.affiliate(phone, selected=None, listens=())
        self.ears.forget(phone)
        if phone.peer is not None:
            phone.peer.close()
            phone.peer = None
        self.calls.gone(phone)

    def end_phone(self, phone: Phone, code: Refusal, close_code: int) -> None:
        """Disconnect a phone for a reason it is told, and forget its place."""
        connection, phone.connection = phone.connection, None
        if connection is not None:
            connection.send(Bye(code=code, message=refusal(code, connection.language), reconnect=False))
            connection.close(close_code)
        self.remove(phone)

    def _replace(self, phone: Phone, resumed: bool) -> None:
        if resumed:
            old, phone.connection = phone.connection, None
            if old is not None:
                old.close(limits.CLOSE_REPLACED)
        else:
            self.end_phone(phone, Refusal.REPLACED, limits.CLOSE_REPLACED)

    # --- groups ----------------------------------------------------------------------------------------------------

    def may_hear(self, phone: Phone, group: GroupId) -> Refusal | None:
        """None when this phone may hear the group, as a member or as one who monitors; else why not."""
        found = self.roster.group(group)
        if found is None or not found.enabled:
            return Refusal.UNKNOWN_GROUP
        refused = may(Act.SELECT, phone.user, found, self.roster)
        if refused is None or group in phone.brought:
            return None
        return None if may(Act.MONITOR, phone.user, found, self.roster) is None else refused

    def affiliate(self, phone: Phone, selected: GroupId | None, listens: Iterable[GroupId]) -> None:
        """Set what a phone talks in and listens to; it hears, at once, what is on air there."""
        before = set(phone.groups)
        phone.selected, phone.listens = selected, tuple(listens)
        self._follow(phone, before)

    def bring(self, phone: Phone, group: GroupId) -> None:
        """Let a phone hear a group before all others, whatever it chose itself, until `let_go`."""
        before = set(phone.groups)
        phone.brought = (group, *(g for g in phone.brought if g != group))
        self._follow(phone, before)

    def let_go(self, phone: Phone, group: GroupId) -> None:
        """End what `bring` began."""
        before = set(phone.groups)
        phone.brought = tuple(g for g in phone.brought if g != group)
        self._follow(phone, before)

    def _follow(self, phone: Phone, before: set[GroupId]) -> None:
        after = set(phone.groups)
        for group in before - after:
            talkgroup = self.talkgroups.get(group)
            if talkgroup is not None:
                talkgroup.leave(phone)
        for group in after - before:
            talkgroup = self.talkgroup(group)
            talkgroup.join(phone)
            if self.incidents is not None and talkgroup.group.kind is GroupKind.INCIDENT:
                self.incidents.joined(phone.user, group)
        self.ears.affiliated(phone)
        self.presence.changed(before | after)

    def talkgroup(self, group: GroupId) -> Talkgroup:
        """The live state of a group on this node, made at its first use."""
        found = self.talkgroups.get(group)
        if found is None:
            model = self.roster.group(group)
            if model is None:
                raise KeyError(group)
            found = self.talkgroups[group] = Talkgroup(self, model)
        return found

    def _to_choose(self, phone: Phone) -> list[GroupSummary]:
        """What a phone chooses from. Groups of incidents may be hundreds: they are asked for by `incident_list`."""
        groups = self.groups_of(phone.user)
        return [g for g in groups if g.kind is not GroupKind.INCIDENT or g.id == phone.selected]

    def groups_of(self, user: User) -> list[GroupSummary]:
        """The groups a user is a member of, the one to select first at the head."""
        out = []
        for key in self.roster.groups_of(user.id):
            group, membership = self.roster.group(key), self.roster.membership(key, user.id)
            if group is not None and group.enabled and membership is not None:
                out.append(
                    GroupSummary(
                        id=group.id,
                        name=group.name,
                        kind=group.kind,
                        may_talk=membership.may_talk,
                        priority=membership.priority,
                        members=len(self.roster.members(group.id)),
                    )
                )
        # Where one can talk first, then the closest circle: the own patrol before the whole city.
        return sorted(out, key=lambda g: (not g.may_talk, g.members, g.name))

    def snapshot(self, phone: Phone, group: GroupId) -> GroupSnapshot:
        """All a page needs to draw a group it opens."""
        model = self.roster.group(group)
        if model is None:
            raise KeyError(group)
        talkgroup = self.talkgroups.get(group)
        counts = self.presence.counts(group)
        yours, position = talkgroup.place_of(phone) if talkgroup else ("none", None)
        return GroupSnapshot(
            id=group,
            name=model.name,
            kind=model.kind,
            floor=talkgroup.floor_snapshot() if talkgroup else FloorSnapshot(state="idle"),
            yours=yours,
            position=position,
            members=counts.members,
            online=counts.online,
            listening=counts.listening,
        )

    def audit(
        self, user: User, act: Act, kind: str, target: str, detail: Mapping[str, Any], refused: Refusal | None = None
    ) -> None:
        """Who did what, or tried what he may not: kept without waiting."""
        action = act.value if refused is None else f"{act.value}.refused"
        said = dict(detail) if refused is None else {**detail, "refused": refused.value}
        entry = audit.entry(Actor(user.id, user.agency), now_ms(), action, kind, target, said)
        self.journal(AuditRecord.of(entry))

    # --- housekeeping ----------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = self.loop_time()
            for phone in tuple(self.phones.values()):
                if phone.dropped_at is not None and now - phone.dropped_at > limits.RESUME_S:
                    self.remove(phone)
            for key, talkgroup in tuple(self.talkgroups.items()):
                if talkgroup.idle:
                    talkgroup.close()
                    del self.talkgroups[key]

    def _directory_changed(self, change: DirectoryChange) -> None:
        """People, groups or sessions are different now: live phones follow at once."""
        for phone in tuple(self.phones.values()):
            # A user is named with each of his memberships; most are of groups he does not hear just now.
            other = phone.user.id in change.users and phone.user is not self.directory.user(phone.user.id)
            if change.everything or other or phone.session in change.sessions:
                self._reconsider(phone, change)
            elif change.groups and not change.groups.isdisjoint(phone.groups):
                self._keep_to_allowed(phone)
        for key in change.groups if not change.everything else tuple(self.talkgroups):
            talkgroup, model = self.talkgroups.get(key), self.roster.group(key)
            if talkgroup is not None and model is not None:
                talkgroup.configured(model)

    def _reconsider(self, phone: Phone, change: DirectoryChange) -> None:
        user = self.directory.user(phone.user.id)
        if user is None or not user.enabled or phone.session in change.after.ended_sessions:
            gone = user is None or not user.enabled
            self.end_phone(phone, Refusal.DISABLED if gone else Refusal.NOT_SIGNED_IN, limits.CLOSE_BAD_TOKEN)
            return
        phone.user = user
        self._keep_to_allowed(phone)

    def _keep_to_allowed(self, phone: Phone) -> None:
        kept = [g for g in phone.groups if self.may_hear(phone, g) is None]
        if len(kept) != len(phone.groups):
            selected = phone.selected if phone.selected in kept else None
            self.affiliate(phone, selected, [g for g in phone.listens if g in kept])

    def _readings(self) -> Iterable[Reading]:
        phones = self.phones.values()
        yield "poc_phones", "Phones with a place on this node", len(self.phones)
        yield "poc_phones_connected", "Phones with a socket", sum(p.connection is not None for p in phones)
        yield "poc_media_connected", "Phones with a media path", sum(bool(p.peer and p.peer.connected) for p in phones)
        yield "poc_groups_active", "Groups with live state on this node", len(self.talkgroups)
        yield "poc_calls", "Calls going on", len(self.calls)
        yield "poc_bursts_on_air", "Talk bursts on air now", sum(len(g.routes) for g in self.talkgroups.values())
        yield "poc_clients_aborted_total", "Clients aborted because they did not read", self.endpoint.aborted


@dataclass(slots=True)
class _MediaOf:
    """What the media edge tells of one phone (`poc_server.media.edge.PeerOwner`)."""

    node: Node
    phone: Phone

    def media_connected(self) -> None:
        """The media path is up: what is on air is heard from now on."""
        self.node.ears.place((self.phone,))
        self.node.calls.media(self.phone)
        self.node.presence.changed(self.phone.groups)

    def media_gone(self, reason: str) -> None:
        """The media path is lost; the phone will ask for another."""
        self.phone.not_listening = NotListening.NO_MEDIA
        self.node.presence.changed(self.phone.groups)

    def media_without_floor(self) -> None:
        """Voice came without a floor: the phone is told (TS 24.380 §6.3.5.4, Revoke cause 3)."""
        if self.phone.selected is not None:
            talkgroup = self.node.talkgroups.get(self.phone.selected)
            if talkgroup is not None:
                talkgroup.media_without_floor(self.phone)
