"""Phones that come and go: greeted, given a place and a media path, kept for a while when the socket is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from groups.floor.inputs import Left
from groups.vocabulary import GroupKind, Refusal
from poc_server.talk.clock import loop_time
from poc_server.talk.phone import Phone, person
from poc_server.talk.resume import tell_again
from signaling import limits
from signaling.connection import frame
from signaling.messages import Bye, Groups, IceServer, Isolated, Limits, Welcome
from signaling.words import refusal

if TYPE_CHECKING:
    from groups.model import User
    from groups.vocabulary import UserId
    from poc_server.auth import Claims
    from poc_server.media.edge import MediaEdge
    from poc_server.media.peer import PeerOwner
    from poc_server.talk.affiliation import Affiliation
    from poc_server.talk.ears import Ears
    from poc_server.talk.overview import Overview
    from poc_server.talk.patch import Joined
    from poc_server.talk.phones import Phones
    from poc_server.talk.presence import Presence
    from poc_server.talk.talkgroups import Talkgroups
    from signaling.connection import Connection
    from signaling.messages import GroupSummary, Hello

LIMITS = Limits(
    message_bytes=limits.MAX_MESSAGE_BYTES,
    messages_per_second=limits.MESSAGES_PER_SECOND,
    listening_expires_ms=round(limits.LISTENING_EXPIRES_S * 1000),
    resume_ms=round(limits.RESUME_S * 1000),
)


class Missed(Protocol):
    """Who tells those who are back what they missed (`poc_server.recording.replaying.missed`)."""

    def came(self, phone: Phone) -> None:
        """A phone has a new media path."""

    def went(self, phone: Phone) -> None:
        """Its socket is lost."""


class DiskNews(Protocol):
    """Who tells consoles how the recorder's disk is (`poc_server.recording.disk_news`)."""

    def came(self, phone: Phone) -> None:
        """A phone connected."""


