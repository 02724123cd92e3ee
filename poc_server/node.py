"""One node: its phones, the groups active here, and the parts they talk through. Composed by `poc_server.app`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from gateway.notice import Notice
from groups.floor.inputs import Left, Withdraw
from groups.model import User
from groups.policy import Act, may
from groups.vocabulary import GroupId, GroupKind, Refusal, RevokeCause, UserId
from poc_server.metrics import Reading
from poc_server.neighbours import phones as far_phones
from poc_server.neighbours.far_phone import FarPhone
from poc_server.parts import IncidentDesk, Parts
from poc_server.store.journal.acts import act_record
from poc_server.talk import monitoring, overview
from poc_server.talk.calls import Calls
from poc_server.talk.conditions import Conditions
from poc_server.talk.drain import drain
from poc_server.talk.ears import Ears
from poc_server.talk.media_of import MediaOf
from poc_server.talk.patches import Patches
from poc_server.talk.phone import Phone, person
from poc_server.talk.phones import Phones
from poc_server.talk.presence import Presence
from poc_server.talk.reception import Reception
from poc_server.talk.resume import tell_again
from poc_server.talk.roster import Roster
from poc_server.talk.slices import Slices
from poc_server.talk.talkgroup import BurstListener, Talkgroup
from signaling import limits
from signaling.endpoint import Connection, Endpoint, frame
from signaling.messages import (
    Bye,
    GroupSnapshot,
    GroupSummary,
    Hello,
    Isolated,
    Limits,
    Person,
    TalkBanned,
    Welcome,
)
from signaling.words import refusal

if TYPE_CHECKING:
    from poc_server.dispatch import DispatchDesk
    from poc_server.emergency import Emergency
    from poc_server.neighbours.elsewhere import Elsewhere
    from poc_server.recording.missed import MissedVoice
    from poc_server.store.directory import DirectoryChange
    from poc_server.texts import TextDesk

log = structlog.get_logger(__name__)

LIMITS = Limits(
    message_bytes=limits.MAX_MESSAGE_BYTES,
    messages_per_second=limits.MESSAGES_PER_SECOND,
    listening_expires_ms=round(limits.LISTENING_EXPIRES_S * 1000),
    resume_ms=round(limits.RESUME_S * 1000),
)


class Node:
    """Phones and groups of one process.

    Attributes:
        elsewhere: the other nodes, None where there is only this one.
        incidents: where incidents are kept, None while there is no bridge.
        texts: where written messages are kept; ``dispatch``: talk bans and shift handovers.
        ban_words: who bans whom just now, and why.
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
        self.burst_listeners = parts.burst_listeners
        self.desk_listeners: tuple[BurstListener, ...] = (self.calls,)
        self.elsewhere: Elsewhere | None = None
        self.ears = Ears()
        self.presence = Presence(self)
        self.patches = Patches(self)
        self.phones = Phones()
        self.talkgroups: dict[GroupId, Talkgroup] = {}
        self.endpoint = Endpoint(lambda connection: Reception(self, connection))
        self.incidents: IncidentDesk | None = None
        self.missed: MissedVoice | None = None
        self.texts: TextDesk | None = None
        self.dispatch: DispatchDesk | None = None
        self.ban_words: dict[UserId, tuple[Person, str]] = {}
        self.journal = parts.journal
        self.places = parts.places
        self.wake: Callable[[Iterable[UserId], Notice], None] = lambda _users, _notice: None
        self.settings = parts.talk
        self.name = parts.name
        self.draining = False
        self.on_drain: list[Callable[[], None]] = []
        self._ice_servers = parts.ice_servers
        self._slices = Slices()
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
        for each in self.on_drain:
            each()
        await drain(self, within_s)

    def stop(self) -> None:
        """Stop at once."""
        self.presence.stop()
        self.conditions.stop()
        if self._sweeper is not None:
            self._sweeper.cancel()
        for group in tuple(self.talkgroups.values()):
            group.close()
        self.endpoint.stop()

    def isolated(self, alone: bool) -> None:
        """This node goes on without the others, or is one of them again: its phones are told."""
        message = frame(Isolated(isolated=alone))
        for phone in self.phones.here():
            phone.write(message)

    def not_ready(self) -> str | None:
        """Why no phone should come, None when they may."""
        if self.draining:
            return "draining"
        return None if self.elsewhere is None or self.elsewhere.joined else "joining the other nodes"

    def loop_time(self) -> float:
        """Seconds on this node's monotonic clock, for what concerns this node alone."""
        return asyncio.get_running_loop().time()

    # --- phones ----------------------------------------------------------------------------------------------------

    def welcome(self, connection: Connection, user: User, session: str, hello: Hello) -> Phone:
        """Greet a phone: a known one comes back to its place, any other takes a new one."""
        key = f"{user.id}/{hello.device or ''}"
        phone = known = self.phones.get(key)
        resumed = known is not None and hello.resume is not None and hello.resume == known.resume
        if known is not None and not isinstance(known, FarPhone):
            self._replace(known, resumed)
        if phone is None or not resumed or isinstance(phone, FarPhone):
            phone = self.phones[key] = Phone(key=key, user=user, session=session, slots=hello.slots)
            phone.patched = self.patches.by_group
        phone.connection, phone.dropped_at, phone.session = connection, None, session
        phone.since = self.fabric.now()
        keeps_media = resumed and phone.peer is not None and phone.peer.connected
        if not keeps_media:
            self.open_media(phone)
        if isinstance(known, FarPhone):
            far_phones.take_over(self, known, phone, resumed=resumed)
        assert phone.peer is not None  # noqa: S101 - open_media sets it
        phone.send(
            Welcome(
                id=hello.id,
                user=person(user),
                roles=sorted(user.roles),
                rights=overview.rights(self, user),
                groups=overview.to_choose(self, phone),
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
        if self.elsewhere is not None and self.elsewhere.fabric.alone:
            phone.send(Isolated(isolated=True))
        self.presence.phone_changed(phone)
        if self.at_desk:
            self.came(phone)
        if self.missed is not None and not keeps_media:
            self.missed.came(phone)
        return phone

    @property
    def at_desk(self) -> bool:
        """Whether calls and emergencies are decided here: always where there is no other node."""
        return self.elsewhere is None or self.elsewhere.desk.here

    def came(self, phone: Phone) -> None:
        """A phone of any node connected: it is told of what concerns it."""
        self.calls.came(phone)
        if self.emergency is not None:
            self.emergency.came(phone)
        if self.texts is not None:
            self.texts.came(phone)
        if self.dispatch is not None:
            self.dispatch.came(phone)

    def open_media(self, phone: Phone) -> None:
        """Give a phone a new media path; the old one, if any, ends."""
        self.ears.forget(phone)
        if phone.peer is not None:
            phone.peer.close()
            for group in phone.groups:
                # What it was saying came over the old path; it presses again on the new one.
                self.talkgroup(group).submit(Left(phone.user.id, phone.key))
        phone.peer = self.media.connect(phone.key, phone.slots, MediaOf(self, phone))

    def dropped(self, phone: Phone) -> None:
        """Its socket is lost; it keeps its place for `limits.RESUME_S`."""
        phone.connection = None
        phone.dropped_at = self.loop_time()
        if self.missed is not None:
            self.missed.went(phone)
        phone.listening_until = 0.0
        self.presence.phone_changed(phone)

    def remove(self, phone: Phone) -> None:
        """A phone leaves for good: groups, floor, queue, slots and media path."""
        if self.phones.get(phone.key) is phone:
            del self.phones[phone.key]
        for group in phone.brought:
            self.let_go(phone, group)
        self.affiliate(phone, selected=None, listens=())
        self.monitor(phone, ())
        self.ears.forget(phone)
        if phone.peer is not None:
            phone.peer.close()
            phone.peer = None
        self.presence.phone_changed(phone)
        if self.at_desk:
            self.calls.gone(phone)

    def end_phone(self, phone: Phone, code: Refusal, close_code: int) -> None:
        """Disconnect a phone for a reason it is told, and forget its place."""
        if phone.away is not None:
            phone.away.end(code, close_code)
            return
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
        if self.patches.get(group) is not None:
            # Nobody names a patch: it is heard through the groups it joins, and talked in through them.
            return None if group in phone.groups else Refusal.UNKNOWN_GROUP
        refused = may(Act.SELECT, phone.user, found, self.roster)
        if refused is None or group in phone.brought:
            return None
        return None if may(Act.MONITOR, phone.user, found, self.roster) is None else refused

    def affiliate(self, phone: Phone, selected: GroupId | None, listens: Iterable[GroupId]) -> None:
        """Set what a phone talks in and listens to; it hears, at once, what is on air there."""
        if phone.away is not None:
            phone.away.affiliate(selected, listens)
            return
        before = set(phone.groups)
        phone.selected, phone.listens = selected, tuple(listens)
        self.follow(phone, before)

    def monitor(self, phone: Phone, groups: Iterable[GroupId]) -> None:
        """Set what a phone hears without being there."""
        before = set(phone.groups)
        phone.monitors = tuple(groups)
        self.follow(phone, before)

    def bring(self, phone: Phone, group: GroupId) -> None:
        """Let a phone hear a group before all others, whatever it chose itself, until `let_go`."""
        if phone.away is not None:
            phone.away.bring(group)
            return
        before = set(phone.groups)
        phone.brought = (group, *(g for g in phone.brought if g != group))
        self.follow(phone, before)

    def let_go(self, phone: Phone, group: GroupId) -> None:
        """End what `bring` began."""
        if phone.away is not None:
            phone.away.let_go(group)
            return
        before = set(phone.groups)
        phone.brought = tuple(g for g in phone.brought if g != group)
        self.follow(phone, before)

    def follow(self, phone: Phone, before: set[GroupId]) -> None:
        """What a phone hears is another than ``before``: it leaves and joins, and hears what is on air."""
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
            self.patches.joined(phone, group)
        self.ears.affiliated(phone)
        self.presence.changed(before)
        self.presence.phone_changed(phone)

    def talkgroup(self, group: GroupId) -> Talkgroup:
        """The live state of a group on this node, made at its first use."""
        found = self.talkgroups.get(group)
        if found is None:
            model = self.roster.group(group)
            if model is None:
                raise KeyError(group)
            found = self.talkgroups[group] = Talkgroup(self, model)
            if self.elsewhere is not None:
                self.elsewhere.follow(group)
        return found

    def floor_of(self, group: GroupId) -> Talkgroup:
        """Where the floor of a group is: its own, or that of the patch it is joined by."""
        return self.talkgroup(self.patches.of(group) or group)

    def groups_of(self, user: User) -> list[GroupSummary]:
        """The groups a user is a member of, the one to select first at the head."""
        return overview.groups_of(self, user)

    def snapshot(self, phone: Phone, group: GroupId) -> GroupSnapshot:
        """All a page needs to draw a group it opens. Raises KeyError when there is none."""
        return overview.snapshot(self, phone, group)

    def audit(
        self, user: User, act: Act, kind: str, target: str, detail: Mapping[str, Any], refused: Refusal | None = None
    ) -> None:
        """Who did what, or tried what he may not: kept without waiting."""
        self.journal(act_record(user, act, kind, target, detail, refused))

    # --- housekeeping ----------------------------------------------------------------------------------------------

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            now = self.loop_time()
            for phone in self.phones.here():
                if phone.dropped_at is not None and now - phone.dropped_at > limits.RESUME_S:
                    self.remove(phone)
            for key, talkgroup in tuple(self.talkgroups.items()):
                if talkgroup.idle:
                    talkgroup.close()
                    del self.talkgroups[key]
                    if self.elsewhere is not None:
                        self.elsewhere.unfollow(key)

    def _directory_changed(self, change: DirectoryChange) -> None:
        """People, groups or sessions are different now: live phones follow at once."""
        if change.everything:
            self._slices.add(self._reconsider_all(change))
        for phone in self.phones.here() if not change.everything else ():
            # A user is named with each of his memberships; most are of groups he does not hear just now.
            other = phone.user.id in change.users and phone.user is not self.directory.user(phone.user.id)
            if other or phone.session in change.sessions:
                self._reconsider(phone, change)
            elif change.groups and not change.groups.isdisjoint(phone.groups):
                self._keep_to_allowed(phone)
        for key in change.groups if not change.everything else tuple(self.talkgroups):
            talkgroup, model = self.talkgroups.get(key), self.roster.group(key)
            if talkgroup is not None and model is not None:
                talkgroup.configured(model)
        self.patches.directory_changed()

    def _reconsider_all(self, change: DirectoryChange) -> Iterator[None]:
        """Thousands of phones at once would hold up voice."""
        for phone in self.phones.here():
            if self.phones.get(phone.key) is phone:
                self._reconsider(phone, change)
            yield

    def _reconsider(self, phone: Phone, change: DirectoryChange) -> None:
        user = self.directory.user(phone.user.id)
        if user is None or not user.enabled or phone.session in change.after.ended_sessions:
            gone = user is None or not user.enabled
            self.end_phone(phone, Refusal.DISABLED if gone else Refusal.NOT_SIGNED_IN, limits.CLOSE_BAD_TOKEN)
            return
        before, phone.user = phone.user, user
        if before.talk_banned != user.talk_banned:
            self._banned(phone)
        self._keep_to_allowed(phone)

    def _banned(self, phone: Phone) -> None:
        """He may not talk, or may again: he is told, and what he says ends, unless he is in danger."""
        user = phone.user
        by, reason = self.ban_words.get(user.id, (None, ""))
        phone.send(TalkBanned(banned=user.talk_banned, by=by, reason=reason))
        if user.talk_banned and not self.conditions.in_sos(user.id):
            for group in phone.groups:
                self.talkgroup(group).submit(Withdraw(user.id, RevokeCause.NO_PERMISSION))
            self.calls.hang_up_duplex(user.id, phone.key)

    def _keep_to_allowed(self, phone: Phone) -> None:
        kept = [g for g in phone.groups if self.may_hear(phone, g) is None]
        if len(kept) != len(phone.groups):
            selected = phone.selected if phone.selected in kept else None
            self.affiliate(phone, selected, [g for g in phone.listens if g in kept])
            self.monitor(phone, [g for g in phone.monitors if g in kept])
        monitoring.rescope(self, phone)

    def _readings(self) -> Iterable[Reading]:
        phones = self.phones.here()
        yield "poc_phones", "Phones with a place on this node", len(phones)
        yield "poc_phones_connected", "Phones with a socket", sum(p.connection is not None for p in phones)
        yield "poc_media_connected", "Phones with a media path", sum(bool(p.peer and p.peer.connected) for p in phones)
        yield "poc_groups_active", "Groups with live state on this node", len(self.talkgroups)
        yield "poc_calls", "Calls going on", len(self.calls)
        yield "poc_bursts_on_air", "Talk bursts on air now", sum(len(g.routes) for g in self.talkgroups.values())
        yield "poc_clients_aborted_total", "Clients aborted because they did not read", self.endpoint.aborted