@dataclass(slots=True)
class Arrivals:
    """The place of each phone of this node.

    Attributes:
        owner_of: who hears from the media edge of a phone.
        ice_servers: the servers a user's phone finds its way by.
        now: the fabric's clock.
        on_came: those told of a phone that connected, so that it learns what concerns it.
        on_leaves: told of a phone that is about to leave for good, while it is still in all it was in.
        on_gone: told of a phone that left for good.
        decides_here: whether calls and emergencies are decided on this node: always where there is no other.
        take_over: a phone of another node comes to this one: its old place, its new one, whether it resumes.
        missed, disk_news: None where nothing is recorded.
        alone: this node goes on without the others.
    """

    phones: Phones
    talkgroups: Talkgroups
    joined: Joined
    affiliation: Affiliation
    ears: Ears
    presence: Presence
    overview: Overview
    media: MediaEdge
    owner_of: Callable[[Phone], PeerOwner]
    ice_servers: Callable[[UserId], list[IceServer]]
    now: Callable[[], int]
    on_came: list[Callable[[Phone], None]] = field(default_factory=list)
    on_leaves: Callable[[Phone], None] = lambda _: None
    on_gone: Callable[[Phone], None] = lambda _: None
    decides_here: Callable[[], bool] = lambda: True
    take_over: Callable[[Phone, Phone, bool], None] = lambda *_: None
    missed: Missed | None = None
    disk_news: DiskNews | None = None
    alone: bool = False

    def welcome(self, connection: Connection, user: User, claims: Claims, hello: Hello) -> Phone:
        """Greet a phone: a known one comes back to its place, any other takes a new one."""
        key = f"{user.id}/{hello.device or ''}"
        phone = known = self.phones.get(key)
        resumed = known is not None and hello.resume is not None and hello.resume == known.resume
        if known is not None and known.away is None:
            self._replace(known, resumed)
        if phone is None or not resumed or phone.away is not None:
            phone = self.phones[key] = Phone(key=key, user=user, session=claims.session, slots=hello.slots)
            phone.patched = self.joined.by_group
        phone.connection, phone.dropped_at, phone.moves = connection, None, False
        phone.session, phone.device = claims.session, claims.device
        # Later than where it was before, also within a millisecond.
        phone.since, phone.resumed = max(self.now(), 0 if known is None else known.since + 1), resumed
        keeps_media = resumed and phone.peer is not None and phone.peer.connected
        if not keeps_media:
            self.open_media(phone)
        if known is not None and known.away is not None:
            self.take_over(known, phone, resumed)
        self._greet(phone, hello, keeps_media=keeps_media, resumed=resumed)
        if resumed:
            tell_again(self.talkgroups, self.ears, phone)
        if self.alone:
            phone.send(Isolated(isolated=True))
        self.presence.phone_changed(phone)
        if self.disk_news is not None:
            self.disk_news.came(phone)
        if self.decides_here():
            self.came(phone)
        if self.missed is not None and not keeps_media:
            self.missed.came(phone)
        return phone

    def came(self, phone: Phone) -> None:
        """A phone of any node connected: it is told of what concerns it."""
        for told in self.on_came:
            told(phone)

    def open_media(self, phone: Phone) -> None:
        """Give a phone a new media path; the old one, if any, ends."""
        self.ears.forget(phone)
        if phone.peer is not None:
            phone.peer.close()
            for group in phone.groups:
                # What it was saying came over the old path; it presses again on the new one.
                self.talkgroups.open(group).submit(Left(phone.user.id, phone.key))
        phone.peer = self.media.connect(phone.key, phone.slots, self.owner_of(phone))

    def dropped(self, phone: Phone) -> None:
        """Its socket is lost; it keeps its place for `limits.RESUME_S`."""
        phone.connection = None
        phone.dropped_at = loop_time()
        if self.missed is not None:
            self.missed.went(phone)
        phone.listening_until = 0.0
        self.presence.phone_changed(phone)

    def remove(self, phone: Phone) -> None:
        """A phone leaves for good: groups, floor, queue, slots and media path."""
        if self.phones.get(phone.key) is phone:
            del self.phones[phone.key]
        self.on_leaves(phone)
        self.affiliation.leave_all(phone)
        if phone.peer is not None:
            phone.peer.close()
            phone.peer = None
        self.presence.phone_changed(phone)
        if self.decides_here():
            self.on_gone(phone)

    def remove_lost(self) -> None:
        """Let go of the places of those whose socket was lost too long ago."""
        now = loop_time()
        for phone in self.phones.here():
            if phone.dropped_at is not None and now - phone.dropped_at > limits.RESUME_S:
                self.remove(phone)

    def end(self, phone: Phone, code: Refusal, close_code: int) -> None:
        """Disconnect a phone for a reason it is told, and forget its place."""
        if phone.away is not None:
            phone.away.end(code, close_code)
            return
        connection, phone.connection = phone.connection, None
        if connection is not None:
            connection.send(Bye(code=code, message=refusal(code, connection.language), reconnect=False))
            connection.close(close_code)
        self.remove(phone)

    def isolated(self, alone: bool) -> None:
        """This node goes on without the others, or is one of them again: its phones are told."""
        self.alone = alone
        message = frame(Isolated(isolated=alone))
        for phone in self.phones.here():
            phone.write(message)

    def _greet(self, phone: Phone, hello: Hello, *, keeps_media: bool, resumed: bool) -> None:
        assert phone.peer is not None  # noqa: S101 - open_media sets it
        groups = self.overview.to_choose(phone)
        phone.groups_told = _named(groups)
        phone.send(
            Welcome(
                id=hello.id,
                user=person(phone.user),
                roles=sorted(phone.user.roles),
                rights=self.overview.rights(phone.user),
                groups=groups,
                selected=phone.selected,
                limits=LIMITS,
                ice_servers=self.ice_servers(phone.user.id),
                offer=None if keeps_media else phone.peer.offer,
                slots=phone.slots,
                resume=phone.resume,
                resumed=resumed,
                server_time_ms=self.now(),
            )
        )

    def tell_groups(self, phone: Phone) -> None:
        """Its user's groups may be others than it was told; how many are in each is told with the group."""
        groups = self.overview.to_choose(phone)
        named = _named(groups)
        if named != phone.groups_told:
            self._leave(phone, {each[0] for each in phone.groups_told} - {each[0] for each in named})
            phone.groups_told = named
            phone.send(Groups(groups=groups, selected=phone.selected))

    def _leave(self, phone: Phone, gone: set[object]) -> None:
        """Whoever may dispatch might stay where he is no member any more: for him, too, it is over."""
        selected = None if phone.selected in gone else phone.selected
        listens = tuple(each for each in phone.listens if each not in gone)
        if (selected, listens) != (phone.selected, phone.listens):
            self.affiliation.affiliate(phone, selected, listens)

    def _replace(self, phone: Phone, resumed: bool) -> None:
        if resumed:
            old, phone.connection = phone.connection, None
            if old is not None:
                old.close(limits.CLOSE_REPLACED)
        else:
            self.end(phone, Refusal.REPLACED, limits.CLOSE_REPLACED)


def _named(groups: Iterable[GroupSummary]) -> frozenset[tuple[object, ...]]:
    lasting = [each for each in groups if each.kind is not GroupKind.INCIDENT]
    return frozenset((each.id, each.name, each.kind, each.may_talk, each.priority) for each in lasting)
